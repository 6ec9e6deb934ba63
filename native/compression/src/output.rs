//! Memory for output of unknown length, which grows up to a limit and never past it.

use crate::CompressionError;
use std::io::{ErrorKind, Read};

/// The least that is asked of a decoder at a time.
const CHUNK: usize = 64 << 10;

/// Decompressed bytes, at most as many as the limit allows.
pub(crate) struct Output {
    /// Zeros behind `filled`, so that memory is cleared once however often room is asked for.
    bytes: Vec<u8>,
    filled: usize,
    limit: usize,
}

impl Output {
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), filled: 0, limit }
    }

    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// What was written so far, and room for `wanted` more bytes, or for as many as the limit allows.
    pub(crate) fn split(&mut self, wanted: usize) -> Result<(&[u8], &mut [u8]), CompressionError> {
        let end = self.filled.saturating_add(wanted).min(self.limit);
        if end > self.bytes.len() {
            if end > self.bytes.capacity() {
                // Twice as much each time, or the work would be quadratic.
                let capacity = end.max(self.bytes.capacity().saturating_mul(2).min(self.limit));
                self.bytes.try_reserve_exact(capacity - self.bytes.len()).map_err(|_| CompressionError::OutOfMemory)?;
            }
            self.bytes.resize(end, 0);
        }
        let (written, room) = self.bytes.split_at_mut(self.filled);
        Ok((written, &mut room[..end - self.filled]))
    }

    /// Counts `count` bytes of the room as written.
    pub(crate) fn advance(&mut self, count: usize) {
        self.filled += count;
    }

    /// Takes all that `decoder` gives.
    pub(crate) fn read_all(mut self, mut decoder: impl Read) -> Result<Vec<u8>, CompressionError> {
        loop {
            let (_, room) = self.split(CHUNK)?;
            if room.is_empty() {
                // The limit is reached: what follows must be the end.
                let more = read(&mut decoder, &mut [0])?;
                return if more == 0 { Ok(self.finish()) } else { Err(CompressionError::TooLarge) };
            }
            match read(&mut decoder, room)? {
                0 => return Ok(self.finish()),
                count => self.advance(count),
            }
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.truncate(self.filled);
        self.bytes
    }
}

fn read(decoder: &mut impl Read, room: &mut [u8]) -> Result<usize, CompressionError> {
    decoder.read(room).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => CompressionError::Truncated,
        ErrorKind::OutOfMemory => CompressionError::OutOfMemory,
        _ => CompressionError::Corrupt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_read_up_to_the_limit_and_allocates_no_more() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7] {
            let content = vec![7; length];
            let read = Output::new(length).read_all(&content[..]).expect("it fits");
            assert_eq!(read, content);
            assert!(read.capacity() <= length);
            if length > 0 {
                assert_eq!(Output::new(length - 1).read_all(&content[..]), Err(CompressionError::TooLarge));
            }
        }
    }
}
