//! The same three encodings for streams: files and pipes, piece by piece, in memory that does not grow with them.
//!
//! A [`Decompressor`] is driven by whoever holds the input: each [`Decompressor::step`] takes as much input as it can use and
//! fills the room that it was given. So a bomb costs what the caller reads of it, and nothing else: the decoders hold 64 KB for
//! gzip, two blocks of at most 4 MiB for lz4, and for zstd the window that the frame asks for. That may be 128 MiB here, as the
//! `zstd` program has it, since nobody sends files as a `Content-Encoding`; frames that ask for more are refused.
//!
//! What [`crate::decompress`] promises holds here too: members and frames one behind the other are one stream, checksums are
//! checked, bytes behind the end are an error, and [`Decompressor::finish`] tells a stream that is cut off.

mod gzip;
mod lz4;
mod zstandard;

use crate::{CompressionError, Encoding};
use flate2::write::GzEncoder;
use lz4_flex::frame::FrameEncoder;
use std::io::Write;

/// How far a step has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many bytes of the input were used.
    pub consumed: usize,
    /// How many bytes of the room were filled.
    pub written: usize,
}

/// Reads a stream.
pub struct Decompressor {
    reader: StreamReader,
    /// Whether the last room was filled, so that the reader may hold more.
    may_hold_output: bool,
    /// What is wrong with the stream behind all that was given out.
    failure: Option<CompressionError>,
}

enum StreamReader {
    Gzip(gzip::Reader),
    Zstd(zstandard::Reader),
    Lz4(lz4::Reader),
}

impl Decompressor {
    /// A reader at the beginning of a stream.
    ///
    /// # Errors
    /// [`CompressionError::OutOfMemory`].
    pub fn new(encoding: Encoding) -> Result<Self, CompressionError> {
        let reader = match encoding {
            Encoding::Gzip => StreamReader::Gzip(gzip::Reader::default()),
            Encoding::Zstd => StreamReader::Zstd(zstandard::Reader::new()?),
            Encoding::Lz4 => StreamReader::Lz4(lz4::Reader::default()),
        };
        Ok(Self { reader, may_hold_output: false, failure: None })
    }

    /// Goes on with the input that follows what was used. With input and room left, this always gets further; where there is
    /// room left behind it, it needs more input.
    ///
    /// # Errors
    /// [`CompressionError::Corrupt`], once what could be read in front of the damage was given out; of zstd that is what
    /// earlier steps read, as libzstd does not tell how far a step came that failed.
    pub fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, CompressionError> {
        let mut total = Step::default();
        loop {
            if let Some(failure) = self.failure {
                return if total.written > 0 { Ok(total) } else { Err(failure) };
            }
            let (rest, free) = (&input[total.consumed..], &mut room[total.written..]);
            if free.is_empty() {
                self.may_hold_output = true;
                return Ok(total);
            }
            if rest.is_empty() && !std::mem::take(&mut self.may_hold_output) {
                return Ok(total);
            }
            let mut step = Step::default();
            let result = match &mut self.reader {
                StreamReader::Gzip(reader) => reader.step(rest, free, &mut step),
                StreamReader::Zstd(reader) => reader.step(rest, free, &mut step),
                StreamReader::Lz4(reader) => reader.step(rest, free, &mut step),
            };
            // No decoder stands still with input and room; one that did would keep its caller for ever.
            let stands_still = step == Step::default() && !rest.is_empty();
            self.failure = result.err().or(stands_still.then_some(CompressionError::Corrupt));
            total.consumed += step.consumed;
            total.written += step.written;
        }
    }

    /// Tells whether the stream may end here: behind a member or frame.
    ///
    /// # Errors
    /// [`CompressionError::Truncated`] where it may not, [`CompressionError::Corrupt`] where it is damaged.
    pub fn finish(&self) -> Result<(), CompressionError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let is_complete = match &self.reader {
            StreamReader::Gzip(reader) => reader.is_complete(),
            StreamReader::Zstd(reader) => reader.is_complete(),
            StreamReader::Lz4(reader) => reader.is_complete(),
        };
        if is_complete { Ok(()) } else { Err(CompressionError::Truncated) }
    }
}

/// Writes a stream of one gzip member, zstd frame or lz4 frame, with a checksum. Equal input in equal pieces gives equal bytes.
pub struct Compressor {
    writer: StreamWriter,
}

enum StreamWriter {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Lz4(FrameEncoder<Vec<u8>>),
}

impl Compressor {
    /// A writer at the beginning of a stream. `None` is level 6 of gzip and 3 of zstd.
    ///
    /// # Errors
    /// [`CompressionError::Level`] where the encoding has no such level.
    pub fn new(encoding: Encoding, level: Option<i32>) -> Result<Self, CompressionError> {
        if level.is_some_and(|level| !encoding.levels().contains(&level)) {
            return Err(CompressionError::Level);
        }
        let writer = match encoding {
            Encoding::Gzip => StreamWriter::Gzip(gzip::writer(level)),
            Encoding::Zstd => StreamWriter::Zstd(zstandard::writer(level)?),
            Encoding::Lz4 => StreamWriter::Lz4(lz4::writer()),
        };
        Ok(Self { writer })
    }

    /// Adds `data`, and gives what of the stream is ready by now.
    ///
    /// # Errors
    /// [`CompressionError::OutOfMemory`].
    pub fn compress(&mut self, data: &[u8]) -> Result<Vec<u8>, CompressionError> {
        // Writing to a Vec fails only where the encoder finds no memory.
        let (written, ready) = match &mut self.writer {
            StreamWriter::Gzip(writer) => (writer.write_all(data), writer.get_mut()),
            StreamWriter::Zstd(writer) => (writer.write_all(data), writer.get_mut()),
            StreamWriter::Lz4(writer) => (writer.write_all(data), writer.get_mut()),
        };
        written.map_err(|_| CompressionError::OutOfMemory)?;
        Ok(std::mem::take(ready))
    }

    /// Gives the end of the stream.
    ///
    /// # Errors
    /// [`CompressionError::OutOfMemory`].
    pub fn finish(self) -> Result<Vec<u8>, CompressionError> {
        let end = match self.writer {
            StreamWriter::Gzip(writer) => writer.finish().ok(),
            StreamWriter::Zstd(writer) => writer.finish().ok(),
            StreamWriter::Lz4(writer) => writer.finish().ok(),
        };
        end.ok_or(CompressionError::OutOfMemory)
    }
}
