//! A walk over every field of a message of prost: what [`crate::views`] does with bytes, call for call.

use crate::seen::Seen;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, EntityRef, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, Sum, Summary, SummaryDataPoint, exemplar::Value as ExemplarValue,
    exponential_histogram_data_point::Buckets, metric::Data, number_data_point::Value as PointValue,
    summary_data_point::ValueAtQuantile,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    Span, Status,
    span::{Event, Link},
};
use otlp_schema::fields::{
    any_value, array_value, buckets, entity_ref, envelope, event, exemplar,
    exponential_histogram_data_point as exponential, histogram_data_point as histogram, key_value, key_value_list,
    link, log_record, metric, metric_data, number_data_point as number, resource, scope, span, status,
    summary_data_point as summary, value_at_quantile,
};

/// The outer three levels, which differ between the signals in the names of their types and fields.
macro_rules! request {
    ($walk:ident $request:ident $groups:ident $scopes:ident $items:ident $see:ident) => {
        /// Sees everything in a request.
        pub fn $walk<S: Seen>(request: &$request) -> S {
            let mut seen = S::default();
            for group in &request.$groups {
                let mut inside = S::default();
                if let Some(of) = &group.resource {
                    inside.message(envelope::RESOURCE, self::resource(of));
                }
                for scopes in &group.$scopes {
                    let mut items = S::default();
                    if let Some(of) = &scopes.scope {
                        items.message(envelope::SCOPE, self::scope(of));
                    }
                    scopes.$items.iter().for_each(|item| items.message(envelope::ITEMS, $see(item)));
                    items.text(envelope::SCHEMA_URL, scopes.schema_url.as_bytes());
                    inside.message(envelope::SCOPE_GROUPS, items);
                }
                inside.text(envelope::SCHEMA_URL, group.schema_url.as_bytes());
                seen.message(envelope::RESOURCE_GROUPS, inside);
            }
            seen
        }
    };
}

request!(traces ExportTraceServiceRequest resource_spans scope_spans spans span);
request!(logs ExportLogsServiceRequest resource_logs scope_logs log_records log_record);
request!(metrics ExportMetricsServiceRequest resource_metrics scope_metrics metrics metric);

fn attributes<S: Seen>(seen: &mut S, tag: u8, of: &[KeyValue]) {
    for pair in of {
        let mut inside = S::default();
        inside.text(key_value::KEY, pair.key.as_bytes());
        if let Some(value) = &pair.value {
            inside.message(key_value::VALUE, any(value));
        }
        seen.message(tag, inside);
    }
}

fn any<S: Seen>(of: &AnyValue) -> S {
    let mut seen = S::default();
    match &of.value {
        Some(Value::StringValue(text)) => seen.bytes(any_value::STRING_VALUE, text.as_bytes()),
        Some(Value::BoolValue(flag)) => seen.number(any_value::BOOL_VALUE, u64::from(*flag)),
        Some(Value::IntValue(number)) => seen.number(any_value::INT_VALUE, *number as u64),
        Some(Value::DoubleValue(number)) => seen.number(any_value::DOUBLE_VALUE, number.to_bits()),
        Some(Value::BytesValue(bytes)) => seen.bytes(any_value::BYTES_VALUE, bytes),
        Some(Value::ArrayValue(array)) => {
            let mut inside = S::default();
            array.values.iter().for_each(|element| inside.message(array_value::VALUES, any(element)));
            seen.message(any_value::ARRAY_VALUE, inside);
        }
        Some(Value::KvlistValue(list)) => {
            let mut inside = S::default();
            attributes(&mut inside, key_value_list::VALUES, &list.values);
            seen.message(any_value::KVLIST_VALUE, inside);
        }
        // Of profiles: to the three signals an unknown field.
        Some(Value::StringValueStrindex(_)) | None => {}
    }
    seen
}

fn resource<S: Seen>(of: &Resource) -> S {
    let mut seen = S::default();
    attributes(&mut seen, resource::ATTRIBUTES, &of.attributes);
    seen.plain(resource::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    of.entity_refs.iter().for_each(|entity| seen.message(resource::ENTITY_REFS, entity_ref(entity)));
    seen
}

fn entity_ref<S: Seen>(of: &EntityRef) -> S {
    let mut seen = S::default();
    seen.text(entity_ref::SCHEMA_URL, of.schema_url.as_bytes());
    seen.text(entity_ref::TYPE, of.r#type.as_bytes());
    of.id_keys.iter().for_each(|key| seen.bytes(entity_ref::ID_KEYS, key.as_bytes()));
    of.description_keys.iter().for_each(|key| seen.bytes(entity_ref::DESCRIPTION_KEYS, key.as_bytes()));
    seen
}

fn scope<S: Seen>(of: &InstrumentationScope) -> S {
    let mut seen = S::default();
    seen.text(scope::NAME, of.name.as_bytes());
    seen.text(scope::VERSION, of.version.as_bytes());
    attributes(&mut seen, scope::ATTRIBUTES, &of.attributes);
    seen.plain(scope::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    seen
}

fn span<S: Seen>(of: &Span) -> S {
    let mut seen = S::default();
    seen.text(span::TRACE_ID, &of.trace_id);
    seen.text(span::SPAN_ID, &of.span_id);
    seen.text(span::TRACE_STATE, of.trace_state.as_bytes());
    seen.text(span::PARENT_SPAN_ID, &of.parent_span_id);
    seen.text(span::NAME, of.name.as_bytes());
    seen.plain(span::KIND, of.kind as u64);
    seen.plain(span::START_TIME_UNIX_NANO, of.start_time_unix_nano);
    seen.plain(span::END_TIME_UNIX_NANO, of.end_time_unix_nano);
    attributes(&mut seen, span::ATTRIBUTES, &of.attributes);
    seen.plain(span::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    of.events.iter().for_each(|of| seen.message(span::EVENTS, event(of)));
    seen.plain(span::DROPPED_EVENTS_COUNT, u64::from(of.dropped_events_count));
    of.links.iter().for_each(|of| seen.message(span::LINKS, link(of)));
    seen.plain(span::DROPPED_LINKS_COUNT, u64::from(of.dropped_links_count));
    if let Some(of) = &of.status {
        seen.message(span::STATUS, status(of));
    }
    seen.plain(span::FLAGS, u64::from(of.flags));
    seen
}

fn event<S: Seen>(of: &Event) -> S {
    let mut seen = S::default();
    seen.plain(event::TIME_UNIX_NANO, of.time_unix_nano);
    seen.text(event::NAME, of.name.as_bytes());
    attributes(&mut seen, event::ATTRIBUTES, &of.attributes);
    seen.plain(event::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    seen
}

fn link<S: Seen>(of: &Link) -> S {
    let mut seen = S::default();
    seen.text(link::TRACE_ID, &of.trace_id);
    seen.text(link::SPAN_ID, &of.span_id);
    seen.text(link::TRACE_STATE, of.trace_state.as_bytes());
    attributes(&mut seen, link::ATTRIBUTES, &of.attributes);
    seen.plain(link::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    seen.plain(link::FLAGS, u64::from(of.flags));
    seen
}

fn status<S: Seen>(of: &Status) -> S {
    let mut seen = S::default();
    seen.text(status::MESSAGE, of.message.as_bytes());
    seen.plain(status::CODE, of.code as u64);
    seen
}

fn log_record<S: Seen>(of: &LogRecord) -> S {
    let mut seen = S::default();
    seen.plain(log_record::TIME_UNIX_NANO, of.time_unix_nano);
    seen.plain(log_record::SEVERITY_NUMBER, of.severity_number as u64);
    seen.text(log_record::SEVERITY_TEXT, of.severity_text.as_bytes());
    if let Some(body) = &of.body {
        seen.message(log_record::BODY, any(body));
    }
    attributes(&mut seen, log_record::ATTRIBUTES, &of.attributes);
    seen.plain(log_record::DROPPED_ATTRIBUTES_COUNT, u64::from(of.dropped_attributes_count));
    seen.plain(log_record::FLAGS, u64::from(of.flags));
    seen.text(log_record::TRACE_ID, &of.trace_id);
    seen.text(log_record::SPAN_ID, &of.span_id);
    seen.plain(log_record::OBSERVED_TIME_UNIX_NANO, of.observed_time_unix_nano);
    seen.text(log_record::EVENT_NAME, of.event_name.as_bytes());
    seen
}

fn metric<S: Seen>(of: &Metric) -> S {
    let mut seen = S::default();
    seen.text(metric::NAME, of.name.as_bytes());
    seen.text(metric::DESCRIPTION, of.description.as_bytes());
    seen.text(metric::UNIT, of.unit.as_bytes());
    match &of.data {
        Some(Data::Gauge(data)) => seen.message(metric::GAUGE, gauge(data)),
        Some(Data::Sum(data)) => seen.message(metric::SUM, sum(data)),
        Some(Data::Histogram(data)) => seen.message(metric::HISTOGRAM, histogram(data)),
        Some(Data::ExponentialHistogram(data)) => {
            seen.message(metric::EXPONENTIAL_HISTOGRAM, exponential_histogram(data));
        }
        Some(Data::Summary(data)) => seen.message(metric::SUMMARY, summary(data)),
        None => {}
    }
    attributes(&mut seen, metric::METADATA, &of.metadata);
    seen
}

fn gauge<S: Seen>(of: &Gauge) -> S {
    let mut seen = S::default();
    of.data_points.iter().for_each(|point| seen.message(metric_data::DATA_POINTS, number_point(point)));
    seen
}

fn sum<S: Seen>(of: &Sum) -> S {
    let mut seen = S::default();
    of.data_points.iter().for_each(|point| seen.message(metric_data::DATA_POINTS, number_point(point)));
    seen.plain(metric_data::AGGREGATION_TEMPORALITY, of.aggregation_temporality as u64);
    seen.plain(metric_data::IS_MONOTONIC, u64::from(of.is_monotonic));
    seen
}

fn histogram<S: Seen>(of: &Histogram) -> S {
    let mut seen = S::default();
    of.data_points.iter().for_each(|point| seen.message(metric_data::DATA_POINTS, histogram_point(point)));
    seen.plain(metric_data::AGGREGATION_TEMPORALITY, of.aggregation_temporality as u64);
    seen
}

fn exponential_histogram<S: Seen>(of: &ExponentialHistogram) -> S {
    let mut seen = S::default();
    of.data_points.iter().for_each(|point| seen.message(metric_data::DATA_POINTS, exponential_point(point)));
    seen.plain(metric_data::AGGREGATION_TEMPORALITY, of.aggregation_temporality as u64);
    seen
}

fn summary<S: Seen>(of: &Summary) -> S {
    let mut seen = S::default();
    of.data_points.iter().for_each(|point| seen.message(metric_data::DATA_POINTS, summary_point(point)));
    seen
}

fn number_point<S: Seen>(of: &NumberDataPoint) -> S {
    let mut seen = S::default();
    seen.plain(number::START_TIME_UNIX_NANO, of.start_time_unix_nano);
    seen.plain(number::TIME_UNIX_NANO, of.time_unix_nano);
    match of.value {
        Some(PointValue::AsDouble(value)) => seen.number(number::AS_DOUBLE, value.to_bits()),
        Some(PointValue::AsInt(value)) => seen.number(number::AS_INT, value as u64),
        None => {}
    }
    of.exemplars.iter().for_each(|of| seen.message(number::EXEMPLARS, exemplar(of)));
    attributes(&mut seen, number::ATTRIBUTES, &of.attributes);
    seen.plain(number::FLAGS, u64::from(of.flags));
    seen
}

fn histogram_point<S: Seen>(of: &HistogramDataPoint) -> S {
    let mut seen = S::default();
    seen.plain(histogram::START_TIME_UNIX_NANO, of.start_time_unix_nano);
    seen.plain(histogram::TIME_UNIX_NANO, of.time_unix_nano);
    seen.plain(histogram::COUNT, of.count);
    optional(&mut seen, histogram::SUM, of.sum);
    of.bucket_counts.iter().for_each(|&count| seen.number(histogram::BUCKET_COUNTS, count));
    of.explicit_bounds.iter().for_each(|bound| seen.number(histogram::EXPLICIT_BOUNDS, bound.to_bits()));
    of.exemplars.iter().for_each(|of| seen.message(histogram::EXEMPLARS, exemplar(of)));
    attributes(&mut seen, histogram::ATTRIBUTES, &of.attributes);
    seen.plain(histogram::FLAGS, u64::from(of.flags));
    optional(&mut seen, histogram::MIN, of.min);
    optional(&mut seen, histogram::MAX, of.max);
    seen
}

fn exponential_point<S: Seen>(of: &ExponentialHistogramDataPoint) -> S {
    let mut seen = S::default();
    attributes(&mut seen, exponential::ATTRIBUTES, &of.attributes);
    seen.plain(exponential::START_TIME_UNIX_NANO, of.start_time_unix_nano);
    seen.plain(exponential::TIME_UNIX_NANO, of.time_unix_nano);
    seen.plain(exponential::COUNT, of.count);
    optional(&mut seen, exponential::SUM, of.sum);
    seen.plain(exponential::SCALE, of.scale as u64);
    seen.plain(exponential::ZERO_COUNT, of.zero_count);
    for (tag, side) in [(exponential::POSITIVE, &of.positive), (exponential::NEGATIVE, &of.negative)] {
        if let Some(of) = side {
            seen.message(tag, buckets(of));
        }
    }
    seen.plain(exponential::FLAGS, u64::from(of.flags));
    of.exemplars.iter().for_each(|of| seen.message(exponential::EXEMPLARS, exemplar(of)));
    optional(&mut seen, exponential::MIN, of.min);
    optional(&mut seen, exponential::MAX, of.max);
    seen.plain(exponential::ZERO_THRESHOLD, of.zero_threshold.to_bits());
    seen
}

fn buckets<S: Seen>(of: &Buckets) -> S {
    let mut seen = S::default();
    seen.plain(buckets::OFFSET, of.offset as u64);
    of.bucket_counts.iter().for_each(|&count| seen.number(buckets::BUCKET_COUNTS, count));
    seen
}

fn summary_point<S: Seen>(of: &SummaryDataPoint) -> S {
    let mut seen = S::default();
    seen.plain(summary::START_TIME_UNIX_NANO, of.start_time_unix_nano);
    seen.plain(summary::TIME_UNIX_NANO, of.time_unix_nano);
    seen.plain(summary::COUNT, of.count);
    seen.plain(summary::SUM, of.sum.to_bits());
    of.quantile_values.iter().for_each(|of| seen.message(summary::QUANTILE_VALUES, quantile(of)));
    attributes(&mut seen, summary::ATTRIBUTES, &of.attributes);
    seen.plain(summary::FLAGS, u64::from(of.flags));
    seen
}

fn quantile<S: Seen>(of: &ValueAtQuantile) -> S {
    let mut seen = S::default();
    seen.plain(value_at_quantile::QUANTILE, of.quantile.to_bits());
    seen.plain(value_at_quantile::VALUE, of.value.to_bits());
    seen
}

fn exemplar<S: Seen>(of: &Exemplar) -> S {
    let mut seen = S::default();
    seen.plain(exemplar::TIME_UNIX_NANO, of.time_unix_nano);
    match of.value {
        Some(ExemplarValue::AsDouble(value)) => seen.number(exemplar::AS_DOUBLE, value.to_bits()),
        Some(ExemplarValue::AsInt(value)) => seen.number(exemplar::AS_INT, value as u64),
        None => {}
    }
    seen.text(exemplar::SPAN_ID, &of.span_id);
    seen.text(exemplar::TRACE_ID, &of.trace_id);
    attributes(&mut seen, exemplar::FILTERED_ATTRIBUTES, &of.filtered_attributes);
    seen
}

fn optional(seen: &mut impl Seen, tag: u8, value: Option<f64>) {
    if let Some(value) = value {
        seen.number(tag, value.to_bits());
    }
}
