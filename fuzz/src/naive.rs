//! The wire format read a second time, in the plainest way: what the checked reader is held against.

use otlp_wire::reader::MAX_GROUP_DEPTH;
use otlp_wire::{ErrorKind, ReadError, WireType};

/// A field with its value: the number of a scalar, the length of bytes, nothing of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) wire_type: WireType,
    pub(crate) value: u64,
    /// Where its tag begins, and where it ends.
    pub(crate) bounds: (usize, usize),
}

type Read<T> = Result<T, ReadError>;

fn refuse<T>(kind: ErrorKind, offset: usize) -> Read<T> {
    Err(ReadError { kind, offset })
}

/// A varint at a place, and where it ends.
fn varint(message: &[u8], at: usize) -> Read<(u64, usize)> {
    let mut value = 0u128;
    for index in 0..10 {
        let Some(&byte) = message.get(at + index) else { return refuse(ErrorKind::Truncated, at) };
        value += u128::from(byte % 128) << (7 * index);
        if byte < 128 {
            let value = u64::try_from(value);
            return value.map_or(refuse(ErrorKind::VarintTooLong, at), |value| Ok((value, at + index + 1)));
        }
    }
    refuse(ErrorKind::VarintTooLong, at)
}

fn fixed<const N: usize>(message: &[u8], at: usize) -> Read<(u64, usize)> {
    match message.get(at..at + N) {
        Some(bytes) => Ok((bytes.iter().rev().fold(0, |value, &byte| value * 256 + u64::from(byte)), at + N)),
        None => refuse(ErrorKind::Truncated, at),
    }
}

/// The number and wire type of the field at a place, and where its value begins.
fn tag(message: &[u8], at: usize) -> Read<(u32, WireType, usize)> {
    let (raw, value_at) = varint(message, at)?;
    let wire_type = match raw % 8 {
        0 => WireType::Varint,
        1 => WireType::Fixed64,
        2 => WireType::Len,
        3 => WireType::GroupStart,
        4 => WireType::GroupEnd,
        5 => WireType::Fixed32,
        _ => return refuse(ErrorKind::BadTag, at),
    };
    match u32::try_from(raw / 8) {
        Ok(number @ 1..0x2000_0000) => Ok((number, wire_type, value_at)),
        _ => refuse(ErrorKind::BadTag, at),
    }
}

/// The value at a place, of a field with `depth` groups around it, and where it ends.
fn value(message: &[u8], at: usize, of: (u32, WireType, usize), depth: usize) -> Read<(u64, usize)> {
    let (number, wire_type, tag_at) = of;
    match wire_type {
        WireType::Varint => varint(message, at),
        WireType::Fixed64 => fixed::<8>(message, at),
        WireType::Fixed32 => fixed::<4>(message, at),
        WireType::Len => {
            let (len, start) = varint(message, at)?;
            if len > (message.len() - start) as u64 {
                return refuse(ErrorKind::LengthPastEnd, at);
            }
            Ok((len, start + len as usize))
        }
        WireType::GroupStart if depth == MAX_GROUP_DEPTH => refuse(ErrorKind::TooDeep, tag_at),
        WireType::GroupStart => {
            let mut at = at;
            while at < message.len() {
                let (inner, wire_type, value_at) = tag(message, at)?;
                if wire_type == WireType::GroupEnd {
                    let is_own = inner == number;
                    return if is_own { Ok((0, value_at)) } else { refuse(ErrorKind::UnmatchedGroup, at) };
                }
                (_, at) = value(message, value_at, (inner, wire_type, at), depth + 1)?;
            }
            refuse(ErrorKind::Truncated, at)
        }
        WireType::GroupEnd => refuse(ErrorKind::UnmatchedGroup, tag_at),
    }
}

/// The fields of a message up to its end or to what is wrong with it.
pub(crate) fn fields(message: &[u8]) -> (Vec<Field>, Option<ReadError>) {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < message.len() {
        let read = tag(message, at).and_then(|(number, wire_type, value_at)| {
            let (value, end) = value(message, value_at, (number, wire_type, at), 0)?;
            Ok(Field { number, wire_type, value, bounds: (at, end) })
        });
        match read {
            Ok(field) => fields.push(field),
            Err(error) => return (fields, Some(error)),
        }
        (_, at) = fields[fields.len() - 1].bounds;
    }
    (fields, None)
}

/// A varint as it is written.
pub(crate) fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 128 {
        out.push((value % 128) as u8 + 128);
        value /= 128;
    }
    out.push(value as u8);
}

/// Code points as UTF-8, one at a time, and how many of them were none.
pub(crate) fn utf8(values: impl IntoIterator<Item = u32>) -> (Vec<u8>, usize) {
    let mut replaced = 0;
    let characters = values.into_iter().map(|value| {
        char::from_u32(value).unwrap_or_else(|| {
            replaced += 1;
            char::REPLACEMENT_CHARACTER
        })
    });
    let text: String = characters.collect();
    (text.into_bytes(), replaced)
}
