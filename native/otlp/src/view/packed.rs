//! Repeated numbers, borrowed as they stand on the wire.
//!
//! Encoders write them packed, and a parser has to take them one by one as well. Either way a field is a run of elements:
//! one that is not packed is a run of one.

use otlp_wire::{ErrorKind, ReadError, Reader};

/// A run of `fixed64` or `double` elements.
#[derive(Clone, Copy, Debug)]
pub struct Fixed64s<'a>(&'a [[u8; 8]]);

impl<'a> Fixed64s<'a> {
    /// Reads a packed field, behind its tag.
    pub(super) fn read_packed(reader: &mut Reader<'a>) -> Result<Self, ReadError> {
        let start = *reader;
        match reader.read_bytes()?.as_chunks() {
            (words, []) => Ok(Self(words)),
            _ => Err(start.error(ErrorKind::BadPackedLength)),
        }
    }

    /// Reads a single element, behind its tag.
    pub(super) fn read_single(reader: &mut Reader<'a>) -> Result<Self, ReadError> {
        let rest = reader.rest();
        reader.read_fixed64()?;
        Ok(Self(rest[..8].as_chunks().0))
    }

    /// The number of elements.
    #[inline]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The bits of each element.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = u64> + 'a {
        self.0.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

/// A run of varints.
#[derive(Clone, Copy, Debug)]
pub struct Varints<'a>(Reader<'a>);

impl<'a> Varints<'a> {
    /// Reads a packed field, behind its tag.
    pub(super) fn read_packed(reader: &mut Reader<'a>) -> Result<Self, ReadError> {
        reader.nested().map(Self)
    }

    /// Reads a single element, behind its tag.
    pub(super) fn read_single(reader: &mut Reader<'a>) -> Result<Self, ReadError> {
        let start = *reader;
        reader.read_varint()?;
        let length = reader.offset() - start.offset();
        Ok(Self(Reader::within(&start.rest()[..length], start.offset())))
    }

    /// The elements. After an error there is no other.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Result<u64, ReadError>> + 'a {
        let mut reader = self.0;
        std::iter::from_fn(move || {
            if reader.is_at_end() {
                return None;
            }
            let element = reader.read_varint();
            if element.is_err() {
                reader.finish();
            }
            Some(element)
        })
    }
}
