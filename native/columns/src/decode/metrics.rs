//! Metrics as columns: metrics and the points of all kinds with the request, what histograms and summaries hold when it is asked for.
//!
//! The five kinds of points are five message types with much in common. What they have in common is one table, `points`, in the
//! order of the request; the rest has a table for each kind, whose column `point` leads back.

use super::groups::{self, ITEM_DEPTH, Item};
use super::limits::RowCount;
use super::metric_parts;
use super::offsets::OffsetsBuilder;
use super::{Columns, CoreTable, DecodeError, Limits, Position, Rows, Tags};
use crate::table::{Column, Table, TextBuilder};
use otlp_schema::fields::{
    exponential_histogram_data_point, histogram_data_point, metric, number_data_point, summary_data_point,
};
use otlp_schema::view::messages::{
    Buckets, BucketsField, Exemplar, ExemplarField, ExponentialHistogram, ExponentialHistogramDataPoint,
    ExponentialHistogramDataPointField, ExponentialHistogramField, Gauge, GaugeField, Histogram, HistogramDataPoint,
    HistogramDataPointField, HistogramField, Metric, MetricField, NumberDataPoint, NumberDataPointField, Sum, SumField,
    Summary, SummaryDataPoint, SummaryDataPointField, SummaryField,
};
use otlp_schema::view::set_once;
use otlp_wire::{ErrorKind, ReadError};
use std::borrow::Cow;

/// The depth of a metric's data; its points lie one deeper, and what is in them another one.
const DATA_DEPTH: u32 = ITEM_DEPTH + 1;
const POINT_DEPTH: u32 = DATA_DEPTH + 1;
const PART_DEPTH: u32 = POINT_DEPTH + 1;

/// What a metric is, in the column `kind`: the number of its data's field.
pub(super) const fn kind_of(tag: u8) -> u8 {
    tag >> 3
}

/// The values of the column `value_type`.
pub(super) const NO_VALUE: u8 = 0;
pub(super) const DOUBLE: u8 = 1;
pub(super) const INT: u8 = 2;

/// Checks a request and makes its core tables.
pub(super) fn decode(data: &[u8], limits: Limits) -> Result<Vec<CoreTable>, DecodeError> {
    let mut metrics = Metrics::new(limits);
    let mut points = Points::with_capacity(groups::expected_items(data, limits), limits);
    let [resources, scopes] = groups::decode(data, limits, |item| metrics.add(item, &mut points))?;
    Ok(vec![resources, scopes, metrics.finish(), points.finish()])
}

/// The data of a metric.
enum Data<'a> {
    Gauge(Gauge<'a>),
    Sum(Sum<'a>),
    Histogram(Histogram<'a>),
    ExponentialHistogram(ExponentialHistogram<'a>),
    Summary(Summary<'a>),
}

/// The table of metrics under construction.
struct Metrics<'a> {
    limits: Limits,
    rows: RowCount,
    scope: Vec<u32>,
    name: TextBuilder<'a>,
    description: TextBuilder<'a>,
    unit: TextBuilder<'a>,
    kind: Vec<u8>,
    aggregation_temporality: Vec<i32>,
    is_monotonic: Vec<u8>,
    metadata: RowCount,
    positions: Vec<Position>,
}

impl<'a> Metrics<'a> {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            rows: RowCount::new(limits),
            scope: Vec::new(),
            name: TextBuilder::default(),
            description: TextBuilder::default(),
            unit: TextBuilder::default(),
            kind: Vec::new(),
            aggregation_temporality: Vec::new(),
            is_monotonic: Vec::new(),
            metadata: RowCount::new(limits),
            positions: Vec::new(),
        }
    }

    fn add(&mut self, item: Item<'a>, points: &mut Points) -> Result<(), DecodeError> {
        let row = self.rows.get();
        self.rows.add(item.tag_offset)?;
        let (mut name, mut description, mut unit, mut data) = ("", "", "", None);
        let limits = self.limits;
        let mut set_data = |member, start| {
            limits.check_depth(DATA_DEPTH, start)?;
            set_once(&mut data, member, start)
        };
        let mut fields = Metric::within(item.content, item.offset).fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                MetricField::Name(text) => name = text,
                MetricField::Description(text) => description = text,
                MetricField::Unit(text) => unit = text,
                MetricField::Gauge(gauge) => set_data(Data::Gauge(gauge), start)?,
                MetricField::Sum(sum) => set_data(Data::Sum(sum), start)?,
                MetricField::Histogram(histogram) => set_data(Data::Histogram(histogram), start)?,
                MetricField::ExponentialHistogram(histogram) => {
                    set_data(Data::ExponentialHistogram(histogram), start)?;
                }
                MetricField::Summary(summary) => set_data(Data::Summary(summary), start)?,
                MetricField::Metadata(pair) => {
                    self.metadata.add(start)?;
                    pair.check(DATA_DEPTH, self.limits.max_depth)?;
                }
                MetricField::Unknown(_) => {}
            }
            start = fields.offset();
        }
        let (mut temporality, mut is_monotonic) = (0, false);
        let kind = match data {
            None => 0,
            Some(Data::Gauge(gauge)) => {
                let mut fields = gauge.fields();
                let mut start = fields.offset();
                while let Some(field) = fields.next() {
                    if let GaugeField::DataPoint(point) = field? {
                        points.add_number(point, row, start)?;
                    }
                    start = fields.offset();
                }
                metric::GAUGE
            }
            Some(Data::Sum(sum)) => {
                let mut fields = sum.fields();
                let mut start = fields.offset();
                while let Some(field) = fields.next() {
                    match field? {
                        SumField::DataPoint(point) => points.add_number(point, row, start)?,
                        SumField::AggregationTemporality(number) => temporality = number,
                        SumField::IsMonotonic(truth) => is_monotonic = truth,
                        SumField::Unknown(_) => {}
                    }
                    start = fields.offset();
                }
                metric::SUM
            }
            Some(Data::Histogram(histogram)) => {
                let mut fields = histogram.fields();
                let mut start = fields.offset();
                while let Some(field) = fields.next() {
                    match field? {
                        HistogramField::DataPoint(point) => points.add_histogram(point, row, start)?,
                        HistogramField::AggregationTemporality(number) => temporality = number,
                        HistogramField::Unknown(_) => {}
                    }
                    start = fields.offset();
                }
                metric::HISTOGRAM
            }
            Some(Data::ExponentialHistogram(histogram)) => {
                let mut fields = histogram.fields();
                let mut start = fields.offset();
                while let Some(field) = fields.next() {
                    match field? {
                        ExponentialHistogramField::DataPoint(point) => points.add_exponential(point, row, start)?,
                        ExponentialHistogramField::AggregationTemporality(number) => temporality = number,
                        ExponentialHistogramField::Unknown(_) => {}
                    }
                    start = fields.offset();
                }
                metric::EXPONENTIAL_HISTOGRAM
            }
            Some(Data::Summary(summary)) => {
                let mut fields = summary.fields();
                let mut start = fields.offset();
                while let Some(field) = fields.next() {
                    if let SummaryField::DataPoint(point) = field? {
                        points.add_summary(point, row, start)?;
                    }
                    start = fields.offset();
                }
                metric::SUMMARY
            }
        };
        self.scope.push(item.scope);
        self.name.push(name);
        self.description.push(description);
        self.unit.push(unit);
        self.kind.push(kind_of(kind));
        self.aggregation_temporality.push(temporality);
        self.is_monotonic.push(u8::from(is_monotonic));
        self.positions.push(item.position());
        Ok(())
    }

    fn finish(self) -> CoreTable {
        let columns = vec![
            ("scope", Column::U32(self.scope)),
            ("name", Column::Text(self.name.finish())),
            ("description", Column::Text(self.description.finish())),
            ("unit", Column::Text(self.unit.finish())),
            ("kind", Column::U8(self.kind)),
            ("aggregation_temporality", Column::I32(self.aggregation_temporality)),
            ("is_monotonic", Column::U8(self.is_monotonic)),
        ];
        CoreTable {
            name: "metrics",
            table: Table { rows: self.rows.get() as usize, columns },
            rows: Rows::new(self.positions, metric::METADATA),
        }
    }
}

/// What the points of all kinds have in common.
#[derive(Default)]
struct Point {
    start_time_unix_nano: u64,
    time_unix_nano: u64,
    flags: u32,
    value_type: u8,
    double: f64,
    int: i64,
}

/// The table of points under construction.
struct Points {
    limits: Limits,
    rows: RowCount,
    metric: Vec<u32>,
    start_time_unix_nano: Vec<u64>,
    time_unix_nano: Vec<u64>,
    flags: Vec<u32>,
    value_type: Vec<u8>,
    double: Vec<f64>,
    int: Vec<i64>,
    attributes: OffsetsBuilder,
    exemplars: OffsetsBuilder,
    exemplar_attributes: RowCount,
    quantiles: RowCount,
    positions: Vec<Position>,
    tags: Vec<u8>,
}

/// Reads a point: the fields that all kinds have by the same lines, the others by lines of their own.
macro_rules! read_point {
    ($points:ident, $point:ident, $field:ident, $into:ident, $start:ident { $($special:tt)* }) => {
        let mut fields = $point.fields();
        let mut $start = fields.offset();
        while let Some(field) = fields.next() {
            match field? {
                $field::StartTimeUnixNano(time) => $into.start_time_unix_nano = time,
                $field::TimeUnixNano(time) => $into.time_unix_nano = time,
                $field::Flags(bits) => $into.flags = bits,
                $field::Attribute(attribute) => {
                    $points.attributes.add($start)?;
                    attribute.check(PART_DEPTH, $points.limits.max_depth)?;
                }
                $field::Unknown(_) => {}
                $($special)*
            }
            $start = fields.offset();
        }
    };
}

impl Points {
    fn with_capacity(rows: usize, limits: Limits) -> Self {
        Self {
            limits,
            rows: RowCount::new(limits),
            metric: Vec::with_capacity(rows),
            start_time_unix_nano: Vec::with_capacity(rows),
            time_unix_nano: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            value_type: Vec::with_capacity(rows),
            double: Vec::with_capacity(rows),
            int: Vec::with_capacity(rows),
            attributes: OffsetsBuilder::with_capacity(rows, limits),
            exemplars: OffsetsBuilder::with_capacity(rows, limits),
            exemplar_attributes: RowCount::new(limits),
            quantiles: RowCount::new(limits),
            positions: Vec::with_capacity(rows),
            tags: Vec::with_capacity(rows),
        }
    }

    /// Counts a point, before anything is taken for it.
    fn begin(&mut self, tag_offset: usize) -> Result<Point, DecodeError> {
        self.limits.check_depth(POINT_DEPTH, tag_offset)?;
        self.rows.add(tag_offset)?;
        Ok(Point::default())
    }

    fn push(&mut self, point: &Point, metric: u32, tag: u8, position: Position) {
        self.metric.push(metric);
        self.start_time_unix_nano.push(point.start_time_unix_nano);
        self.time_unix_nano.push(point.time_unix_nano);
        self.flags.push(point.flags);
        self.value_type.push(point.value_type);
        self.double.push(point.double);
        self.int.push(point.int);
        self.attributes.end_row();
        self.exemplars.end_row();
        self.positions.push(position);
        self.tags.push(tag);
    }

    fn add_number(&mut self, point: NumberDataPoint<'_>, metric: u32, tag_offset: usize) -> Result<(), DecodeError> {
        let mut read = self.begin(tag_offset)?;
        read_point!(self, point, NumberDataPointField, read, start {
            NumberDataPointField::AsDouble(value) => {
                (read.value_type, read.double, read.int) = (DOUBLE, value, 0);
            }
            NumberDataPointField::AsInt(value) => {
                (read.value_type, read.double, read.int) = (INT, 0.0, value);
            }
            NumberDataPointField::Exemplar(exemplar) => self.check_exemplar(exemplar, start)?,
        });
        let position = Position::of(point.content(), point.offset());
        self.push(&read, metric, number_data_point::ATTRIBUTES, position);
        Ok(())
    }

    fn add_histogram(
        &mut self,
        point: HistogramDataPoint<'_>,
        metric: u32,
        tag_offset: usize,
    ) -> Result<(), DecodeError> {
        let mut read = self.begin(tag_offset)?;
        read_point!(self, point, HistogramDataPointField, read, start {
            HistogramDataPointField::Exemplar(exemplar) => self.check_exemplar(exemplar, start)?,
            HistogramDataPointField::Count(_)
            | HistogramDataPointField::Sum(_)
            | HistogramDataPointField::Min(_)
            | HistogramDataPointField::Max(_)
            | HistogramDataPointField::BucketCounts(_)
            | HistogramDataPointField::ExplicitBounds(_) => {}
        });
        let position = Position::of(point.content(), point.offset());
        self.push(&read, metric, histogram_data_point::ATTRIBUTES, position);
        Ok(())
    }

    fn add_exponential(
        &mut self,
        point: ExponentialHistogramDataPoint<'_>,
        metric: u32,
        tag_offset: usize,
    ) -> Result<(), DecodeError> {
        let mut read = self.begin(tag_offset)?;
        let (mut positive, mut negative) = (None, None);
        read_point!(self, point, ExponentialHistogramDataPointField, read, start {
            ExponentialHistogramDataPointField::Exemplar(exemplar) => self.check_exemplar(exemplar, start)?,
            ExponentialHistogramDataPointField::Positive(buckets) => {
                set_once(&mut positive, buckets, start)?;
                self.check_buckets(buckets, start)?;
            }
            ExponentialHistogramDataPointField::Negative(buckets) => {
                set_once(&mut negative, buckets, start)?;
                self.check_buckets(buckets, start)?;
            }
            ExponentialHistogramDataPointField::Count(_)
            | ExponentialHistogramDataPointField::Sum(_)
            | ExponentialHistogramDataPointField::Min(_)
            | ExponentialHistogramDataPointField::Max(_)
            | ExponentialHistogramDataPointField::Scale(_)
            | ExponentialHistogramDataPointField::ZeroCount(_)
            | ExponentialHistogramDataPointField::ZeroThreshold(_) => {}
        });
        let position = Position::of(point.content(), point.offset());
        self.push(&read, metric, exponential_histogram_data_point::ATTRIBUTES, position);
        Ok(())
    }

    fn add_summary(&mut self, point: SummaryDataPoint<'_>, metric: u32, tag_offset: usize) -> Result<(), DecodeError> {
        let mut read = self.begin(tag_offset)?;
        read_point!(self, point, SummaryDataPointField, read, start {
            SummaryDataPointField::QuantileValue(quantile) => {
                self.quantiles.add(start)?;
                self.limits.check_depth(PART_DEPTH, start)?;
                quantile.fields().try_for_each(|field| field.map(drop))?;
            }
            SummaryDataPointField::Count(_) | SummaryDataPointField::Sum(_) => {}
        });
        let position = Position::of(point.content(), point.offset());
        self.push(&read, metric, summary_data_point::ATTRIBUTES, position);
        Ok(())
    }

    fn check_exemplar(&mut self, exemplar: Exemplar<'_>, tag_offset: usize) -> Result<(), DecodeError> {
        self.exemplars.add(tag_offset)?;
        self.limits.check_depth(PART_DEPTH, tag_offset)?;
        let mut fields = exemplar.fields();
        let mut start = fields.offset();
        while let Some(field) = fields.next() {
            if let ExemplarField::FilteredAttribute(attribute) = field? {
                self.exemplar_attributes.add(start)?;
                attribute.check(PART_DEPTH + 1, self.limits.max_depth)?;
            }
            start = fields.offset();
        }
        Ok(())
    }

    fn check_buckets(&self, buckets: Buckets<'_>, tag_offset: usize) -> Result<(), ReadError> {
        self.limits.check_depth(PART_DEPTH, tag_offset)?;
        for field in buckets.fields() {
            if let BucketsField::BucketCounts(counts) = field? {
                counts.iter().try_for_each(|count| count.map(drop))?;
            }
        }
        Ok(())
    }

    fn finish(self) -> CoreTable {
        let columns = vec![
            ("metric", Column::U32(self.metric)),
            ("start_time_unix_nano", Column::U64(self.start_time_unix_nano)),
            ("time_unix_nano", Column::U64(self.time_unix_nano)),
            ("flags", Column::U32(self.flags)),
            ("value_type", Column::U8(self.value_type)),
            ("double", Column::F64(self.double)),
            ("int", Column::I64(self.int)),
            ("attributes", self.attributes.finish()),
            ("exemplars", self.exemplars.finish()),
        ];
        CoreTable {
            name: "points",
            table: Table { rows: self.rows.get() as usize, columns },
            rows: Rows { positions: Cow::Owned(self.positions), tags: Tags::ByRow(Cow::Owned(self.tags)) },
        }
    }
}

/// A table that is made when it is asked for.
pub(super) fn table(columns: &Columns, data: &[u8], name: &str) -> Result<Option<Table>, ReadError> {
    match name {
        "histograms" => metric_parts::histograms(columns, data).map(|tables| Some(tables.histograms)),
        "bucket_counts" => metric_parts::histograms(columns, data).map(|tables| Some(tables.bucket_counts)),
        "explicit_bounds" => metric_parts::histograms(columns, data).map(|tables| Some(tables.explicit_bounds)),
        "exponential_histograms" => metric_parts::exponential(columns, data).map(|tables| Some(tables.histograms)),
        "positive" => metric_parts::exponential(columns, data).map(|tables| Some(tables.positive)),
        "negative" => metric_parts::exponential(columns, data).map(|tables| Some(tables.negative)),
        "summaries" => metric_parts::summaries(columns, data).map(|tables| Some(tables.summaries)),
        "quantiles" => metric_parts::summaries(columns, data).map(|tables| Some(tables.quantiles)),
        "exemplars" => metric_parts::exemplars(columns, data).map(Some),
        _ => Ok(None),
    }
}

/// Where the exemplars lie.
pub(super) fn rows<'a>(columns: &'a Columns, data: &[u8], name: &str) -> Result<Option<Rows<'a>>, ReadError> {
    match name {
        "exemplars" => metric_parts::exemplar_rows(columns, data).map(Some),
        _ => Ok(None),
    }
}

/// The further columns of `metrics`.
pub(super) fn further(columns: &Columns, data: &[u8]) -> Result<Table, ReadError> {
    let Some(metrics) = columns.core("metrics") else { return Ok(Table::default()) };
    let mut metadata = Vec::with_capacity(metrics.table.rows + 1);
    let mut count = 0;
    for position in metrics.rows.positions.iter() {
        metadata.push(count);
        for field in Metric::within(position.content(data)?, position.offset as usize).fields() {
            if let MetricField::Metadata(_) = field? {
                count += 1;
            }
        }
    }
    metadata.push(count);
    Ok(Table { rows: metrics.table.rows, columns: vec![("metadata", Column::Offsets(metadata))] })
}

/// The points of all kinds: row, the kind of the metric, and where they lie.
///
/// # Errors
/// These are not the columns of metrics.
pub(super) fn points_with_kinds(
    columns: &Columns,
) -> Result<impl Iterator<Item = (u32, u8, Position)> + use<'_>, ReadError> {
    let wrong = ReadError { kind: ErrorKind::WrongWireType, offset: 0 };
    let (points, metrics) = (columns.core("points").ok_or(wrong)?, columns.core("metrics").ok_or(wrong)?);
    let (Some(Column::U32(metric)), Some(Column::U8(kinds))) =
        (points.table.column("metric"), metrics.table.column("kind"))
    else {
        return Err(wrong);
    };
    let places = points.rows.positions.iter().zip(metric).enumerate();
    Ok(places.map(|(row, (position, metric))| (row as u32, kinds[*metric as usize], *position)))
}

/// The points of the kind whose data has this tag, with their rows.
///
/// # Errors
/// These are not the columns of metrics.
pub(super) fn points_of(
    columns: &Columns,
    tag: u8,
) -> Result<impl Iterator<Item = (u32, Position)> + use<'_>, ReadError> {
    let points = points_with_kinds(columns)?;
    Ok(points.filter_map(move |(row, kind, position)| (kind == kind_of(tag)).then_some((row, position))))
}
