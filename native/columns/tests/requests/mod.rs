//! Requests for tests, put together by hand: fields as bytes, messages as fields in any order, and attributes of every
//! shape.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod naive;

use otlp_columns::table::{Column, Table};
use proptest::collection::vec;
use proptest::prelude::*;

pub(crate) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A varint field.
pub(crate) fn number(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field << 3)), varint(value)].concat()
}

pub(crate) fn fixed64(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field << 3 | 1)), value.to_le_bytes().to_vec()].concat()
}

pub(crate) fn fixed32(field: u32, value: u32) -> Vec<u8> {
    [varint(u64::from(field << 3 | 5)), value.to_le_bytes().to_vec()].concat()
}

/// A string, bytes or a message.
pub(crate) fn bytes(field: u32, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [varint(u64::from(field << 3 | 2)), varint(content.len() as u64), content.to_vec()].concat()
}

/// The fields of a message that is put together in an order of its own.
#[derive(Default)]
pub(crate) struct Message {
    /// A kind of field, and its bytes: fields of the same kind keep their order.
    fields: Vec<(u32, Vec<u8>)>,
}

impl Message {
    /// Adds a field as it is.
    pub(crate) fn field(mut self, kind: u32, encoded: Vec<u8>) -> Self {
        self.fields.push((kind, encoded));
        self
    }

    /// Adds a field that stands twice, if `twice` says so: with another value first, which does not count.
    pub(crate) fn scalar(self, kind: u32, twice: bool, decoy: Vec<u8>, encoded: Vec<u8>) -> Self {
        if twice { self.field(kind, decoy).field(kind, encoded) } else { self.field(kind, encoded) }
    }

    /// Adds repeated messages.
    pub(crate) fn repeated<'m>(mut self, kind: u32, messages: impl IntoIterator<Item = &'m Vec<u8>>) -> Self {
        for message in messages {
            self = self.field(kind, bytes(kind, message));
        }
        self
    }

    /// The bytes, in an order and with unknown fields that `seed` gives.
    pub(crate) fn encode(mut self, mut seed: u64) -> Vec<u8> {
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        let unknown = [
            number(90, 1 << 40),
            fixed64(91, 7),
            bytes(92, [0xff]),
            fixed32(93, 7),
            vec![0xdb, 6, 0xd0, 5, 1, 0xdc, 6],
        ];
        for _ in 0..random(3) {
            let field = unknown[random(unknown.len())].clone();
            self.fields.push((1000, field));
        }
        // A shuffled list of kinds, then each kind's fields in their own order.
        let mut kinds: Vec<u32> = self.fields.iter().map(|(kind, _)| *kind).collect();
        for place in (1..kinds.len()).rev() {
            kinds.swap(place, random(place + 1));
        }
        let mut encoded = Vec::new();
        for kind in kinds {
            let next = self.fields.iter().position(|(known, _)| *known == kind).expect("as many kinds as fields");
            encoded.extend(self.fields.remove(next).1);
        }
        encoded
    }
}

/// A text as telemetry has it: none, short ASCII, or anything.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-d]{1,3}", "[ -~]{1,40}", ".{0,100}"]
}

/// An `AnyValue` of any shape.
pub(crate) fn value() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        Just(Vec::new()),
        text().prop_map(|text| bytes(1, text)),
        any::<bool>().prop_map(|truth| number(2, u64::from(truth))),
        any::<i64>().prop_map(|value| number(3, value as u64)),
        any::<u64>().prop_map(|bits| fixed64(4, bits)),
        vec(any::<u8>(), 0..20).prop_map(|content| bytes(7, content)),
        // Members that others replace, and unknown ones.
        any::<i64>().prop_map(|value| [bytes(1, "replaced"), number(3, value as u64), bytes(99, "")].concat()),
    ];
    scalar.prop_recursive(3, 12, 4, |element| {
        prop_oneof![
            vec(element.clone(), 0..4).prop_map(|elements| {
                bytes(5, elements.iter().flat_map(|element| bytes(1, element)).collect::<Vec<u8>>())
            }),
            vec((text(), element), 0..4).prop_map(|pairs| {
                bytes(6, pairs.iter().flat_map(|(key, value)| bytes(1, pair(key, value))).collect::<Vec<u8>>())
            }),
        ]
    })
}

/// A `KeyValue`.
pub(crate) fn pair(key: &str, value: &[u8]) -> Vec<u8> {
    [bytes(1, key), bytes(2, value)].concat()
}

/// `KeyValue` messages of all layouts: as encoders write them, with a part that is missing, stands twice or comes late,
/// with what nobody knows in between, with lengths that take more bytes than they need. Keys are short and often the
/// same, or long.
pub(crate) fn attributes() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let key = prop_oneof![2 => "[ab]".boxed(), 2 => text().boxed(), 1 => "k{126,130}".boxed()];
    let attribute = (key, value(), 0..12).prop_map(|(key, value, layout)| match layout {
        0 => bytes(1, key),
        1 => bytes(2, value),
        2 => [bytes(2, value), bytes(1, key)].concat(),
        3 => [bytes(1, "replaced"), bytes(2, value), bytes(1, key)].concat(),
        4 => [bytes(1, key), number(90, 1), bytes(2, value), bytes(91, "")].concat(),
        5 => [long_length(1, key.as_bytes()), bytes(2, value)].concat(),
        6 => [bytes(1, key), long_length(2, &value)].concat(),
        _ => pair(&key, &value),
    });
    vec(attribute, 0..6)
}

/// The same as [`bytes`], the length being a varint of ten bytes.
fn long_length(field: u32, content: &[u8]) -> Vec<u8> {
    let groups = (0..9).map(|group| (content.len() >> (7 * group)) as u8 & 0x7f | 0x80).chain([0]);
    varint(u64::from(field << 3 | 2)).into_iter().chain(groups).chain(content.iter().copied()).collect()
}

fn column<'t>(table: &'t Table, name: &str) -> &'t Column {
    table.column(name).unwrap_or_else(|| panic!("no column {name}"))
}

/// A column as printable values, one for each row; offsets as the number of rows that belong to each.
pub(crate) fn values(table: &Table, name: &str) -> Vec<String> {
    fn all<T: std::fmt::Debug>(values: &[T]) -> Vec<String> {
        values.iter().map(|value| format!("{value:?}")).collect()
    }
    let values = match column(table, name) {
        Column::U8(values) => all(values),
        Column::I32(values) => all(values),
        Column::U32(values) => all(values),
        Column::I64(values) => all(values),
        Column::U64(values) => all(values),
        Column::F64(values) => all(&values.iter().map(|value| value.to_bits()).collect::<Vec<_>>()),
        Column::SpanIds(values) => all(values),
        Column::TraceIds(values) => all(values),
        Column::Text(text) => {
            let distinct: std::collections::HashSet<&str> = text.dictionary.iter().collect();
            assert_eq!(distinct.len(), text.dictionary.len(), "a dictionary holds each string once");
            assert_eq!(text.dictionary.get(0), Some(""));
            let texts =
                text.codes.iter().map(|&code| text.dictionary.get(code as usize).expect("a code of the dictionary"));
            texts.map(|text| format!("{text:?}")).collect()
        }
        Column::Bytes(column) => (0..table.rows).map(|row| format!("{:?}", column.get(row).expect("a row"))).collect(),
        Column::Offsets(offsets) => {
            assert_eq!(offsets[0], 0);
            offsets.windows(2).map(|pair| format!("{:?}", pair[1] - pair[0])).collect()
        }
    };
    assert_eq!(values.len(), table.rows, "{name}");
    values
}

/// Whether a column has these values, as [`values`] tells them.
#[track_caller]
pub(crate) fn assert_column<T: std::fmt::Debug>(table: &Table, name: &str, expected: impl IntoIterator<Item = T>) {
    let expected: Vec<String> = expected.into_iter().map(|value| format!("{value:?}")).collect();
    assert_eq!(values(table, name), expected, "{name}");
}
