//! The checked reader: protobuf fields out of bytes that nobody has vouched for.
//!
//! Every length is checked before anything is taken, nothing is allocated, and every error says at which offset of the
//! input the offending item begins. What a lenient parser lets pass is an error here: varints that are longer than ten
//! bytes or carry bits above the 64th, field number 0, wire types 6 and 7, a group that never ends.
//! A reader over a nested message keeps the offsets of the outermost input, see [`Reader::nested`].

use crate::simd::utf8::from_utf8;
use crate::varint::{MAX_VARINT_LEN, WireType};
use std::fmt;

/// Deepest nesting of groups that [`Reader::skip`] follows. Messages do not count: they are skipped by length.
pub const MAX_GROUP_DEPTH: usize = 32;

/// What is wrong with the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ends inside a varint or a fixed-size value.
    Truncated,
    /// A varint longer than ten bytes, or with bits above the 64th.
    VarintTooLong,
    /// A tag with field number 0, a number above 2^29 - 1, or wire type 6 or 7.
    BadTag,
    /// A known field with another wire type than its own.
    WrongWireType,
    /// A length that reaches past the end of its message.
    LengthPastEnd,
    /// An end of a group that no start opened, or that another field's start opened.
    UnmatchedGroup,
    /// Groups nested deeper than [`MAX_GROUP_DEPTH`], or messages nested deeper than their limit.
    TooDeep,
    /// A string field that is not UTF-8.
    InvalidUtf8,
    /// A message that must stand once and stands a second time in the same message.
    RepeatedMessage,
    /// A trace or span id that is neither absent nor as long as an id is.
    BadIdLength,
    /// A packed field whose length is no multiple of its elements'.
    BadPackedLength,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Truncated => "the input ends inside a value",
            Self::VarintTooLong => "a varint has more than 64 bits",
            Self::BadTag => "not a valid field tag",
            Self::WrongWireType => "a known field has the wrong wire type",
            Self::LengthPastEnd => "a length reaches past the end of its message",
            Self::UnmatchedGroup => "the end of a group without its start",
            Self::TooDeep => "messages or groups are nested too deeply",
            Self::InvalidUtf8 => "a string is not valid UTF-8",
            Self::RepeatedMessage => "a message that must stand once stands a second time",
            Self::BadIdLength => "an id has the wrong length",
            Self::BadPackedLength => "the length of a packed field is no multiple of its elements'",
        })
    }
}

/// An error and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where the offending item begins, counted from the start of the outermost input.
    pub offset: usize,
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at offset {}", self.kind, self.offset)
    }
}

impl std::error::Error for ReadError {}

/// A tag that was read: field number, wire type, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldTag {
    /// The field's number, 1 to 2^29 - 1.
    pub field: u32,
    /// How its value is laid out.
    pub wire_type: WireType,
    /// Offset of the tag in the outermost input.
    pub offset: usize,
}

/// A varint of any length, and its length.
///
/// It takes and gives values: a reader whose address goes out to a function that is not inlined has to live in memory
/// all the while.
#[inline(never)]
fn long_varint(rest: &[u8]) -> Result<(u64, usize), ErrorKind> {
    let mut value = 0u64;
    for (index, &byte) in rest.iter().take(MAX_VARINT_LEN).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            if index == MAX_VARINT_LEN - 1 && byte > 1 {
                break;
            }
            return Ok((value, index + 1));
        }
    }
    Err(if rest.len() < MAX_VARINT_LEN { ErrorKind::Truncated } else { ErrorKind::VarintTooLong })
}

/// Reads fields from the front of a message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Where the message ends, counted from the start of the outermost input.
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader over a whole input.
    #[inline]
    pub const fn new(input: &'a [u8]) -> Self {
        Self { rest: input, end: input.len() }
    }

    /// A reader over a part of an input, `content`, that begins at `offset` of the outermost input.
    #[inline]
    pub const fn within(content: &'a [u8], offset: usize) -> Self {
        Self { rest: content, end: offset + content.len() }
    }

    /// A reader over the next length-delimited value, with offsets that count from the outermost input.
    #[inline]
    pub fn nested(&mut self) -> Result<Self, ReadError> {
        let content = self.read_bytes()?;
        Ok(Self { rest: content, end: self.offset() })
    }

    /// Where the reader stands in the outermost input.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    /// What was not read yet.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    #[inline]
    pub const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Passes over `count` bytes.
    ///
    /// # Panics
    /// Where fewer are left.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }

    /// Passes over everything that was not read yet.
    #[inline]
    pub const fn finish(&mut self) {
        self.rest = &[];
    }

    /// An error about the item that begins at the reader's place.
    #[inline]
    pub const fn error(&self, kind: ErrorKind) -> ReadError {
        ReadError { kind, offset: self.offset() }
    }

    /// The next varint.
    #[inline]
    pub fn read_varint(&mut self) -> Result<u64, ReadError> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => match long_varint(self.rest) {
                Ok((value, length)) => {
                    self.advance(length);
                    Ok(value)
                }
                Err(kind) => Err(self.error(kind)),
            },
        }
    }

    /// The tag of the next field; `None` at the end of the message.
    #[inline]
    pub fn read_tag(&mut self) -> Result<Option<FieldTag>, ReadError> {
        if self.is_at_end() {
            return Ok(None);
        }
        let start = *self;
        let raw = self.read_varint()?;
        match (u32::try_from(raw), WireType::from_tag(raw as u32)) {
            (Ok(tag), Some(wire_type)) if tag >> 3 != 0 => {
                Ok(Some(FieldTag { field: tag >> 3, wire_type, offset: start.offset() }))
            }
            _ => Err(start.error(ErrorKind::BadTag)),
        }
    }

    /// The next eight bytes, little-endian.
    #[inline]
    pub fn read_fixed64(&mut self) -> Result<u64, ReadError> {
        self.read_array().map(u64::from_le_bytes)
    }

    /// The next four bytes, little-endian.
    #[inline]
    pub fn read_fixed32(&mut self) -> Result<u32, ReadError> {
        self.read_array().map(u32::from_le_bytes)
    }

    #[inline]
    fn read_array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(self.error(ErrorKind::Truncated)),
        }
    }

    /// The content of the next length-delimited value.
    #[inline]
    pub fn read_bytes(&mut self) -> Result<&'a [u8], ReadError> {
        let start = *self;
        let length = self.read_varint()?;
        match usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length)) {
            Some((content, rest)) => {
                self.rest = rest;
                Ok(content)
            }
            None => Err(start.error(ErrorKind::LengthPastEnd)),
        }
    }

    /// The content of the next length-delimited value, which must be UTF-8.
    #[inline]
    pub fn read_str(&mut self) -> Result<&'a str, ReadError> {
        let start = *self;
        let content = self.read_bytes()?;
        from_utf8(content).ok_or_else(|| start.error(ErrorKind::InvalidUtf8))
    }

    /// Passes over the value of a field that the caller does not know.
    pub fn skip(&mut self, tag: FieldTag) -> Result<(), ReadError> {
        let mut open = [0u32; MAX_GROUP_DEPTH];
        let mut depth = 0;
        let mut tag = tag;
        loop {
            match tag.wire_type {
                WireType::Varint => drop(self.read_varint()?),
                WireType::Fixed64 => drop(self.read_fixed64()?),
                WireType::Fixed32 => drop(self.read_fixed32()?),
                WireType::Len => drop(self.read_bytes()?),
                WireType::GroupStart => {
                    let Some(slot) = open.get_mut(depth) else {
                        return Err(ReadError { kind: ErrorKind::TooDeep, offset: tag.offset });
                    };
                    *slot = tag.field;
                    depth += 1;
                }
                WireType::GroupEnd => {
                    if depth == 0 || open[depth - 1] != tag.field {
                        return Err(ReadError { kind: ErrorKind::UnmatchedGroup, offset: tag.offset });
                    }
                    depth -= 1;
                }
            }
            if depth == 0 {
                return Ok(());
            }
            tag = self.read_tag()?.ok_or_else(|| self.error(ErrorKind::Truncated))?;
        }
    }

    /// An error unless `tag` has the wire type that its field is declared with.
    pub fn require_type(&self, tag: FieldTag, wire_type: WireType) -> Result<(), ReadError> {
        if tag.wire_type == wire_type {
            Ok(())
        } else {
            Err(ReadError { kind: ErrorKind::WrongWireType, offset: tag.offset })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::varint::{encode_varint, tag};
    use proptest::prelude::*;

    fn skip_all(input: &[u8]) -> Result<usize, ReadError> {
        let mut reader = Reader::new(input);
        let mut fields = 0;
        while let Some(tag) = reader.read_tag()? {
            reader.skip(tag)?;
            fields += 1;
        }
        Ok(fields)
    }

    fn refused(input: &[u8]) -> (ErrorKind, usize) {
        let error = skip_all(input).expect_err("must be refused");
        (error.kind, error.offset)
    }

    #[test]
    fn malformed_input_is_refused_with_its_place() {
        assert_eq!(refused(&[0x08]), (ErrorKind::Truncated, 1));
        assert_eq!(refused(&[0x08, 0x80]), (ErrorKind::Truncated, 1));
        assert_eq!(refused(&[0x08, 1, 0x08, 0xff, 0xff]), (ErrorKind::Truncated, 3));
        let mut long = vec![0x08];
        long.extend([0xff; 10]);
        long.push(1);
        assert_eq!(refused(&long), (ErrorKind::VarintTooLong, 1));
        let mut bits = vec![0x08];
        bits.extend([0xff; 9]);
        bits.push(2);
        assert_eq!(refused(&bits), (ErrorKind::VarintTooLong, 1));
        assert_eq!(refused(&[0x00, 0]), (ErrorKind::BadTag, 0));
        assert_eq!(refused(&[0x0e]), (ErrorKind::BadTag, 0));
        assert_eq!(refused(&[0x0f]), (ErrorKind::BadTag, 0));
        assert_eq!(refused(&[0x80, 0x80, 0x80, 0x80, 0x10]), (ErrorKind::BadTag, 0));
        assert_eq!(refused(&[0x0a, 5, 1, 2, 3, 4]), (ErrorKind::LengthPastEnd, 1));
        assert_eq!(
            refused(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
            (ErrorKind::LengthPastEnd, 1)
        );
        assert_eq!(refused(&[0x09, 1, 2, 3]), (ErrorKind::Truncated, 1));
        assert_eq!(refused(&[0x0d, 1, 2, 3]), (ErrorKind::Truncated, 1));
        assert_eq!(refused(&[0x0c]), (ErrorKind::UnmatchedGroup, 0));
        assert_eq!(refused(&[0x0b, 0x14]), (ErrorKind::UnmatchedGroup, 1));
        assert_eq!(refused(&[0x0b, 0x08, 1]), (ErrorKind::Truncated, 3));
        assert_eq!(refused(&[0x0b; MAX_GROUP_DEPTH + 1]), (ErrorKind::TooDeep, MAX_GROUP_DEPTH));
    }

    #[test]
    fn unknown_fields_of_every_kind_are_skipped() {
        let input =
            [&[0x08, 0x96, 1][..], &[0x11; 9], &[0x1a, 2, 9, 9], &[0x23, 0x2b, 0x2c, 0x24], &[0x35, 1, 2, 3, 4]];
        assert_eq!(skip_all(&input.concat()), Ok(5));
    }

    #[test]
    fn nested_reader_keeps_the_offsets_of_the_whole_input() {
        let input = [0x08, 1, 0x12, 3, 0x08, 0x80, 0x80];
        let mut reader = Reader::new(&input);
        let first = reader.read_tag().unwrap().unwrap();
        reader.skip(first).unwrap();
        let second = reader.read_tag().unwrap().unwrap();
        assert_eq!((second.field, second.offset), (2, 2));
        let mut nested = reader.nested().unwrap();
        let inner = nested.read_tag().unwrap().unwrap();
        assert_eq!(inner.offset, 4);
        assert_eq!(nested.read_varint(), Err(ReadError { kind: ErrorKind::Truncated, offset: 5 }));
        assert_eq!(reader.require_type(second, WireType::Varint).unwrap_err().kind, ErrorKind::WrongWireType);
    }

    #[test]
    fn string_that_is_not_utf8_is_refused_at_its_length() {
        let mut reader = Reader::new(&[2, 0xc3, 0x28]);
        assert_eq!(reader.read_str(), Err(ReadError { kind: ErrorKind::InvalidUtf8, offset: 0 }));
    }

    proptest! {
        #[test]
        fn every_varint_is_read_back(value in any::<u64>(), shift in 0u32..64) {
            let value = value >> shift;
            let mut encoded = [0; MAX_VARINT_LEN];
            let length = encode_varint(value, &mut encoded);
            let mut reader = Reader::new(&encoded[..length]);
            prop_assert_eq!(reader.read_varint(), Ok(value));
            prop_assert!(reader.is_at_end());
            for cut in 0..length {
                prop_assert_eq!(Reader::new(&encoded[..cut]).read_varint().unwrap_err().kind, ErrorKind::Truncated);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused_within_the_input(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(error) = skip_all(&input) {
                prop_assert!(error.offset <= input.len());
            }
        }

        #[test]
        fn tags_are_read_back(field in 1u32..1 << 29, wire_type in 0u32..6) {
            let wire_type = WireType::from_tag(wire_type).unwrap();
            let mut encoded = [0; MAX_VARINT_LEN];
            let length = encode_varint(u64::from(tag(field, wire_type)), &mut encoded);
            let read = Reader::new(&encoded[..length]).read_tag().unwrap().unwrap();
            prop_assert_eq!((read.field, read.wire_type), (field, wire_type));
        }
    }
}
