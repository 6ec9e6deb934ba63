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

    /// Adds rows without a value until there are `rows`.
    #[inline]
    pub fn pad_absent(&mut self, rows: usize) {
        self.types.resize(rows, ABSENT);
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
    pub fn finish(self, names: [&'static str; 5]) -> Vec<(&'static str, Column)> {
        self.into_columns(names, |_| true)
    }

    /// The types, and of the other columns those that have a value.
    pub fn finish_occurring(self) -> Vec<(&'static str, Column)> {
        self.into_columns(NAMES, |occurs| occurs)
    }

    /// The columns that are wanted, which depends on whether they have a value.
    fn into_columns(mut self, names: [&'static str; 5], is_wanted: fn(bool) -> bool) -> Vec<(&'static str, Column)> {
        let rows = self.types.len();
        let [types, text, int, double, bytes] = names;
        let mut columns = vec![(types, Column::U8(self.types))];
        if is_wanted(!self.texts.is_empty()) {
            self.texts.pad(rows);
            columns.push((text, Column::Text(self.texts.finish())));
        }
        if is_wanted(!self.ints.is_empty()) {
            self.ints.resize(rows, 0);
            columns.push((int, Column::I64(self.ints)));
        }
        if is_wanted(!self.doubles.is_empty()) {
            self.doubles.resize(rows, 0.0);
            columns.push((double, Column::F64(self.doubles)));
        }
        if is_wanted(!self.bytes.is_empty()) {
            self.bytes.pad(rows);
            columns.push((bytes, Column::Bytes(self.bytes)));
        }
        columns
    }
}
