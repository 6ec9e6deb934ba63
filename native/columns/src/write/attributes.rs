//! Values of any type, and attributes, which are keys with values.

use super::check::{ARRAY, Checked, Children, KEY_VALUE_LIST, Tables};
use super::column::{BytesRef, TextRef, Values};
use crate::values::ABSENT;
use otlp_schema::common::{self, Container, Scalar};
use otlp_schema::fields::any_value;
use otlp_wire::{Text, Writer};

/// The attributes of the rows of a table.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    children: Children<'a>,
    key: TextRef<'a>,
    values: AnyValues<'a>,
}

impl<'a> Attributes<'a> {
    /// Those of the table of this name, which `column` refers to: `attributes`, or `metadata`.
    pub(super) fn new(tables: &Tables<'a>, table: &str, column: &str) -> Self {
        let attributes = tables.get(&format!("{table}.{column}"));
        Self {
            children: tables.get(table).children(column),
            key: attributes.texts("key"),
            values: AnyValues::new(attributes, ""),
        }
    }

    /// Writes those of a row, each as the field `tag` of the message that is open.
    #[inline]
    pub(super) fn write(&self, writer: &mut Writer, row: usize, tag: u8) {
        for attribute in self.children.rows(row) {
            common::attribute(writer, tag, self.key.get(attribute), self.values.get(attribute));
        }
    }

    /// How many a row has.
    pub(super) fn count(&self, row: usize) -> usize {
        self.children.rows(row).len()
    }
}

/// Values of any type: the columns `type`, `text`, `int`, `double` and `bytes`.
#[derive(Debug)]
pub(super) struct AnyValues<'a> {
    kind: Values<'a, u8>,
    text: TextRef<'a>,
    int: Values<'a, i64>,
    double: Values<'a, f64>,
    bytes: BytesRef<'a>,
}

const STRING: u8 = any_value::STRING_VALUE >> 3;
const BOOL: u8 = any_value::BOOL_VALUE >> 3;
const INT: u8 = any_value::INT_VALUE >> 3;
const DOUBLE: u8 = any_value::DOUBLE_VALUE >> 3;
const BYTES: u8 = any_value::BYTES_VALUE >> 3;

impl<'a> AnyValues<'a> {
    /// The values in a table's columns, whose names begin with `prefix`.
    pub(super) fn new(table: &Checked<'a>, prefix: &str) -> Self {
        let name = |column| format!("{prefix}{column}");
        Self {
            kind: table.values(&name("type")),
            text: table.texts(&name("text")),
            int: table.values(&name("int")),
            double: table.values(&name("double")),
            bytes: table.bytes(&name("bytes")),
        }
    }

    /// The value of a row that may have none: all have none where there is no column of types.
    pub(super) fn find(&self, row: usize) -> Option<Scalar<'a>> {
        match self.kind.0.get(row) {
            None | Some(&ABSENT) => None,
            Some(_) => Some(self.get(row)),
        }
    }

    /// The value of a row.
    #[inline(always)]
    pub(super) fn get(&self, row: usize) -> Scalar<'a> {
        match self.kind.get(row) {
            STRING => Scalar::Text(self.text.get(row)),
            BOOL => Scalar::Bool(self.int.get(row) != 0),
            INT => Scalar::Int(self.int.get(row)),
            DOUBLE => Scalar::Double(self.double.get(row)),
            ARRAY => Scalar::Encoded(Container::Array, self.bytes.get(row)),
            KEY_VALUE_LIST => Scalar::Encoded(Container::KeyValueList, self.bytes.get(row)),
            BYTES => Scalar::Bytes(self.bytes.get(row)),
            _ => Scalar::None,
        }
    }
}

impl<'a> TextRef<'a> {
    /// The string of a row; an empty one where there is no such column.
    #[inline(always)]
    pub(super) fn get(self, row: usize) -> Text<'a> {
        Text::Utf8(self.codes.get(row).map_or(&[], |&code| self.dictionary.get(code as usize)))
    }
}
