//! Values of any type as columns: the type, and a column for each kind of content.

use crate::table::{BytesColumn, TextBuilder};
use otlp_schema::fields::any_value;
use otlp_schema::view::messages::AnyValueField;

/// The columns of values under construction. Each value is a row in all of them: 0 or empty where its content is of another kind.
#[derive(Debug, Default)]
pub struct ValuesBuilder<'a> {
    /// The number of the value's field in `AnyValue`, 0 for an empty value.
    pub types: Vec<u8>,
    /// Strings.
    pub texts: TextBuilder<'a>,
    /// Integers, and truth values as 0 and 1.
    pub ints: Vec<i64>,
    /// Doubles.
    pub doubles: Vec<f64>,
    /// Bytes, and arrays and lists of pairs as they are encoded.
    pub bytes: BytesColumn,
}

impl<'a> ValuesBuilder<'a> {
    /// Adds a value, as [`otlp_schema::view::messages::AnyValue::value`] gives it.
    pub fn push(&mut self, value: Option<AnyValueField<'a>>) {
        let (mut text, mut int, mut double, mut bytes): (_, _, _, &[u8]) = ("", 0, 0.0, &[]);
        let tag = match value {
            None | Some(AnyValueField::Unknown(_)) => 0,
            Some(AnyValueField::String(content)) => {
                text = content;
                any_value::STRING_VALUE
            }
            Some(AnyValueField::Bool(truth)) => {
                int = i64::from(truth);
                any_value::BOOL_VALUE
            }
            Some(AnyValueField::Int(number)) => {
                int = number;
                any_value::INT_VALUE
            }
            Some(AnyValueField::Double(number)) => {
                double = number;
                any_value::DOUBLE_VALUE
            }
            Some(AnyValueField::Array(array)) => {
                bytes = array.content();
                any_value::ARRAY_VALUE
            }
            Some(AnyValueField::KeyValueList(list)) => {
                bytes = list.content();
                any_value::KVLIST_VALUE
            }
            Some(AnyValueField::Bytes(content)) => {
                bytes = content;
                any_value::BYTES_VALUE
            }
        };
        self.types.push(tag >> 3);
        self.texts.push(text);
        self.ints.push(int);
        self.doubles.push(double);
        self.bytes.push(bytes);
    }
}
