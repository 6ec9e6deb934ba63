//! Metrics as columns: metrics and the points of all kinds with the request, what histograms and summaries hold when it is asked for.
//!
//! The five kinds of points are five message types with much in common. What they have in common is one table, `points`, in the
//! order of the request; the rest has a table for each kind, whose column `point` leads back.

use super::groups::{self, ITEM_DEPTH, Item};
use super::limits::RowCount;
use super::metric_parts;
use super::points::Points;
use super::{Columns, CoreTable, DecodeError, Limits, Position, Rows};
use crate::table::{Column, Table, TextBuilder};
use otlp_schema::fields::metric;
use otlp_schema::view::messages::{
    ExponentialHistogram, ExponentialHistogramField, Gauge, GaugeField, Histogram, HistogramField, Metric, MetricField,
    Sum, SumField, Summary, SummaryField,
};
use otlp_schema::view::set_once;
use otlp_wire::ReadError;

/// The depth of a metric's data.
pub(super) const DATA_DEPTH: u32 = ITEM_DEPTH + 1;

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

    fn add(&mut self, item: Item<'a>, points: &mut Points<'a>) -> Result<(), DecodeError> {
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
            attributes: None,
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
