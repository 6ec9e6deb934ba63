//! Metrics as columns: every kind of point, what is refused, and where.

use otlp_columns::decode::{Columns, DecodeError, Limits};
use otlp_columns::table::{Column, Table};
use otlp_schema::fields::{
    buckets, envelope, exemplar, exponential_histogram_data_point as exponential, histogram_data_point as histogram,
    metric, metric_data, number_data_point as number, summary_data_point as summary, value_at_quantile,
};
use otlp_schema::signal::Signal;
use otlp_wire::{ErrorKind, ReadError, Writer};

fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    bytes_of(|writer| writer.bytes_field(tag, content))
}

fn bytes_of(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    write(&mut writer);
    writer.as_slice().to_vec()
}

/// A request of one scope.
fn request(metrics: &[Vec<u8>]) -> Vec<u8> {
    let items: Vec<u8> = metrics.iter().flat_map(|metric| field(envelope::ITEMS, metric)).collect();
    field(envelope::RESOURCE_GROUPS, &field(envelope::SCOPE_GROUPS, &items))
}

/// A metric with points of one kind.
fn of_kind(name: &str, tag: u8, points: &[Vec<u8>]) -> Vec<u8> {
    let points: Vec<u8> = points.iter().flat_map(|point| field(metric_data::DATA_POINTS, point)).collect();
    [field(metric::NAME, name.as_bytes()), field(tag, &points)].concat()
}

fn double_exemplar(value: f64) -> Vec<u8> {
    bytes_of(|writer| {
        writer.fixed64_field(exemplar::TIME_UNIX_NANO, 5);
        writer.fixed64_field(exemplar::AS_DOUBLE, value.to_bits());
        writer.bytes_field(exemplar::SPAN_ID, b"span-id.");
        writer.bytes_field(exemplar::FILTERED_ATTRIBUTES, b"\x0a\x01k");
    })
}

fn number_point() -> Vec<u8> {
    bytes_of(|writer| {
        writer.fixed64_field(number::TIME_UNIX_NANO, 10);
        writer.fixed64_field(number::AS_DOUBLE, 1.5f64.to_bits());
        writer.fixed64_field(number::AS_INT, 7);
        writer.bytes_field(number::EXEMPLARS, &double_exemplar(0.25));
        writer.varint_field(number::FLAGS, 1);
    })
}

fn histogram_point() -> Vec<u8> {
    bytes_of(|writer| {
        writer.fixed64_field(histogram::COUNT, 3);
        writer.fixed64_field(histogram::SUM, 6.5f64.to_bits());
        writer.packed_fixed64_field(histogram::BUCKET_COUNTS, &[1, 2]);
        // One more that is not packed.
        writer.fixed64_field(histogram::BUCKET_COUNTS & !7 | 1, 4);
        writer.packed_fixed64_field(histogram::EXPLICIT_BOUNDS, &[0.5f64.to_bits(), 2f64.to_bits()]);
        writer.bytes_field(histogram::EXEMPLARS, &double_exemplar(0.75));
        writer.fixed64_field(histogram::MAX, 4f64.to_bits());
        writer.bytes_field(histogram::ATTRIBUTES, b"\x0a\x01a");
    })
}

fn exponential_point() -> Vec<u8> {
    bytes_of(|writer| {
        writer.fixed64_field(exponential::COUNT, 9);
        writer.varint_field(exponential::SCALE, 3); // -2
        writer.fixed64_field(exponential::ZERO_COUNT, 2);
        let positive = writer.open(exponential::POSITIVE, 0);
        writer.varint_field(buckets::OFFSET, 6); // 3
        writer.packed_varint_field(buckets::BUCKET_COUNTS, &[1, 300]);
        writer.varint_field(buckets::BUCKET_COUNTS & !7, 5);
        writer.close(positive);
        writer.fixed64_field(exponential::ZERO_THRESHOLD, 0.125f64.to_bits());
    })
}

fn summary_point() -> Vec<u8> {
    bytes_of(|writer| {
        writer.fixed64_field(summary::COUNT, 4);
        writer.fixed64_field(summary::SUM, 8f64.to_bits());
        let quantile = writer.open(summary::QUANTILE_VALUES, 0);
        writer.fixed64_field(value_at_quantile::QUANTILE, 0.5f64.to_bits());
        writer.fixed64_field(value_at_quantile::VALUE, 2f64.to_bits());
        writer.close(quantile);
    })
}

fn all_kinds() -> Vec<u8> {
    request(&[
        of_kind("gauge", metric::GAUGE, &[number_point(), Vec::new()]),
        of_kind("histogram", metric::HISTOGRAM, &[histogram_point()]),
        field(metric::NAME, b"nothing"),
        of_kind("exponential", metric::EXPONENTIAL_HISTOGRAM, &[exponential_point()]),
        of_kind("summary", metric::SUMMARY, &[summary_point()]),
    ])
}

fn decode(request: &[u8]) -> Result<Columns, DecodeError> {
    Columns::decode(request, Signal::Metrics, Limits::default())
}

fn table(columns: &Columns, request: &[u8], name: &str) -> Table {
    columns.table(request, name).expect("the same request").expect("a table of metrics").into_owned()
}

fn assert_columns(table: &Table, expected: &[(&str, Column)]) {
    for (name, column) in expected {
        assert_eq!(table.column(name), Some(column), "{name}");
    }
}

#[test]
fn points_of_every_kind_are_rows_of_one_table() {
    let request = all_kinds();
    let columns = decode(&request).unwrap();
    assert_columns(
        &table(&columns, &request, "points"),
        &[
            ("metric", Column::U32(vec![0, 0, 1, 3, 4])),
            ("time_unix_nano", Column::U64(vec![10, 0, 0, 0, 0])),
            ("flags", Column::U32(vec![1, 0, 0, 0, 0])),
            ("value_type", Column::U8(vec![2, 0, 0, 0, 0])),
            ("double", Column::F64(vec![0.0; 5])),
            ("int", Column::I64(vec![7, 0, 0, 0, 0])),
            ("attributes", Column::Offsets(vec![0, 0, 0, 1, 1, 1])),
            ("exemplars", Column::Offsets(vec![0, 1, 1, 2, 2, 2])),
        ],
    );
    assert_columns(&table(&columns, &request, "metrics"), &[("kind", Column::U8(vec![5, 9, 0, 10, 11]))]);
}

#[test]
fn parts_of_points_are_tables_of_their_own() {
    let request = all_kinds();
    let columns = decode(&request).unwrap();
    assert_columns(
        &table(&columns, &request, "histograms"),
        &[
            ("point", Column::U32(vec![2])),
            ("count", Column::U64(vec![3])),
            ("presence", Column::U8(vec![1 | 4])),
            ("sum", Column::F64(vec![6.5])),
            ("max", Column::F64(vec![4.0])),
            ("bucket_counts", Column::Offsets(vec![0, 3])),
            ("explicit_bounds", Column::Offsets(vec![0, 2])),
        ],
    );
    assert_columns(&table(&columns, &request, "bucket_counts"), &[("count", Column::U64(vec![1, 2, 4]))]);
    assert_columns(&table(&columns, &request, "explicit_bounds"), &[("bound", Column::F64(vec![0.5, 2.0]))]);
    assert_columns(
        &table(&columns, &request, "exponential_histograms"),
        &[
            ("point", Column::U32(vec![3])),
            ("count", Column::U64(vec![9])),
            ("presence", Column::U8(vec![0])),
            ("scale", Column::I32(vec![-2])),
            ("zero_count", Column::U64(vec![2])),
            ("zero_threshold", Column::F64(vec![0.125])),
            ("positive_offset", Column::I32(vec![3])),
            ("positive", Column::Offsets(vec![0, 3])),
            ("negative_offset", Column::I32(vec![0])),
            ("negative", Column::Offsets(vec![0, 0])),
        ],
    );
    assert_columns(&table(&columns, &request, "positive"), &[("count", Column::U64(vec![1, 300, 5]))]);
    assert_columns(
        &table(&columns, &request, "summaries"),
        &[("point", Column::U32(vec![4])), ("sum", Column::F64(vec![8.0])), ("quantiles", Column::Offsets(vec![0, 1]))],
    );
    assert_columns(
        &table(&columns, &request, "quantiles"),
        &[("quantile", Column::F64(vec![0.5])), ("value", Column::F64(vec![2.0]))],
    );
    assert_columns(
        &table(&columns, &request, "exemplars"),
        &[
            ("time_unix_nano", Column::U64(vec![5, 5])),
            ("value_type", Column::U8(vec![1, 1])),
            ("double", Column::F64(vec![0.25, 0.75])),
            ("span_id", Column::SpanIds(vec![*b"span-id."; 2])),
            ("trace_id", Column::TraceIds(vec![[0; 16]; 2])),
            ("attributes", Column::Offsets(vec![0, 1, 2])),
        ],
    );
}

fn refused(request: &[u8]) -> ReadError {
    match decode(request) {
        Err(DecodeError::Malformed(error)) => error,
        other => panic!("must be refused, not {other:?}"),
    }
}

#[test]
fn what_is_malformed_is_refused_at_its_place() {
    let one = |data: Vec<u8>| request(&[data]);
    let point = |tag: u8, content: Vec<u8>| one(of_kind("", tag, &[content]));
    // A metric begins at offset 6, a point in it at 12.
    let cases = [
        (one([field(metric::GAUGE, b""), field(metric::SUM, b"")].concat()), ErrorKind::RepeatedMessage, 8),
        (point(metric::HISTOGRAM, field(histogram::BUCKET_COUNTS, b"123")), ErrorKind::BadPackedLength, 13),
        (point(metric::HISTOGRAM, field(histogram::EXEMPLARS, b"\x22\x01x")), ErrorKind::BadIdLength, 15),
        (
            point(metric::EXPONENTIAL_HISTOGRAM, field(exponential::POSITIVE, b"").repeat(2)),
            ErrorKind::RepeatedMessage,
            14,
        ),
        (
            point(metric::EXPONENTIAL_HISTOGRAM, field(exponential::NEGATIVE, b"").repeat(2)),
            ErrorKind::RepeatedMessage,
            14,
        ),
        (
            point(metric::EXPONENTIAL_HISTOGRAM, field(exponential::NEGATIVE, b"\x12\x02\x80\x80")),
            ErrorKind::Truncated,
            16,
        ),
        (point(metric::SUMMARY, field(summary::QUANTILE_VALUES, b"\x08\x01")), ErrorKind::WrongWireType, 14),
        (point(metric::GAUGE, field(number::ATTRIBUTES, b"\x0a\x01\xff")), ErrorKind::InvalidUtf8, 15),
        (one(field(metric::METADATA, b"\x12\x02\x0a\x09")), ErrorKind::LengthPastEnd, 11),
    ];
    for (request, kind, offset) in cases {
        assert_eq!(refused(&request), ReadError { kind, offset }, "{request:?}");
    }
}

#[test]
fn every_table_is_bounded() {
    let request = all_kinds();
    let with = |max_items| Columns::decode(&request, Signal::Metrics, Limits { max_items, ..Limits::default() });
    assert!(with(5).is_ok());
    for max_items in 0..5 {
        assert!(matches!(with(max_items), Err(DecodeError::TooManyItems { .. })), "{max_items}");
    }
    let depth = |max_depth| Columns::decode(&request, Signal::Metrics, Limits { max_depth, ..Limits::default() });
    assert!(depth(7).is_ok());
    for max_depth in 0..7 {
        let Err(DecodeError::Malformed(error)) = depth(max_depth) else { panic!("{max_depth} must be too deep") };
        assert_eq!(error.kind, ErrorKind::TooDeep);
    }
}

#[test]
fn row_too_many_is_refused_where_its_field_begins() {
    let refused = |request: &[u8], max_items| match Columns::decode(
        request,
        Signal::Metrics,
        Limits { max_items, ..Limits::default() },
    ) {
        Err(DecodeError::TooManyItems { offset }) => Some(offset),
        other => other.map(|_| None).expect("a request"),
    };
    let twice = |tag| field(tag, b"").repeat(2);
    let in_point = |data, content: Vec<u8>| request(&[of_kind("", data, &[content])]);
    let two_attributes = |tag| field(tag, &twice(exemplar::FILTERED_ATTRIBUTES));
    // A metric begins at offset 6, a point in it at 12, an exemplar in that at 14.
    let cases = [
        ("metrics", request(&[Vec::new(), Vec::new()]), 6),
        ("metadata", request(&[twice(metric::METADATA)]), 8),
        ("points", request(&[of_kind("", metric::SUM, &[Vec::new(), Vec::new()])]), 12),
        ("attributes", in_point(metric::HISTOGRAM, twice(histogram::ATTRIBUTES)), 14),
        ("attributes of a summary", in_point(metric::SUMMARY, twice(summary::ATTRIBUTES)), 14),
        ("exemplars", in_point(metric::GAUGE, twice(number::EXEMPLARS)), 14),
        (
            "attributes of exemplars",
            in_point(metric::EXPONENTIAL_HISTOGRAM, two_attributes(exponential::EXEMPLARS)),
            16,
        ),
        ("quantiles", in_point(metric::SUMMARY, twice(summary::QUANTILE_VALUES)), 14),
    ];
    for (table, request, offset) in cases {
        assert_eq!(refused(&request, 1), Some(offset), "{table}");
        assert_eq!(refused(&request, 2), None, "{table}");
    }
}

#[test]
fn what_lies_too_deep_is_refused_where_its_field_begins() {
    let refused = |request: &[u8], max_depth| match Columns::decode(
        request,
        Signal::Metrics,
        Limits { max_depth, ..Limits::default() },
    ) {
        Err(DecodeError::Malformed(error)) => (error.kind, error.offset),
        other => panic!("must be refused, not {other:?}"),
    };
    // A metric begins at offset 6, its name takes two bytes, the tag and the length of its data two more.
    let parts = [
        (metric::GAUGE, number::EXEMPLARS),
        (metric::SUM, number::EXEMPLARS),
        (metric::HISTOGRAM, histogram::EXEMPLARS),
        (metric::EXPONENTIAL_HISTOGRAM, exponential::POSITIVE),
        (metric::EXPONENTIAL_HISTOGRAM, exponential::NEGATIVE),
        (metric::SUMMARY, summary::QUANTILE_VALUES),
    ];
    for (data, part) in parts {
        let request = request(&[of_kind("", data, &[field(part, b"")])]);
        assert_eq!(refused(&request, 2), (ErrorKind::TooDeep, 4), "a metric");
        assert_eq!(refused(&request, 3), (ErrorKind::TooDeep, 8), "data {data}");
        assert_eq!(refused(&request, 4), (ErrorKind::TooDeep, 10), "a point in {data}");
        assert_eq!(refused(&request, 5), (ErrorKind::TooDeep, 12), "{part} in a point in {data}");
    }
}

#[test]
fn requests_that_end_too_early_are_refused_or_shorter() {
    let request = all_kinds();
    for length in 1..request.len() {
        let error = refused(&request[..length]);
        assert!(error.offset <= length, "{length}");
    }
}
