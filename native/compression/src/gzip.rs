//! gzip by `zlib-rs`, which is zlib-ng in Rust.

use crate::CompressionError;
use crate::output::Output;
use crate::slots::Slots;
use flate2::bufread::MultiGzDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};

pub(crate) const DEFAULT_LEVEL: i32 = 9;

/// The window that every reader of gzip has: 32 KiB.
const WINDOW_BITS: u8 = 15;

/// Contexts at the default level.
static CONTEXTS: Slots<Compress> = Slots::new();

pub(crate) fn compress(data: &[u8], level: i32) -> Result<Vec<u8>, CompressionError> {
    let make = || Ok(Compress::new_gzip(Compression::new(level as u32), WINDOW_BITS));
    let work = |context: &mut Compress| compress_with(context, data);
    if level == DEFAULT_LEVEL { CONTEXTS.with(make, work) } else { make().and_then(|mut context| work(&mut context)) }
}

fn compress_with(context: &mut Compress, data: &[u8]) -> Result<Vec<u8>, CompressionError> {
    context.reset();
    let mut out = Vec::new();
    // Telemetry shrinks to a quarter or less; what does not makes the output grow.
    let mut room = data.len() / 4 + 64;
    loop {
        out.try_reserve(room).map_err(|_| CompressionError::OutOfMemory)?;
        let rest = &data[context.total_in() as usize..];
        match context.compress_vec(rest, &mut out, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => return Ok(out),
            Ok(_) => room = out.len(),
            Err(_) => return Err(CompressionError::OutOfMemory),
        }
    }
}

pub(crate) fn decompress(data: &[u8], max_size: usize) -> Result<Vec<u8>, CompressionError> {
    Output::new(max_size).read_all(MultiGzDecoder::new(data))
}
