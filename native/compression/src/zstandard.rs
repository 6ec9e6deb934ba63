//! zstd by libzstd, with the content's length and checksum in the frame.

use crate::CompressionError;
use crate::output::Output;
use crate::slots::Slots;
use std::io;
use zstd::bulk::Compressor;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::{CParameter, DCtx, DParameter, compress_bound};

pub(crate) const DEFAULT_LEVEL: i32 = 3;

/// 8 MiB: what a receiver must be able to read, and may refuse to pass
/// ([RFC 9659](https://www.rfc-editor.org/rfc/rfc9659)).
const MAX_WINDOW_LOG: u32 = 23;

/// Contexts at the default level: at a high one they can take a hundred megabytes.
static COMPRESSORS: Slots<Compressor<'static>> = Slots::new();
static DECOMPRESSORS: Slots<DCtx<'static>> = Slots::new();

pub(crate) fn compress(data: &[u8], level: i32) -> Result<Vec<u8>, CompressionError> {
    let make = || compressor(level).map_err(|_| CompressionError::OutOfMemory);
    let work = |context: &mut Compressor<'static>| compress_with(context, data);
    if level == DEFAULT_LEVEL {
        COMPRESSORS.with(make, work)
    } else {
        make().and_then(|mut context| work(&mut context))
    }
}

fn compressor(level: i32) -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok(compressor)
}

fn compress_with(context: &mut Compressor<'_>, data: &[u8]) -> Result<Vec<u8>, CompressionError> {
    let mut out = Vec::new();
    out.try_reserve_exact(compress_bound(data.len())).map_err(|_| CompressionError::OutOfMemory)?;
    // With that much room, nothing else can go wrong.
    context.compress_to_buffer(data, &mut out).map_err(|_| CompressionError::OutOfMemory)?;
    Ok(out)
}

pub(crate) fn decompress(data: &[u8], max_size: usize) -> Result<Vec<u8>, CompressionError> {
    // `with_context` forgets whatever its last user did not finish.
    DECOMPRESSORS.with(decompressor, |context| Output::new(max_size).read_all(Decoder::with_context(data, context)))
}

fn decompressor() -> Result<DCtx<'static>, CompressionError> {
    let mut context = DCtx::try_create().ok_or(CompressionError::OutOfMemory)?;
    context.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)).map_err(|_| CompressionError::OutOfMemory)?;
    Ok(context)
}
