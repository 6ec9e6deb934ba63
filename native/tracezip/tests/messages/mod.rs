//! Requests for tests, put together by hand from the fields of OTLP.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod arbitrary;

use otlp_schema::fields::{any_value, envelope, key_value, log_record, metric, metric_data, number_data_point, span};
use otlp_wire::Writer;

/// A field that is a string, bytes or a message.
pub(crate) fn field(tag: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.bytes_field(tag, content.as_ref());
    writer.take()
}

/// A varint field.
pub(crate) fn varint(tag: u8, value: u64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.varint_field(tag, value);
    writer.take()
}

/// An eight-byte field.
pub(crate) fn fixed64(tag: u8, value: u64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.fixed64_field(tag, value);
    writer.take()
}

/// A request of items that share one resource and one scope.
pub(crate) fn request(items: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let items: Vec<u8> = items.into_iter().flat_map(|item| field(envelope::ITEMS, item)).collect();
    field(envelope::RESOURCE_GROUPS, field(envelope::SCOPE_GROUPS, items))
}

/// An attribute of any value.
pub(crate) fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    [field(key_value::KEY, key), field(key_value::VALUE, value)].concat()
}

/// An attribute that is a string.
pub(crate) fn text_attribute(key: &str, value: &str) -> Vec<u8> {
    attribute(key, &field(any_value::STRING_VALUE, value))
}

/// Numbers that look random, and are the same in each run.
pub(crate) fn scrambled(number: u64) -> u64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// The ids and times of a span: its trace id and span id are new.
pub(crate) fn span_head(number: u64) -> Vec<u8> {
    let trace_id = [scrambled(number).to_le_bytes(), scrambled(!number).to_le_bytes()].concat();
    let start = 1_700_000_000_000_000_000 + number * 1_000_000;
    [
        field(span::TRACE_ID, trace_id),
        field(span::SPAN_ID, scrambled(number << 1).to_le_bytes()),
        fixed64(span::START_TIME_UNIX_NANO, start),
        fixed64(span::END_TIME_UNIX_NANO, start + scrambled(number) % 1_000_000),
    ]
    .concat()
}

/// A span.
pub(crate) fn a_span(number: u64, name: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes.iter().flat_map(|pair| field(span::ATTRIBUTES, pair)).collect();
    [span_head(number), field(span::NAME, name), attributes].concat()
}

/// A log record whose body is a string.
pub(crate) fn a_record(number: u64, body: &str) -> Vec<u8> {
    let body = field(log_record::BODY, field(any_value::STRING_VALUE, body));
    [fixed64(log_record::TIME_UNIX_NANO, 1_700_000_000_000_000_000 + number * 1_000), body].concat()
}

/// A gauge of one point.
pub(crate) fn a_gauge(name: &str, attributes: &[Vec<u8>], time: u64, value: f64) -> Vec<u8> {
    let attributes: Vec<u8> = attributes.iter().flat_map(|pair| field(number_data_point::ATTRIBUTES, pair)).collect();
    let time = fixed64(number_data_point::TIME_UNIX_NANO, time);
    let value = fixed64(number_data_point::AS_DOUBLE, value.to_bits());
    let point = [attributes, time, value].concat();
    [field(metric::NAME, name), field(metric::GAUGE, field(metric_data::DATA_POINTS, point))].concat()
}
