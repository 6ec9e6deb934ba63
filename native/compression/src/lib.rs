//! gzip, zstd and lz4, for request bodies that lie whole in memory, and for streams.
//!
//! One implementation for exporters, gateways and users, on crates that others keep: `flate2` over `zlib-rs`, `zstd` over
//! libzstd, `lz4_flex`. What this crate adds is what a service needs of all three alike:
//!
//! - **Bounded.** [`decompress`] ends with an error when the output would pass the caller's limit, and allocates no more than
//!   that limit and the decoder's own memory: a zip bomb costs what was allowed. A zstd frame that asks for a window above
//!   8 MiB is refused, as [RFC 9659](https://www.rfc-editor.org/rfc/rfc9659) has it for `Content-Encoding: zstd`.
//! - **Complete.** Several gzip members, zstd frames or lz4 frames one behind the other are read as one. A cut-off end and
//!   bytes behind the end are errors. Every form carries a checksum, which is written and checked.
//! - **Deterministic.** Equal input at an equal level, or at none, gives equal bytes: no time stamps, no threads.
//! - **Used again.** Contexts of the default levels are kept in a few slots, see [`slots`].
//!
//! | module | holds |
//! |---|---|
//! | [`gzip`], [`zstandard`], [`lz4`] | the three encodings |
//! | [`output`] | memory that grows up to a limit |
//! | [`slots`] | contexts that are used again |
//! | [`stream`] | the three encodings for files and pipes |
#![forbid(unsafe_code)]

mod gzip;
mod lz4;
mod output;
mod slots;
pub mod stream;
mod zstandard;

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A compressed form, as `Content-Encoding` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// [RFC 1952](https://www.rfc-editor.org/rfc/rfc1952).
    Gzip,
    /// [RFC 8878](https://www.rfc-editor.org/rfc/rfc8878).
    Zstd,
    /// The [lz4 frame format](https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md).
    Lz4,
}

impl Encoding {
    /// The levels that [`compress`] takes, from the fastest to the smallest. Above zstd's 19, the window could pass the
    /// 8 MiB that a receiver must read.
    pub fn levels(self) -> RangeInclusive<i32> {
        match self {
            Self::Gzip => 1..=9,
            Self::Zstd => 1..=19,
            Self::Lz4 => 1..=1,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        })
    }
}

/// A name that is none of "gzip", "zstd" and "lz4".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownEncoding;

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        [Self::Gzip, Self::Zstd, Self::Lz4]
            .into_iter()
            .find(|encoding| encoding.to_string() == name)
            .ok_or(UnknownEncoding)
    }
}

/// Why data was not compressed or decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionError {
    /// The level is none of [`Encoding::levels`].
    Level,
    /// The data ends inside a member or frame.
    Truncated,
    /// The data is not of this encoding, or a checksum is wrong.
    Corrupt,
    /// The output would pass the limit.
    TooLarge,
    /// There is no memory for the output.
    OutOfMemory,
}

impl fmt::Display for CompressionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Level => "the encoding has no such level",
            Self::Truncated => "the compressed data is cut off",
            Self::Corrupt => "the compressed data is corrupt",
            Self::TooLarge => "the decompressed data passes the limit",
            Self::OutOfMemory => "no memory for the output",
        })
    }
}

impl std::error::Error for CompressionError {}

/// Compresses `data` into one gzip member, zstd frame or lz4 frame. `None` is the level that suits telemetry: zstd's 3, and
/// for gzip 6 or 9, as the data asks for. Why these: docs/architecture.md, "Compression".
pub fn compress(data: &[u8], encoding: Encoding, level: Option<i32>) -> Result<Vec<u8>, CompressionError> {
    if level.is_some_and(|level| !encoding.levels().contains(&level)) {
        return Err(CompressionError::Level);
    }
    match encoding {
        Encoding::Gzip => gzip::compress(data, level),
        Encoding::Zstd => zstandard::compress(data, level.unwrap_or(zstandard::DEFAULT_LEVEL)),
        Encoding::Lz4 => lz4::compress(data),
    }
}

/// Decompresses all members or frames of `data` into at most `max_size` bytes.
pub fn decompress(data: &[u8], encoding: Encoding, max_size: usize) -> Result<Vec<u8>, CompressionError> {
    if data.is_empty() {
        return Err(CompressionError::Truncated);
    }
    match encoding {
        Encoding::Gzip => gzip::decompress(data, max_size),
        Encoding::Zstd => zstandard::decompress(data, max_size),
        Encoding::Lz4 => lz4::decompress(data, max_size),
    }
}
