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

/// How much is given at a time. zlib counts that in 32 bits: given more at once, it ends the member behind the first 4 GiB.
const SLICE_LEN: usize = 1 << 30;

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
    let work = |context: &mut Compress| compress_with(context, data, SLICE_LEN);
    match level {
        QUICK_LEVEL => QUICK_CONTEXTS.with(make, work),
        THOROUGH_LEVEL => THOROUGH_CONTEXTS.with(make, work),
        _ => make().and_then(|mut context| work(&mut context)),
    }
}

fn compress_with(context: &mut Compress, data: &[u8], slice_len: usize) -> Result<Vec<u8>, CompressionError> {
    context.reset();
    let mut out = Vec::new();
    // Telemetry shrinks to a quarter or less; what does not makes the output grow.
    let mut room = data.len() / 4 + 64;
    loop {
        if out.len() == out.capacity() {
            out.try_reserve(room).map_err(|_| CompressionError::OutOfMemory)?;
            room = out.capacity();
        }
        let rest = &data[context.total_in() as usize..];
        let (slice, flush) = match rest.get(..slice_len) {
            Some(slice) if slice.len() < rest.len() => (slice, FlushCompress::None),
            _ => (rest, FlushCompress::Finish),
        };
        match context.compress_vec(slice, &mut out, flush) {
            Ok(Status::StreamEnd) => {
                debug_assert_eq!(context.total_in(), data.len() as u64);
                return Ok(out);
            }
            Ok(Status::Ok) => {}
            // There is input and room, so that only memory can be missing.
            Ok(Status::BufError) | Err(_) => return Err(CompressionError::OutOfMemory),
        }
    }
}

pub(crate) fn decompress(data: &[u8], max_size: usize) -> Result<Vec<u8>, CompressionError> {
    Output::new(max_size).read_all(MultiGzDecoder::new(data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_compressed_whole_however_long_its_slices_are() {
        let data: Vec<u8> = (0..300_000u32).map(|at| (at.wrapping_mul(0x9e37_79b9) >> (at % 32)) as u8).collect();
        let mut context = Compress::new_gzip(Compression::new(1), WINDOW_BITS);
        for length in [0, 1, 99, 100, 101, 300, 70_000, 300_000] {
            let data = &data[..length];
            for slice_len in [100, 65_536, SLICE_LEN] {
                let compressed = compress_with(&mut context, data, slice_len).expect("memory");
                assert_eq!(decompress(&compressed, length).as_deref(), Ok(data), "{length} bytes by {slice_len}");
            }
        }
    }
}
