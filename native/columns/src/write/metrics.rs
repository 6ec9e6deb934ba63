//! Metrics, each with its data points.

use super::attributes::Attributes;
use super::check::Tables;
use super::column::{TextRef, Values};
use super::error::WriteError;
use super::grouping::Grouping;
use super::points::Points;
use otlp_schema::fields::metric;
use otlp_schema::metrics::{self, Kind};
use otlp_wire::Writer;

/// The table of metrics, and those of what is in them.
pub(super) struct Metrics<'a> {
    name: TextRef<'a>,
    description: TextRef<'a>,
    unit: TextRef<'a>,
    kind: Values<'a, u8>,
    aggregation_temporality: Values<'a, i32>,
    is_monotonic: Values<'a, u8>,
    metadata: Attributes<'a>,
    point_rows: Grouping,
    points: Points<'a>,
}

impl<'a> Metrics<'a> {
    /// The metrics of checked tables.
    ///
    /// # Errors
    /// Data that a metric of its kind cannot hold.
    pub(super) fn new(tables: &Tables<'a>) -> Result<Self, WriteError> {
        let (table, points) = (tables.get("metrics"), tables.get("points"));
        Ok(Self {
            name: table.texts("name"),
            description: table.texts("description"),
            unit: table.texts("unit"),
            kind: table.values("kind"),
            aggregation_temporality: table.values("aggregation_temporality"),
            is_monotonic: table.values("is_monotonic"),
            metadata: Attributes::new(tables, "metrics", "metadata"),
            point_rows: Grouping::new(points.values("metric").0, points.rows(), table.rows()),
            points: Points::new(tables)?,
        })
    }

    /// Writes the fields of a metric. What its kind does not have, temporality or monotonicity, is left out.
    pub(super) fn write(&self, writer: &mut Writer, row: usize) {
        metrics::begin_metric(writer, self.name.get(row), self.description.get(row), self.unit.get(row));
        if let Some(kind) = Kind::of_number(self.kind.get(row)) {
            let guess = self.point_rows.rows(row).next().map_or(0, |point| self.points.guess(point));
            let data = metrics::open_data(writer, kind, guess.saturating_mul(self.point_rows.len(row)));
            self.point_rows.rows(row).for_each(|point| self.points.write(writer, kind, point));
            let has_temporality = !matches!(kind, Kind::Gauge | Kind::Summary);
            let temporality = if has_temporality { self.aggregation_temporality.get(row) } else { 0 };
            metrics::close_data(writer, data, temporality, kind == Kind::Sum && self.is_monotonic.get(row) != 0);
        }
        self.metadata.write(writer, row, metric::METADATA);
    }
}
