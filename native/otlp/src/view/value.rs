//! Attributes and their values: the parts of views that every signal needs.

use super::messages::{
    AnyValue, AnyValueField, ArrayValue, ArrayValueField, KeyValue, KeyValueField, KeyValueList, KeyValueListField,
};
use super::set_once;
use crate::fields::{any_value, key_value};
use otlp_wire::simd::utf8::{from_utf8, is_short_ascii};
use otlp_wire::{ErrorKind, ReadError, Reader};

impl<'a> KeyValue<'a> {
    /// The key, "" where there is none, and the value.
    ///
    /// # Errors
    /// What is wrong in the pair itself, or [`ErrorKind::RepeatedMessage`] for a second value. The value is not looked
    /// into.
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

    /// The key, which may be no UTF-8, and the value of a pair in the shape that encoders give nearly every one: a key,
    /// then a value, both lengths in one byte, and nothing else. Neither is looked into.
    #[inline(always)]
    pub fn plain(self) -> Option<(&'a [u8], AnyValue<'a>)> {
        let [key_value::KEY, key_length @ 0..0x80, rest @ ..] = self.content() else { return None };
        match rest.split_at_checked(*key_length as usize) {
            Some((key, [key_value::VALUE, length @ 0..0x80, value @ ..])) if *length as usize == value.len() => {
                Some((key, AnyValue::within(value, self.offset() + 4 + key.len())))
            }
            _ => None,
        }
    }

    /// Checks the pair and everything in it, and gives the key. `depth` is the pair's own depth in its request, as for
    /// [`AnyValue::check`].
    ///
    /// # Errors
    /// What is wrong, with [`ErrorKind::TooDeep`] for what lies too deep.
    #[inline]
    pub fn check(self, depth: u32, max_depth: u32) -> Result<&'a str, ReadError> {
        // The most frequent message by far, and in this shape a few comparisons tell all that the fields tell one by one.
        if depth < max_depth
            && let Some((key, value)) = self.plain()
            && is_plain_value(value.content())
            && let Some(key) = from_utf8(key)
        {
            return Ok(key);
        }
        self.check_fields(depth, max_depth)
    }

    #[inline(never)]
    fn check_fields(self, depth: u32, max_depth: u32) -> Result<&'a str, ReadError> {
        check_depth(depth, max_depth, self.offset())?;
        let (key, value) = self.pair()?;
        value.map_or(Ok(()), |value| value.check(depth + 1, max_depth))?;
        Ok(key)
    }
}

/// Whether an `AnyValue` is a scalar with nothing wrong in it, its length in one byte, its text ASCII.
#[inline(always)]
fn is_plain_value(content: &[u8]) -> bool {
    match content {
        [any_value::STRING_VALUE, length @ 0..0x80, text @ ..] => {
            *length as usize == text.len() && is_short_ascii(text)
        }
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
    /// The member that is set, never [`AnyValueField::Unknown`]: the last one where there are several, `None` where the
    /// value is empty.
    ///
    /// # Errors
    /// What is wrong in the value itself, or [`ErrorKind::RepeatedMessage`] for an array or list of pairs behind
    /// another one. Their elements are not looked into.
    #[inline]
    pub fn value(self) -> Result<Option<AnyValueField<'a>>, ReadError> {
        // A string or an integer and nothing else is what nearly all values are.
        match self.content() {
            [any_value::STRING_VALUE, length @ 0..0x80, text @ ..] if usize::from(*length) == text.len() => {
                if let Some(text) = from_utf8(text) {
                    return Ok(Some(AnyValueField::String(text)));
                }
            }
            [any_value::INT_VALUE, number @ ..] => {
                let mut reader = Reader::new(number);
                if let (Ok(number), true) = (reader.read_varint(), reader.is_at_end()) {
                    return Ok(Some(AnyValueField::Int(number as i64)));
                }
            }
            _ => {}
        }
        self.last_member()
    }

    #[inline(never)]
    fn last_member(self) -> Result<Option<AnyValueField<'a>>, ReadError> {
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

    /// Checks the value and everything in it, also in a member that another one behind it replaces. `depth` is the
    /// value's own depth in its request, which is at depth 0; no message may lie deeper than `max_depth`. The check
    /// calls itself for what is nested, so that `max_depth` bounds the stack that it takes.
    ///
    /// # Errors
    /// What is wrong, with [`ErrorKind::TooDeep`] for what lies too deep.
    #[inline]
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        if depth <= max_depth && is_plain_value(self.content()) { Ok(()) } else { self.check_fields(depth, max_depth) }
    }

    #[inline(never)]
    fn check_fields(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        check_depth(depth, max_depth, self.offset())?;
        let mut container = None;
        let mut fields = self.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                AnyValueField::Array(array) => {
                    set_once(&mut container, (), start)?;
                    check_depth(depth + 1, max_depth, start)?;
                    array.check(depth + 1, max_depth)?;
                }
                AnyValueField::KeyValueList(list) => {
                    set_once(&mut container, (), start)?;
                    check_depth(depth + 1, max_depth, start)?;
                    list.check(depth + 1, max_depth)?;
                }
                _ => {}
            }
            start = fields.offset();
        }
        Ok(())
    }
}

impl ArrayValue<'_> {
    /// Checks the elements of an array that is itself at `depth`, see [`AnyValue::check`].
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        for field in self.fields() {
            if let ArrayValueField::Value(element) = field? {
                element.check(depth + 1, max_depth)?;
            }
        }
        Ok(())
    }
}

impl KeyValueList<'_> {
    /// Checks the pairs of a list that is itself at `depth`, see [`AnyValue::check`].
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        for field in self.fields() {
            if let KeyValueListField::Value(pair) = field? {
                pair.check(depth + 1, max_depth)?;
            }
        }
        Ok(())
    }
}

/// Refuses a message at `depth` if that is too deep.
fn check_depth(depth: u32, max_depth: u32, offset: usize) -> Result<(), ReadError> {
    if depth > max_depth { Err(ReadError { kind: ErrorKind::TooDeep, offset }) } else { Ok(()) }
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

    /// A pair as encoders write it, and a value of it.
    fn pairs() -> Vec<Vec<u8>> {
        let text = |writer: &mut Writer, key: &[u8], text: &[u8]| {
            common::attribute(writer, key_value::KEY, Text::Utf8(key), Scalar::Text(Text::Utf8(text)));
        };
        let scalars = [
            Scalar::None,
            Scalar::Bool(true),
            Scalar::Int(-1),
            Scalar::Int(300),
            Scalar::Double(1.5),
            Scalar::Bytes(b"\xff"),
        ];
        let mut pairs: Vec<Vec<u8>> = scalars
            .iter()
            .map(|&scalar| bytes_of(|writer| common::attribute(writer, key_value::KEY, Text::Utf8(b"key"), scalar)))
            .collect();
        for (key, value) in
            [("", ""), ("k", "v"), ("key", "a value of some length"), ("schl\u{fc}ssel", "wert"), ("k", "\u{20ac}")]
        {
            pairs.push(bytes_of(|writer| text(writer, key.as_bytes(), value.as_bytes())));
        }
        for length in [120, 122, 124, 127, 128, 200] {
            pairs.push(bytes_of(|writer| text(writer, b"k", &vec![b'x'; length])));
        }
        pairs
    }

    #[test]
    fn plain_shape_is_checked_as_the_fields_are() {
        let depth = 4;
        for whole in pairs() {
            let pair = {
                let mut reader = otlp_wire::Reader::new(&whole);
                reader.read_tag().unwrap();
                reader.read_bytes().unwrap().to_vec()
            };
            assert!(KeyValue::new(&pair).check(depth, depth + 1).is_ok(), "{pair:?}");
            // Whatever is changed in it, the comparisons let nothing pass that the fields do not.
            let in_full = |view: KeyValue<'_>| match view.pair()? {
                (key, Some(value)) => value.check_fields(depth + 1, 100).map(|()| key.to_owned()),
                (key, None) => Ok(key.to_owned()),
            };
            let checked = |view: KeyValue<'_>| view.check(depth, 100).map(str::to_owned);
            for place in 0..pair.len() {
                let cut = KeyValue::new(&pair[..place]);
                assert_eq!(checked(cut), in_full(cut), "{:?}", cut.content());
                let byte = pair[place];
                for byte in [0, 1, 2, 0x0a, 0x10, 0x12, 0x7f, 0x80, 0xff, byte.wrapping_add(1), byte.wrapping_sub(1)] {
                    let mut changed = pair.clone();
                    changed[place] = byte;
                    let view = KeyValue::new(&changed);
                    assert_eq!(checked(view), in_full(view), "{changed:?}");
                }
            }
        }
    }

    #[test]
    fn member_that_another_one_replaces_is_checked() {
        let replaced = bytes_of(|writer| {
            writer.bytes_field(any_value::ARRAY_VALUE, &[0x0a, 9]);
            writer.bytes_field(any_value::STRING_VALUE, b"text");
        });
        let expected = ReadError { kind: ErrorKind::LengthPastEnd, offset: 3 };
        assert_eq!(AnyValue::new(&replaced).check(5, 100), Err(expected));
    }
}
