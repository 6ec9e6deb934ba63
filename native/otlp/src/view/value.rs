//! Attributes and their values: the parts of views that every signal needs.

use super::messages::{AnyValue, AnyValueField, ArrayValueField, KeyValue, KeyValueField, KeyValueListField};
use super::set_once;
use crate::fields::{any_value, key_value};
use otlp_wire::simd::utf8::is_short_ascii;
use otlp_wire::{ErrorKind, ReadError};

impl<'a> KeyValue<'a> {
    /// The key, "" where there is none, and the value.
    ///
    /// # Errors
    /// What is wrong in the pair itself, or [`ErrorKind::RepeatedMessage`] for a second value. The value is not looked into.
    #[inline]
    pub fn pair(self) -> Result<(&'a str, Option<AnyValue<'a>>), ReadError> {
        let (mut key, mut value) = ("", None);
        let mut fields = self.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                KeyValueField::Key(text) => key = text,
                KeyValueField::Value(any) => set_once(&mut value, any, start)?,
                KeyValueField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        Ok((key, value))
    }

    /// Checks the pair and everything in it. `depth` is the pair's own depth in its request, as for [`AnyValue::check`].
    ///
    /// # Errors
    /// What is wrong, with [`ErrorKind::TooDeep`] for what lies too deep.
    #[inline]
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        if depth < max_depth && is_plain_pair(self.content()) { Ok(()) } else { self.check_field_by_field(depth, max_depth) }
    }

    #[inline(never)]
    fn check_field_by_field(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        let allow = |depth: u32, offset: usize| match depth > max_depth {
            true => Err(ReadError { kind: ErrorKind::TooDeep, offset }),
            false => Ok(depth),
        };
        allow(depth, self.offset())?;
        match self.pair()? {
            (_, Some(value)) => value.check(allow(depth + 1, value.offset())?, max_depth),
            _ => Ok(()),
        }
    }
}

/// Whether a `KeyValue` has the shape that encoders give nearly every one, with nothing wrong in it: a key, then a value that is a
/// scalar, all lengths in one byte, all text ASCII. This is the most frequent message by far, and in this shape a few comparisons tell
/// all that the fields tell one by one.
#[inline(always)]
fn is_plain_pair(content: &[u8]) -> bool {
    let [key_value::KEY, key_length @ 0..0x80, rest @ ..] = content else { return false };
    match rest.split_at_checked(*key_length as usize) {
        Some((key, [key_value::VALUE, length @ 0..0x80, value @ ..])) => {
            *length as usize == value.len() && is_plain_value(value) && is_short_ascii(key)
        }
        _ => false,
    }
}

/// The same for an `AnyValue`.
#[inline(always)]
fn is_plain_value(content: &[u8]) -> bool {
    match content {
        [any_value::STRING_VALUE, length @ 0..0x80, text @ ..] => *length as usize == text.len() && is_short_ascii(text),
        [any_value::BOOL_VALUE | any_value::INT_VALUE, number @ ..] => is_varint(number),
        [any_value::DOUBLE_VALUE, number @ ..] => number.len() == 8,
        _ => false,
    }
}

/// Whether the bytes are one varint of at most nine bytes.
#[inline(always)]
fn is_varint(content: &[u8]) -> bool {
    match content {
        [upper @ .., last] => upper.len() < 9 && *last < 0x80 && upper.iter().all(|&byte| byte >= 0x80),
        [] => false,
    }
}

impl<'a> AnyValue<'a> {
    /// The member that is set, never [`AnyValueField::Unknown`]: the last one where there are several, `None` where the value
    /// is empty.
    ///
    /// # Errors
    /// What is wrong in the value itself, or [`ErrorKind::RepeatedMessage`] for an array or list of pairs behind another one.
    /// Their elements are not looked into.
    #[inline]
    pub fn value(self) -> Result<Option<AnyValueField<'a>>, ReadError> {
        let (mut value, mut container) = (None, None);
        let mut fields = self.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                AnyValueField::Unknown(_) => {}
                member => {
                    if matches!(member, AnyValueField::Array(_) | AnyValueField::KeyValueList(_)) {
                        set_once(&mut container, (), start)?;
                    }
                    value = Some(member);
                }
            }
            start = fields.offset();
        }
        Ok(value)
    }

    /// Checks the value and everything in it. `depth` is the value's own depth in its request, which is at depth 0; no message
    /// may lie deeper than `max_depth`.
    ///
    /// # Errors
    /// What is wrong, with [`ErrorKind::TooDeep`] for what lies too deep.
    #[inline]
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        if is_plain_value(self.content()) { Ok(()) } else { self.check_field_by_field(depth, max_depth) }
    }

    #[inline(never)]
    fn check_field_by_field(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        let inner = |levels: u32, offset: usize| match depth.saturating_add(levels) {
            deep if deep > max_depth => Err(ReadError { kind: ErrorKind::TooDeep, offset }),
            deep => Ok(deep),
        };
        match self.value()? {
            Some(AnyValueField::Array(array)) => {
                inner(1, array.offset())?;
                for field in array.fields() {
                    if let ArrayValueField::Value(element) = field? {
                        element.check(inner(2, element.offset())?, max_depth)?;
                    }
                }
                Ok(())
            }
            Some(AnyValueField::KeyValueList(list)) => {
                inner(1, list.offset())?;
                for field in list.fields() {
                    if let KeyValueListField::Value(pair) = field? {
                        inner(2, pair.offset())?;
                        if let (_, Some(value)) = pair.pair()? {
                            value.check(inner(3, value.offset())?, max_depth)?;
                        }
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::{self, Container, Scalar};
    use crate::fields::{any_value, key_value, span};
    use otlp_wire::{Text, Writer};

    fn bytes_of(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new();
        write(&mut writer);
        writer.as_slice().to_vec()
    }

    #[test]
    fn last_member_of_a_value_counts() {
        let both = bytes_of(|writer| {
            writer.bytes_field(any_value::STRING_VALUE, b"text");
            writer.varint_field(any_value::INT_VALUE, 7);
        });
        assert!(matches!(AnyValue::new(&both).value(), Ok(Some(AnyValueField::Int(7)))));
        assert!(matches!(AnyValue::new(&[]).value(), Ok(None)));
        assert!(matches!(AnyValue::new(&[0x40, 5]).value(), Ok(None)), "an unknown member is none");
    }

    #[test]
    fn messages_that_stand_twice_are_refused_at_the_second() {
        let arrays = bytes_of(|writer| {
            writer.bytes_field(any_value::ARRAY_VALUE, b"");
            writer.bytes_field(any_value::KVLIST_VALUE, b"");
        });
        let expected = ReadError { kind: ErrorKind::RepeatedMessage, offset: 2 };
        assert_eq!(AnyValue::new(&arrays).value().unwrap_err(), expected);
        let values = bytes_of(|writer| {
            writer.bytes_field(key_value::VALUE, b"");
            writer.bytes_field(key_value::VALUE, b"");
        });
        assert_eq!(KeyValue::new(&values).pair().unwrap_err(), expected);
    }

    #[test]
    fn depth_is_counted_in_messages() {
        // Span, KeyValue, AnyValue, then for each array ArrayValue and AnyValue.
        let nested = bytes_of(|writer| {
            let key = Text::Utf8(b"k");
            let outer = common::open_attribute(writer, span::ATTRIBUTES, key, Container::Array);
            let inner = common::open_value(writer, common::ARRAY_ELEMENT_TAG, Container::KeyValueList);
            common::attribute(writer, common::KEY_VALUE_LIST_TAG, key, Scalar::Int(1));
            common::close(writer, inner);
            common::close(writer, outer);
        });
        let pair = KeyValue::within(&nested[2..], 2);
        let value = pair.pair().unwrap().1.unwrap();
        let depth = 5;
        assert_eq!(value.check(depth, depth + 5), Ok(()));
        for max_depth in depth..depth + 5 {
            assert_eq!(value.check(depth, max_depth).unwrap_err().kind, ErrorKind::TooDeep, "{max_depth}");
        }
    }
}
