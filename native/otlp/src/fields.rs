//! Field numbers of OTLP, as tags ready to be written.
//!
//! Each constant is the tag of a field: its number and wire type from the `.proto` files of opentelemetry-proto 1.11.
//! All fields below 16 have one-byte tags (`u8`); the one above, `Span.flags`, has two (`u32`).
//!
//! Left out are `key_strindex` and `string_value_strindex`, which only profiles use: of the three signals' messages they are
//! unknown fields.

use otlp_wire::WireType::{Fixed64, Len, Varint};
use otlp_wire::varint::short_tag;

/// `opentelemetry.proto.common.v1.AnyValue`: one of these, or none for an empty value.
pub mod any_value {
    use super::*;
    /// `string string_value = 1`
    pub const STRING_VALUE: u8 = short_tag(1, Len);
    /// `bool bool_value = 2`
    pub const BOOL_VALUE: u8 = short_tag(2, Varint);
    /// `int64 int_value = 3`
    pub const INT_VALUE: u8 = short_tag(3, Varint);
    /// `double double_value = 4`
    pub const DOUBLE_VALUE: u8 = short_tag(4, Fixed64);
    /// `ArrayValue array_value = 5`
    pub const ARRAY_VALUE: u8 = short_tag(5, Len);
    /// `KeyValueList kvlist_value = 6`
    pub const KVLIST_VALUE: u8 = short_tag(6, Len);
    /// `bytes bytes_value = 7`
    pub const BYTES_VALUE: u8 = short_tag(7, Len);
}

/// `opentelemetry.proto.common.v1.ArrayValue`
pub mod array_value {
    use super::*;
    /// `repeated AnyValue values = 1`
    pub const VALUES: u8 = short_tag(1, Len);
}

/// `opentelemetry.proto.common.v1.KeyValueList`
pub mod key_value_list {
    use super::*;
    /// `repeated KeyValue values = 1`
    pub const VALUES: u8 = short_tag(1, Len);
}

/// `opentelemetry.proto.common.v1.KeyValue`
pub mod key_value {
    use super::*;
    /// `string key = 1`
    pub const KEY: u8 = short_tag(1, Len);
    /// `AnyValue value = 2`
    pub const VALUE: u8 = short_tag(2, Len);
}

/// `opentelemetry.proto.common.v1.InstrumentationScope`
pub mod scope {
    use super::*;
    /// `string name = 1`
    pub const NAME: u8 = short_tag(1, Len);
    /// `string version = 2`
    pub const VERSION: u8 = short_tag(2, Len);
    /// `repeated KeyValue attributes = 3`
    pub const ATTRIBUTES: u8 = short_tag(3, Len);
    /// `uint32 dropped_attributes_count = 4`
    pub const DROPPED_ATTRIBUTES_COUNT: u8 = short_tag(4, Varint);
}

/// `opentelemetry.proto.resource.v1.Resource`
pub mod resource {
    use super::*;
    /// `repeated KeyValue attributes = 1`
    pub const ATTRIBUTES: u8 = short_tag(1, Len);
    /// `uint32 dropped_attributes_count = 2`
    pub const DROPPED_ATTRIBUTES_COUNT: u8 = short_tag(2, Varint);
    /// `repeated EntityRef entity_refs = 3`
    pub const ENTITY_REFS: u8 = short_tag(3, Len);
}

/// `opentelemetry.proto.common.v1.EntityRef`
pub mod entity_ref {
    use super::*;
    /// `string schema_url = 1`
    pub const SCHEMA_URL: u8 = short_tag(1, Len);
    /// `string type = 2`
    pub const TYPE: u8 = short_tag(2, Len);
    /// `repeated string id_keys = 3`
    pub const ID_KEYS: u8 = short_tag(3, Len);
    /// `repeated string description_keys = 4`
    pub const DESCRIPTION_KEYS: u8 = short_tag(4, Len);
}

/// `Export{Trace,Logs,Metrics}ServiceRequest`, `Resource{Spans,Logs,Metrics}` and `Scope{Spans,Logs,Metrics}`:
/// the three signals use the same numbers.
pub mod envelope {
    use super::*;
    /// `repeated Resource… resource_… = 1` of the request
    pub const RESOURCE_GROUPS: u8 = short_tag(1, Len);
    /// `Resource resource = 1` of a resource group
    pub const RESOURCE: u8 = short_tag(1, Len);
    /// `repeated Scope… scope_… = 2` of a resource group
    pub const SCOPE_GROUPS: u8 = short_tag(2, Len);
    /// `InstrumentationScope scope = 1` of a scope group
    pub const SCOPE: u8 = short_tag(1, Len);
    /// `repeated Span spans = 2`, `LogRecord log_records = 2`, `Metric metrics = 2` of a scope group
    pub const ITEMS: u8 = short_tag(2, Len);
    /// `string schema_url = 3` of a resource group and of a scope group
    pub const SCHEMA_URL: u8 = short_tag(3, Len);
}

/// `opentelemetry.proto.trace.v1.Span`
pub mod span {
    use super::*;
    use otlp_wire::WireType::Fixed32;
    /// `bytes trace_id = 1`
    pub const TRACE_ID: u8 = short_tag(1, Len);
    /// `bytes span_id = 2`
    pub const SPAN_ID: u8 = short_tag(2, Len);
    /// `string trace_state = 3`
    pub const TRACE_STATE: u8 = short_tag(3, Len);
    /// `bytes parent_span_id = 4`
    pub const PARENT_SPAN_ID: u8 = short_tag(4, Len);
    /// `string name = 5`
    pub const NAME: u8 = short_tag(5, Len);
    /// `SpanKind kind = 6`
    pub const KIND: u8 = short_tag(6, Varint);
    /// `fixed64 start_time_unix_nano = 7`
    pub const START_TIME_UNIX_NANO: u8 = short_tag(7, Fixed64);
    /// `fixed64 end_time_unix_nano = 8`
    pub const END_TIME_UNIX_NANO: u8 = short_tag(8, Fixed64);
    /// `repeated KeyValue attributes = 9`
    pub const ATTRIBUTES: u8 = short_tag(9, Len);
    /// `uint32 dropped_attributes_count = 10`
    pub const DROPPED_ATTRIBUTES_COUNT: u8 = short_tag(10, Varint);
    /// `repeated Event events = 11`
    pub const EVENTS: u8 = short_tag(11, Len);
    /// `uint32 dropped_events_count = 12`
    pub const DROPPED_EVENTS_COUNT: u8 = short_tag(12, Varint);
    /// `repeated Link links = 13`
    pub const LINKS: u8 = short_tag(13, Len);
    /// `uint32 dropped_links_count = 14`
    pub const DROPPED_LINKS_COUNT: u8 = short_tag(14, Varint);
    /// `Status status = 15`
    pub const STATUS: u8 = short_tag(15, Len);
    /// `fixed32 flags = 16`, whose tag takes two bytes
    pub const FLAGS: u32 = otlp_wire::tag(16, Fixed32);
}

/// `opentelemetry.proto.trace.v1.Span.Event`
pub mod event {
    use super::*;
    /// `fixed64 time_unix_nano = 1`
    pub const TIME_UNIX_NANO: u8 = short_tag(1, Fixed64);
    /// `string name = 2`
    pub const NAME: u8 = short_tag(2, Len);
    /// `repeated KeyValue attributes = 3`
    pub const ATTRIBUTES: u8 = short_tag(3, Len);
    /// `uint32 dropped_attributes_count = 4`
    pub const DROPPED_ATTRIBUTES_COUNT: u8 = short_tag(4, Varint);
}

/// `opentelemetry.proto.trace.v1.Span.Link`
pub mod link {
    use super::*;
    use otlp_wire::WireType::Fixed32;
    /// `bytes trace_id = 1`
    pub const TRACE_ID: u8 = short_tag(1, Len);
    /// `bytes span_id = 2`
    pub const SPAN_ID: u8 = short_tag(2, Len);
    /// `string trace_state = 3`
    pub const TRACE_STATE: u8 = short_tag(3, Len);
    /// `repeated KeyValue attributes = 4`
    pub const ATTRIBUTES: u8 = short_tag(4, Len);
    /// `uint32 dropped_attributes_count = 5`
    pub const DROPPED_ATTRIBUTES_COUNT: u8 = short_tag(5, Varint);
    /// `fixed32 flags = 6`
    pub const FLAGS: u8 = short_tag(6, Fixed32);
}

/// `opentelemetry.proto.trace.v1.Status`
pub mod status {
    use super::*;
    /// `string message = 2`
    pub const MESSAGE: u8 = short_tag(2, Len);
    /// `StatusCode code = 3`
    pub const CODE: u8 = short_tag(3, Varint);
}

/// `opentelemetry.proto.logs.v1.LogRecord`
pub mod log_record {
    use super::*;
    use otlp_wire::WireType::Fixed32;
    /// `fixed64 time_unix_nano = 1`
    pub const TIME_UNIX_NANO: u8 = short_tag(1, Fixed64);
    /// `SeverityNumber severity_number = 2`
    pub const SEVERITY_NUMBER: u8 = short_tag(2, Varint);
    /// `string severity_text = 3`
    pub const SEVERITY_TEXT: u8 = short_tag(3, Len);
    /// `AnyValue body = 5`
    pub const BODY: u8 = short_tag(5, Len);
    /// `repeated KeyValue attributes = 6`
    pub const ATTRIBUTES: u8 = short_tag(6, Len);
    /// `uint32 dropped_attributes_count = 7`
    pub const DROPPED_ATTRIBUTES_COUNT: u8 = short_tag(7, Varint);
    /// `fixed32 flags = 8`
    pub const FLAGS: u8 = short_tag(8, Fixed32);
    /// `bytes trace_id = 9`
    pub const TRACE_ID: u8 = short_tag(9, Len);
    /// `bytes span_id = 10`
    pub const SPAN_ID: u8 = short_tag(10, Len);
    /// `fixed64 observed_time_unix_nano = 11`
    pub const OBSERVED_TIME_UNIX_NANO: u8 = short_tag(11, Fixed64);
    /// `string event_name = 12`
    pub const EVENT_NAME: u8 = short_tag(12, Len);
}

/// `opentelemetry.proto.metrics.v1.Metric`
pub mod metric {
    use super::*;
    /// `string name = 1`
    pub const NAME: u8 = short_tag(1, Len);
    /// `string description = 2`
    pub const DESCRIPTION: u8 = short_tag(2, Len);
    /// `string unit = 3`
    pub const UNIT: u8 = short_tag(3, Len);
    /// `Gauge gauge = 5`
    pub const GAUGE: u8 = short_tag(5, Len);
    /// `Sum sum = 7`
    pub const SUM: u8 = short_tag(7, Len);
    /// `Histogram histogram = 9`
    pub const HISTOGRAM: u8 = short_tag(9, Len);
    /// `ExponentialHistogram exponential_histogram = 10`
    pub const EXPONENTIAL_HISTOGRAM: u8 = short_tag(10, Len);
    /// `Summary summary = 11`
    pub const SUMMARY: u8 = short_tag(11, Len);
    /// `repeated KeyValue metadata = 12`
    pub const METADATA: u8 = short_tag(12, Len);
    /// The oneof `data`
    pub const DATA: [u8; 5] = [GAUGE, SUM, HISTOGRAM, EXPONENTIAL_HISTOGRAM, SUMMARY];
}

/// `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram` and `Summary`: they use the same numbers, as far as they have the
/// field.
pub mod metric_data {
    use super::*;
    /// `repeated …DataPoint data_points = 1`
    pub const DATA_POINTS: u8 = short_tag(1, Len);
    /// `AggregationTemporality aggregation_temporality = 2`, of all but a gauge
    pub const AGGREGATION_TEMPORALITY: u8 = short_tag(2, Varint);
    /// `bool is_monotonic = 3` of a sum
    pub const IS_MONOTONIC: u8 = short_tag(3, Varint);
}

/// `opentelemetry.proto.metrics.v1.NumberDataPoint`
pub mod number_data_point {
    use super::*;
    /// `fixed64 start_time_unix_nano = 2`
    pub const START_TIME_UNIX_NANO: u8 = short_tag(2, Fixed64);
    /// `fixed64 time_unix_nano = 3`
    pub const TIME_UNIX_NANO: u8 = short_tag(3, Fixed64);
    /// `double as_double = 4`, a oneof with `as_int`
    pub const AS_DOUBLE: u8 = short_tag(4, Fixed64);
    /// `repeated Exemplar exemplars = 5`
    pub const EXEMPLARS: u8 = short_tag(5, Len);
    /// `sfixed64 as_int = 6`
    pub const AS_INT: u8 = short_tag(6, Fixed64);
    /// `repeated KeyValue attributes = 7`
    pub const ATTRIBUTES: u8 = short_tag(7, Len);
    /// `uint32 flags = 8`
    pub const FLAGS: u8 = short_tag(8, Varint);
}

/// `opentelemetry.proto.metrics.v1.HistogramDataPoint`
pub mod histogram_data_point {
    use super::*;
    /// `fixed64 start_time_unix_nano = 2`
    pub const START_TIME_UNIX_NANO: u8 = short_tag(2, Fixed64);
    /// `fixed64 time_unix_nano = 3`
    pub const TIME_UNIX_NANO: u8 = short_tag(3, Fixed64);
    /// `fixed64 count = 4`
    pub const COUNT: u8 = short_tag(4, Fixed64);
    /// `optional double sum = 5`
    pub const SUM: u8 = short_tag(5, Fixed64);
    /// `repeated fixed64 bucket_counts = 6`
    pub const BUCKET_COUNTS: u8 = short_tag(6, Len);
    /// `repeated double explicit_bounds = 7`
    pub const EXPLICIT_BOUNDS: u8 = short_tag(7, Len);
    /// `repeated Exemplar exemplars = 8`
    pub const EXEMPLARS: u8 = short_tag(8, Len);
    /// `repeated KeyValue attributes = 9`
    pub const ATTRIBUTES: u8 = short_tag(9, Len);
    /// `uint32 flags = 10`
    pub const FLAGS: u8 = short_tag(10, Varint);
    /// `optional double min = 11`
    pub const MIN: u8 = short_tag(11, Fixed64);
    /// `optional double max = 12`
    pub const MAX: u8 = short_tag(12, Fixed64);
}

/// `opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint`
pub mod exponential_histogram_data_point {
    use super::*;
    /// `repeated KeyValue attributes = 1`
    pub const ATTRIBUTES: u8 = short_tag(1, Len);
    /// `fixed64 start_time_unix_nano = 2`
    pub const START_TIME_UNIX_NANO: u8 = short_tag(2, Fixed64);
    /// `fixed64 time_unix_nano = 3`
    pub const TIME_UNIX_NANO: u8 = short_tag(3, Fixed64);
    /// `fixed64 count = 4`
    pub const COUNT: u8 = short_tag(4, Fixed64);
    /// `optional double sum = 5`
    pub const SUM: u8 = short_tag(5, Fixed64);
    /// `sint32 scale = 6`
    pub const SCALE: u8 = short_tag(6, Varint);
    /// `fixed64 zero_count = 7`
    pub const ZERO_COUNT: u8 = short_tag(7, Fixed64);
    /// `Buckets positive = 8`
    pub const POSITIVE: u8 = short_tag(8, Len);
    /// `Buckets negative = 9`
    pub const NEGATIVE: u8 = short_tag(9, Len);
    /// `uint32 flags = 10`
    pub const FLAGS: u8 = short_tag(10, Varint);
    /// `repeated Exemplar exemplars = 11`
    pub const EXEMPLARS: u8 = short_tag(11, Len);
    /// `optional double min = 12`
    pub const MIN: u8 = short_tag(12, Fixed64);
    /// `optional double max = 13`
    pub const MAX: u8 = short_tag(13, Fixed64);
    /// `double zero_threshold = 14`
    pub const ZERO_THRESHOLD: u8 = short_tag(14, Fixed64);
}

/// `ExponentialHistogramDataPoint.Buckets`
pub mod buckets {
    use super::*;
    /// `sint32 offset = 1`
    pub const OFFSET: u8 = short_tag(1, Varint);
    /// `repeated uint64 bucket_counts = 2`
    pub const BUCKET_COUNTS: u8 = short_tag(2, Len);
}

/// `opentelemetry.proto.metrics.v1.SummaryDataPoint`
pub mod summary_data_point {
    use super::*;
    /// `fixed64 start_time_unix_nano = 2`
    pub const START_TIME_UNIX_NANO: u8 = short_tag(2, Fixed64);
    /// `fixed64 time_unix_nano = 3`
    pub const TIME_UNIX_NANO: u8 = short_tag(3, Fixed64);
    /// `fixed64 count = 4`
    pub const COUNT: u8 = short_tag(4, Fixed64);
    /// `double sum = 5`
    pub const SUM: u8 = short_tag(5, Fixed64);
    /// `repeated ValueAtQuantile quantile_values = 6`
    pub const QUANTILE_VALUES: u8 = short_tag(6, Len);
    /// `repeated KeyValue attributes = 7`
    pub const ATTRIBUTES: u8 = short_tag(7, Len);
    /// `uint32 flags = 8`
    pub const FLAGS: u8 = short_tag(8, Varint);
}

/// `SummaryDataPoint.ValueAtQuantile`
pub mod value_at_quantile {
    use super::*;
    /// `double quantile = 1`
    pub const QUANTILE: u8 = short_tag(1, Fixed64);
    /// `double value = 2`
    pub const VALUE: u8 = short_tag(2, Fixed64);
}

/// `opentelemetry.proto.metrics.v1.Exemplar`
pub mod exemplar {
    use super::*;
    /// `fixed64 time_unix_nano = 2`
    pub const TIME_UNIX_NANO: u8 = short_tag(2, Fixed64);
    /// `double as_double = 3`, a oneof with `as_int`
    pub const AS_DOUBLE: u8 = short_tag(3, Fixed64);
    /// `bytes span_id = 4`
    pub const SPAN_ID: u8 = short_tag(4, Len);
    /// `bytes trace_id = 5`
    pub const TRACE_ID: u8 = short_tag(5, Len);
    /// `sfixed64 as_int = 6`
    pub const AS_INT: u8 = short_tag(6, Fixed64);
    /// `repeated KeyValue filtered_attributes = 7`
    pub const FILTERED_ATTRIBUTES: u8 = short_tag(7, Len);
}

/// `Export{Trace,Logs,Metrics}ServiceResponse` and their `Export…PartialSuccess`: plain numbers, as they are only read.
pub mod response {
    /// `Export…PartialSuccess partial_success = 1`
    pub const PARTIAL_SUCCESS: u32 = 1;
    /// `int64 rejected_… = 1` of the partial success
    pub const REJECTED: u32 = 1;
    /// `string error_message = 2` of the partial success
    pub const ERROR_MESSAGE: u32 = 2;
}

/// `google.rpc.Status`, the body of an HTTP error answer: plain numbers, as they are only read.
pub mod rpc_status {
    /// `int32 code = 1`
    pub const CODE: u32 = 1;
    /// `string message = 2`
    pub const MESSAGE: u32 = 2;
    /// `repeated google.protobuf.Any details = 3`
    pub const DETAILS: u32 = 3;
}

/// `google.protobuf.Any`: plain numbers, as they are only read.
pub mod any {
    /// `string type_url = 1`
    pub const TYPE_URL: u32 = 1;
    /// `bytes value = 2`
    pub const VALUE: u32 = 2;
}

/// `google.rpc.RetryInfo` and the `google.protobuf.Duration` in it: plain numbers, as they are only read.
pub mod retry_info {
    /// `Duration retry_delay = 1`
    pub const RETRY_DELAY: u32 = 1;
    /// `int64 seconds = 1` of the duration
    pub const SECONDS: u32 = 1;
    /// `int32 nanos = 2` of the duration
    pub const NANOS: u32 = 2;
}
