//! Values of any type as columns: the type, and a column for each kind of content.

use crate::table::{BytesColumn, Column, TextBuilder};
use otlp_schema::fields::any_value;
use otlp_schema::view::messages::AnyValueField;

/// The type of a row that has no value at all, which is not the same as an empty one (0). It stands in no request.
pub const ABSENT: u8 = u8::MAX;

/// The names of the columns, in the order in which [`ValuesBuilder`] gives them.
pub const NAMES: [&str; 5] = ["type", "text", "int", "double", "bytes"];

/// The columns of values under construction. Each value is a row in all of them: 0 or empty where its content is of another kind.
///
/// The values of one key are mostly of one type, so a column is as long as it has to be: what is behind its last own value is
/// filled in when a later one comes, or at the end.
#[derive(Debug, Default)]
pub struct ValuesBuilder<'a> {
    types: Vec<u8>,
    texts: TextBuilder<'a>,
    ints: Vec<i64>,
    doubles: Vec<f64>,
    bytes: BytesColumn,
}

impl<'a> ValuesBuilder<'a> {
    /// No values yet, but room for the types of so many.
    pub fn with_capacity(rows: usize) -> Self {
        Self { types: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Adds a row without a value.
    #[inline]
    pub fn push_absent(&mut self) {
        self.types.push(ABSENT);
    }

    /// Adds a value, as [`otlp_schema::view::messages::AnyValue::value`] gives it.
    #[inline]
    pub fn push(&mut self, value: Option<AnyValueField<'a>>) {
        let row = self.types.len();
        let tag = match value {
            None | Some(AnyValueField::Unknown(_)) => 0,
            Some(AnyValueField::String(text)) => {
                self.texts.pad(row);
                self.texts.push(text);
                any_value::STRING_VALUE
            }
            Some(AnyValueField::Bool(truth)) => {
                self.push_int(row, i64::from(truth));
                any_value::BOOL_VALUE
            }
            Some(AnyValueField::Int(number)) => {
                self.push_int(row, number);
                any_value::INT_VALUE
            }
            Some(AnyValueField::Double(number)) => {
                self.doubles.resize(row, 0.0);
                self.doubles.push(number);
                any_value::DOUBLE_VALUE
            }
            Some(AnyValueField::Array(array)) => {
                self.push_bytes(row, array.content());
                any_value::ARRAY_VALUE
            }
            Some(AnyValueField::KeyValueList(list)) => {
                self.push_bytes(row, list.content());
                any_value::KVLIST_VALUE
            }
            Some(AnyValueField::Bytes(content)) => {
                self.push_bytes(row, content);
                any_value::BYTES_VALUE
            }
        };
        self.types.push(tag >> 3);
    }

    #[inline]
    fn push_int(&mut self, row: usize, number: i64) {
        self.ints.resize(row, 0);
        self.ints.push(number);
    }

    fn push_bytes(&mut self, row: usize, content: &[u8]) {
        self.bytes.pad(row);
        self.bytes.push(content);
    }

    /// All columns, by these names.
    pub fn finish(mut self, names: [&'static str; 5]) -> Vec<(&'static str, Column)> {
        let rows = self.types.len();
        self.texts.pad(rows);
        self.ints.resize(rows, 0);
        self.doubles.resize(rows, 0.0);
        self.bytes.pad(rows);
        let columns = [
            Column::U8(self.types),
            Column::Text(self.texts.finish()),
            Column::I64(self.ints),
            Column::F64(self.doubles),
            Column::Bytes(self.bytes),
        ];
        names.into_iter().zip(columns).collect()
    }

    /// The types, and of the other columns those that have a value.
    pub fn finish_occurring(self) -> Vec<(&'static str, Column)> {
        let occurs = [
            !self.types.is_empty(),
            !self.texts.is_empty(),
            !self.ints.is_empty(),
            !self.doubles.is_empty(),
            !self.bytes.is_empty(),
        ];
        let columns = self.finish(NAMES).into_iter().zip(occurs).enumerate();
        columns.filter_map(|(place, (column, occurs))| (occurs || place == 0).then_some(column)).collect()
    }
}
