//! gzip by `zlib-rs`, which is zlib-ng in Rust.
//!
//! **The level.** Level 6 is the one for most telemetry: a third less CPU than level 9 for half a percent more bytes. It is
//! the wrong one for what repeats itself at length, such as stack traces, where its short searches cost up to twelve
//! percent. Which of the two a request is shows at its beginning, so where the caller names no level the first 16 KiB are
//! tried: what shrinks there to less than a sixth is compressed at level 9. The figures are in docs/architecture.md.

use crate::CompressionError;
use crate::output::Output;
use crate::slots::Slots;
use flate2::bufread::MultiGzDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};

/// For most telemetry, and for the trial.
pub(crate) const QUICK_LEVEL: i32 = 6;
/// For what repeats itself at length.
const THOROUGH_LEVEL: i32 = 9;
/// How much is tried.
const TRIAL_LEN: usize = 16 << 10;
/// To less than which part the trial shrinks what repeats itself at length.
const REPETITIVE_SHARE: usize = 6;

/// The window that every reader of gzip has: 32 KiB.
pub(crate) const WINDOW_BITS: u8 = 15;

static QUICK_CONTEXTS: Slots<Compress> = Slots::new();
static THOROUGH_CONTEXTS: Slots<Compress> = Slots::new();

/// Compresses at `level`, or at the one that suits the data.
pub(crate) fn compress(data: &[u8], level: Option<i32>) -> Result<Vec<u8>, CompressionError> {
    if let Some(level) = level {
        return compress_at(data, level);
    }
    let trial = &data[..data.len().min(TRIAL_LEN)];
    let tried = compress_at(trial, QUICK_LEVEL)?;
    if tried.len() * REPETITIVE_SHARE < trial.len() {
        compress_at(data, THOROUGH_LEVEL)
    } else if trial.len() == data.len() {
        Ok(tried)
    } else {
        compress_at(data, QUICK_LEVEL)
    }
}

fn compress_at(data: &[u8], level: i32) -> Result<Vec<u8>, CompressionError> {
    let make = || Ok(Compress::new_gzip(Compression::new(level as u32), WINDOW_BITS));
    let work = |context: &mut Compress| compress_with(context, data);
    match level {
        QUICK_LEVEL => QUICK_CONTEXTS.with(make, work),
        THOROUGH_LEVEL => THOROUGH_CONTEXTS.with(make, work),
        _ => make().and_then(|mut context| work(&mut context)),
    }
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
