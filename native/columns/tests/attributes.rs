//! Attributes as columns, against the plain reading of every pair.

use otlp_columns::attributes::{column, keys, list};
use otlp_columns::decode::{Columns, Limits};
use otlp_columns::table::{BytesColumn, Column, Table};
use otlp_columns::values::ABSENT;
use otlp_schema::fields::{any_value, envelope, key_value, span};
use otlp_schema::signal::Signal;
use otlp_wire::Writer;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes_field(tag, content);
    writer.as_slice().to_vec()
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Missing,
    Empty,
    Text(String),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
}

impl Value {
    /// The `AnyValue`.
    fn encoded(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Self::Missing | Self::Empty => {}
            Self::Text(text) => writer.bytes_field(any_value::STRING_VALUE, text.as_bytes()),
            Self::Bool(truth) => writer.varint_field(any_value::BOOL_VALUE, u64::from(*truth)),
            Self::Int(number) => writer.varint_field(any_value::INT_VALUE, *number as u64),
            Self::Double(number) => writer.fixed64_field(any_value::DOUBLE_VALUE, number.to_bits()),
            Self::Bytes(bytes) => writer.bytes_field(any_value::BYTES_VALUE, bytes),
        }
        writer.as_slice().to_vec()
    }
}

/// How the two parts of a pair are laid out.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Canonical,
    ValueFirst,
    UnknownBetween,
    KeyTwice,
    LongLengths,
}

/// A pair with its tag, in one of several layouts that all mean the same.
fn pair(key: &str, value: &Value, layout: Layout) -> Vec<u8> {
    let key_field = field(key_value::KEY, key.as_bytes());
    let value_field = if *value == Value::Missing { Vec::new() } else { field(key_value::VALUE, &value.encoded()) };
    let content = match layout {
        Layout::Canonical | Layout::LongLengths => [key_field, value_field].concat(),
        Layout::ValueFirst => [value_field, key_field].concat(),
        Layout::UnknownBetween => [key_field, vec![0x48, 1], value_field].concat(),
        Layout::KeyTwice => [field(key_value::KEY, b"other"), value_field, key_field].concat(),
    };
    match layout {
        Layout::LongLengths if content.len() < 0x80 => {
            [&[span::ATTRIBUTES, content.len() as u8 | 0x80, 0][..], &content].concat()
        }
        _ => field(span::ATTRIBUTES, &content),
    }
}

fn request(spans: &[Vec<(String, Value, Layout)>]) -> Vec<u8> {
    let items: Vec<u8> = spans
        .iter()
        .flat_map(|attributes| {
            let pairs: Vec<u8> = attributes.iter().flat_map(|(key, value, layout)| pair(key, value, *layout)).collect();
            let split = [field(span::NAME, b"name"), pairs, field(span::STATUS, b"")].concat();
            field(envelope::ITEMS, &split)
        })
        .collect();
    field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &items))
}

fn decoded(request: &[u8]) -> Columns {
    Columns::decode(request, Signal::Traces, Limits::default()).expect("a request")
}

/// The values that a table holds, row by row; `None` where there is none.
fn values(table: &Table) -> Vec<Option<Value>> {
    let Some(Column::U8(types)) = table.column("type") else { panic!("{table:?}") };
    let row = |(row, kind): (usize, &u8)| match (*kind, table.column("text"), table.column("int")) {
        (ABSENT, ..) => None,
        (0, ..) => Some(Value::Empty),
        (1, Some(Column::Text(text)), _) => {
            Some(Value::Text(text.dictionary.get(text.codes[row] as usize).unwrap_or("?").to_owned()))
        }
        (2, _, Some(Column::I64(ints))) => Some(Value::Bool(ints[row] == 1)),
        (3, _, Some(Column::I64(ints))) => Some(Value::Int(ints[row])),
        (4, ..) => match table.column("double") {
            Some(Column::F64(doubles)) => Some(Value::Double(doubles[row])),
            other => panic!("{other:?}"),
        },
        (7, ..) => match table.column("bytes") {
            Some(Column::Bytes(bytes)) => bytes.get(row).map(|bytes| Value::Bytes(bytes.to_vec())),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    types.iter().enumerate().map(row).collect()
}

/// What a reader sees of a value.
fn seen(value: &Value) -> Value {
    if *value == Value::Missing { Value::Empty } else { value.clone() }
}

fn any_value_strategy() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Missing),
        Just(Value::Empty),
        "[a-c]{0,3}|.{0,10}|x{120,140}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-5i64..5).prop_map(Value::Int),
        (-1e9..1e9).prop_map(Value::Double),
        proptest::collection::vec(any::<u8>(), 0..5).prop_map(Value::Bytes),
    ]
}

fn layout_strategy() -> impl Strategy<Value = Layout> {
    prop_oneof![
        4 => Just(Layout::Canonical),
        1 => Just(Layout::ValueFirst),
        1 => Just(Layout::UnknownBetween),
        1 => Just(Layout::KeyTwice),
        1 => Just(Layout::LongLengths),
    ]
}

/// The columns of all keys, the list and the keys of `spans`, against the pairs themselves.
fn assert_as_written(spans: &[Vec<(String, Value, Layout)>], of_interest: &[&str]) {
    let request = request(spans);
    let columns = decoded(&request);
    for key in of_interest {
        let found =
            column(&columns, &request, "spans", key).expect("the same request").expect("a table with attributes");
        let of_key = |pairs: &Vec<(String, Value, Layout)>| {
            pairs.iter().rev().find(|(found, ..)| found == key).map(|(_, value, _)| seen(value))
        };
        assert_eq!(values(&found), spans.iter().map(of_key).collect::<Vec<_>>(), "{key}");
    }
    let pairs: Vec<_> = spans.iter().flatten().collect();
    let all = list(&columns, &request, "spans").expect("the same request").expect("a table with attributes");
    assert_eq!(values(&all), pairs.iter().map(|(_, value, _)| Some(seen(value))).collect::<Vec<_>>());
    let Some(Column::Text(key)) = all.column("key") else { panic!("{all:?}") };
    let found: Vec<_> =
        key.codes.iter().map(|code| key.dictionary.get(*code as usize).expect("a string of the dictionary")).collect();
    assert_eq!(found, pairs.iter().map(|(key, ..)| key.as_str()).collect::<Vec<_>>());
    let mut counts: HashMap<&str, usize> = HashMap::new();
    pairs.iter().for_each(|(key, ..)| *counts.entry(key).or_default() += 1);
    let mut seen = HashSet::new();
    let in_order = pairs.iter().filter(|(key, ..)| seen.insert(key)).map(|(key, ..)| (key.clone(), counts[&**key]));
    assert_eq!(
        keys(&columns, &request, "spans").expect("the same request").expect("a table with attributes"),
        in_order.collect::<Vec<_>>()
    );
}

proptest! {
    #[test]
    fn columns_of_keys_equal_the_pairs(
        spans in proptest::collection::vec(
            proptest::collection::vec(("a|b|ab||k{130}", any_value_strategy(), layout_strategy()), 0..6),
            0..12,
        ),
    ) {
        assert_as_written(&spans, &["a", "b", "ab", "", &"k".repeat(130), "other", "absent"]);
    }

    #[test]
    fn columns_of_many_keys_equal_the_pairs(
        spans in proptest::collection::vec(
            proptest::collection::vec((0u32..300, any_value_strategy(), layout_strategy()), 0..8),
            0..40,
        ),
    ) {
        let spans: Vec<Vec<_>> = spans
            .into_iter()
            .map(|pairs| pairs.into_iter().map(|(key, value, layout)| (format!("key.{key}"), value, layout)).collect())
            .collect();
        assert_as_written(&spans, &["key.0", "key.1", "key.77", "key.299", "key.300"]);
    }
}

fn plain(key: &str, number: i64) -> (String, Value, Layout) {
    (key.to_owned(), Value::Int(number), Layout::Canonical)
}

#[test]
fn attributes_far_behind_are_found() {
    let far = |length: usize| {
        vec![
            plain("k", 1),
            ("text".to_owned(), Value::Text("x".repeat(length)), Layout::Canonical),
            plain("k", 2),
            plain("k", 3),
        ]
    };
    let lengths = [70_000, 65_400, 10].into_iter().chain(65_480..65_540);
    assert_as_written(&lengths.map(far).collect::<Vec<_>>(), &["k", "text", "absent"]);
}

#[test]
fn keys_that_differ_only_in_the_middle_are_told_apart() {
    let keys: Vec<String> = [2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 60]
        .into_iter()
        .flat_map(|length| (0..length).map(move |place| "a".repeat(place) + "b" + &"a".repeat(length - place - 1)))
        .collect();
    let spans: Vec<Vec<_>> = keys.chunks(7).map(|keys| keys.iter().map(|key| plain(key, 1)).collect()).collect();
    let twice = [spans.clone(), spans].concat();
    assert_as_written(&twice, &keys.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn more_keys_than_the_index_has_numbers_for() {
    // Beside the empty key, 65,535 have a number of two bytes; one more, and there is no index.
    for (count, has_index) in [(65_535, true), (65_536, false)] {
        let names: Vec<String> = (0..count).map(|number| format!("k{number}")).collect();
        let spans: Vec<Vec<_>> =
            names.chunks(1000).map(|keys| keys.iter().map(|key| plain(key, 7)).collect()).collect();
        assert_as_written(&spans, &["k0", "k65534", "k65535", "absent"]);
        assert_eq!(decoded(&request(&spans)).attribute_index("spans").is_some(), has_index, "{count}");
    }
}

#[test]
fn only_what_occurs_has_a_column() {
    let spans = [vec![], vec![("k".to_owned(), Value::Int(3), Layout::Canonical)], vec![]];
    let request = request(&spans);
    let found = column(&decoded(&request), &request, "spans", "k").unwrap().unwrap();
    let expected = [("type", Column::U8(vec![ABSENT, 3, ABSENT])), ("int", Column::I64(vec![0, 3, 0]))];
    assert_eq!(found, Table { rows: 3, columns: expected.to_vec() });
    let none = column(&decoded(&request), &request, "spans", "j").unwrap().unwrap();
    assert_eq!(none.columns, [("type", Column::U8(vec![ABSENT; 3]))]);
}

#[test]
fn arrays_are_given_as_they_are_encoded() {
    let array = field(any_value::ARRAY_VALUE, b"\x0a\x02\x18\x01");
    let attribute = field(span::ATTRIBUTES, &[field(key_value::KEY, b"k"), field(key_value::VALUE, &array)].concat());
    let request = field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &field(envelope::ITEMS, &attribute)));
    let found = column(&decoded(&request), &request, "spans", "k").unwrap().unwrap();
    let bytes = BytesColumn { offsets: vec![0, 4], data: b"\x0a\x02\x18\x01".to_vec() };
    assert_eq!(found.columns, [("type", Column::U8(vec![5])), ("bytes", Column::Bytes(bytes))]);
}

#[test]
fn tables_without_attributes_have_none() {
    let request = request(&[vec![]]);
    let columns = decoded(&request);
    for table in ["log_records", "points", "", "spans.attributes"] {
        assert_eq!(column(&columns, &request, table, "k"), Ok(None));
        assert_eq!(list(&columns, &request, table), Ok(None));
        assert_eq!(keys(&columns, &request, table), Ok(None));
    }
    assert_eq!(keys(&columns, &request, "resources"), Ok(Some(vec![])));
}

#[test]
fn another_request_gives_an_error() {
    let request = request(&[vec![("k".to_owned(), Value::Int(3), Layout::Canonical)]]);
    let columns = decoded(&request);
    assert!(column(&columns, &request[..10], "spans", "k").is_err());
    assert!(column(&columns, &[], "spans", "k").is_err());
    // Whatever else stands there, it is read with checks, and not where no key was.
    for byte in 0..=255 {
        let other = vec![byte; request.len()];
        let _ = column(&columns, &other, "spans", "k");
        assert!(column(&columns, &other, "spans", "absent").is_ok());
    }
}
