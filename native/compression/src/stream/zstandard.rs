//! zstd streams, frame after frame.

use super::Step;
use crate::CompressionError::{self, Corrupt, OutOfMemory};
use crate::zstandard::DEFAULT_LEVEL;
use zstd::stream::raw::{Decoder, Operation};
use zstd::stream::write::Encoder;
use zstd::zstd_safe::DParameter;

/// 128 MiB: what the `zstd` program reads without being told.
const MAX_WINDOW_LOG: u32 = 27;

pub(super) struct Reader {
    decoder: Decoder<'static>,
    /// Whether the last byte that was read is the last one of a frame.
    is_behind_frame: bool,
}

impl Reader {
    pub(super) fn new() -> Result<Self, CompressionError> {
        let mut decoder = Decoder::new().map_err(|_| OutOfMemory)?;
        decoder.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)).map_err(|_| OutOfMemory)?;
        Ok(Self { decoder, is_behind_frame: false })
    }

    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8], step: &mut Step) -> Result<(), CompressionError> {
        if self.is_behind_frame && input.is_empty() {
            return Ok(());
        }
        let status = self.decoder.run_on_buffers(input, room).map_err(|_| Corrupt)?;
        // What is wanted next is at least the header of a frame, but for a frame that has just ended.
        self.is_behind_frame = status.remaining == 0;
        *step = Step { consumed: status.bytes_read, written: status.bytes_written };
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_behind_frame
    }
}

pub(super) fn writer(level: Option<i32>) -> Result<Encoder<'static, Vec<u8>>, CompressionError> {
    let mut encoder = Encoder::new(Vec::new(), level.unwrap_or(DEFAULT_LEVEL)).map_err(|_| OutOfMemory)?;
    encoder.include_checksum(true).map_err(|_| OutOfMemory)?;
    Ok(encoder)
}
