//! Attributes and their values: the parts of views that every signal needs.

use super::messages::{
    AnyValue, AnyValueField, ArrayValue, ArrayValueField, KeyValue, KeyValueField, KeyValueList, KeyValueListField,
};
use super::set_once;
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
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        match self.value()? {
            Some(AnyValueField::Array(array)) => array.check(inner(depth, array.offset(), max_depth)?, max_depth),
            Some(AnyValueField::KeyValueList(list)) => list.check(inner(depth, list.offset(), max_depth)?, max_depth),
            _ => Ok(()),
        }
    }
}

impl ArrayValue<'_> {
    /// Checks the array and everything in it, see [`AnyValue::check`].
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        for field in self.fields() {
            if let ArrayValueField::Value(element) = field? {
                element.check(inner(depth, element.offset(), max_depth)?, max_depth)?;
            }
        }
        Ok(())
    }
}

impl KeyValueList<'_> {
    /// Checks the list and everything in it, see [`AnyValue::check`].
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, depth: u32, max_depth: u32) -> Result<(), ReadError> {
        for field in self.fields() {
            if let KeyValueListField::Value(pair) = field? {
                let pair_depth = inner(depth, pair.offset(), max_depth)?;
                if let (_, Some(value)) = pair.pair()? {
                    value.check(inner(pair_depth, value.offset(), max_depth)?, max_depth)?;
                }
            }
        }
        Ok(())
    }
}

/// The depth of a message that begins at `offset` in one at `depth`.
fn inner(depth: u32, offset: usize, max_depth: u32) -> Result<u32, ReadError> {
    match depth.saturating_add(1) {
        deep if deep > max_depth => Err(ReadError { kind: ErrorKind::TooDeep, offset }),
        deep => Ok(deep),
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
