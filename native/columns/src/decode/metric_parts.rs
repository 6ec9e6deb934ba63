//! What only some kinds of points have: buckets, bounds, quantiles, exemplars. Read again when it is asked for.

use super::metrics::{DOUBLE, INT, NO_VALUE, kind_of};
use super::points::{points_of, points_with_kinds};
use super::{Columns, Position, Rows};
use crate::table::{Column, Table};
use otlp_schema::fields::{exemplar, metric};
use otlp_schema::view::messages::{
    Buckets, BucketsField, Exemplar, ExemplarField, ExponentialHistogramDataPoint, ExponentialHistogramDataPointField,
    HistogramDataPoint, HistogramDataPointField, NumberDataPoint, NumberDataPointField, SummaryDataPoint,
    SummaryDataPointField, ValueAtQuantileField,
};
use otlp_wire::ReadError;

/// The bits of the column `presence`.
const HAS_SUM: u8 = 1;
const HAS_MIN: u8 = 2;
const HAS_MAX: u8 = 4;

/// Count, sum, least and greatest value: the columns that both kinds of histograms begin with.
#[derive(Default)]
struct Summaries {
    point: Vec<u32>,
    count: Vec<u64>,
    presence: Vec<u8>,
    sum: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
}

/// One row of them.
#[derive(Default)]
struct Summary {
    count: u64,
    presence: u8,
    sum: f64,
    min: f64,
    max: f64,
}

impl Summary {
    fn set_sum(&mut self, value: f64) {
        self.sum = value;
        self.presence |= HAS_SUM;
    }

    fn set_min(&mut self, value: f64) {
        self.min = value;
        self.presence |= HAS_MIN;
    }

    fn set_max(&mut self, value: f64) {
        self.max = value;
        self.presence |= HAS_MAX;
    }
}

impl Summaries {
    fn push(&mut self, point: u32, row: &Summary) {
        self.point.push(point);
        self.count.push(row.count);
        self.presence.push(row.presence);
        self.sum.push(row.sum);
        self.min.push(row.min);
        self.max.push(row.max);
    }

    fn finish(self, others: impl IntoIterator<Item = (&'static str, Column)>) -> Table {
        let rows = self.point.len();
        let mut columns = vec![
            ("point", Column::U32(self.point)),
            ("count", Column::U64(self.count)),
            ("presence", Column::U8(self.presence)),
            ("sum", Column::F64(self.sum)),
            ("min", Column::F64(self.min)),
            ("max", Column::F64(self.max)),
        ];
        columns.extend(others);
        Table { rows, columns }
    }
}

fn table_of(name: &'static str, column: Column, rows: usize) -> Table {
    Table { rows, columns: vec![(name, column)] }
}

/// The tables of histograms.
pub(super) struct Histograms {
    pub(super) histograms: Table,
    pub(super) bucket_counts: Table,
    pub(super) explicit_bounds: Table,
}

/// Reads the points of all histograms.
pub(super) fn histograms(columns: &Columns, data: &[u8]) -> Result<Histograms, ReadError> {
    let mut summaries = Summaries::default();
    let (mut counts, mut bounds) = (Vec::new(), Vec::new());
    let (mut count_offsets, mut bound_offsets) = (vec![0], vec![0]);
    for (point, position) in points_of(columns, metric::HISTOGRAM)? {
        let mut row = Summary::default();
        for field in HistogramDataPoint::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                HistogramDataPointField::Count(count) => row.count = count,
                HistogramDataPointField::Sum(value) => row.set_sum(value),
                HistogramDataPointField::Min(value) => row.set_min(value),
                HistogramDataPointField::Max(value) => row.set_max(value),
                HistogramDataPointField::BucketCounts(run) => counts.extend(run.iter()),
                HistogramDataPointField::ExplicitBounds(run) => bounds.extend(run.iter().map(f64::from_bits)),
                _ => {}
            }
        }
        summaries.push(point, &row);
        count_offsets.push(counts.len() as u32);
        bound_offsets.push(bounds.len() as u32);
    }
    let offsets =
        [("bucket_counts", Column::Offsets(count_offsets)), ("explicit_bounds", Column::Offsets(bound_offsets))];
    let (count_rows, bound_rows) = (counts.len(), bounds.len());
    Ok(Histograms {
        histograms: summaries.finish(offsets),
        bucket_counts: table_of("count", Column::U64(counts), count_rows),
        explicit_bounds: table_of("bound", Column::F64(bounds), bound_rows),
    })
}

/// The tables of exponential histograms.
pub(super) struct ExponentialHistograms {
    pub(super) histograms: Table,
    pub(super) positive: Table,
    pub(super) negative: Table,
}

/// The buckets of one sign under construction.
struct Side {
    bucket_offsets: Vec<i32>,
    counts: Vec<u64>,
    rows: Vec<u32>,
}

impl Default for Side {
    fn default() -> Self {
        Self { bucket_offsets: Vec::new(), counts: Vec::new(), rows: vec![0] }
    }
}

impl Side {
    fn push(&mut self, buckets: Option<Buckets<'_>>) -> Result<(), ReadError> {
        let mut bucket_offset = 0;
        for field in buckets.unwrap_or(Buckets::new(&[])).fields() {
            match field? {
                BucketsField::Offset(number) => bucket_offset = number,
                BucketsField::BucketCounts(run) => {
                    for count in run.iter() {
                        self.counts.push(count?);
                    }
                }
                BucketsField::Unknown(_) => {}
            }
        }
        self.bucket_offsets.push(bucket_offset);
        self.rows.push(self.counts.len() as u32);
        Ok(())
    }

    fn into_table(self) -> Table {
        let rows = self.counts.len();
        table_of("count", Column::U64(self.counts), rows)
    }
}

/// Reads the points of all exponential histograms.
pub(super) fn exponential(columns: &Columns, data: &[u8]) -> Result<ExponentialHistograms, ReadError> {
    use ExponentialHistogramDataPointField as Field;
    let mut summaries = Summaries::default();
    let (mut positive, mut negative) = (Side::default(), Side::default());
    let (mut scales, mut zero_counts, mut zero_thresholds) = (Vec::new(), Vec::new(), Vec::new());
    for (point, position) in points_of(columns, metric::EXPONENTIAL_HISTOGRAM)? {
        let mut row = Summary::default();
        let (mut scale, mut zero_count, mut zero_threshold) = (0, 0, 0.0);
        let (mut above, mut below) = (None, None);
        for field in ExponentialHistogramDataPoint::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                Field::Count(count) => row.count = count,
                Field::Sum(value) => row.set_sum(value),
                Field::Min(value) => row.set_min(value),
                Field::Max(value) => row.set_max(value),
                Field::Scale(number) => scale = number,
                Field::ZeroCount(count) => zero_count = count,
                Field::ZeroThreshold(value) => zero_threshold = value,
                Field::Positive(buckets) => above = Some(buckets),
                Field::Negative(buckets) => below = Some(buckets),
                _ => {}
            }
        }
        summaries.push(point, &row);
        scales.push(scale);
        zero_counts.push(zero_count);
        zero_thresholds.push(zero_threshold);
        positive.push(above)?;
        negative.push(below)?;
    }
    let histograms = summaries.finish([
        ("scale", Column::I32(scales)),
        ("zero_count", Column::U64(zero_counts)),
        ("zero_threshold", Column::F64(zero_thresholds)),
        ("positive_offset", Column::I32(std::mem::take(&mut positive.bucket_offsets))),
        ("positive", Column::Offsets(std::mem::take(&mut positive.rows))),
        ("negative_offset", Column::I32(std::mem::take(&mut negative.bucket_offsets))),
        ("negative", Column::Offsets(std::mem::take(&mut negative.rows))),
    ]);
    Ok(ExponentialHistograms { histograms, positive: positive.into_table(), negative: negative.into_table() })
}

/// The tables of summaries.
pub(super) struct SummaryTables {
    pub(super) summaries: Table,
    pub(super) quantiles: Table,
}

/// Reads the points of all summaries.
pub(super) fn summaries(columns: &Columns, data: &[u8]) -> Result<SummaryTables, ReadError> {
    let (mut points, mut counts, mut sums, mut offsets) = (Vec::new(), Vec::new(), Vec::new(), vec![0]);
    let (mut quantiles, mut values) = (Vec::new(), Vec::new());
    for (point, position) in points_of(columns, metric::SUMMARY)? {
        let (mut count, mut sum) = (0, 0.0);
        for field in SummaryDataPoint::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                SummaryDataPointField::Count(number) => count = number,
                SummaryDataPointField::Sum(number) => sum = number,
                SummaryDataPointField::QuantileValue(pair) => {
                    let (mut quantile, mut value) = (0.0, 0.0);
                    for field in pair.fields() {
                        match field? {
                            ValueAtQuantileField::Quantile(number) => quantile = number,
                            ValueAtQuantileField::Value(number) => value = number,
                            ValueAtQuantileField::Unknown(_) => {}
                        }
                    }
                    quantiles.push(quantile);
                    values.push(value);
                }
                _ => {}
            }
        }
        points.push(point);
        counts.push(count);
        sums.push(sum);
        offsets.push(quantiles.len() as u32);
    }
    let (rows, quantile_rows) = (points.len(), quantiles.len());
    let columns = vec![
        ("point", Column::U32(points)),
        ("count", Column::U64(counts)),
        ("sum", Column::F64(sums)),
        ("quantiles", Column::Offsets(offsets)),
    ];
    let pairs = vec![("quantile", Column::F64(quantiles)), ("value", Column::F64(values))];
    Ok(SummaryTables { summaries: Table { rows, columns }, quantiles: Table { rows: quantile_rows, columns: pairs } })
}

/// Where the exemplars of all points lie, in the order of the points.
pub(super) fn exemplar_rows(columns: &Columns, data: &[u8]) -> Result<Rows<'static>, ReadError> {
    let mut positions = Vec::new();
    let mut add = |exemplar: Exemplar<'_>| positions.push(Position::of(exemplar.content(), exemplar.offset()));
    for (_, kind, position) in points_with_kinds(columns)? {
        let (content, offset) = (position.content(data)?, position.offset as usize);
        if kind == kind_of(metric::HISTOGRAM) {
            for field in HistogramDataPoint::within(content, offset).fields() {
                if let HistogramDataPointField::Exemplar(exemplar) = field? {
                    add(exemplar);
                }
            }
        } else if kind == kind_of(metric::EXPONENTIAL_HISTOGRAM) {
            for field in ExponentialHistogramDataPoint::within(content, offset).fields() {
                if let ExponentialHistogramDataPointField::Exemplar(exemplar) = field? {
                    add(exemplar);
                }
            }
        } else if kind != kind_of(metric::SUMMARY) {
            for field in NumberDataPoint::within(content, offset).fields() {
                if let NumberDataPointField::Exemplar(exemplar) = field? {
                    add(exemplar);
                }
            }
        }
    }
    Ok(Rows::new(positions, exemplar::FILTERED_ATTRIBUTES))
}

/// The table of exemplars.
pub(super) fn exemplars(columns: &Columns, data: &[u8]) -> Result<Table, ReadError> {
    let (mut times, mut value_types, mut doubles, mut ints) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut trace_ids, mut span_ids, mut attributes) = (Vec::new(), Vec::new(), vec![0]);
    let mut attribute_rows = 0;
    for position in exemplar_rows(columns, data)?.positions.iter() {
        let (mut time, mut value_type, mut double, mut int) = (0, NO_VALUE, 0.0, 0);
        let (mut trace_id, mut span_id) = (None, None);
        for field in Exemplar::within(position.content(data)?, position.offset as usize).fields() {
            match field? {
                ExemplarField::TimeUnixNano(nanoseconds) => time = nanoseconds,
                ExemplarField::AsDouble(value) => (value_type, double, int) = (DOUBLE, value, 0),
                ExemplarField::AsInt(value) => (value_type, double, int) = (INT, 0.0, value),
                ExemplarField::TraceId(id) => trace_id = id,
                ExemplarField::SpanId(id) => span_id = id,
                ExemplarField::FilteredAttribute(_) => attribute_rows += 1,
                ExemplarField::Unknown(_) => {}
            }
        }
        times.push(time);
        value_types.push(value_type);
        doubles.push(double);
        ints.push(int);
        trace_ids.push(trace_id.unwrap_or_default());
        span_ids.push(span_id.unwrap_or_default());
        attributes.push(attribute_rows);
    }
    let rows = times.len();
    let columns = vec![
        ("time_unix_nano", Column::U64(times)),
        ("value_type", Column::U8(value_types)),
        ("double", Column::F64(doubles)),
        ("int", Column::I64(ints)),
        ("trace_id", Column::TraceIds(trace_ids)),
        ("span_id", Column::SpanIds(span_ids)),
        ("attributes", Column::Offsets(attributes)),
    ];
    Ok(Table { rows, columns })
}
