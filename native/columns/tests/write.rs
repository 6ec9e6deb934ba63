//! The batch writer against the decoder: what is written from tables is read back as these tables, however they were laid out.
#![allow(clippy::unwrap_used, reason = "tests")]

mod random_tables;

use otlp_columns::attributes;
use otlp_columns::contract::{self, ColumnType};
use otlp_columns::decode::{Columns, Limits};
use otlp_columns::table::{Column, Dictionary, Table};
use otlp_columns::write::{ColumnRef, TableRef, write};
use otlp_schema::schema::{Kind, MessageSchema};
use otlp_schema::signal::Signal;
use otlp_wire::Reader;
use otlp_wire::varint::{MAX_VARINT_LEN, encode_varint};
use proptest::prelude::*;
use random_tables::{Random, Tables, random_tables, u32s};

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

fn written(signal: Signal, tables: &Tables) -> Vec<u8> {
    let request = write(signal, &|name| tables.get(name).map(TableRef::from));
    request.unwrap_or_else(|error| panic!("{error}")).as_slice().to_vec()
}

/// All tables of a request, with all columns, in the order of the contract.
fn decoded(signal: Signal, request: &[u8]) -> Tables {
    let columns = Columns::decode(request, signal, Limits::default()).unwrap();
    let mut tables = Tables::new();
    for kind in contract::tables(signal) {
        let mut table = match kind.name.strip_suffix(".attributes").or(kind.name.strip_suffix(".metadata")) {
            Some(owner) => attributes::list(&columns, request, owner).unwrap().unwrap(),
            None => columns.table(request, kind.name).unwrap().unwrap().into_owned(),
        };
        table.columns.extend(columns.further(request, kind.name).unwrap().unwrap_or_default().columns);
        let place = |name: &str| kind.columns.iter().position(|(known, _)| *known == name);
        table.columns.sort_by_key(|(name, _)| place(name));
        tables.insert(kind.name, table);
    }
    tables
}

/// The columns of all keys of a request's attributes, by table and key.
fn by_key(signal: Signal, request: &[u8]) -> Vec<(&'static str, String, Table)> {
    let columns = Columns::decode(request, signal, Limits::default()).unwrap();
    let mut found = Vec::new();
    for owner in contract::tables(signal) {
        for (key, _) in attributes::keys(&columns, request, owner.name).unwrap().unwrap_or_default() {
            let column = attributes::column(&columns, request, owner.name, &key).unwrap().unwrap();
            found.push((owner.name, key, column));
        }
    }
    found
}

/// The same message with tags of two bytes. Elements of arrays stay as they are: tables give them as they are encoded.
fn with_long_tags(message: &[u8], schema: &MessageSchema) -> Vec<u8> {
    let mut reader = Reader::new(message);
    let mut out = Vec::new();
    while let Some(tag) = reader.read_tag().unwrap() {
        let mut value = reader;
        reader.skip(tag).unwrap();
        let raw = tag.field << 3 | tag.wire_type as u32;
        out.extend([raw as u8 | 0x80, (raw >> 7) as u8]);
        match schema.field(tag.field).unwrap().kind {
            Kind::Message(inner) if !["ArrayValue", "KeyValueList"].contains(&inner.name) => {
                let content = with_long_tags(value.nested().unwrap().rest(), inner);
                let mut len = [0; MAX_VARINT_LEN];
                let len_len = encode_varint(content.len() as u64, &mut len);
                out.extend_from_slice(&len[..len_len]);
                out.extend(content);
            }
            _ => out.extend_from_slice(&value.rest()[..reader.offset() - value.offset()]),
        }
    }
    out
}

/// A row in words, with all that belongs to it, but not what it belongs to.
fn row_in_words(signal: Signal, tables: &Tables, name: &str, row: usize) -> String {
    let mut words = String::from("{");
    for &(column, kind) in contract::table(signal, name).unwrap().columns {
        let value = match tables.get(name).and_then(|table| table.column(column)) {
            None => continue,
            Some(Column::U8(values)) => values[row].to_string(),
            Some(Column::I32(values)) => values[row].to_string(),
            Some(Column::I64(values)) => values[row].to_string(),
            Some(Column::U64(values)) => values[row].to_string(),
            Some(Column::F64(values)) => values[row].to_string(),
            Some(Column::U32(_)) if matches!(kind, ColumnType::RowOf(_)) => continue,
            Some(Column::U32(values)) => values[row].to_string(),
            Some(Column::SpanIds(values)) if values[row] == [0; 8] => continue,
            Some(Column::TraceIds(values)) if values[row] == [0; 16] => continue,
            Some(Column::SpanIds(values)) => format!("{:?}", values[row]),
            Some(Column::TraceIds(values)) => format!("{:?}", values[row]),
            Some(Column::Text(texts)) => texts.dictionary.get(texts.codes[row] as usize).unwrap().to_owned(),
            Some(Column::Bytes(bytes)) => format!("{:?}", bytes.get(row).unwrap()),
            Some(Column::Offsets(offsets)) => {
                let ColumnType::Offsets(child) = kind else { unreachable!() };
                let rows = offsets[row] as usize..offsets[row + 1] as usize;
                rows.map(|row| row_in_words(signal, tables, child, row)).collect()
            }
        };
        if !matches!(value.as_str(), "" | "0" | "[]") {
            words += &format!("{column}={value} ");
        }
    }
    // What names this table's rows: the points of a metric, the buckets of a point.
    for other in
        contract::tables(signal).filter(|other| name == "metrics" || name == "points" && other.name != "points")
    {
        let is_owned = |kind: &ColumnType| *kind == ColumnType::RowOf(contract::table(signal, name).unwrap().name);
        if other.columns.first().is_some_and(|(_, kind)| is_owned(kind)) {
            words += &belonging(signal, tables, other.name, row);
        }
    }
    words + "}"
}

/// The rows of a table that belong to a row, by its first column.
fn belonging(signal: Signal, tables: &Tables, name: &str, owner: usize) -> String {
    let (column, _) = contract::table(signal, name).unwrap().columns[0];
    let Some(table) = tables.get(name) else { return String::new() };
    let owners = table.column(column).map(|_| u32s(tables, name, column));
    let rows = (0..table.rows).filter(|&row| owners.map_or(0, |owners| owners[row]) as usize == owner);
    rows.map(|row| row_in_words(signal, tables, name, row)).collect()
}

/// A whole request in words: resources, scopes and items as they are nested.
fn in_words(signal: Signal, tables: &Tables) -> Vec<String> {
    let items = ["spans", "log_records", "metrics"].into_iter().find(|name| tables.contains_key(name)).unwrap();
    let mut words = Vec::new();
    for resource in 0..tables["resources"].rows {
        words.push(row_in_words(signal, tables, "resources", resource));
        let owners = u32s(tables, "scopes", "resource");
        for scope in (0..tables["scopes"].rows).filter(|&scope| owners[scope] as usize == resource) {
            words.push(row_in_words(signal, tables, "scopes", scope));
            words.push(belonging(signal, tables, items, scope));
        }
    }
    words
}

/// Lays tables out in another way that means the same or, where rows change their owner, as much: row numbers in no order,
/// dictionaries backwards and with a string that nobody needs, no columns of zeros, no tables without rows.
fn laid_out_anew(signal: Signal, tables: &mut Tables, random: &mut Random) {
    let kinds = tables.get("metrics").map(|_| random_tables::u8s(tables, "metrics", "kind").to_vec());
    for kind in contract::tables(signal) {
        let table = tables.get_mut(kind.name).unwrap();
        for (name, column) in &mut table.columns {
            match column {
                Column::Text(texts) => {
                    let mut strings: Vec<&str> = texts.dictionary.iter().collect();
                    strings.push("nobody's");
                    strings.reverse();
                    let mut dictionary = Dictionary::default();
                    for string in &strings {
                        dictionary.data.push_str(string);
                        dictionary.offsets.push(dictionary.data.len() as u32);
                    }
                    texts.codes.iter_mut().for_each(|code| *code = strings.len() as u32 - 1 - *code);
                    texts.dictionary = dictionary;
                }
                // Points may only change places with others whose metrics are of their kind.
                Column::U32(metrics) if *name == "metric" => {
                    let kinds = kinds.as_ref().unwrap();
                    for _ in 0..metrics.len() {
                        let (one, other) = (random.below(metrics.len()), random.below(metrics.len()));
                        if kinds[metrics[one] as usize] == kinds[metrics[other] as usize] {
                            metrics.swap(one, other);
                        }
                    }
                }
                Column::U32(owners) if matches!(*name, "scope" | "resource") => {
                    for place in (1..owners.len()).rev() {
                        owners.swap(place, random.below(place + 1));
                    }
                }
                _ => {}
            }
        }
        let is_zero = |column: &Column| match column {
            Column::U8(values) => values.iter().all(|value| *value == 0),
            Column::U64(values) => values.iter().all(|value| *value == 0),
            Column::F64(values) => values.iter().all(|value| *value == 0.0),
            Column::SpanIds(values) => values.iter().all(|value| *value == [0; 8]),
            Column::TraceIds(values) => values.iter().all(|value| *value == [0; 16]),
            Column::Offsets(values) => values.iter().all(|value| *value == 0),
            _ => false,
        };
        // One column must stay, to say how many rows there are. Bodies whose type is 0 are empty, those without a type not there.
        let first = table.columns[0].0;
        table.columns.retain(|(name, column)| [first, "body_type"].contains(name) || !is_zero(column));
        table.columns.reverse();
    }
}

proptest! {
    #[test]
    fn written_tables_are_read_back(seed: u64) {
        for signal in SIGNALS {
            let tables = random_tables(signal, &mut Random(seed));
            let request = written(signal, &tables);
            let again = decoded(signal, &request);
            for (name, table) in &tables {
                prop_assert_eq!(table, &again[name], "{}", name);
            }
            prop_assert_eq!(written(signal, &again), request);
        }
    }

    #[test]
    fn tags_of_two_bytes_do_not_matter(seed: u64) {
        for signal in SIGNALS {
            let request = written(signal, &random_tables(signal, &mut Random(seed)));
            let long = with_long_tags(&request, signal.request());
            prop_assert_eq!(decoded(signal, &long), decoded(signal, &request));
            prop_assert_eq!(by_key(signal, &long), by_key(signal, &request));
        }
    }

    #[test]
    fn layout_of_tables_does_not_matter(seed: u64) {
        for signal in SIGNALS {
            let mut random = Random(seed);
            let mut tables = random_tables(signal, &mut random);
            laid_out_anew(signal, &mut tables, &mut random);
            prop_assert_eq!(in_words(signal, &decoded(signal, &written(signal, &tables))), in_words(signal, &tables));
        }
    }
}

/// The request of tables that have these columns, as many rows as the first has values.
fn request_of(signal: Signal, tables: &[(&str, Vec<(&'static str, Column)>)]) -> Vec<u8> {
    let tables = tables.iter().map(|(name, columns)| {
        let rows = columns.first().map_or(0, |(_, column)| ColumnRef::from(column).rows());
        (*name, Table { rows, columns: columns.clone() })
    });
    let tables: Vec<(&str, Table)> = tables.collect();
    let find = |name: &str| tables.iter().find(|(known, _)| *known == name).map(|(_, table)| table.into());
    write(signal, &find).unwrap().as_slice().to_vec()
}

#[test]
fn no_items_and_no_groups_are_an_empty_request() {
    assert_eq!(request_of(Signal::Traces, &[("spans", vec![])]), b"");
    assert_eq!(request_of(Signal::Logs, &[("log_records", vec![]), ("scopes", vec![])]), b"");
    assert_eq!(request_of(Signal::Metrics, &[("metrics", vec![]), ("points", vec![])]), b"");
}

#[test]
fn items_without_groups_belong_to_an_empty_resource_and_scope() {
    let span = ("spans", vec![("kind", Column::I32(vec![2]))]);
    let expected = [0x0a, 10, 0x0a, 0, 0x12, 6, 0x0a, 0, 0x12, 2, 0x30, 2];
    assert_eq!(request_of(Signal::Traces, std::slice::from_ref(&span)), expected);
    let scope = ("scopes", vec![("resource", Column::U32(vec![0]))]);
    assert_eq!(request_of(Signal::Traces, &[span, scope]), expected);
}

#[test]
fn metrics_have_what_their_kind_has() {
    let columns = vec![
        ("kind", Column::U8(vec![0, 5, 7, 9, 10, 11])),
        ("aggregation_temporality", Column::I32(vec![2; 6])),
        ("is_monotonic", Column::U8(vec![1; 6])),
    ];
    let request = request_of(Signal::Metrics, &[("metrics", columns), ("points", vec![])]);
    // Each is a metric of the field that its data is, which has the fields that it can.
    let metrics: [&[u8]; 6] = [
        &[0x12, 0],
        &[0x12, 2, 0x2a, 0],
        &[0x12, 6, 0x3a, 4, 0x10, 2, 0x18, 1],
        &[0x12, 4, 0x4a, 2, 0x10, 2],
        &[0x12, 4, 0x52, 2, 0x10, 2],
        &[0x12, 2, 0x5a, 0],
    ];
    assert_eq!(request, [&[0x0a, 36, 0x0a, 0, 0x12, 32, 0x0a, 0], &metrics.concat()[..]].concat());
}
