//! Tables that make no request: what the writer says of each, and where.
#![allow(clippy::unwrap_used, reason = "tests")]

use otlp_columns::contract;
use otlp_columns::table::{BytesColumn, Column, Dictionary, Table, TextColumn};
use otlp_columns::write::{BytesRef, ColumnRef, TableRef, TextRef, write};
use otlp_schema::common::{self, Container, MAX_MESSAGE_DEPTH, Scalar};
use otlp_schema::signal::Signal;
use otlp_wire::{Text, Writer};

type Columns<'a> = Vec<(&'a str, ColumnRef<'a>)>;

/// What the writer says of tables, "" where it takes them.
fn refusal(signal: Signal, tables: &[(&str, usize, Columns<'_>)]) -> String {
    let find = |name: &str| {
        let (_, rows, columns) = tables.iter().find(|(known, ..)| *known == name)?;
        Some(TableRef { rows: *rows, columns: columns.clone() })
    };
    write(signal, &find).err().map(|error| error.to_string()).unwrap_or_default()
}

/// The same of a table of three spans, which has these columns.
fn spans(columns: &[(&str, ColumnRef<'_>)], others: &[(&str, usize, Columns<'_>)]) -> String {
    refusal(Signal::Traces, &[&[("spans", 3, columns.to_vec())], others].concat())
}

/// The same of the attributes of a single span.
fn attributes(columns: &[(&str, ColumnRef<'_>)], rows: usize) -> String {
    let offsets = [0, rows as u32];
    let span = vec![("attributes", ColumnRef::Offsets(&offsets))];
    refusal(Signal::Traces, &[("spans", 1, span), ("spans.attributes", rows, columns.to_vec())])
}

fn text<'a>(codes: &'a [u32], offsets: &'a [u32], data: &'a [u8]) -> ColumnRef<'a> {
    ColumnRef::Text(TextRef { codes, dictionary: BytesRef { offsets, data } })
}

const FLAGS: ColumnRef<'_> = ColumnRef::U32(&[0; 3]);

#[test]
fn tables_of_the_items_must_be_there() {
    assert_eq!(refusal(Signal::Traces, &[]), "the table is missing in spans");
    assert_eq!(refusal(Signal::Logs, &[]), "the table is missing in log_records");
    assert_eq!(refusal(Signal::Metrics, &[("points", 0, vec![])]), "the table is missing in metrics");
    assert_eq!(refusal(Signal::Metrics, &[("metrics", 0, vec![])]), "the table is missing in points");
    assert_eq!(refusal(Signal::Traces, &[("spans", 0, vec![])]), "");
}

#[test]
fn columns_must_be_those_of_the_contract() {
    assert_eq!(spans(&[("flags", FLAGS)], &[]), "");
    assert_eq!(spans(&[("flag", FLAGS)], &[]), "there is no such column in spans.flag");
    assert_eq!(spans(&[("flags", FLAGS), ("flags", FLAGS)], &[]), "the column stands twice in spans.flags");
    assert_eq!(spans(&[("kind", FLAGS)], &[]), "expected a column of type i32 in spans.kind");
    assert_eq!(spans(&[("events", FLAGS)], &[]), "expected a column of type offsets in spans.events");
    assert_eq!(spans(&[("flags", ColumnRef::U32(&[0; 2]))], &[]), "expected 3 values, found 2 in spans.flags");
    let offsets = ColumnRef::Offsets(&[0; 3]);
    assert_eq!(spans(&[("events", offsets)], &[]), "expected 4 values, found 3 in spans.events");
    assert_eq!(spans(&[], &[]), "there are rows, but no columns in spans");
    let rows = u32::MAX as usize + 1;
    let columns = vec![("flags", FLAGS)];
    let refused = refusal(Signal::Traces, &[("spans", rows, columns)]);
    assert_eq!(refused, "4294967296 rows are more than a table may have in spans");
}

#[test]
fn offsets_must_cover_the_other_table_in_order() {
    let events = ("events", 2, vec![("time_unix_nano", ColumnRef::U64(&[0; 2]))]);
    let with = |offsets| spans(&[("events", ColumnRef::Offsets(offsets))], std::slice::from_ref(&events));
    assert_eq!(with(&[0, 0, 1, 2]), "");
    assert_eq!(with(&[1, 1, 1, 2]), "the first offset must be 0, not 1 in spans.events[0]");
    assert_eq!(with(&[0, 2, 1, 2]), "the row ends in front of its start: offsets must not decrease in spans.events[1]");
    let end = "the last offset must be 2, the number of rows of events, not";
    assert_eq!(with(&[0, 0, 0, 1]), format!("{end} 1 in spans.events"));
    assert_eq!(with(&[0, 0, 0, 3]), format!("{end} 3 in spans.events"));
    let refused = spans(&[("flags", FLAGS)], &[events]);
    assert_eq!(refused, "there are rows that belong to none: spans has no column events in events");
    let refused = spans(&[("events", ColumnRef::Offsets(&[0, 0, 0, 1]))], &[]);
    assert_eq!(refused, "the last offset must be 0, the number of rows of events, not 1 in spans.events");
}

#[test]
fn row_numbers_must_be_those_of_rows() {
    let scopes = ("scopes", 2, vec![("resource", ColumnRef::U32(&[0; 2]))]);
    let with = |rows| spans(&[("scope", ColumnRef::U32(rows))], std::slice::from_ref(&scopes));
    assert_eq!(with(&[1, 0, 1]), "");
    assert_eq!(with(&[0, 2, 5]), "there is no row 2: scopes has 2 rows in spans.scope[1]");
    // A scope that nobody made has number 0, and there is one as soon as there is anything in it.
    assert_eq!(spans(&[("scope", FLAGS)], &[]), "");
    let refused = spans(&[("scope", ColumnRef::U32(&[0, 0, 1]))], &[]);
    assert_eq!(refused, "there is no row 1: scopes has 1 rows in spans.scope[2]");
    let refused = spans(&[("flags", FLAGS)], &[("scopes", 0, vec![])]);
    assert_eq!(refused, "there is no row 0: scopes has 0 rows in spans.scope[0]");
}

#[test]
fn strings_must_be_whole_and_utf8() {
    let with = |codes, offsets, data| spans(&[("name", text(codes, offsets, data))], &[]);
    assert_eq!(with(&[0, 1, 1], &[0, 0, 3], "äb".as_bytes()), "");
    assert_eq!(with(&[1, 1, 0], &[1, 1, 4], b"\xffabc\xff"), "");
    assert_eq!(with(&[0, 2, 9], &[0, 0, 1], b"a"), "there is no string 2: the dictionary has 2 in spans.name[1]");
    assert_eq!(with(&[0, 0, 0], &[], b""), "there is no string 0: the dictionary has 0 in spans.name[0]");
    assert_eq!(with(&[0, 0, 0], &[0, 2], b"a"), "offset 2 is past the end of 1 bytes of data in spans.name");
    let decrease = "the row ends in front of its start: offsets must not decrease";
    assert_eq!(with(&[0, 0, 0], &[0, 1, 0], b"a"), format!("{decrease} in spans.name"));
    let invalid = |string| format!("string {string} of the dictionary is not valid UTF-8 in spans.name");
    assert_eq!(with(&[0, 0, 0], &[0, 1, 2], b"a\xff"), invalid(1));
    assert_eq!(with(&[0, 0, 0], &[0, 1, 2, 4], "aäb".as_bytes()), invalid(1));
    assert_eq!(with(&[0, 0, 0], &[0, 1, 2], "aä".as_bytes()), invalid(1));
    let bytes = |offsets, data| attributes(&[("bytes", ColumnRef::Bytes(BytesRef { offsets, data }))], 1);
    assert_eq!(bytes(&[1, 2], b"\xff\xff\xff"), "");
    assert_eq!(bytes(&[1, 4], b"abc"), "offset 4 is past the end of 3 bytes of data in spans.attributes.bytes[0]");
    assert_eq!(bytes(&[2, 1], b"abc"), format!("{decrease} in spans.attributes.bytes[0]"));
    assert_eq!(bytes(&[0], b""), "expected 2 values, found 1 in spans.attributes.bytes");
}

#[test]
fn numbers_must_mean_something() {
    let refused = attributes(&[("type", ColumnRef::U8(&[7, 255]))], 2);
    assert_eq!(refused, "expected the type of a value, 0 to 7, found 255 in spans.attributes.type[1]");
    let body = ("log_records", 1, vec![("body_type", ColumnRef::U8(&[8]))]);
    let refused = refusal(Signal::Logs, &[body]);
    assert_eq!(refused, "expected the type of a body, 0 to 7 or 255, found 8 in log_records.body_type[0]");
    let refused = metrics(6, &[("value_type", ColumnRef::U8(&[0]))], &[]);
    assert_eq!(refused, "expected the kind of a metric: 0, 5, 7, 9, 10 or 11, found 6 in metrics.kind[0]");
    let refused = metrics(5, &[("value_type", ColumnRef::U8(&[3]))], &[]);
    assert_eq!(refused, "expected the type of a point's value, 0 to 2, found 3 in points.value_type[0]");
    let histogram = ("histograms", 1, vec![("presence", ColumnRef::U8(&[8]))]);
    let refused = metrics(9, &[("flags", ColumnRef::U32(&[0]))], &[histogram]);
    assert_eq!(refused, "expected three bits, 0 to 7, found 8 in histograms.presence[0]");
}

/// What the writer says of one point of a metric of this kind.
fn metrics(kind: u8, point: &[(&str, ColumnRef<'_>)], others: &[(&str, usize, Columns<'_>)]) -> String {
    let kind = [kind];
    let tables = [("metrics", 1, vec![("kind", ColumnRef::U8(&kind))]), ("points", 1, point.to_vec())];
    refusal(Signal::Metrics, &[&tables[..], others].concat())
}

#[test]
fn points_must_be_such_as_their_metric_holds() {
    let flags = [("flags", ColumnRef::U32(&[0]))];
    let value = [("value_type", ColumnRef::U8(&[1]))];
    let exemplars = [("exemplars", ColumnRef::Offsets(&[0, 1]))];
    let exemplar = [("exemplars", 1, vec![("time_unix_nano", ColumnRef::U64(&[0]))])];
    for kind in [5, 7, 9, 10, 11] {
        assert_eq!(metrics(kind, &flags, &[]), "");
        let wrong = |place: &str| format!("a metric of kind {kind} cannot hold this in {place}");
        let expected = if kind < 9 { String::new() } else { wrong("points.value_type[0]") };
        assert_eq!(metrics(kind, &value, &[]), expected);
        let expected = if kind < 11 { String::new() } else { wrong("points.exemplars[0]") };
        assert_eq!(metrics(kind, &exemplars, &exemplar), expected);
        for (detail, table) in [(9, "histograms"), (10, "exponential_histograms"), (11, "summaries")] {
            let point = format!("{table}.point[0]");
            let once = (table, 1, vec![("count", ColumnRef::U64(&[0]))]);
            let expected = if kind == detail { String::new() } else { wrong(&point) };
            assert_eq!(metrics(kind, &flags, &[once]), expected);
            if kind == detail {
                let twice = (table, 2, vec![("count", ColumnRef::U64(&[0; 2]))]);
                let expected = format!("point 0 has such a row already in {table}.point[1]");
                assert_eq!(metrics(kind, &flags, &[twice]), expected);
            }
        }
    }
    assert_eq!(metrics(0, &flags, &[]), "a metric of kind 0 cannot hold this in points.metric[0]");
}

#[test]
fn arrays_and_lists_must_be_encoded_values() {
    let bytes = |kind: u8, data: &[u8]| {
        let (kind, offsets) = ([kind], [0, data.len() as u32]);
        let bytes = ColumnRef::Bytes(BytesRef { offsets: &offsets, data });
        attributes(&[("type", ColumnRef::U8(&kind)), ("bytes", bytes)], 1)
    };
    for kind in [5, 6] {
        assert_eq!(bytes(kind, b""), "");
        let refused = bytes(kind, b"\x0a\x05a");
        let expected = "the bytes are no such value: a length reaches past the end of its message at offset 1";
        assert_eq!(refused, format!("{expected} in spans.attributes.bytes[0]"));
    }
    assert_eq!(bytes(7, b"\x0a\x05a"), "");
}

/// The content of a container in a container, and so on; the innermost is empty.
fn nested(kind: Container, levels: u32) -> Vec<u8> {
    let mut content = Vec::new();
    for _ in 1..levels {
        let (mut writer, inner) = (Writer::new(), Scalar::Encoded(kind, &content));
        match kind {
            Container::Array => common::value(&mut writer, common::ARRAY_ELEMENT_TAG, inner),
            Container::KeyValueList => {
                common::attribute(&mut writer, common::KEY_VALUE_LIST_TAG, Text::Utf8(b"key"), inner);
            }
        }
        content = writer.as_slice().to_vec();
    }
    content
}

/// What the writer says of a request whose tables have a row each, with this value in one of them.
fn with_value(signal: Signal, table: &str, value: &[(&'static str, Column); 2]) -> String {
    let one = |name| (name, Column::Offsets(vec![0, 1]));
    let all = [
        ("resources", vec![one("attributes")]),
        ("scopes", vec![one("attributes")]),
        ("spans", vec![one("attributes"), one("events"), one("links")]),
        ("events", vec![one("attributes")]),
        ("links", vec![one("attributes")]),
        ("log_records", vec![one("attributes")]),
        ("metrics", vec![("kind", Column::U8(vec![5])), one("metadata")]),
        ("points", vec![one("attributes"), one("exemplars")]),
        ("exemplars", vec![one("attributes")]),
    ];
    let columns_of = |name: &str| {
        let known = all.iter().find(|(known, _)| *known == name).map(|(_, columns)| columns.clone());
        let is_of_attributes = name.contains('.');
        let mut columns = known.or(is_of_attributes.then(|| vec![("key", Column::Text(empty_text()))]))?;
        if name == table {
            columns.extend(value.clone());
        }
        Some(columns)
    };
    let tables: Vec<(&str, Table)> = contract::tables(signal)
        .filter_map(|kind| Some((kind.name, Table { rows: 1, columns: columns_of(kind.name)? })))
        .collect();
    let find = |name: &str| tables.iter().find(|(known, _)| *known == name).map(|(_, table)| table.into());
    write(signal, &find).err().map(|error| error.to_string()).unwrap_or_default()
}

/// One row, which is empty.
fn empty_text() -> TextColumn {
    TextColumn { codes: vec![0], dictionary: Dictionary { offsets: vec![0, 0], data: String::new() } }
}

#[test]
fn values_must_not_be_nested_too_deeply_for_their_table() {
    let tables = [
        (Signal::Logs, "log_records", 4),
        (Signal::Traces, "resources.attributes", 4),
        (Signal::Traces, "scopes.attributes", 5),
        (Signal::Traces, "spans.attributes", 5),
        (Signal::Traces, "events.attributes", 6),
        (Signal::Traces, "links.attributes", 6),
        (Signal::Logs, "log_records.attributes", 5),
        (Signal::Metrics, "metrics.metadata", 5),
        (Signal::Metrics, "points.attributes", 7),
        (Signal::Metrics, "exemplars.attributes", 8),
    ];
    for (signal, table, depth) in tables {
        let (types, contents) = if table == "log_records" { ("body_type", "body_bytes") } else { ("type", "bytes") };
        for (number, kind) in [(5, Container::Array), (6, Container::KeyValueList)] {
            let refusal = |levels| {
                let mut bytes = BytesColumn::default();
                bytes.push(&nested(kind, levels));
                with_value(signal, table, &[(types, Column::U8(vec![number])), (contents, Column::Bytes(bytes))])
            };
            // A value at `depth`, its container one deeper, and so many messages for each further level.
            let deepest = (MAX_MESSAGE_DEPTH - depth - 1) / kind.depth() + 1;
            assert_eq!(refusal(deepest), "", "{kind:?} in {table}");
            let refused = refusal(deepest + 1);
            assert!(refused.contains("nested too deeply"), "{kind:?} in {table}: {refused}");
            assert!(refused.ends_with(&format!("in {table}.{contents}[0]")), "{refused}");
        }
    }
}

#[test]
fn request_that_would_pass_two_gibibytes_is_refused() {
    // Memory that is only read takes none, and what does not fit is not begun.
    let data = vec![0; i32::MAX as usize];
    let name = text(&[0; 3], &[0, i32::MAX as u32], &data);
    assert_eq!(spans(&[("name", name)], &[]), "no memory for the request, or it would pass 2 GiB");
}
