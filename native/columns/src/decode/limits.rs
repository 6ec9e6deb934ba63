//! What a request may ask of its reader, and how it is refused.

use otlp_wire::{ErrorKind, ReadError};
use std::fmt;

/// The deepest message that can be allowed: what is nested is checked by functions that call themselves, on the stack
/// of whatever thread that is. Protobuf's own limit is 100.
pub const MAX_DEPTH: u32 = 500;

/// What a request may ask of its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest request, in bytes. Requests of 2 GiB and above are refused whatever it says: protobuf has none, and
    /// the offsets of Arrow end there.
    pub max_bytes: usize,
    /// The most rows of any one table: spans, events, links, log records, data points, exemplars, scopes, resources,
    /// attributes.
    pub max_items: usize,
    /// The deepest message, the request itself being at depth 0. Above [`MAX_DEPTH`] it says the same as that.
    pub max_depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 1 << 30, max_items: 50_000_000, max_depth: otlp_schema::common::MAX_MESSAGE_DEPTH }
    }
}

impl Limits {
    /// Refuses a message at `depth` whose field begins at `offset` if it lies too deep.
    #[inline]
    pub(super) fn check_depth(self, depth: u32, offset: usize) -> Result<(), ReadError> {
        if depth > self.max_depth {
            return Err(ReadError { kind: ErrorKind::TooDeep, offset });
        }
        Ok(())
    }
}

/// Why a request has no columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It is not such a request.
    Malformed(ReadError),
    /// It is longer than [`Limits::max_bytes`], or has 2 GiB.
    TooLong {
        /// Its length.
        len: usize,
    },
    /// A table would have more rows than [`Limits::max_items`]; where the first row too many begins.
    TooManyItems {
        /// Offset in the request.
        offset: usize,
    },
}

impl From<ReadError> for DecodeError {
    fn from(error: ReadError) -> Self {
        Self::Malformed(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(out),
            Self::TooLong { len } => write!(out, "the request is {len} bytes long, more than max_bytes or 2 GiB"),
            Self::TooManyItems { offset } => write!(out, "more items than max_items allows at offset {offset}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// How many rows a table has so far, which are never more than [`Limits::max_items`].
#[derive(Clone, Copy, Debug)]
pub(super) struct RowCount {
    count: u32,
    max: u32,
}

impl RowCount {
    /// No rows yet.
    pub(super) fn new(limits: Limits) -> Self {
        // A row takes two bytes of a request of less than 2 GiB, so that this cuts off nothing.
        Self { count: 0, max: u32::try_from(limits.max_items).unwrap_or(u32::MAX) }
    }

    /// Counts a row whose field begins at `offset`, before anything is taken for it.
    #[inline]
    pub(super) fn add(&mut self, offset: usize) -> Result<(), DecodeError> {
        if self.count >= self.max {
            return Err(DecodeError::TooManyItems { offset });
        }
        self.count += 1;
        Ok(())
    }

    /// Counts so many rows at once, in a field that begins at `offset`.
    #[inline]
    pub(super) fn add_many(&mut self, count: usize, offset: usize) -> Result<(), DecodeError> {
        match u32::try_from(count) {
            Ok(count) if count <= self.max - self.count => {
                self.count += count;
                Ok(())
            }
            _ => Err(DecodeError::TooManyItems { offset }),
        }
    }

    /// The number of rows, which is the number of the next one.
    #[inline]
    pub(super) fn get(self) -> u32 {
        self.count
    }
}
