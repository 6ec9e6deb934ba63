//! The ZBlock: one zstd frame of known size, compressed with the text of earlier frames in front of it.
//!
//! A context borrows its prefix for as long as it lives, so each frame makes its own; the allocator has its memory ready from
//! the frame before.

use crate::error::{TracezipError, damaged};
use zstd::zstd_safe::{self, CCtx, CParameter, DCtx, compress_bound};

/// Texts below this many bytes are not worth a zstd frame, whose header and tables take about as much as they save.
const MIN_LEN: usize = 256;
/// What every zstd frame begins with; skippable frames begin otherwise.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The zstd frame of `text` behind `prefix`; `None` where it would not be shorter.
pub(crate) fn compress(prefix: &[u8], text: &[u8], level: i32) -> Result<Option<Vec<u8>>, TracezipError> {
    if text.len() < MIN_LEN {
        return Ok(None);
    }
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve_exact(compress_bound(text.len())).map_err(|_| TracezipError::OutOfMemory)?;
    let mut context = CCtx::try_create().ok_or(TracezipError::OutOfMemory)?;
    let compressed = context
        .set_parameter(CParameter::CompressionLevel(level))
        .and_then(|_| context.ref_prefix(prefix))
        .and_then(|_| context.compress2(&mut out, text));
    // With that much room, only memory can be missing.
    compressed.map_err(|_| TracezipError::OutOfMemory)?;
    Ok((out.len() < text.len()).then_some(out))
}

/// The text of a ZBlock that starts at `offset` of its frame, exactly `len` bytes.
pub(crate) fn decompress(prefix: &[u8], zblock: &[u8], len: usize, offset: usize) -> Result<Vec<u8>, TracezipError> {
    let is_one_frame = zblock.starts_with(&MAGIC)
        && zstd_safe::find_frame_compressed_size(zblock).is_ok_and(|size| size == zblock.len());
    if !is_one_frame {
        return Err(damaged("a ZBlock that is not one zstd frame", offset));
    }
    let announced = zstd_safe::get_frame_content_size(zblock).ok().flatten();
    if announced != Some(len as u64) {
        return Err(damaged("a ZBlock of another size than announced", offset));
    }
    let mut text: Vec<u8> = Vec::new();
    text.try_reserve_exact(len).map_err(|_| TracezipError::OutOfMemory)?;
    let mut context = DCtx::try_create().ok_or(TracezipError::OutOfMemory)?;
    context
        .ref_prefix(prefix)
        .and_then(|_| context.decompress(&mut text, zblock))
        .map_err(|_| damaged("a corrupt ZBlock", offset))?;
    if text.len() == len { Ok(text) } else { Err(damaged("a ZBlock of another size than announced", offset)) }
}
