//! The messages of OTLP, a line for each field.
//!
//! Each line gives the tag (from [`crate::fields`]), the variant of the message's field enum, the kind of value, and
//! the two names. [`messages`] makes of them the view, its field enum, the iterator between them, and the
//! [`MessageSchema`].

// Tags are u8, but for one that is u32.
#![allow(clippy::cast_lossless)]

use super::{Fixed64s, Unknown, Varints, read_id, read_unknown};
use crate::fields;
use crate::schema::{FieldSchema, Kind, MessageSchema, Places};
use otlp_wire::varint::unzigzag;
use otlp_wire::{ErrorKind, ReadError, Reader, WireType};
use std::marker::PhantomData;

/// What a field's value is in a view.
macro_rules! value_type {
    ($life:lifetime text) => { &$life str };
    ($life:lifetime bytes) => { &$life [u8] };
    ($life:lifetime trace_id) => { Option<[u8; 16]> };
    ($life:lifetime span_id) => { Option<[u8; 8]> };
    ($life:lifetime bool) => { bool };
    ($life:lifetime double) => { f64 };
    ($life:lifetime int32) => { i32 };
    ($life:lifetime sint32) => { i32 };
    ($life:lifetime uint32) => { u32 };
    ($life:lifetime fixed32) => { u32 };
    ($life:lifetime int64) => { i64 };
    ($life:lifetime fixed64) => { u64 };
    ($life:lifetime sfixed64) => { i64 };
    ($life:lifetime packed_fixed64) => { Fixed64s<$life> };
    ($life:lifetime packed_double) => { Fixed64s<$life> };
    ($life:lifetime packed_uint64) => { Varints<$life> };
    ($life:lifetime texts) => { &$life str };
    ($life:lifetime message $message:ident) => { $message<$life> };
    ($life:lifetime messages $message:ident) => { $message<$life> };
    ($life:lifetime optional $kind:ident) => { value_type!($life $kind) };
    ($life:lifetime member $($kind:tt)+) => { value_type!($life $($kind)+) };
}

/// Reads a value behind its tag.
macro_rules! read_value {
    ($reader:ident text) => { $reader.read_str()? };
    ($reader:ident bytes) => { $reader.read_bytes()? };
    ($reader:ident trace_id) => { read_id($reader)? };
    ($reader:ident span_id) => { read_id($reader)? };
    ($reader:ident bool) => { $reader.read_varint()? != 0 };
    ($reader:ident double) => { f64::from_bits($reader.read_fixed64()?) };
    // Protobuf reads the low 32 bits of whatever varint stands there.
    ($reader:ident int32) => { $reader.read_varint()? as i32 };
    ($reader:ident sint32) => { unzigzag(u64::from($reader.read_varint()? as u32)) as i32 };
    ($reader:ident uint32) => { $reader.read_varint()? as u32 };
    ($reader:ident fixed32) => { $reader.read_fixed32()? };
    ($reader:ident int64) => { $reader.read_varint()? as i64 };
    ($reader:ident fixed64) => { $reader.read_fixed64()? };
    ($reader:ident sfixed64) => { $reader.read_fixed64()? as i64 };
    ($reader:ident packed_fixed64) => { Fixed64s::read_packed($reader)? };
    ($reader:ident packed_double) => { Fixed64s::read_packed($reader)? };
    ($reader:ident packed_uint64) => { Varints::read_packed($reader)? };
    ($reader:ident texts) => { $reader.read_str()? };
    ($reader:ident message $message:ident) => { $message($reader.nested()?) };
    ($reader:ident messages $message:ident) => { $message($reader.nested()?) };
    ($reader:ident optional $kind:ident) => { read_value!($reader $kind) };
    ($reader:ident member $($kind:tt)+) => { read_value!($reader $($kind)+) };
}

/// Reads one element of a repeated number that is not packed; nothing for any other kind.
macro_rules! read_single {
    ($reader:ident $tag:ident $number:expr, $variant:path, packed_fixed64) => {
        if $tag.field == $number && $tag.wire_type == WireType::Fixed64 {
            return Ok(($variant(Fixed64s::read_single(&mut $reader)?), $reader));
        }
    };
    ($reader:ident $tag:ident $number:expr, $variant:path, packed_double) => {
        read_single!($reader $tag $number, $variant, packed_fixed64)
    };
    ($reader:ident $tag:ident $number:expr, $variant:path, packed_uint64) => {
        if $tag.field == $number && $tag.wire_type == WireType::Varint {
            return Ok(($variant(Varints::read_single(&mut $reader)?), $reader));
        }
    };
    ($($other:tt)*) => {};
}

/// The kind in the schema, whether the field is repeated, and whether it has presence.
macro_rules! schema_kind {
    (text) => {
        (Kind::Text, false, false)
    };
    (bytes) => {
        (Kind::Bytes, false, false)
    };
    (trace_id) => {
        (Kind::Id(16), false, false)
    };
    (span_id) => {
        (Kind::Id(8), false, false)
    };
    (bool) => {
        (Kind::Bool, false, false)
    };
    (double) => {
        (Kind::Double, false, false)
    };
    (int32) => {
        (Kind::Int32, false, false)
    };
    (sint32) => {
        (Kind::Sint32, false, false)
    };
    (uint32) => {
        (Kind::Uint32, false, false)
    };
    (fixed32) => {
        (Kind::Fixed32, false, false)
    };
    (int64) => {
        (Kind::Int64, false, false)
    };
    (fixed64) => {
        (Kind::Fixed64, false, false)
    };
    (sfixed64) => {
        (Kind::Sfixed64, false, false)
    };
    (packed_fixed64) => {
        (Kind::Fixed64, true, false)
    };
    (packed_double) => {
        (Kind::Double, true, false)
    };
    (packed_uint64) => {
        (Kind::Uint64, true, false)
    };
    (texts) => {
        (Kind::Text, true, false)
    };
    (message $message:ident) => {
        (Kind::Message(&schemas::$message), false, true)
    };
    (messages $message:ident) => {
        (Kind::Message(&schemas::$message), true, false)
    };
    (optional $kind:ident) => {
        (schema_kind!($kind).0, false, true)
    };
    (member $($kind:tt)+) => {
        (schema_kind!($($kind)+).0, false, true)
    };
}

/// Whether a field is a member of its message's oneof.
macro_rules! is_member {
    (member $($kind:tt)+) => {
        true
    };
    ($($kind:tt)+) => {
        false
    };
}

/// A message whose fields can be read one by one. Every view of this file is one, and nothing else.
pub trait Message<'a> {
    /// The message's enum of fields.
    type Field;

    /// Reads the next field of a message that is not at its end.
    fn read_field(reader: &mut Reader<'a>) -> Result<Self::Field, ReadError>;

    /// The same for everything that is rare: unknown fields, numbers that are not packed, errors. The reader goes in
    /// and comes back by value, and the field with it, so that neither of the caller's has to live in memory.
    fn read_other(reader: Reader<'a>) -> Result<(Self::Field, Reader<'a>), ReadError>;
}

/// The fields of a message, as they stand.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a, M> {
    reader: Reader<'a>,
    message: PhantomData<M>,
}

impl<M> Fields<'_, M> {
    /// Where the next field begins, in the outermost input.
    #[inline]
    pub const fn offset(&self) -> usize {
        self.reader.offset()
    }
}

impl<'a, M: Message<'a>> Iterator for Fields<'a, M> {
    type Item = Result<M::Field, ReadError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_at_end() {
            return None;
        }
        let field = M::read_field(&mut self.reader);
        if field.is_err() {
            self.reader.finish();
        }
        Some(field)
    }
}

/// The next tag if it takes one byte or two, as all tags of OTLP do; 0, which is none, for anything else.
#[inline(always)]
fn short_raw_tag(reader: &mut Reader<'_>) -> u32 {
    let (raw, length) = match *reader.rest() {
        [tag, ..] if tag < 0x80 => (u32::from(tag), 1),
        [low, high, ..] if high < 0x80 => (u32::from(low & 0x7f) | u32::from(high) << 7, 2),
        _ => return 0,
    };
    reader.advance(length);
    raw
}

macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $message:ident $field:ident in $module:ident {
            $( $tag:ident $variant:ident ($($kind:tt)+) $name:literal $json:literal; )+
        }
    )+) => {
        /// A `static` may refer to others in a circle, which a `const` may not: an array holds values, and is one.
        #[allow(non_upper_case_globals)]
        mod schemas {
            use super::*;
            $( pub(super) static $message: MessageSchema = MessageSchema {
                name: stringify!($message),
                fields: &[$( {
                    let (kind, is_repeated, has_presence) = schema_kind!($($kind)+);
                    FieldSchema {
                        number: fields::$module::$tag as u32 >> 3,
                        name: $name,
                        json_name: $json,
                        json_key: concat!("\"", $json, "\":"),
                        kind,
                        is_repeated,
                        has_presence,
                        is_member: is_member!($($kind)+),
                    }
                }, )+],
                places: Places::of(&[$( fields::$module::$tag as u32 >> 3, )+]),
            }; )+
        }
    $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $message<'a>(Reader<'a>);

        #[doc = concat!("A field of a [`", stringify!($message), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub enum $field<'a> {
            $( #[doc = concat!("`", $name, "`")] $variant(value_type!('a $($kind)+)), )+
            /// A field that this message does not have.
            Unknown(Unknown<'a>),
        }

        impl<'a> $message<'a> {
            /// What the message is made of.
            pub const SCHEMA: &'static MessageSchema = &schemas::$message;

            /// A view of a whole message, which is the outermost input.
            #[inline]
            pub const fn new(content: &'a [u8]) -> Self {
                Self(Reader::new(content))
            }

            /// A view of a message whose content begins at `offset` of the outermost input.
            #[inline]
            pub const fn within(content: &'a [u8], offset: usize) -> Self {
                Self(Reader::within(content, offset))
            }

            /// The bytes of the message.
            #[inline]
            pub const fn content(self) -> &'a [u8] {
                self.0.rest()
            }

            /// Where its content begins in the outermost input.
            #[inline]
            pub const fn offset(self) -> usize {
                self.0.offset()
            }

            /// Its fields, as they stand. After an error there is no other.
            #[inline]
            pub const fn fields(self) -> Fields<'a, Self> {
                Fields { reader: self.0, message: PhantomData }
            }
        }

        impl<'a> Message<'a> for $message<'a> {
            type Field = $field<'a>;

            #[inline(always)]
            fn read_field(reader: &mut Reader<'a>) -> Result<Self::Field, ReadError> {
                let start = *reader;
                let tag = short_raw_tag(reader);
                $( if tag == fields::$module::$tag as u32 {
                    return Ok($field::$variant(read_value!(reader $($kind)+)));
                } )+
                let (field, rest) = Self::read_other(start)?;
                *reader = rest;
                Ok(field)
            }

            #[cold]
            #[inline(never)]
            fn read_other(mut reader: Reader<'a>) -> Result<(Self::Field, Reader<'a>), ReadError> {
                let start = reader;
                let Some(tag) = reader.read_tag()? else {
                    return Err(start.error(ErrorKind::Truncated));
                };
                $( read_single!(reader tag (fields::$module::$tag as u32 >> 3), $field::$variant, $($kind)+); )+
                if Self::SCHEMA.field(tag.field).is_some() {
                    return Err(start.error(ErrorKind::WrongWireType));
                }
                let unknown = read_unknown(start, &mut reader, tag)?;
                Ok(($field::Unknown(unknown), reader))
            }
        }
    )+};
}

messages! {
    /// `ExportTraceServiceRequest`
    TracesRequest TracesRequestField in envelope {
        RESOURCE_GROUPS ResourceSpans (messages ResourceSpans) "resource_spans" "resourceSpans";
    }

    /// `ResourceSpans`
    ResourceSpans ResourceSpansField in envelope {
        RESOURCE Resource (message Resource) "resource" "resource";
        SCOPE_GROUPS ScopeSpans (messages ScopeSpans) "scope_spans" "scopeSpans";
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
    }

    /// `ScopeSpans`
    ScopeSpans ScopeSpansField in envelope {
        SCOPE Scope (message Scope) "scope" "scope";
        ITEMS Span (messages Span) "spans" "spans";
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
    }

    /// `Span`
    Span SpanField in span {
        TRACE_ID TraceId (trace_id) "trace_id" "traceId";
        SPAN_ID SpanId (span_id) "span_id" "spanId";
        TRACE_STATE TraceState (text) "trace_state" "traceState";
        PARENT_SPAN_ID ParentSpanId (span_id) "parent_span_id" "parentSpanId";
        NAME Name (text) "name" "name";
        KIND Kind (int32) "kind" "kind";
        START_TIME_UNIX_NANO StartTimeUnixNano (fixed64) "start_time_unix_nano" "startTimeUnixNano";
        END_TIME_UNIX_NANO EndTimeUnixNano (fixed64) "end_time_unix_nano" "endTimeUnixNano";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        DROPPED_ATTRIBUTES_COUNT DroppedAttributesCount (uint32) "dropped_attributes_count" "droppedAttributesCount";
        EVENTS Event (messages Event) "events" "events";
        DROPPED_EVENTS_COUNT DroppedEventsCount (uint32) "dropped_events_count" "droppedEventsCount";
        LINKS Link (messages Link) "links" "links";
        DROPPED_LINKS_COUNT DroppedLinksCount (uint32) "dropped_links_count" "droppedLinksCount";
        STATUS Status (message Status) "status" "status";
        FLAGS Flags (fixed32) "flags" "flags";
    }

    /// `Span.Event`
    Event EventField in event {
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        NAME Name (text) "name" "name";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        DROPPED_ATTRIBUTES_COUNT DroppedAttributesCount (uint32) "dropped_attributes_count" "droppedAttributesCount";
    }

    /// `Span.Link`
    Link LinkField in link {
        TRACE_ID TraceId (trace_id) "trace_id" "traceId";
        SPAN_ID SpanId (span_id) "span_id" "spanId";
        TRACE_STATE TraceState (text) "trace_state" "traceState";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        DROPPED_ATTRIBUTES_COUNT DroppedAttributesCount (uint32) "dropped_attributes_count" "droppedAttributesCount";
        FLAGS Flags (fixed32) "flags" "flags";
    }

    /// `Status`
    Status StatusField in status {
        MESSAGE Message (text) "message" "message";
        CODE Code (int32) "code" "code";
    }

    /// `ExportLogsServiceRequest`
    LogsRequest LogsRequestField in envelope {
        RESOURCE_GROUPS ResourceLogs (messages ResourceLogs) "resource_logs" "resourceLogs";
    }

    /// `ResourceLogs`
    ResourceLogs ResourceLogsField in envelope {
        RESOURCE Resource (message Resource) "resource" "resource";
        SCOPE_GROUPS ScopeLogs (messages ScopeLogs) "scope_logs" "scopeLogs";
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
    }

    /// `ScopeLogs`
    ScopeLogs ScopeLogsField in envelope {
        SCOPE Scope (message Scope) "scope" "scope";
        ITEMS LogRecord (messages LogRecord) "log_records" "logRecords";
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
    }

    /// `LogRecord`
    LogRecord LogRecordField in log_record {
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        SEVERITY_NUMBER SeverityNumber (int32) "severity_number" "severityNumber";
        SEVERITY_TEXT SeverityText (text) "severity_text" "severityText";
        BODY Body (message AnyValue) "body" "body";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        DROPPED_ATTRIBUTES_COUNT DroppedAttributesCount (uint32) "dropped_attributes_count" "droppedAttributesCount";
        FLAGS Flags (fixed32) "flags" "flags";
        TRACE_ID TraceId (trace_id) "trace_id" "traceId";
        SPAN_ID SpanId (span_id) "span_id" "spanId";
        OBSERVED_TIME_UNIX_NANO ObservedTimeUnixNano (fixed64) "observed_time_unix_nano" "observedTimeUnixNano";
        EVENT_NAME EventName (text) "event_name" "eventName";
    }

    /// `ExportMetricsServiceRequest`
    MetricsRequest MetricsRequestField in envelope {
        RESOURCE_GROUPS ResourceMetrics (messages ResourceMetrics) "resource_metrics" "resourceMetrics";
    }

    /// `ResourceMetrics`
    ResourceMetrics ResourceMetricsField in envelope {
        RESOURCE Resource (message Resource) "resource" "resource";
        SCOPE_GROUPS ScopeMetrics (messages ScopeMetrics) "scope_metrics" "scopeMetrics";
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
    }

    /// `ScopeMetrics`
    ScopeMetrics ScopeMetricsField in envelope {
        SCOPE Scope (message Scope) "scope" "scope";
        ITEMS Metric (messages Metric) "metrics" "metrics";
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
    }

    /// `Metric`
    Metric MetricField in metric {
        NAME Name (text) "name" "name";
        DESCRIPTION Description (text) "description" "description";
        UNIT Unit (text) "unit" "unit";
        GAUGE Gauge (member message Gauge) "gauge" "gauge";
        SUM Sum (member message Sum) "sum" "sum";
        HISTOGRAM Histogram (member message Histogram) "histogram" "histogram";
        EXPONENTIAL_HISTOGRAM ExponentialHistogram (member message ExponentialHistogram) "exponential_histogram" "exponentialHistogram";
        SUMMARY Summary (member message Summary) "summary" "summary";
        METADATA Metadata (messages KeyValue) "metadata" "metadata";
    }

    /// `Gauge`
    Gauge GaugeField in metric_data {
        DATA_POINTS DataPoint (messages NumberDataPoint) "data_points" "dataPoints";
    }

    /// `Sum`
    Sum SumField in metric_data {
        DATA_POINTS DataPoint (messages NumberDataPoint) "data_points" "dataPoints";
        AGGREGATION_TEMPORALITY AggregationTemporality (int32) "aggregation_temporality" "aggregationTemporality";
        IS_MONOTONIC IsMonotonic (bool) "is_monotonic" "isMonotonic";
    }

    /// `Histogram`
    Histogram HistogramField in metric_data {
        DATA_POINTS DataPoint (messages HistogramDataPoint) "data_points" "dataPoints";
        AGGREGATION_TEMPORALITY AggregationTemporality (int32) "aggregation_temporality" "aggregationTemporality";
    }

    /// `ExponentialHistogram`
    ExponentialHistogram ExponentialHistogramField in metric_data {
        DATA_POINTS DataPoint (messages ExponentialHistogramDataPoint) "data_points" "dataPoints";
        AGGREGATION_TEMPORALITY AggregationTemporality (int32) "aggregation_temporality" "aggregationTemporality";
    }

    /// `Summary`
    Summary SummaryField in metric_data {
        DATA_POINTS DataPoint (messages SummaryDataPoint) "data_points" "dataPoints";
    }

    /// `NumberDataPoint`
    NumberDataPoint NumberDataPointField in number_data_point {
        START_TIME_UNIX_NANO StartTimeUnixNano (fixed64) "start_time_unix_nano" "startTimeUnixNano";
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        AS_DOUBLE AsDouble (member double) "as_double" "asDouble";
        EXEMPLARS Exemplar (messages Exemplar) "exemplars" "exemplars";
        AS_INT AsInt (member sfixed64) "as_int" "asInt";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        FLAGS Flags (uint32) "flags" "flags";
    }

    /// `HistogramDataPoint`
    HistogramDataPoint HistogramDataPointField in histogram_data_point {
        START_TIME_UNIX_NANO StartTimeUnixNano (fixed64) "start_time_unix_nano" "startTimeUnixNano";
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        COUNT Count (fixed64) "count" "count";
        SUM Sum (optional double) "sum" "sum";
        BUCKET_COUNTS BucketCounts (packed_fixed64) "bucket_counts" "bucketCounts";
        EXPLICIT_BOUNDS ExplicitBounds (packed_double) "explicit_bounds" "explicitBounds";
        EXEMPLARS Exemplar (messages Exemplar) "exemplars" "exemplars";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        FLAGS Flags (uint32) "flags" "flags";
        MIN Min (optional double) "min" "min";
        MAX Max (optional double) "max" "max";
    }

    /// `ExponentialHistogramDataPoint`
    ExponentialHistogramDataPoint ExponentialHistogramDataPointField in exponential_histogram_data_point {
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        START_TIME_UNIX_NANO StartTimeUnixNano (fixed64) "start_time_unix_nano" "startTimeUnixNano";
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        COUNT Count (fixed64) "count" "count";
        SUM Sum (optional double) "sum" "sum";
        SCALE Scale (sint32) "scale" "scale";
        ZERO_COUNT ZeroCount (fixed64) "zero_count" "zeroCount";
        POSITIVE Positive (message Buckets) "positive" "positive";
        NEGATIVE Negative (message Buckets) "negative" "negative";
        FLAGS Flags (uint32) "flags" "flags";
        EXEMPLARS Exemplar (messages Exemplar) "exemplars" "exemplars";
        MIN Min (optional double) "min" "min";
        MAX Max (optional double) "max" "max";
        ZERO_THRESHOLD ZeroThreshold (double) "zero_threshold" "zeroThreshold";
    }

    /// `ExponentialHistogramDataPoint.Buckets`
    Buckets BucketsField in buckets {
        OFFSET Offset (sint32) "offset" "offset";
        BUCKET_COUNTS BucketCounts (packed_uint64) "bucket_counts" "bucketCounts";
    }

    /// `SummaryDataPoint`
    SummaryDataPoint SummaryDataPointField in summary_data_point {
        START_TIME_UNIX_NANO StartTimeUnixNano (fixed64) "start_time_unix_nano" "startTimeUnixNano";
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        COUNT Count (fixed64) "count" "count";
        SUM Sum (double) "sum" "sum";
        QUANTILE_VALUES QuantileValue (messages ValueAtQuantile) "quantile_values" "quantileValues";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        FLAGS Flags (uint32) "flags" "flags";
    }

    /// `SummaryDataPoint.ValueAtQuantile`
    ValueAtQuantile ValueAtQuantileField in value_at_quantile {
        QUANTILE Quantile (double) "quantile" "quantile";
        VALUE Value (double) "value" "value";
    }

    /// `Exemplar`
    Exemplar ExemplarField in exemplar {
        TIME_UNIX_NANO TimeUnixNano (fixed64) "time_unix_nano" "timeUnixNano";
        AS_DOUBLE AsDouble (member double) "as_double" "asDouble";
        SPAN_ID SpanId (span_id) "span_id" "spanId";
        TRACE_ID TraceId (trace_id) "trace_id" "traceId";
        AS_INT AsInt (member sfixed64) "as_int" "asInt";
        FILTERED_ATTRIBUTES FilteredAttribute (messages KeyValue) "filtered_attributes" "filteredAttributes";
    }

    /// `Resource`
    Resource ResourceField in resource {
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        DROPPED_ATTRIBUTES_COUNT DroppedAttributesCount (uint32) "dropped_attributes_count" "droppedAttributesCount";
        ENTITY_REFS EntityRef (messages EntityRef) "entity_refs" "entityRefs";
    }

    /// `EntityRef`
    EntityRef EntityRefField in entity_ref {
        SCHEMA_URL SchemaUrl (text) "schema_url" "schemaUrl";
        TYPE Type (text) "type" "type";
        ID_KEYS IdKey (texts) "id_keys" "idKeys";
        DESCRIPTION_KEYS DescriptionKey (texts) "description_keys" "descriptionKeys";
    }

    /// `InstrumentationScope`
    Scope ScopeField in scope {
        NAME Name (text) "name" "name";
        VERSION Version (text) "version" "version";
        ATTRIBUTES Attribute (messages KeyValue) "attributes" "attributes";
        DROPPED_ATTRIBUTES_COUNT DroppedAttributesCount (uint32) "dropped_attributes_count" "droppedAttributesCount";
    }

    /// `KeyValue`
    KeyValue KeyValueField in key_value {
        KEY Key (text) "key" "key";
        VALUE Value (message AnyValue) "value" "value";
    }

    /// `AnyValue`: one of these, or none for an empty value. Of several the last one counts.
    AnyValue AnyValueField in any_value {
        STRING_VALUE String (member text) "string_value" "stringValue";
        BOOL_VALUE Bool (member bool) "bool_value" "boolValue";
        INT_VALUE Int (member int64) "int_value" "intValue";
        DOUBLE_VALUE Double (member double) "double_value" "doubleValue";
        ARRAY_VALUE Array (member message ArrayValue) "array_value" "arrayValue";
        KVLIST_VALUE KeyValueList (member message KeyValueList) "kvlist_value" "kvlistValue";
        BYTES_VALUE Bytes (member bytes) "bytes_value" "bytesValue";
    }

    /// `ArrayValue`
    ArrayValue ArrayValueField in array_value {
        VALUES Value (messages AnyValue) "values" "values";
    }

    /// `KeyValueList`
    KeyValueList KeyValueListField in key_value_list {
        VALUES Value (messages KeyValue) "values" "values";
    }
}
