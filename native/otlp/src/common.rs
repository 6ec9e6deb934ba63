//! `KeyValue` and `AnyValue`: the shape of every attribute, whatever it is an attribute of.
//!
//! An attribute with a scalar value is one call and, where key and value are short and ASCII, one check for room: all
//! lengths are known up front. Containers are opened, filled with further attributes or elements, and closed.
//!
//! The members of `AnyValue` are a oneof: a value that is set is written even when it is empty or zero, a value of
//! `None` is an empty `AnyValue`. The key is a plain field and left out when empty.

use crate::fields::{any_value, array_value, key_value, key_value_list};
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint};
use otlp_wire::{Mark, Text, Writer};

/// Deepest nesting of messages that protobuf parsers read back, the request itself being depth 0
/// (<https://protobuf.dev/programming-guides/proto-limits/#depth>). A request that nests deeper is refused whole by its
/// receiver, so an attribute that would is left out instead.
pub const MAX_MESSAGE_DEPTH: u32 = 100;

/// A value that is written in one call.
#[derive(Clone, Copy, Debug)]
pub enum Scalar<'a> {
    /// An empty `AnyValue`.
    None,
    /// `bool_value`
    Bool(bool),
    /// `int_value`
    Int(i64),
    /// `double_value`
    Double(f64),
    /// `string_value`
    Text(Text<'a>),
    /// `bytes_value`
    Bytes(&'a [u8]),
    /// A container whose content is encoded already.
    Encoded(Container, &'a [u8]),
}

/// The two kinds of values with parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// `array_value`: elements, written by [`value`] and [`open_value`] under the tag [`ARRAY_ELEMENT_TAG`].
    Array,
    /// `kvlist_value`: attributes under the tag [`key_value_list::VALUES`].
    KeyValueList,
}

impl Container {
    const fn tag(self) -> u8 {
        match self {
            Self::Array => any_value::ARRAY_VALUE,
            Self::KeyValueList => any_value::KVLIST_VALUE,
        }
    }

    /// How many messages deeper than the attribute or element itself its parts lie.
    pub const fn depth(self) -> u32 {
        match self {
            Self::Array => 2,        // ArrayValue, AnyValue
            Self::KeyValueList => 3, // KeyValueList, KeyValue, AnyValue
        }
    }
}

/// A container that was opened, to be given to [`close`].
#[derive(Clone, Copy, Debug)]
#[must_use = "an opened container must be closed"]
pub struct OpenContainer {
    key_value: Option<Mark>,
    any_value: Mark,
    content: Mark,
}

/// Writes a `KeyValue` with a scalar value as the field `tag` of the message that is open.
#[inline]
pub fn attribute(writer: &mut Writer, tag: u8, key: Text<'_>, value: Scalar<'_>) {
    if let Text::Utf8(key) = key {
        // The lengths of KeyValue, key and AnyValue take one byte each while key and value stay below 0x78 together:
        // six bytes of tags and lengths stand between the first of them and the end.
        if !key.is_empty() && key.len() < 0x68 {
            // Strings first, by a branch of their own: most values are, and it is the one that is predicted well.
            if let Scalar::Text(Text::Utf8(text)) = value
                && key.len() + text.len() < 0x78
            {
                let middle = [key_value::VALUE, 2 + text.len() as u8, any_value::STRING_VALUE, text.len() as u8];
                return writer.put_pair(short_head(tag, key, 2 + text.len()), key, middle, text);
            }
            match value {
                Scalar::Int(number) => {
                    let mut digits = [0; MAX_VARINT_LEN];
                    let length = encode_varint(number as u64, &mut digits);
                    let middle = [key_value::VALUE, 1 + length as u8, any_value::INT_VALUE];
                    return writer.put_pair(short_head(tag, key, 1 + length), key, middle, &digits[..length]);
                }
                Scalar::Bool(flag) => {
                    let middle = [key_value::VALUE, 2, any_value::BOOL_VALUE, u8::from(flag)];
                    return writer.put_pair(short_head(tag, key, 2), key, middle, &[]);
                }
                Scalar::Double(number) => {
                    let middle = [key_value::VALUE, 9, any_value::DOUBLE_VALUE];
                    return writer.put_pair(short_head(tag, key, 9), key, middle, &number.to_le_bytes());
                }
                _ => {}
            }
        }
    }
    long_attribute(writer, tag, key, value);
}

/// `tag len 0A key_len`: what stands in front of the key when the AnyValue behind it takes `value_len` bytes and every
/// length one.
#[inline]
fn short_head(tag: u8, key: &[u8], value_len: usize) -> [u8; 4] {
    [tag, (4 + key.len() + value_len) as u8, key_value::KEY, key.len() as u8]
}

#[inline(never)]
fn long_attribute(writer: &mut Writer, tag: u8, key: Text<'_>, value: Scalar<'_>) {
    let size = scalar_guess(value);
    let pair = writer.open(tag, 4 + key.max_utf8_len() + size);
    if !key.is_empty() {
        writer.text_field(key_value::KEY, key);
    }
    any_value_field(writer, key_value::VALUE, value, size);
    writer.close(pair);
}

/// Writes a scalar as an `AnyValue` field of the message that is open: an element of an array
/// ([`ARRAY_ELEMENT_TAG`]), the body of a log record.
#[inline]
pub fn value(writer: &mut Writer, tag: u8, value: Scalar<'_>) {
    any_value_field(writer, tag, value, scalar_guess(value));
}

/// The bytes that an `AnyValue` of this scalar most likely takes.
#[inline]
fn scalar_guess(value: Scalar<'_>) -> usize {
    match value {
        Scalar::Text(text) => 2 + text.known_utf8_len().unwrap_or(text.max_utf8_len() / 2),
        Scalar::Bytes(bytes) | Scalar::Encoded(_, bytes) => 2 + bytes.len(),
        _ => 11,
    }
}

#[inline]
fn any_value_field(writer: &mut Writer, tag: u8, value: Scalar<'_>, guess: usize) {
    match value {
        Scalar::None => writer.put([tag, 0]),
        Scalar::Bool(flag) => writer.put([tag, 2, any_value::BOOL_VALUE, u8::from(flag)]),
        Scalar::Double(number) => {
            let mut field = [0; 11];
            (field[0], field[1], field[2]) = (tag, 9, any_value::DOUBLE_VALUE);
            field[3..].copy_from_slice(&number.to_le_bytes());
            writer.put(field);
        }
        Scalar::Int(number) => {
            let mark = writer.open(tag, 11);
            writer.varint_field(any_value::INT_VALUE, number as u64);
            writer.close(mark);
        }
        Scalar::Text(text) => {
            let mark = writer.open(tag, guess);
            writer.text_field(any_value::STRING_VALUE, text);
            writer.close(mark);
        }
        Scalar::Bytes(bytes) => {
            let mark = writer.open(tag, guess);
            writer.bytes_field(any_value::BYTES_VALUE, bytes);
            writer.close(mark);
        }
        Scalar::Encoded(kind, content) => {
            let mark = writer.open(tag, guess);
            writer.bytes_field(kind.tag(), content);
            writer.close(mark);
        }
    }
}

/// Begins an attribute whose value is a container, as the field `tag` of the message that is open.
pub fn open_attribute(writer: &mut Writer, tag: u8, key: Text<'_>, kind: Container) -> OpenContainer {
    let pair = writer.open(tag, 0);
    if !key.is_empty() {
        writer.text_field(key_value::KEY, key);
    }
    let value = writer.open(key_value::VALUE, 0);
    OpenContainer { key_value: Some(pair), any_value: value, content: writer.open(kind.tag(), 0) }
}

/// Begins an `AnyValue` field of the message that is open and whose value is a container.
pub fn open_value(writer: &mut Writer, tag: u8, kind: Container) -> OpenContainer {
    let value = writer.open(tag, 0);
    OpenContainer { key_value: None, any_value: value, content: writer.open(kind.tag(), 0) }
}

/// Ends a container.
pub fn close(writer: &mut Writer, container: OpenContainer) {
    writer.close(container.content);
    writer.close(container.any_value);
    if let Some(pair) = container.key_value {
        writer.close(pair);
    }
}

/// The tag under which the elements of an open [`Container::Array`] stand.
pub const ARRAY_ELEMENT_TAG: u8 = array_value::VALUES;

/// The tag under which the attributes of an open [`Container::KeyValueList`] stand.
pub const KEY_VALUE_LIST_TAG: u8 = key_value_list::VALUES;

/// Writes an id of fixed size with its tag and length.
#[inline]
pub fn id_field<const N: usize>(writer: &mut Writer, tag: u8, id: [u8; N]) {
    writer.put_pair([tag, N as u8], &id, [], &[]);
}

/// Writes a plain string field, which is left out when empty.
#[inline]
pub fn text_field(writer: &mut Writer, tag: u8, text: Text<'_>) {
    if !text.is_empty() {
        writer.text_field(tag, text);
    }
}

/// Writes a plain `fixed64` field, such as a time or a count, which is left out when zero.
#[inline]
pub fn fixed64_field(writer: &mut Writer, tag: u8, value: u64) {
    if value != 0 {
        writer.fixed64_field(tag, value);
    }
}

/// Writes a plain varint field, which is left out when zero. Negative enums are sign-extended to ten bytes.
#[inline]
pub fn varint_field(writer: &mut Writer, tag: u8, value: u64) {
    if value != 0 {
        writer.varint_field(tag, value);
    }
}

/// Writes a plain `fixed32` field, which is left out when zero.
#[inline]
pub fn fixed32_field(writer: &mut Writer, tag: u8, value: u32) {
    if value != 0 {
        let value = value.to_le_bytes();
        writer.put([tag, value[0], value[1], value[2], value[3]]);
    }
}
