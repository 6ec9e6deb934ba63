//! Messages of prost into requests by our builder: what the walker of native/sdk does with Python objects.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar as ExemplarMessage, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    SummaryDataPoint, exemplar::Value as ExemplarValue, exponential_histogram_data_point::Buckets, metric::Data,
    number_data_point::Value as PointValue,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_schema::common::{self, Container, Scalar};
use otlp_schema::fields::{
    entity_ref, event, exemplar, exponential_histogram_data_point as exponential, histogram_data_point as histogram,
    link, log_record, metric, number_data_point as number, resource, scope, span, summary_data_point as summary,
};
use otlp_schema::logs::{self, LogHead, LogTail};
use otlp_schema::metrics::{self, Exemplar, Kind, Number, Summary, Times};
use otlp_schema::request::{OutOfMemory, RequestBuilder};
use otlp_schema::trace::{self, SpanHead, SpanTail, Status};
use otlp_wire::{PooledBytes, Text, Writer};

/// About what a span or log record takes, as the walker guesses: its length takes two bytes.
const ITEM_GUESS: usize = 0x200;

/// The outer three levels, which differ between the signals in the names of their types and fields.
macro_rules! request {
    ($encode:ident $request:ident $groups:ident $scopes:ident $items:ident $guess:expr, $write:ident) => {
        /// Encodes a request that will take about `expected_len` bytes.
        pub fn $encode(request: &$request, expected_len: usize) -> Result<PooledBytes, OutOfMemory> {
            let mut builder = RequestBuilder::new(expected_len);
            let mut content = Writer::new();
            for group in &request.$groups {
                content.truncate(0);
                group.resource.iter().for_each(|of| write_resource(&mut content, of));
                let resource = builder.add_resource(content.as_slice(), group.schema_url.as_bytes())?;
                builder.list_resource(resource);
                for scopes in &group.$scopes {
                    content.truncate(0);
                    scopes.scope.iter().for_each(|of| write_scope(&mut content, of));
                    let scope = builder.add_scope(resource, content.as_slice(), scopes.schema_url.as_bytes())?;
                    builder.list_scope(scope);
                    for item in &scopes.$items {
                        let open = builder.open_item(scope, $guess(item));
                        $write(builder.writer(), item);
                        builder.close_item(scope, open)?;
                    }
                }
            }
            builder.finish()
        }
    };
}

request!(traces ExportTraceServiceRequest resource_spans scope_spans spans |_| ITEM_GUESS, write_span);
request!(logs ExportLogsServiceRequest resource_logs scope_logs log_records |_| ITEM_GUESS, write_log_record);
request!(metrics ExportMetricsServiceRequest resource_metrics scope_metrics metrics expected_data_len, write_metric);

fn text(text: &str) -> Text<'_> {
    Text::Utf8(text.as_bytes())
}

fn id<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn scalar(value: Option<&Value>) -> Scalar<'_> {
    match value {
        Some(Value::StringValue(string)) => Scalar::Text(text(string)),
        Some(Value::BoolValue(flag)) => Scalar::Bool(*flag),
        Some(Value::IntValue(number)) => Scalar::Int(*number),
        Some(Value::DoubleValue(number)) => Scalar::Double(*number),
        Some(Value::BytesValue(bytes)) => Scalar::Bytes(bytes),
        _ => Scalar::None,
    }
}

fn write_attributes(writer: &mut Writer, tag: u8, pairs: &[KeyValue]) {
    for pair in pairs {
        let value = pair.value.as_ref().and_then(|any| any.value.as_ref());
        match value.and_then(container) {
            None => common::attribute(writer, tag, text(&pair.key), scalar(value)),
            Some((kind, parts)) => {
                let open = common::open_attribute(writer, tag, text(&pair.key), kind);
                write_parts(writer, parts);
                common::close(writer, open);
            }
        }
    }
}

fn write_value(writer: &mut Writer, tag: u8, any: &AnyValue) {
    match any.value.as_ref().and_then(container) {
        None => common::value(writer, tag, scalar(any.value.as_ref())),
        Some((kind, parts)) => {
            let open = common::open_value(writer, tag, kind);
            write_parts(writer, parts);
            common::close(writer, open);
        }
    }
}

/// What a container holds.
enum Parts<'a> {
    Elements(&'a [AnyValue]),
    Pairs(&'a [KeyValue]),
}

fn container(value: &Value) -> Option<(Container, Parts<'_>)> {
    match value {
        Value::ArrayValue(array) => Some((Container::Array, Parts::Elements(&array.values))),
        Value::KvlistValue(list) => Some((Container::KeyValueList, Parts::Pairs(&list.values))),
        _ => None,
    }
}

fn write_parts(writer: &mut Writer, parts: Parts<'_>) {
    match parts {
        Parts::Elements(elements) => {
            elements.iter().for_each(|element| write_value(writer, common::ARRAY_ELEMENT_TAG, element));
        }
        Parts::Pairs(pairs) => write_attributes(writer, common::KEY_VALUE_LIST_TAG, pairs),
    }
}

fn write_resource(writer: &mut Writer, of: &Resource) {
    write_attributes(writer, resource::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, resource::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    for entity in &of.entity_refs {
        let mark = writer.open(resource::ENTITY_REFS, 0);
        common::text_field(writer, entity_ref::SCHEMA_URL, text(&entity.schema_url));
        common::text_field(writer, entity_ref::TYPE, text(&entity.r#type));
        entity.id_keys.iter().for_each(|key| writer.text_field(entity_ref::ID_KEYS, text(key)));
        entity.description_keys.iter().for_each(|key| writer.text_field(entity_ref::DESCRIPTION_KEYS, text(key)));
        writer.close(mark);
    }
}

fn write_scope(writer: &mut Writer, of: &InstrumentationScope) {
    common::text_field(writer, scope::NAME, text(&of.name));
    common::text_field(writer, scope::VERSION, text(&of.version));
    write_attributes(writer, scope::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, scope::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
}

fn write_span(writer: &mut Writer, of: &Span) {
    let head = SpanHead {
        trace_id: id(&of.trace_id),
        span_id: id(&of.span_id),
        trace_state: text(&of.trace_state),
        parent_span_id: id(&of.parent_span_id),
        name: text(&of.name),
        kind: of.kind,
        start_time_unix_nano: of.start_time_unix_nano,
        end_time_unix_nano: of.end_time_unix_nano,
    };
    trace::begin_span(writer, &head);
    write_attributes(writer, span::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, span::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    for of in &of.events {
        let mark = trace::open_event(writer, of.time_unix_nano, text(&of.name));
        write_attributes(writer, event::ATTRIBUTES, &of.attributes);
        common::varint_field(writer, event::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
        writer.close(mark);
    }
    common::varint_field(writer, span::DROPPED_EVENTS_COUNT, u64::from(of.dropped_events_count));
    for of in &of.links {
        let mark = trace::open_link(writer, id(&of.trace_id), id(&of.span_id));
        common::text_field(writer, link::TRACE_STATE, text(&of.trace_state));
        write_attributes(writer, link::ATTRIBUTES, &of.attributes);
        common::varint_field(writer, link::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
        trace::close_link(writer, mark, of.flags);
    }
    common::varint_field(writer, span::DROPPED_LINKS_COUNT, u64::from(of.dropped_links_count));
    let status = of.status.as_ref().map(|of| Status { code: of.code, message: text(&of.message) });
    trace::end_span(writer, &SpanTail { status, flags: of.flags });
}

fn write_log_record(writer: &mut Writer, of: &LogRecord) {
    let head = LogHead {
        time_unix_nano: of.time_unix_nano,
        severity_number: of.severity_number,
        severity_text: text(&of.severity_text),
    };
    logs::begin_log_record(writer, &head);
    of.body.iter().for_each(|body| write_value(writer, log_record::BODY, body));
    write_attributes(writer, log_record::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, log_record::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    let tail = LogTail {
        flags: of.flags,
        trace_id: id(&of.trace_id),
        span_id: id(&of.span_id),
        observed_time_unix_nano: of.observed_time_unix_nano,
        event_name: text(&of.event_name),
    };
    logs::end_log_record(writer, &tail);
}

/// About what the points of a metric take, as the walker guesses.
fn expected_data_len(of: &Metric) -> usize {
    match &of.data {
        Some(Data::Gauge(data)) => 130 * data.data_points.len(),
        Some(Data::Sum(data)) => 130 * data.data_points.len(),
        Some(Data::Histogram(data)) => 380 * data.data_points.len(),
        Some(Data::ExponentialHistogram(data)) => 380 * data.data_points.len(),
        Some(Data::Summary(data)) => 380 * data.data_points.len(),
        None => 0,
    }
}

fn write_metric(writer: &mut Writer, of: &Metric) {
    metrics::begin_metric(writer, text(&of.name), text(&of.description), text(&of.unit));
    let guess = expected_data_len(of);
    match &of.data {
        Some(Data::Gauge(data)) => {
            let mark = metrics::open_data(writer, Kind::Gauge, guess);
            data.data_points.iter().for_each(|point| write_number_point(writer, point));
            metrics::close_data(writer, mark, 0, false);
        }
        Some(Data::Sum(data)) => {
            let mark = metrics::open_data(writer, Kind::Sum, guess);
            data.data_points.iter().for_each(|point| write_number_point(writer, point));
            metrics::close_data(writer, mark, data.aggregation_temporality, data.is_monotonic);
        }
        Some(Data::Histogram(data)) => {
            let mark = metrics::open_data(writer, Kind::Histogram, guess);
            data.data_points.iter().for_each(|point| write_histogram_point(writer, point));
            metrics::close_data(writer, mark, data.aggregation_temporality, false);
        }
        Some(Data::ExponentialHistogram(data)) => {
            let mark = metrics::open_data(writer, Kind::ExponentialHistogram, guess);
            data.data_points.iter().for_each(|point| write_exponential_point(writer, point));
            metrics::close_data(writer, mark, data.aggregation_temporality, false);
        }
        Some(Data::Summary(data)) => {
            let mark = metrics::open_data(writer, Kind::Summary, guess);
            data.data_points.iter().for_each(|point| write_summary_point(writer, point));
            metrics::close_data(writer, mark, 0, false);
        }
        None => {}
    }
    write_attributes(writer, metric::METADATA, &of.metadata);
}

fn write_number_point(writer: &mut Writer, of: &NumberDataPoint) {
    let times = Times { start_time_unix_nano: of.start_time_unix_nano, time_unix_nano: of.time_unix_nano };
    let value = match of.value {
        Some(PointValue::AsDouble(value)) => Number::Double(value),
        Some(PointValue::AsInt(value)) => Number::Int(value),
        None => Number::None,
    };
    let mark = metrics::open_number_point(writer, 30 * of.attributes.len() + 27, times, value);
    write_exemplars(writer, number::EXEMPLARS, &of.exemplars);
    metrics::number_point_value(writer, value);
    write_attributes(writer, number::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, number::FLAGS, u64::from(of.flags));
    writer.close(mark);
}

fn write_histogram_point(writer: &mut Writer, of: &HistogramDataPoint) {
    let times = Times { start_time_unix_nano: of.start_time_unix_nano, time_unix_nano: of.time_unix_nano };
    let all = Summary { count: of.count, sum: of.sum, min: of.min, max: of.max };
    let mark = metrics::open_histogram_point(writer, times, &all);
    writer.packed_fixed64_field(histogram::BUCKET_COUNTS, &of.bucket_counts);
    writer.packed_double_field(histogram::EXPLICIT_BOUNDS, &of.explicit_bounds);
    write_exemplars(writer, histogram::EXEMPLARS, &of.exemplars);
    write_attributes(writer, histogram::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, histogram::FLAGS, u64::from(of.flags));
    metrics::close_histogram_point(writer, mark, &all);
}

fn write_exponential_point(writer: &mut Writer, of: &ExponentialHistogramDataPoint) {
    let times = Times { start_time_unix_nano: of.start_time_unix_nano, time_unix_nano: of.time_unix_nano };
    let all = Summary { count: of.count, sum: of.sum, min: of.min, max: of.max };
    let mark = metrics::open_exponential_point(writer);
    write_attributes(writer, exponential::ATTRIBUTES, &of.attributes);
    metrics::exponential_point_fields(writer, times, &all, of.scale, of.zero_count);
    write_buckets(writer, exponential::POSITIVE, of.positive.as_ref());
    write_buckets(writer, exponential::NEGATIVE, of.negative.as_ref());
    metrics::exponential_point_flags(writer, of.flags);
    write_exemplars(writer, exponential::EXEMPLARS, &of.exemplars);
    metrics::close_exponential_point(writer, mark, &all, of.zero_threshold);
}

fn write_buckets(writer: &mut Writer, tag: u8, of: Option<&Buckets>) {
    match of {
        None => {}
        // The builder leaves out buckets without counts, as the SDK's encoder does; a captured request may have them.
        Some(of) if of.offset == 0 && of.bucket_counts.is_empty() => writer.put([tag, 0]),
        Some(of) => {
            metrics::exponential_buckets(writer, tag == exponential::NEGATIVE, of.offset, &of.bucket_counts);
        }
    }
}

fn write_summary_point(writer: &mut Writer, of: &SummaryDataPoint) {
    let times = Times { start_time_unix_nano: of.start_time_unix_nano, time_unix_nano: of.time_unix_nano };
    let mark = metrics::open_summary_point(writer, times, of.count, of.sum);
    of.quantile_values.iter().for_each(|of| metrics::quantile(writer, of.quantile, of.value));
    write_attributes(writer, summary::ATTRIBUTES, &of.attributes);
    common::varint_field(writer, summary::FLAGS, u64::from(of.flags));
    writer.close(mark);
}

fn write_exemplars(writer: &mut Writer, tag: u8, of: &[ExemplarMessage]) {
    for of in of {
        let value = match of.value {
            Some(ExemplarValue::AsDouble(value)) => Number::Double(value),
            Some(ExemplarValue::AsInt(value)) => Number::Int(value),
            None => Number::None,
        };
        let head =
            Exemplar { time_unix_nano: of.time_unix_nano, value, span_id: id(&of.span_id), trace_id: id(&of.trace_id) };
        let mark = metrics::open_exemplar(writer, tag, &head);
        write_attributes(writer, exemplar::FILTERED_ATTRIBUTES, &of.filtered_attributes);
        writer.close(mark);
    }
}
