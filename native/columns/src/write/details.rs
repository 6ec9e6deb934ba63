//! What the points of histograms, exponential histograms and summaries have besides the columns of all points: a table for each
//! kind, whose rows say to which point they belong.

use super::check::{Children, Tables};
use super::column::Values;
use super::error::{Problem, WriteError};
use super::grouping::Grouping;
use otlp_schema::fields::histogram_data_point as histogram;
use otlp_schema::metrics::{self, Summary, Times};
use otlp_wire::{Mark, Writer};

/// The row of a point that has none: past the end of every table, where all columns are zero.
const NO_ROW: usize = usize::MAX;

/// The row of a point, by the point.
struct RowOfPoint(Option<Grouping>);

impl RowOfPoint {
    fn new(tables: &Tables<'_>, table: &str) -> Result<Self, WriteError> {
        let (points, details) = (tables.get("points").rows(), tables.get(table));
        if details.rows() == 0 {
            return Ok(Self(None));
        }
        let rows = Grouping::new(details.values("point").0, details.rows(), points);
        let repeated = (0..points).find_map(|point| Some((point, rows.rows(point).nth(1)?)));
        match repeated {
            Some((point, row)) => Err(Problem::RepeatedPoint { point }.at(format!("{table}.point[{row}]"))),
            None => Ok(Self(Some(rows))),
        }
    }

    fn find(&self, point: usize) -> usize {
        self.0.as_ref().and_then(|rows| rows.rows(point).next()).unwrap_or(NO_ROW)
    }
}

/// What histograms of both kinds say of all their measurements together.
struct Statistics<'a> {
    count: Values<'a, u64>,
    presence: Values<'a, u8>,
    sum: Values<'a, f64>,
    min: Values<'a, f64>,
    max: Values<'a, f64>,
}

impl<'a> Statistics<'a> {
    fn new(tables: &Tables<'a>, table: &str) -> Self {
        let table = tables.get(table);
        Self {
            count: table.values("count"),
            presence: table.values("presence"),
            sum: table.values("sum"),
            min: table.values("min"),
            max: table.values("max"),
        }
    }

    fn get(&self, row: usize) -> Summary {
        let presence = self.presence.get(row);
        let present = |bit: u8, values: Values<'_, f64>| (presence & bit != 0).then(|| values.get(row));
        Summary {
            count: self.count.get(row),
            sum: present(1, self.sum),
            min: present(2, self.min),
            max: present(4, self.max),
        }
    }
}

/// The rows of another table that belong to each row, where that table is a column of numbers.
struct Lists<'a, T> {
    rows: Children<'a>,
    numbers: &'a [T],
}

impl<'a, T> Lists<'a, T> {
    fn get(&self, row: usize) -> &'a [T] {
        self.numbers.get(self.rows.rows(row)).unwrap_or_default()
    }
}

/// Histograms with explicit bounds.
pub(super) struct Histograms<'a> {
    row_of: RowOfPoint,
    statistics: Statistics<'a>,
    bucket_counts: Lists<'a, u64>,
    explicit_bounds: Lists<'a, f64>,
}

impl<'a> Histograms<'a> {
    /// Those of checked tables.
    ///
    /// # Errors
    /// Two rows for one point.
    pub(super) fn new(tables: &Tables<'a>) -> Result<Self, WriteError> {
        let table = tables.get("histograms");
        Ok(Self {
            row_of: RowOfPoint::new(tables, "histograms")?,
            statistics: Statistics::new(tables, "histograms"),
            bucket_counts: Lists {
                rows: table.children("bucket_counts"),
                numbers: tables.get("bucket_counts").values("count").0,
            },
            explicit_bounds: Lists {
                rows: table.children("explicit_bounds"),
                numbers: tables.get("explicit_bounds").values("bound").0,
            },
        })
    }

    /// The row of a point, and what stands there.
    pub(super) fn find(&self, point: usize) -> (usize, Summary) {
        let row = self.row_of.find(point);
        (row, self.statistics.get(row))
    }

    /// Writes counts and bounds.
    pub(super) fn write_buckets(&self, writer: &mut Writer, row: usize) {
        writer.packed_fixed64_field(histogram::BUCKET_COUNTS, self.bucket_counts.get(row));
        writer.packed_double_field(histogram::EXPLICIT_BOUNDS, self.explicit_bounds.get(row));
    }
}

/// Exponential histograms.
pub(super) struct ExponentialHistograms<'a> {
    row_of: RowOfPoint,
    statistics: Statistics<'a>,
    scale: Values<'a, i32>,
    zero_count: Values<'a, u64>,
    zero_threshold: Values<'a, f64>,
    positive_offset: Values<'a, i32>,
    positive: Lists<'a, u64>,
    negative_offset: Values<'a, i32>,
    negative: Lists<'a, u64>,
}

impl<'a> ExponentialHistograms<'a> {
    /// Those of checked tables.
    ///
    /// # Errors
    /// Two rows for one point.
    pub(super) fn new(tables: &Tables<'a>) -> Result<Self, WriteError> {
        let table = tables.get("exponential_histograms");
        let counts = |name| Lists { rows: table.children(name), numbers: tables.get(name).values("count").0 };
        Ok(Self {
            row_of: RowOfPoint::new(tables, "exponential_histograms")?,
            statistics: Statistics::new(tables, "exponential_histograms"),
            scale: table.values("scale"),
            zero_count: table.values("zero_count"),
            zero_threshold: table.values("zero_threshold"),
            positive_offset: table.values("positive_offset"),
            positive: counts("positive"),
            negative_offset: table.values("negative_offset"),
            negative: counts("negative"),
        })
    }

    /// The row of a point, and what stands there.
    pub(super) fn find(&self, point: usize) -> (usize, Summary) {
        let row = self.row_of.find(point);
        (row, self.statistics.get(row))
    }

    /// Writes what stands between the attributes and the flags.
    pub(super) fn write_fields(&self, writer: &mut Writer, row: usize, times: Times, summary: &Summary) {
        metrics::exponential_point_fields(writer, times, summary, self.scale.get(row), self.zero_count.get(row));
        metrics::exponential_buckets(writer, false, self.positive_offset.get(row), self.positive.get(row));
        metrics::exponential_buckets(writer, true, self.negative_offset.get(row), self.negative.get(row));
    }

    /// Up to where measurements count as zero.
    pub(super) fn zero_threshold(&self, row: usize) -> f64 {
        self.zero_threshold.get(row)
    }
}

/// Summaries.
pub(super) struct Summaries<'a> {
    row_of: RowOfPoint,
    count: Values<'a, u64>,
    sum: Values<'a, f64>,
    quantile_rows: Children<'a>,
    quantile: Values<'a, f64>,
    value: Values<'a, f64>,
}

impl<'a> Summaries<'a> {
    /// Those of checked tables.
    ///
    /// # Errors
    /// Two rows for one point.
    pub(super) fn new(tables: &Tables<'a>) -> Result<Self, WriteError> {
        let (table, quantiles) = (tables.get("summaries"), tables.get("quantiles"));
        Ok(Self {
            row_of: RowOfPoint::new(tables, "summaries")?,
            count: table.values("count"),
            sum: table.values("sum"),
            quantile_rows: table.children("quantiles"),
            quantile: quantiles.values("quantile"),
            value: quantiles.values("value"),
        })
    }

    /// Begins the point of a summary: everything in front of its attributes.
    pub(super) fn open(&self, writer: &mut Writer, point: usize, times: Times) -> Mark {
        let row = self.row_of.find(point);
        let mark = metrics::open_summary_point(writer, times, self.count.get(row), self.sum.get(row));
        for quantile in self.quantile_rows.rows(row) {
            metrics::quantile(writer, self.quantile.get(quantile), self.value.get(quantile));
        }
        mark
    }
}
