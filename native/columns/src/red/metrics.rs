//! Results as OTLP metrics.
//!
//! Names and attributes are those of the Collector's [span metrics connector],
//! so that what was made for these reads ours: `traces.span.metrics.calls`, a monotonic sum, and
//! `traces.span.metrics.duration`, an exponential histogram in seconds. There the spans that failed are those calls
//! whose attribute `status.code` is `STATUS_CODE_ERROR`; so a group that was not made by status has two points of
//! calls, the failed ones with that attribute and the others without it, and the sum of both is the number of spans.
//!
//! Where the Collector repeats the attributes of each resource, we have one empty resource: groups are of many
//! resources, and what of these was asked for is an attribute of the point.
//!
//! [span metrics connector]:
//! https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector

use super::key::Key;
use super::{Group, GroupKey, Red};
use otlp_schema::common::{Scalar, attribute, text_field};
use otlp_schema::fields::{
    exponential_histogram_data_point as exponential, key_value, number_data_point as number, scope,
};
use otlp_schema::metrics::{
    Kind, Number, Summary, Times, begin_metric, close_data, close_exponential_point, exponential_buckets,
    exponential_point_fields, number_point_value, open_data, open_exponential_point, open_number_point,
};
use otlp_schema::request::{OutOfMemory, RequestBuilder};
use otlp_wire::{PooledBytes, Text, WireType, Writer};

const CALLS: &[u8] = b"traces.span.metrics.calls";
const DURATION: &[u8] = b"traces.span.metrics.duration";
const SCOPE: &[u8] = b"otlp_fast.columns.red";
const STATUS_CODE: &str = "status.code";

const KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
const STATUS_CODES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

impl Red {
    /// An `ExportMetricsServiceRequest` of the groups. `temporality` is an `AggregationTemporality`, 1 for delta and 2
    /// for cumulative.
    ///
    /// # Errors
    /// The request would pass 2 GiB, or there is no memory for it.
    pub fn to_metrics(&self, times: Times, temporality: i32) -> Result<PooledBytes, OutOfMemory> {
        let mut request = RequestBuilder::new(self.groups.len() * 0x100);
        if self.groups.is_empty() {
            return request.finish();
        }
        let mut content = Writer::new();
        text_field(&mut content, scope::NAME, Text::Utf8(SCOPE));
        let resource = request.add_resource(b"", b"")?;
        let scope = request.add_scope(resource, content.as_slice(), b"")?;
        let attributes = PointAttributes::new(&self.keys);

        let calls = request.open_item(scope, self.groups.len() * 0x80);
        let writer = request.writer();
        begin_metric(writer, Text::Utf8(CALLS), Text::Utf8(b""), Text::Utf8(b""));
        let data = open_data(writer, Kind::Sum, self.groups.len() * 0x80);
        for (place, group) in self.groups.iter().enumerate() {
            let failed = if attributes.have_status { 0 } else { group.errors };
            for (count, status) in [(failed, Some(STATUS_CODES[2])), (group.count - failed, None)] {
                if count > 0 {
                    attributes.write_calls(writer, place, times, count, status);
                }
            }
        }
        close_data(writer, data, temporality, true);
        request.close_item(scope, calls)?;

        let durations = request.open_item(scope, self.groups.len() * 0x100);
        let writer = request.writer();
        begin_metric(writer, Text::Utf8(DURATION), Text::Utf8(b""), Text::Utf8(b"s"));
        let data = open_data(writer, Kind::ExponentialHistogram, self.groups.len() * 0x100);
        for (place, group) in self.groups.iter().enumerate() {
            attributes.write_durations(writer, place, times, group, self.buckets_of(group));
        }
        close_data(writer, data, temporality, false);
        request.close_item(scope, durations)?;
        request.finish()
    }
}

/// The attributes of points: the keys of their groups.
struct PointAttributes<'a> {
    keys: &'a [GroupKey],
    names: Vec<&'a str>,
    /// Whether the status is among them.
    have_status: bool,
}

impl<'a> PointAttributes<'a> {
    fn new(keys: &'a [GroupKey]) -> Self {
        let mut names: Vec<&str> = Vec::with_capacity(keys.len());
        for key in keys {
            let name = match &key.name[..] {
                "name" => "span.name",
                "kind" => "span.kind",
                "status_code" => STATUS_CODE,
                "scope.name" => "span.instrumentation.scope.name",
                "scope.version" => "span.instrumentation.scope.version",
                attribute => ["attributes.", "scope.attributes.", "resource."]
                    .into_iter()
                    .find_map(|prefix| attribute.strip_prefix(prefix))
                    .unwrap_or(attribute),
            };
            // An attribute stands once in a point. Of two that are called the same the second is called as it was asked
            // for, and so is one that is called as the status.
            let is_taken = names.contains(&name) || name == STATUS_CODE && key.name != "status_code";
            names.push(if is_taken { &key.name } else { name });
        }
        Self { keys, have_status: keys.iter().any(|key| key.name == "status_code"), names }
    }

    fn write(&self, writer: &mut Writer, tag: u8, group: usize) {
        for (key, name) in self.keys.iter().zip(&self.names) {
            let name = Text::Utf8(name.as_bytes());
            let value = match &key.values[key.codes[group] as usize] {
                Key::Absent => continue,
                Key::Text(text) => Scalar::Text(Text::Utf8(text.as_bytes())),
                Key::Bool(flag) => Scalar::Bool(*flag),
                Key::Int(number) => match enum_name(&key.name, *number) {
                    Some(text) => Scalar::Text(Text::Utf8(text.as_bytes())),
                    None => Scalar::Int(*number),
                },
                Key::Double(number) => Scalar::Double(*number),
                Key::Encoded(kind, content) => {
                    let pair = writer.open(tag, content.len());
                    text_field(writer, key_value::KEY, name);
                    let value = writer.open(key_value::VALUE, content.len());
                    // The fields of what is encoded, array, list of pairs and bytes, all have a length.
                    writer.bytes_field(kind << 3 | WireType::Len as u8, content);
                    writer.close(value);
                    writer.close(pair);
                    continue;
                }
            };
            attribute(writer, tag, name, value);
        }
    }

    fn write_calls(&self, writer: &mut Writer, group: usize, times: Times, count: u64, status: Option<&str>) {
        let count = Number::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let point = open_number_point(writer, 0x80, times, count);
        number_point_value(writer, count);
        self.write(writer, number::ATTRIBUTES, group);
        if let Some(status) = status {
            let status = Scalar::Text(Text::Utf8(status.as_bytes()));
            attribute(writer, number::ATTRIBUTES, Text::Utf8(STATUS_CODE.as_bytes()), status);
        }
        writer.close(point);
    }

    fn write_durations(&self, writer: &mut Writer, place: usize, times: Times, group: &Group, buckets: &[u64]) {
        let seconds = |nanoseconds: u64| Some(nanoseconds as f64 / 1e9);
        let summary =
            Summary { count: group.count, sum: seconds(group.sum), min: seconds(group.min), max: seconds(group.max) };
        let point = open_exponential_point(writer);
        self.write(writer, exponential::ATTRIBUTES, place);
        exponential_point_fields(writer, times, &summary, group.scale as i32, group.zero_count);
        exponential_buckets(writer, false, group.offset, buckets);
        close_exponential_point(writer, point, &summary, 0.0);
    }
}

/// What the Collector calls a kind or a status.
fn enum_name(key: &str, number: i64) -> Option<&'static str> {
    let names: &[&str] = match key {
        "kind" => &KINDS,
        "status_code" => &STATUS_CODES,
        _ => return None,
    };
    names.get(usize::try_from(number).ok()?).copied()
}
