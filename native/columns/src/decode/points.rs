//! The points of metrics as one table, of all kinds.
//!
//! The five kinds are five message types. What they have in common is read by the same lines, [`read_point`], and stands in
//! one table in the order of the request; the rest is checked here, and read when it is asked for.

use super::attribute_index::AttributesBuilder;
use super::limits::RowCount;
use super::metrics::{DATA_DEPTH, DOUBLE, INT, kind_of};
use super::offsets::OffsetsBuilder;
use super::{Columns, CoreTable, DecodeError, Limits, Position, Rows, Tags};
use crate::table::{Column, Table};
use otlp_schema::fields::{
    exponential_histogram_data_point, histogram_data_point, number_data_point, summary_data_point,
};
use otlp_schema::view::messages::{
    Buckets, BucketsField, Exemplar, ExemplarField, ExponentialHistogramDataPoint, ExponentialHistogramDataPointField,
    HistogramDataPoint, HistogramDataPointField, NumberDataPoint, NumberDataPointField, SummaryDataPoint,
    SummaryDataPointField,
};
use otlp_schema::view::set_once;
use otlp_wire::{ErrorKind, ReadError};
use std::borrow::Cow;

/// The depth of points; what is in them lies one deeper.
const POINT_DEPTH: u32 = DATA_DEPTH + 1;
const PART_DEPTH: u32 = POINT_DEPTH + 1;

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
pub(super) struct Points<'a> {
    limits: Limits,
    rows: RowCount,
    metric: Vec<u32>,
    start_time_unix_nano: Vec<u64>,
    time_unix_nano: Vec<u64>,
    flags: Vec<u32>,
    value_type: Vec<u8>,
    double: Vec<f64>,
    int: Vec<i64>,
    attributes: AttributesBuilder<'a>,
    exemplars: OffsetsBuilder,
    exemplar_attributes: RowCount,
    quantiles: RowCount,
    bucket_counts: RowCount,
    explicit_bounds: RowCount,
    positive: RowCount,
    negative: RowCount,
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
                    $points.attributes.add(attribute, PART_DEPTH, $start, $point.offset())?;
                }
                $field::Unknown(_) => {}
                $($special)*
            }
            $start = fields.offset();
        }
    };
}

impl<'a> Points<'a> {
    pub(super) fn with_capacity(rows: usize, limits: Limits) -> Self {
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
            attributes: AttributesBuilder::with_capacity(rows, limits),
            exemplars: OffsetsBuilder::with_capacity(rows, limits),
            exemplar_attributes: RowCount::new(limits),
            quantiles: RowCount::new(limits),
            bucket_counts: RowCount::new(limits),
            explicit_bounds: RowCount::new(limits),
            positive: RowCount::new(limits),
            negative: RowCount::new(limits),
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

    pub(super) fn add_number(
        &mut self,
        point: NumberDataPoint<'a>,
        metric: u32,
        tag_offset: usize,
    ) -> Result<(), DecodeError> {
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

    pub(super) fn add_histogram(
        &mut self,
        point: HistogramDataPoint<'a>,
        metric: u32,
        tag_offset: usize,
    ) -> Result<(), DecodeError> {
        let mut read = self.begin(tag_offset)?;
        read_point!(self, point, HistogramDataPointField, read, start {
            HistogramDataPointField::Exemplar(exemplar) => self.check_exemplar(exemplar, start)?,
            HistogramDataPointField::Count(_)
            | HistogramDataPointField::Sum(_)
            | HistogramDataPointField::Min(_)
            | HistogramDataPointField::Max(_) => {}
            HistogramDataPointField::BucketCounts(counts) => self.bucket_counts.add_many(counts.len(), start)?,
            HistogramDataPointField::ExplicitBounds(bounds) => self.explicit_bounds.add_many(bounds.len(), start)?,
        });
        let position = Position::of(point.content(), point.offset());
        self.push(&read, metric, histogram_data_point::ATTRIBUTES, position);
        Ok(())
    }

    pub(super) fn add_exponential(
        &mut self,
        point: ExponentialHistogramDataPoint<'a>,
        metric: u32,
        tag_offset: usize,
    ) -> Result<(), DecodeError> {
        let mut read = self.begin(tag_offset)?;
        let (mut positive, mut negative) = (None, None);
        read_point!(self, point, ExponentialHistogramDataPointField, read, start {
            ExponentialHistogramDataPointField::Exemplar(exemplar) => self.check_exemplar(exemplar, start)?,
            ExponentialHistogramDataPointField::Positive(buckets) => {
                set_once(&mut positive, buckets, start)?;
                check_buckets(buckets, start, self.limits, &mut self.positive)?;
            }
            ExponentialHistogramDataPointField::Negative(buckets) => {
                set_once(&mut negative, buckets, start)?;
                check_buckets(buckets, start, self.limits, &mut self.negative)?;
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

    pub(super) fn add_summary(
        &mut self,
        point: SummaryDataPoint<'a>,
        metric: u32,
        tag_offset: usize,
    ) -> Result<(), DecodeError> {
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

    pub(super) fn finish(self) -> CoreTable {
        let (attributes, index) = self.attributes.finish();
        let columns = vec![
            ("metric", Column::U32(self.metric)),
            ("start_time_unix_nano", Column::U64(self.start_time_unix_nano)),
            ("time_unix_nano", Column::U64(self.time_unix_nano)),
            ("flags", Column::U32(self.flags)),
            ("value_type", Column::U8(self.value_type)),
            ("double", Column::F64(self.double)),
            ("int", Column::I64(self.int)),
            ("attributes", attributes),
            ("exemplars", self.exemplars.finish()),
        ];
        CoreTable {
            name: "points",
            table: Table { rows: self.rows.get() as usize, columns },
            rows: Rows { positions: Cow::Owned(self.positions), tags: Tags::ByRow(Cow::Owned(self.tags)) },
            attributes: index,
        }
    }
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

/// Checks the buckets of one sign and counts them.
fn check_buckets(
    buckets: Buckets<'_>,
    tag_offset: usize,
    limits: Limits,
    rows: &mut RowCount,
) -> Result<(), DecodeError> {
    limits.check_depth(PART_DEPTH, tag_offset)?;
    let mut fields = buckets.fields();
    let mut start = fields.offset();
    while let Some(field) = fields.next() {
        if let BucketsField::BucketCounts(counts) = field? {
            for count in counts.iter() {
                count?;
                rows.add(start)?;
            }
        }
        start = fields.offset();
    }
    Ok(())
}
