//! Where the messages of a table's rows lie in the request, and their attributes in these.

use otlp_wire::{ErrorKind, ReadError};
use std::borrow::Cow;

/// Where a message's content lies in the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Offset of its first byte.
    pub offset: u32,
    /// Its length in bytes.
    pub len: u32,
}

impl Position {
    /// The position of a message, in a request whose length fits 32 bits.
    #[inline]
    pub(super) fn of(content: &[u8], offset: usize) -> Self {
        Self { offset: offset as u32, len: content.len() as u32 }
    }

    /// The bytes there.
    ///
    /// # Errors
    /// [`ErrorKind::LengthPastEnd`] where `data` is not the request that was decoded.
    #[inline]
    pub fn content(self, data: &[u8]) -> Result<&[u8], ReadError> {
        let offset = self.offset as usize;
        data.get(offset..)
            .and_then(|rest| rest.get(..self.len as usize))
            .ok_or(ReadError { kind: ErrorKind::LengthPastEnd, offset })
    }
}

/// The tags that the attributes have in the messages of a table (the metadata, in metrics).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags<'a> {
    /// The same in every row.
    Same(u8),
    /// Of each row: data points are of several message types, whose attributes have different numbers.
    ByRow(Cow<'a, [u8]>),
}

/// The rows of a table, as messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    /// Where the message of each row lies.
    pub positions: Cow<'a, [Position]>,
    /// The tags of their attributes.
    pub tags: Tags<'a>,
}

impl Rows<'static> {
    /// Rows whose attributes all have the same tag.
    pub(super) fn new(positions: Vec<Position>, tag: u8) -> Self {
        Self { positions: Cow::Owned(positions), tags: Tags::Same(tag) }
    }
}

impl Rows<'_> {
    /// The same rows, borrowed.
    pub(super) fn borrow(&self) -> Rows<'_> {
        let tags = match &self.tags {
            Tags::Same(tag) => Tags::Same(*tag),
            Tags::ByRow(tags) => Tags::ByRow(Cow::Borrowed(tags)),
        };
        Rows { positions: Cow::Borrowed(&self.positions), tags }
    }
}
