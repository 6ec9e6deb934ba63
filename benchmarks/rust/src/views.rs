//! A walk by views over every field of a request: each message is read once, everything in it is checked, nothing is allocated.

use crate::seen::Seen;
use otlp_schema::common::MAX_MESSAGE_DEPTH;
use otlp_schema::fields::{
    any_value, array_value, buckets, entity_ref, envelope, event, exemplar,
    exponential_histogram_data_point as exponential, histogram_data_point as histogram, key_value, key_value_list,
    link, log_record, metric, metric_data, number_data_point as number, resource, scope, span, status,
    summary_data_point as summary, value_at_quantile,
};
use otlp_schema::view::messages::*;
use otlp_wire::{ErrorKind, ReadError};

type Read<S> = Result<S, ReadError>;

/// The depth of an attribute of an item: request, resource group, scope group, item. Those of data points and events lie
/// deeper, which is all the same here: the bound is one on the stack.
const ATTRIBUTE_DEPTH: u32 = 4;

/// The outer three levels, which differ between the signals in the names of their types.
macro_rules! request {
    ($walk:ident $request:ident $request_field:ident $groups:ident,
     $group:ident $group_field:ident $scopes:ident, $scope_group:ident $scope_field:ident $item:ident $read:ident) => {
        /// Sees everything in a request.
        pub fn $walk<S: Seen>(request: &[u8]) -> Read<S> {
            let mut seen = S::default();
            for field in $request::new(request).fields() {
                let $request_field::$groups(group) = field? else { continue };
                let mut inside = S::default();
                for field in group.fields() {
                    match field? {
                        $group_field::Resource(of) => inside.message(envelope::RESOURCE, self::resource(of)?),
                        $group_field::$scopes(scopes) => {
                            let mut items = S::default();
                            for field in scopes.fields() {
                                match field? {
                                    $scope_field::Scope(of) => items.message(envelope::SCOPE, self::scope(of)?),
                                    $scope_field::$item(item) => items.message(envelope::ITEMS, $read(item)?),
                                    $scope_field::SchemaUrl(url) => items.text(envelope::SCHEMA_URL, url.as_bytes()),
                                    $scope_field::Unknown(_) => {}
                                }
                            }
                            inside.message(envelope::SCOPE_GROUPS, items);
                        }
                        $group_field::SchemaUrl(url) => inside.text(envelope::SCHEMA_URL, url.as_bytes()),
                        $group_field::Unknown(_) => {}
                    }
                }
                seen.message(envelope::RESOURCE_GROUPS, inside);
            }
            Ok(seen)
        }
    };
}

request!(traces TracesRequest TracesRequestField ResourceSpans,
    ResourceSpans ResourceSpansField ScopeSpans, ScopeSpans ScopeSpansField Span span);
request!(logs LogsRequest LogsRequestField ResourceLogs,
    ResourceLogs ResourceLogsField ScopeLogs, ScopeLogs ScopeLogsField LogRecord log_record);
request!(metrics MetricsRequest MetricsRequestField ResourceMetrics,
    ResourceMetrics ResourceMetricsField ScopeMetrics, ScopeMetrics ScopeMetricsField Metric metric);

fn attribute<S: Seen>(of: KeyValue<'_>, depth: u32) -> Read<S> {
    let (key, value) = of.pair()?;
    let mut seen = S::default();
    seen.text(key_value::KEY, key.as_bytes());
    if let Some(value) = value {
        seen.message(key_value::VALUE, any(value, depth + 1)?);
    }
    Ok(seen)
}

fn any<S: Seen>(of: AnyValue<'_>, depth: u32) -> Read<S> {
    let mut seen = S::default();
    match of.value()? {
        Some(AnyValueField::String(text)) => seen.bytes(any_value::STRING_VALUE, text.as_bytes()),
        Some(AnyValueField::Bool(flag)) => seen.number(any_value::BOOL_VALUE, u64::from(flag)),
        Some(AnyValueField::Int(number)) => seen.number(any_value::INT_VALUE, number as u64),
        Some(AnyValueField::Double(number)) => seen.number(any_value::DOUBLE_VALUE, number.to_bits()),
        Some(AnyValueField::Bytes(bytes)) => seen.bytes(any_value::BYTES_VALUE, bytes),
        Some(AnyValueField::Array(array)) => seen.message(any_value::ARRAY_VALUE, elements(array, depth + 1)?),
        Some(AnyValueField::KeyValueList(list)) => seen.message(any_value::KVLIST_VALUE, pairs(list, depth + 1)?),
        Some(AnyValueField::Unknown(_)) | None => {}
    }
    Ok(seen)
}

#[inline(never)]
fn elements<S: Seen>(of: ArrayValue<'_>, depth: u32) -> Read<S> {
    bounded(depth, of.offset())?;
    let mut seen = S::default();
    for field in of.fields() {
        if let ArrayValueField::Value(element) = field? {
            seen.message(array_value::VALUES, any(element, depth + 1)?);
        }
    }
    Ok(seen)
}

#[inline(never)]
fn pairs<S: Seen>(of: KeyValueList<'_>, depth: u32) -> Read<S> {
    bounded(depth, of.offset())?;
    let mut seen = S::default();
    for field in of.fields() {
        if let KeyValueListField::Value(pair) = field? {
            seen.message(key_value_list::VALUES, attribute(pair, depth + 1)?);
        }
    }
    Ok(seen)
}

fn bounded(depth: u32, offset: usize) -> Read<()> {
    if depth < MAX_MESSAGE_DEPTH { Ok(()) } else { Err(ReadError { kind: ErrorKind::TooDeep, offset }) }
}

fn resource<S: Seen>(of: Resource<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            ResourceField::Attribute(pair) => seen.message(resource::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            ResourceField::DroppedAttributesCount(count) => {
                seen.plain(resource::DROPPED_ATTRIBUTES_COUNT, u64::from(count));
            }
            ResourceField::EntityRef(entity) => seen.message(resource::ENTITY_REFS, entity_ref(entity)?),
            ResourceField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn entity_ref<S: Seen>(of: EntityRef<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            EntityRefField::SchemaUrl(url) => seen.text(entity_ref::SCHEMA_URL, url.as_bytes()),
            EntityRefField::Type(name) => seen.text(entity_ref::TYPE, name.as_bytes()),
            EntityRefField::IdKey(key) => seen.bytes(entity_ref::ID_KEYS, key.as_bytes()),
            EntityRefField::DescriptionKey(key) => seen.bytes(entity_ref::DESCRIPTION_KEYS, key.as_bytes()),
            EntityRefField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn scope<S: Seen>(of: Scope<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            ScopeField::Name(name) => seen.text(scope::NAME, name.as_bytes()),
            ScopeField::Version(version) => seen.text(scope::VERSION, version.as_bytes()),
            ScopeField::Attribute(pair) => seen.message(scope::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            ScopeField::DroppedAttributesCount(count) => seen.plain(scope::DROPPED_ATTRIBUTES_COUNT, u64::from(count)),
            ScopeField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn id<S: Seen, const N: usize>(seen: &mut S, tag: u8, id: Option<[u8; N]>) {
    if let Some(id) = id {
        seen.bytes(tag, &id);
    }
}

fn span<S: Seen>(of: Span<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            SpanField::TraceId(bytes) => id(&mut seen, span::TRACE_ID, bytes),
            SpanField::SpanId(bytes) => id(&mut seen, span::SPAN_ID, bytes),
            SpanField::TraceState(text) => seen.text(span::TRACE_STATE, text.as_bytes()),
            SpanField::ParentSpanId(bytes) => id(&mut seen, span::PARENT_SPAN_ID, bytes),
            SpanField::Name(name) => seen.text(span::NAME, name.as_bytes()),
            SpanField::Kind(kind) => seen.plain(span::KIND, kind as u64),
            SpanField::StartTimeUnixNano(time) => seen.plain(span::START_TIME_UNIX_NANO, time),
            SpanField::EndTimeUnixNano(time) => seen.plain(span::END_TIME_UNIX_NANO, time),
            SpanField::Attribute(pair) => seen.message(span::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            SpanField::DroppedAttributesCount(count) => seen.plain(span::DROPPED_ATTRIBUTES_COUNT, u64::from(count)),
            SpanField::Event(of) => seen.message(span::EVENTS, event(of)?),
            SpanField::DroppedEventsCount(count) => seen.plain(span::DROPPED_EVENTS_COUNT, u64::from(count)),
            SpanField::Link(of) => seen.message(span::LINKS, link(of)?),
            SpanField::DroppedLinksCount(count) => seen.plain(span::DROPPED_LINKS_COUNT, u64::from(count)),
            SpanField::Status(of) => seen.message(span::STATUS, status(of)?),
            SpanField::Flags(flags) => seen.plain(span::FLAGS, u64::from(flags)),
            SpanField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn event<S: Seen>(of: Event<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            EventField::TimeUnixNano(time) => seen.plain(event::TIME_UNIX_NANO, time),
            EventField::Name(name) => seen.text(event::NAME, name.as_bytes()),
            EventField::Attribute(pair) => seen.message(event::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            EventField::DroppedAttributesCount(count) => seen.plain(event::DROPPED_ATTRIBUTES_COUNT, u64::from(count)),
            EventField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn link<S: Seen>(of: Link<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            LinkField::TraceId(bytes) => id(&mut seen, link::TRACE_ID, bytes),
            LinkField::SpanId(bytes) => id(&mut seen, link::SPAN_ID, bytes),
            LinkField::TraceState(text) => seen.text(link::TRACE_STATE, text.as_bytes()),
            LinkField::Attribute(pair) => seen.message(link::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            LinkField::DroppedAttributesCount(count) => seen.plain(link::DROPPED_ATTRIBUTES_COUNT, u64::from(count)),
            LinkField::Flags(flags) => seen.plain(link::FLAGS, u64::from(flags)),
            LinkField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn status<S: Seen>(of: Status<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            StatusField::Message(message) => seen.text(status::MESSAGE, message.as_bytes()),
            StatusField::Code(code) => seen.plain(status::CODE, code as u64),
            StatusField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn log_record<S: Seen>(of: LogRecord<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            LogRecordField::TimeUnixNano(time) => seen.plain(log_record::TIME_UNIX_NANO, time),
            LogRecordField::SeverityNumber(number) => seen.plain(log_record::SEVERITY_NUMBER, number as u64),
            LogRecordField::SeverityText(text) => seen.text(log_record::SEVERITY_TEXT, text.as_bytes()),
            LogRecordField::Body(value) => seen.message(log_record::BODY, any(value, ATTRIBUTE_DEPTH)?),
            LogRecordField::Attribute(pair) => seen.message(log_record::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            LogRecordField::DroppedAttributesCount(count) => {
                seen.plain(log_record::DROPPED_ATTRIBUTES_COUNT, u64::from(count));
            }
            LogRecordField::Flags(flags) => seen.plain(log_record::FLAGS, u64::from(flags)),
            LogRecordField::TraceId(bytes) => id(&mut seen, log_record::TRACE_ID, bytes),
            LogRecordField::SpanId(bytes) => id(&mut seen, log_record::SPAN_ID, bytes),
            LogRecordField::ObservedTimeUnixNano(time) => seen.plain(log_record::OBSERVED_TIME_UNIX_NANO, time),
            LogRecordField::EventName(name) => seen.text(log_record::EVENT_NAME, name.as_bytes()),
            LogRecordField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn metric<S: Seen>(of: Metric<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            MetricField::Name(name) => seen.text(metric::NAME, name.as_bytes()),
            MetricField::Description(text) => seen.text(metric::DESCRIPTION, text.as_bytes()),
            MetricField::Unit(unit) => seen.text(metric::UNIT, unit.as_bytes()),
            MetricField::Gauge(data) => seen.message(metric::GAUGE, gauge(data)?),
            MetricField::Sum(data) => seen.message(metric::SUM, sum(data)?),
            MetricField::Histogram(data) => seen.message(metric::HISTOGRAM, histogram(data)?),
            MetricField::ExponentialHistogram(data) => {
                seen.message(metric::EXPONENTIAL_HISTOGRAM, exponential_histogram(data)?);
            }
            MetricField::Summary(data) => seen.message(metric::SUMMARY, summary(data)?),
            MetricField::Metadata(pair) => seen.message(metric::METADATA, attribute(pair, ATTRIBUTE_DEPTH)?),
            MetricField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn gauge<S: Seen>(of: Gauge<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        if let GaugeField::DataPoint(point) = field? {
            seen.message(metric_data::DATA_POINTS, number_point(point)?);
        }
    }
    Ok(seen)
}

fn sum<S: Seen>(of: Sum<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            SumField::DataPoint(point) => seen.message(metric_data::DATA_POINTS, number_point(point)?),
            SumField::AggregationTemporality(of) => seen.plain(metric_data::AGGREGATION_TEMPORALITY, of as u64),
            SumField::IsMonotonic(flag) => seen.plain(metric_data::IS_MONOTONIC, u64::from(flag)),
            SumField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn histogram<S: Seen>(of: Histogram<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            HistogramField::DataPoint(point) => seen.message(metric_data::DATA_POINTS, histogram_point(point)?),
            HistogramField::AggregationTemporality(of) => seen.plain(metric_data::AGGREGATION_TEMPORALITY, of as u64),
            HistogramField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn exponential_histogram<S: Seen>(of: ExponentialHistogram<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            ExponentialHistogramField::DataPoint(point) => {
                seen.message(metric_data::DATA_POINTS, exponential_point(point)?);
            }
            ExponentialHistogramField::AggregationTemporality(of) => {
                seen.plain(metric_data::AGGREGATION_TEMPORALITY, of as u64);
            }
            ExponentialHistogramField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn summary<S: Seen>(of: Summary<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        if let SummaryField::DataPoint(point) = field? {
            seen.message(metric_data::DATA_POINTS, summary_point(point)?);
        }
    }
    Ok(seen)
}

fn number_point<S: Seen>(of: NumberDataPoint<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            NumberDataPointField::StartTimeUnixNano(time) => seen.plain(number::START_TIME_UNIX_NANO, time),
            NumberDataPointField::TimeUnixNano(time) => seen.plain(number::TIME_UNIX_NANO, time),
            NumberDataPointField::AsDouble(value) => seen.number(number::AS_DOUBLE, value.to_bits()),
            NumberDataPointField::Exemplar(of) => seen.message(number::EXEMPLARS, exemplar(of)?),
            NumberDataPointField::AsInt(value) => seen.number(number::AS_INT, value as u64),
            NumberDataPointField::Attribute(pair) => {
                seen.message(number::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?)
            }
            NumberDataPointField::Flags(flags) => seen.plain(number::FLAGS, u64::from(flags)),
            NumberDataPointField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn histogram_point<S: Seen>(of: HistogramDataPoint<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            HistogramDataPointField::StartTimeUnixNano(time) => seen.plain(histogram::START_TIME_UNIX_NANO, time),
            HistogramDataPointField::TimeUnixNano(time) => seen.plain(histogram::TIME_UNIX_NANO, time),
            HistogramDataPointField::Count(count) => seen.plain(histogram::COUNT, count),
            HistogramDataPointField::Sum(sum) => seen.number(histogram::SUM, sum.to_bits()),
            HistogramDataPointField::BucketCounts(counts) => {
                counts.iter().for_each(|count| seen.number(histogram::BUCKET_COUNTS, count));
            }
            HistogramDataPointField::ExplicitBounds(bounds) => {
                bounds.iter().for_each(|bound| seen.number(histogram::EXPLICIT_BOUNDS, bound));
            }
            HistogramDataPointField::Exemplar(of) => seen.message(histogram::EXEMPLARS, exemplar(of)?),
            HistogramDataPointField::Attribute(pair) => {
                seen.message(histogram::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?);
            }
            HistogramDataPointField::Flags(flags) => seen.plain(histogram::FLAGS, u64::from(flags)),
            HistogramDataPointField::Min(min) => seen.number(histogram::MIN, min.to_bits()),
            HistogramDataPointField::Max(max) => seen.number(histogram::MAX, max.to_bits()),
            HistogramDataPointField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn exponential_point<S: Seen>(of: ExponentialHistogramDataPoint<'_>) -> Read<S> {
    use ExponentialHistogramDataPointField as Field;
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            Field::Attribute(pair) => seen.message(exponential::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?),
            Field::StartTimeUnixNano(time) => seen.plain(exponential::START_TIME_UNIX_NANO, time),
            Field::TimeUnixNano(time) => seen.plain(exponential::TIME_UNIX_NANO, time),
            Field::Count(count) => seen.plain(exponential::COUNT, count),
            Field::Sum(sum) => seen.number(exponential::SUM, sum.to_bits()),
            Field::Scale(scale) => seen.plain(exponential::SCALE, scale as u64),
            Field::ZeroCount(count) => seen.plain(exponential::ZERO_COUNT, count),
            Field::Positive(of) => seen.message(exponential::POSITIVE, buckets(of)?),
            Field::Negative(of) => seen.message(exponential::NEGATIVE, buckets(of)?),
            Field::Flags(flags) => seen.plain(exponential::FLAGS, u64::from(flags)),
            Field::Exemplar(of) => seen.message(exponential::EXEMPLARS, exemplar(of)?),
            Field::Min(min) => seen.number(exponential::MIN, min.to_bits()),
            Field::Max(max) => seen.number(exponential::MAX, max.to_bits()),
            Field::ZeroThreshold(threshold) => seen.plain(exponential::ZERO_THRESHOLD, threshold.to_bits()),
            Field::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn buckets<S: Seen>(of: Buckets<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            BucketsField::Offset(offset) => seen.plain(buckets::OFFSET, offset as u64),
            BucketsField::BucketCounts(counts) => {
                for count in counts.iter() {
                    seen.number(buckets::BUCKET_COUNTS, count?);
                }
            }
            BucketsField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn summary_point<S: Seen>(of: SummaryDataPoint<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            SummaryDataPointField::StartTimeUnixNano(time) => seen.plain(summary::START_TIME_UNIX_NANO, time),
            SummaryDataPointField::TimeUnixNano(time) => seen.plain(summary::TIME_UNIX_NANO, time),
            SummaryDataPointField::Count(count) => seen.plain(summary::COUNT, count),
            SummaryDataPointField::Sum(sum) => seen.plain(summary::SUM, sum.to_bits()),
            SummaryDataPointField::QuantileValue(of) => seen.message(summary::QUANTILE_VALUES, quantile(of)?),
            SummaryDataPointField::Attribute(pair) => {
                seen.message(summary::ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?);
            }
            SummaryDataPointField::Flags(flags) => seen.plain(summary::FLAGS, u64::from(flags)),
            SummaryDataPointField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn quantile<S: Seen>(of: ValueAtQuantile<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            ValueAtQuantileField::Quantile(quantile) => seen.plain(value_at_quantile::QUANTILE, quantile.to_bits()),
            ValueAtQuantileField::Value(value) => seen.plain(value_at_quantile::VALUE, value.to_bits()),
            ValueAtQuantileField::Unknown(_) => {}
        }
    }
    Ok(seen)
}

fn exemplar<S: Seen>(of: Exemplar<'_>) -> Read<S> {
    let mut seen = S::default();
    for field in of.fields() {
        match field? {
            ExemplarField::TimeUnixNano(time) => seen.plain(exemplar::TIME_UNIX_NANO, time),
            ExemplarField::AsDouble(value) => seen.number(exemplar::AS_DOUBLE, value.to_bits()),
            ExemplarField::SpanId(bytes) => id(&mut seen, exemplar::SPAN_ID, bytes),
            ExemplarField::TraceId(bytes) => id(&mut seen, exemplar::TRACE_ID, bytes),
            ExemplarField::AsInt(value) => seen.number(exemplar::AS_INT, value as u64),
            ExemplarField::FilteredAttribute(pair) => {
                seen.message(exemplar::FILTERED_ATTRIBUTES, attribute(pair, ATTRIBUTE_DEPTH)?);
            }
            ExemplarField::Unknown(_) => {}
        }
    }
    Ok(seen)
}
