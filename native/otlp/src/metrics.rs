//! `Metric` with its data, data points and exemplars, field by field in ascending order.
//!
//! A metric is written as [`begin_metric`]; then, where it has data points, [`open_data`], the points, [`close_data`]. The
//! kinds of data points differ in where their attributes and exemplars stand:
//!
//! | point | written as |
//! |---|---|
//! | number | [`open_number_point`], exemplars, [`number_point_value`], attributes, close |
//! | histogram | [`open_histogram_point`], packed counts and bounds, exemplars, attributes, [`close_histogram_point`] |
//! | exponential histogram | open, attributes, [`exponential_point_fields`], two [`exponential_buckets`], [`exponential_point_flags`], exemplars, [`close_exponential_point`] |
//! | summary | [`open_summary_point`], [`quantile`]s, attributes, close |
//!
//! The flags of the others stand between their attributes and what closes them.
//! Plain fields that are zero are left out; `sum`, `min` and `max` are `optional` in the proto file and written whenever
//! they are there, zero or not; a value is a oneof and written whenever there is one.

use crate::common::{fixed64_field, id_field, text_field, varint_field};
use crate::fields::{
    buckets, exemplar, exponential_histogram_data_point as exponential, histogram_data_point as histogram, metric,
    metric_data, number_data_point as number, summary_data_point as summary_point, value_at_quantile,
};
use otlp_wire::{Mark, Text, Writer, zigzag};

/// The kinds of metric data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Gauge` of number points.
    Gauge,
    /// `Sum` of number points.
    Sum,
    /// `Histogram` with explicit bounds.
    Histogram,
    /// `ExponentialHistogram`.
    ExponentialHistogram,
    /// `Summary`
    Summary,
}

impl Kind {
    /// The kind whose data is the field of this number.
    pub fn of_number(number: u8) -> Option<Self> {
        let all = [Self::Gauge, Self::Sum, Self::Histogram, Self::ExponentialHistogram, Self::Summary];
        all.into_iter().find(|kind| kind.tag() >> 3 == number)
    }

    const fn tag(self) -> u8 {
        match self {
            Self::Gauge => metric::GAUGE,
            Self::Sum => metric::SUM,
            Self::Histogram => metric::HISTOGRAM,
            Self::ExponentialHistogram => metric::EXPONENTIAL_HISTOGRAM,
            Self::Summary => metric::SUMMARY,
        }
    }
}

/// The value of a number point or an exemplar.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// None: nothing was recorded.
    None,
    /// `as_int`
    Int(i64),
    /// `as_double`
    Double(f64),
}

/// Fields that number points, histogram points and exponential histogram points share.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// ns since the epoch; 0 is left out.
    pub start_time_unix_nano: u64,
    /// ns since the epoch; 0 is left out.
    pub time_unix_nano: u64,
}

/// What a histogram of either kind says of all its measurements together.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// How many there were.
    pub count: u64,
    /// Their sum.
    pub sum: Option<f64>,
    /// The least.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

/// A measurement that stands for many.
#[derive(Clone, Copy, Debug)]
pub struct Exemplar {
    /// ns since the epoch; 0 is left out.
    pub time_unix_nano: u64,
    /// What was measured.
    pub value: Number,
    /// 8 bytes.
    pub span_id: Option<[u8; 8]>,
    /// 16 bytes.
    pub trace_id: Option<[u8; 16]>,
}

/// Writes everything in front of the data.
#[inline]
pub fn begin_metric(writer: &mut Writer, name: Text<'_>, description: Text<'_>, unit: Text<'_>) {
    text_field(writer, metric::NAME, name);
    text_field(writer, metric::DESCRIPTION, description);
    text_field(writer, metric::UNIT, unit);
}

/// Begins the data of a metric, which will take about `guess` bytes.
#[inline]
pub fn open_data(writer: &mut Writer, kind: Kind, guess: usize) -> Mark {
    writer.open(kind.tag(), guess)
}

/// Ends the data of a metric. A gauge has neither temporality (`AggregationTemporality`) nor monotonicity, a histogram
/// only the first: they are 0 and `false` there.
#[inline]
pub fn close_data(writer: &mut Writer, mark: Mark, temporality: i32, is_monotonic: bool) {
    varint_field(writer, metric_data::AGGREGATION_TEMPORALITY, i64::from(temporality) as u64);
    varint_field(writer, metric_data::IS_MONOTONIC, u64::from(is_monotonic));
    writer.close(mark);
}

/// Begins a number point of about `guess` bytes; its exemplars follow under [`number::EXEMPLARS`].
#[inline]
pub fn open_number_point(writer: &mut Writer, guess: usize, times: Times, value: Number) -> Mark {
    let mark = writer.open(metric_data::DATA_POINTS, guess);
    fixed64_field(writer, number::START_TIME_UNIX_NANO, times.start_time_unix_nano);
    fixed64_field(writer, number::TIME_UNIX_NANO, times.time_unix_nano);
    if let Number::Double(double) = value {
        writer.fixed64_field(number::AS_DOUBLE, double.to_bits());
    }
    mark
}

/// Writes what stands between the exemplars of a number point and its attributes: the value, where it is an integer.
#[inline]
pub fn number_point_value(writer: &mut Writer, value: Number) {
    if let Number::Int(int) = value {
        writer.fixed64_field(number::AS_INT, int as u64);
    }
}

/// Begins a histogram point.
#[inline]
pub fn open_histogram_point(writer: &mut Writer, times: Times, summary: &Summary) -> Mark {
    let mark = writer.open(metric_data::DATA_POINTS, 0x80);
    fixed64_field(writer, histogram::START_TIME_UNIX_NANO, times.start_time_unix_nano);
    fixed64_field(writer, histogram::TIME_UNIX_NANO, times.time_unix_nano);
    fixed64_field(writer, histogram::COUNT, summary.count);
    optional_double(writer, histogram::SUM, summary.sum);
    mark
}

/// Ends a histogram point.
#[inline]
pub fn close_histogram_point(writer: &mut Writer, mark: Mark, summary: &Summary) {
    optional_double(writer, histogram::MIN, summary.min);
    optional_double(writer, histogram::MAX, summary.max);
    writer.close(mark);
}

/// Begins the point of a summary; its quantiles follow.
#[inline]
pub fn open_summary_point(writer: &mut Writer, times: Times, count: u64, sum: f64) -> Mark {
    let mark = writer.open(metric_data::DATA_POINTS, 0x80);
    fixed64_field(writer, summary_point::START_TIME_UNIX_NANO, times.start_time_unix_nano);
    fixed64_field(writer, summary_point::TIME_UNIX_NANO, times.time_unix_nano);
    fixed64_field(writer, summary_point::COUNT, count);
    fixed64_field(writer, summary_point::SUM, sum.to_bits());
    mark
}

/// Writes a quantile of a summary, 0 to 1, and the value at it.
#[inline]
pub fn quantile(writer: &mut Writer, quantile: f64, value: f64) {
    let mark = writer.open(summary_point::QUANTILE_VALUES, 0);
    fixed64_field(writer, value_at_quantile::QUANTILE, quantile.to_bits());
    fixed64_field(writer, value_at_quantile::VALUE, value.to_bits());
    writer.close(mark);
}

/// Begins an exponential histogram point; its attributes follow first, under [`exponential::ATTRIBUTES`].
#[inline]
pub fn open_exponential_point(writer: &mut Writer) -> Mark {
    writer.open(metric_data::DATA_POINTS, 0x80)
}

/// Writes what stands between the attributes and the buckets.
#[inline]
pub fn exponential_point_fields(writer: &mut Writer, times: Times, summary: &Summary, scale: i32, zero_count: u64) {
    fixed64_field(writer, exponential::START_TIME_UNIX_NANO, times.start_time_unix_nano);
    fixed64_field(writer, exponential::TIME_UNIX_NANO, times.time_unix_nano);
    fixed64_field(writer, exponential::COUNT, summary.count);
    optional_double(writer, exponential::SUM, summary.sum);
    varint_field(writer, exponential::SCALE, zigzag(i64::from(scale)));
    fixed64_field(writer, exponential::ZERO_COUNT, zero_count);
}

/// Writes the positive or the negative buckets; nothing where there are none and their offset is 0.
pub fn exponential_buckets(writer: &mut Writer, is_negative: bool, offset: i32, counts: &[u64]) {
    buckets_with(writer, is_negative, offset, counts.len(), |writer| {
        writer.packed_varint_field(buckets::BUCKET_COUNTS, counts);
    });
}

/// The same where every count is below 128, and so its own varint.
pub fn small_exponential_buckets(writer: &mut Writer, is_negative: bool, offset: i32, counts: &[u8]) {
    buckets_with(writer, is_negative, offset, counts.len(), |writer| {
        writer.bytes_field(buckets::BUCKET_COUNTS, counts);
    });
}

fn buckets_with(writer: &mut Writer, is_negative: bool, offset: i32, count: usize, counts: impl FnOnce(&mut Writer)) {
    if count == 0 && offset == 0 {
        return;
    }
    let tag = if is_negative { exponential::NEGATIVE } else { exponential::POSITIVE };
    let mark = writer.open(tag, count + 6);
    varint_field(writer, buckets::OFFSET, zigzag(i64::from(offset)));
    counts(writer);
    writer.close(mark);
}

/// Writes what stands between the buckets and the exemplars: `DataPointFlags`.
#[inline]
pub fn exponential_point_flags(writer: &mut Writer, flags: u32) {
    varint_field(writer, exponential::FLAGS, u64::from(flags));
}

/// Ends an exponential histogram point. Measurements up to `zero_threshold`, which SDKs leave at 0, count as zero.
#[inline]
pub fn close_exponential_point(writer: &mut Writer, mark: Mark, summary: &Summary, zero_threshold: f64) {
    optional_double(writer, exponential::MIN, summary.min);
    optional_double(writer, exponential::MAX, summary.max);
    fixed64_field(writer, exponential::ZERO_THRESHOLD, zero_threshold.to_bits());
    writer.close(mark);
}

/// Begins an exemplar as the field `tag` of the point that is open; its attributes follow under
/// [`exemplar::FILTERED_ATTRIBUTES`].
pub fn open_exemplar(writer: &mut Writer, tag: u8, of: &Exemplar) -> Mark {
    let mark = writer.open(tag, 0);
    fixed64_field(writer, exemplar::TIME_UNIX_NANO, of.time_unix_nano);
    if let Number::Double(double) = of.value {
        writer.fixed64_field(exemplar::AS_DOUBLE, double.to_bits());
    }
    if let Some(id) = of.span_id {
        id_field(writer, exemplar::SPAN_ID, id);
    }
    if let Some(id) = of.trace_id {
        id_field(writer, exemplar::TRACE_ID, id);
    }
    if let Number::Int(int) = of.value {
        writer.fixed64_field(exemplar::AS_INT, int as u64);
    }
    mark
}

#[inline]
fn optional_double(writer: &mut Writer, tag: u8, value: Option<f64>) {
    if let Some(value) = value {
        writer.fixed64_field(tag, value.to_bits());
    }
}
