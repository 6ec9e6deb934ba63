//! Attributes the plain way: every pair of every row through its view, and nothing passed over. What the columns of
//! attributes are held against.

use super::assert_column;
use otlp_columns::attributes::{column, keys, list};
use otlp_columns::decode::Columns;
use otlp_columns::table::{Column, Table};
use otlp_columns::values::{ABSENT, NAMES};
use otlp_schema::view::messages::{AnyValue, AnyValueField, KeyValue};

/// A row of the columns that a value has: type, text, int, the bits of the double, bytes.
type Value<'a> = (u8, &'a str, i64, u64, &'a [u8]);

const NONE: Value<'static> = (ABSENT, "", 0, 0, &[]);

/// For each column of content the types of the values that it holds.
const HOLDERS: [(&str, &[u8]); 4] = [("text", &[1]), ("int", &[2, 3]), ("double", &[4]), ("bytes", &[5, 6, 7])];

fn read(pair: &[u8]) -> (&str, Value<'_>) {
    let (key, value) = KeyValue::new(pair).pair().expect("a pair");
    let value = match value.unwrap_or(AnyValue::new(&[])).value().expect("a value") {
        None | Some(AnyValueField::Unknown(_)) => (0, "", 0, 0, &[][..]),
        Some(AnyValueField::String(text)) => (1, text, 0, 0, &[][..]),
        Some(AnyValueField::Bool(truth)) => (2, "", i64::from(truth), 0, &[][..]),
        Some(AnyValueField::Int(number)) => (3, "", number, 0, &[][..]),
        Some(AnyValueField::Double(number)) => (4, "", 0, number.to_bits(), &[][..]),
        Some(AnyValueField::Array(array)) => (5, "", 0, 0, array.content()),
        Some(AnyValueField::KeyValueList(pairs)) => (6, "", 0, 0, pairs.content()),
        Some(AnyValueField::Bytes(content)) => (7, "", 0, 0, content),
    };
    (key, value)
}

/// Whether a column of values has these; `name` must be one of [`NAMES`].
fn assert_values(table: &Table, name: &str, values: &[Value<'_>]) {
    match name {
        "type" => assert_column(table, name, values.iter().map(|value| value.0)),
        "text" => assert_column(table, name, values.iter().map(|value| value.1)),
        "int" => assert_column(table, name, values.iter().map(|value| value.2)),
        "double" => assert_column(table, name, values.iter().map(|value| value.3)),
        _ => assert_column(table, name, values.iter().map(|value| value.4)),
    }
}

/// Whether `table` has these attributes, `expected` being the `KeyValue` messages of each row: all of them in a list,
/// the keys in their order, and each key as a column, also one that no row has.
pub(crate) fn assert_attributes<'m>(
    columns: &Columns,
    data: &[u8],
    table: &str,
    expected: impl IntoIterator<Item = &'m Vec<Vec<u8>>>,
) {
    let rows: Vec<Vec<(&str, Value<'_>)>> =
        expected.into_iter().map(|pairs| pairs.iter().map(|pair| read(pair)).collect()).collect();
    let pairs: Vec<(&str, Value<'_>)> = rows.iter().flatten().copied().collect();

    let all = list(columns, data, table).expect("it was decoded").expect("a table with attributes");
    assert_column(&all, "key", pairs.iter().map(|pair| pair.0));
    let values: Vec<Value<'_>> = pairs.iter().map(|pair| pair.1).collect();
    NAMES.into_iter().for_each(|name| assert_values(&all, name, &values));

    let mut counted: Vec<(String, usize)> = Vec::new();
    for (key, _) in pairs {
        match counted.iter_mut().find(|(known, _)| known == key) {
            Some((_, count)) => *count += 1,
            None => counted.push((key.to_owned(), 1)),
        }
    }
    assert_eq!(keys(columns, data, table), Ok(Some(counted.clone())), "{table}");

    for (key, _) in counted.into_iter().chain([("no such key".to_owned(), 0)]) {
        let found = column(columns, data, table, &key).expect("it was decoded").expect("a table with attributes");
        let last = |row: &Vec<(&str, _)>| row.iter().rev().find(|pair| pair.0 == key).map_or(NONE, |pair| pair.1);
        let values: Vec<Value<'_>> = rows.iter().map(last).collect();
        assert_values(&found, "type", &values);
        for (name, types) in HOLDERS {
            if values.iter().any(|value| types.contains(&value.0)) {
                assert_values(&found, name, &values);
            } else {
                assert_eq!(found.column(name), None::<&Column>, "{table}, {key:?}, {name}");
            }
        }
    }
}
