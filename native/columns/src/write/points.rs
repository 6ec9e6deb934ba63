//! Data points of all kinds, each the field `data_points` of the metric data that is open.

use super::attributes::Attributes;
use super::check::{Children, Tables};
use super::column::Values;
use super::details::{ExponentialHistograms, Histograms, Summaries};
use super::error::{Problem, WriteError};
use super::present;
use otlp_schema::common::varint_field;
use otlp_schema::fields::{
    exemplar, exponential_histogram_data_point as exponential, histogram_data_point as histogram, metric,
    number_data_point as number, summary_data_point as summary,
};
use otlp_schema::metrics::{self, Exemplar, Kind, Number, Times};
use otlp_wire::Writer;

/// The table of points, and those of what is in them.
pub(super) struct Points<'a> {
    start_time_unix_nano: Values<'a, u64>,
    time_unix_nano: Values<'a, u64>,
    flags: Values<'a, u32>,
    value: Numbers<'a>,
    attributes: Attributes<'a>,
    exemplar_rows: Children<'a>,
    exemplars: Exemplars<'a>,
    histograms: Histograms<'a>,
    exponential_histograms: ExponentialHistograms<'a>,
    summaries: Summaries<'a>,
}

impl<'a> Points<'a> {
    /// The points of checked tables.
    ///
    /// # Errors
    /// Data that a point of its kind cannot hold: it would be lost.
    pub(super) fn new(tables: &Tables<'a>) -> Result<Self, WriteError> {
        check_kinds(tables)?;
        let table = tables.get("points");
        Ok(Self {
            start_time_unix_nano: table.values("start_time_unix_nano"),
            time_unix_nano: table.values("time_unix_nano"),
            flags: table.values("flags"),
            value: Numbers::new(tables, "points"),
            attributes: Attributes::new(tables, "points", "attributes"),
            exemplar_rows: table.children("exemplars"),
            exemplars: Exemplars::new(tables),
            histograms: Histograms::new(tables)?,
            exponential_histograms: ExponentialHistograms::new(tables)?,
            summaries: Summaries::new(tables)?,
        })
    }

    /// About how long a point will be.
    pub(super) fn guess(&self, row: usize) -> usize {
        29 + 32 * self.attributes.count(row)
    }

    /// Writes a point of a metric of this kind.
    pub(super) fn write(&self, writer: &mut Writer, kind: Kind, row: usize) {
        let times = Times {
            start_time_unix_nano: self.start_time_unix_nano.get(row),
            time_unix_nano: self.time_unix_nano.get(row),
        };
        match kind {
            Kind::Gauge | Kind::Sum => {
                let value = self.value.get(row);
                let point = metrics::open_number_point(writer, self.guess(row), times, value);
                self.write_exemplars(writer, row, number::EXEMPLARS);
                metrics::number_point_value(writer, value);
                self.attributes.write(writer, row, number::ATTRIBUTES);
                self.write_flags(writer, row, number::FLAGS);
                writer.close(point);
            }
            Kind::Histogram => {
                let (detail, summary) = self.histograms.find(row);
                let point = metrics::open_histogram_point(writer, times, &summary);
                self.histograms.write_buckets(writer, detail);
                self.write_exemplars(writer, row, histogram::EXEMPLARS);
                self.attributes.write(writer, row, histogram::ATTRIBUTES);
                self.write_flags(writer, row, histogram::FLAGS);
                metrics::close_histogram_point(writer, point, &summary);
            }
            Kind::ExponentialHistogram => {
                let (detail, summary) = self.exponential_histograms.find(row);
                let point = metrics::open_exponential_point(writer);
                self.attributes.write(writer, row, exponential::ATTRIBUTES);
                self.exponential_histograms.write_fields(writer, detail, times, &summary);
                metrics::exponential_point_flags(writer, self.flags.get(row));
                self.write_exemplars(writer, row, exponential::EXEMPLARS);
                let zero_threshold = self.exponential_histograms.zero_threshold(detail);
                metrics::close_exponential_point(writer, point, &summary, zero_threshold);
            }
            Kind::Summary => {
                let point = self.summaries.open(writer, row, times);
                self.attributes.write(writer, row, summary::ATTRIBUTES);
                self.write_flags(writer, row, summary::FLAGS);
                writer.close(point);
            }
        }
    }

    fn write_exemplars(&self, writer: &mut Writer, row: usize, tag: u8) {
        self.exemplar_rows.rows(row).for_each(|exemplar| self.exemplars.write(writer, exemplar, tag));
    }

    fn write_flags(&self, writer: &mut Writer, row: usize, tag: u8) {
        varint_field(writer, tag, u64::from(self.flags.get(row)));
    }
}

/// Checks that each point has only what a metric of its kind can hold.
fn check_kinds(tables: &Tables<'_>) -> Result<(), WriteError> {
    let (metrics, points) = (tables.get("metrics"), tables.get("points"));
    let (kind, metric) = (metrics.values::<u8>("kind"), points.values::<u32>("metric"));
    let (value_type, exemplars) = (points.values::<u8>("value_type"), points.children("exemplars"));
    for row in 0..points.rows() {
        let found = kind.get(metric.get(row) as usize);
        let wrong = match Kind::of_number(found) {
            None => "metric",
            Some(Kind::Gauge | Kind::Sum) => continue,
            Some(_) if value_type.get(row) != 0 => "value_type",
            Some(Kind::Summary) if !exemplars.rows(row).is_empty() => "exemplars",
            Some(_) => continue,
        };
        return Err(Problem::WrongKind { found }.at(format!("points.{wrong}[{row}]")));
    }
    for (table, tag) in [
        ("histograms", metric::HISTOGRAM),
        ("exponential_histograms", metric::EXPONENTIAL_HISTOGRAM),
        ("summaries", metric::SUMMARY),
    ] {
        let details = tables.get(table);
        let point = details.values::<u32>("point");
        for row in 0..details.rows() {
            let found = kind.get(metric.get(point.get(row) as usize) as usize);
            if found != tag >> 3 {
                return Err(Problem::WrongKind { found }.at(format!("{table}.point[{row}]")));
            }
        }
    }
    Ok(())
}

/// Numbers that are doubles, integers, or none.
struct Numbers<'a> {
    value_type: Values<'a, u8>,
    double: Values<'a, f64>,
    int: Values<'a, i64>,
}

impl<'a> Numbers<'a> {
    fn new(tables: &Tables<'a>, table: &str) -> Self {
        let table = tables.get(table);
        Self { value_type: table.values("value_type"), double: table.values("double"), int: table.values("int") }
    }

    fn get(&self, row: usize) -> Number {
        match self.value_type.get(row) {
            1 => Number::Double(self.double.get(row)),
            2 => Number::Int(self.int.get(row)),
            _ => Number::None,
        }
    }
}

struct Exemplars<'a> {
    time_unix_nano: Values<'a, u64>,
    value: Numbers<'a>,
    trace_id: Values<'a, [u8; 16]>,
    span_id: Values<'a, [u8; 8]>,
    attributes: Attributes<'a>,
}

impl<'a> Exemplars<'a> {
    fn new(tables: &Tables<'a>) -> Self {
        let table = tables.get("exemplars");
        Self {
            time_unix_nano: table.values("time_unix_nano"),
            value: Numbers::new(tables, "exemplars"),
            trace_id: table.values("trace_id"),
            span_id: table.values("span_id"),
            attributes: Attributes::new(tables, "exemplars", "attributes"),
        }
    }

    fn write(&self, writer: &mut Writer, row: usize, tag: u8) {
        let fields = Exemplar {
            time_unix_nano: self.time_unix_nano.get(row),
            value: self.value.get(row),
            span_id: present(self.span_id.get(row)),
            trace_id: present(self.trace_id.get(row)),
        };
        let message = metrics::open_exemplar(writer, tag, &fields);
        self.attributes.write(writer, row, exemplar::FILTERED_ATTRIBUTES);
        writer.close(message);
    }
}
