"""Metrics as columns."""

from __future__ import annotations

from builtins import int as Row
from functools import cached_property
from typing import Any

import numpy as np

from otlp_fast.columns.attributes import Attributes
from otlp_fast.columns.data_points import POINTS, AggregationTemporality, DataPoint, Metric, MetricKind
from otlp_fast.columns.groups import Enclosing, WithAttributes
from otlp_fast.columns.request import Request
from otlp_fast.columns.tables import F64, I32, I64, U8, U32, U64, Ids, Table, column
from otlp_fast.columns.text import TextColumn


class MetricTable(Table):
    """The metrics of a request, a row for each."""

    _name = "metrics"
    scope = column[U32]("The row of each metric's scope.")
    name = column[TextColumn]("The names.")
    description = column[TextColumn]("The descriptions.")
    unit = column[TextColumn]("The units.")
    kind = column[U8]("The kinds, by the numbers of `MetricKind`.")
    aggregation_temporality = column[I32]("0 unspecified, 1 delta, 2 cumulative.")
    is_monotonic = column[U8]("1 for a sum that only grows.")

    @cached_property
    def metadata(self) -> Attributes:
        """The metadata: `metadata["key"]` is a column with a value for each metric."""
        return Attributes(self, "metadata")


class MetricOfPoints(Enclosing):
    """The metric of each data point."""

    name = column[TextColumn]("The name of each point's metric.")
    description = column[TextColumn]("The description of each point's metric.")
    unit = column[TextColumn]("The unit of each point's metric.")
    kind = column[U8]("The kind of each point's metric, by the numbers of `MetricKind`.")
    aggregation_temporality = column[I32](
        "The temporality of each point's metric: 0 unspecified, 1 delta, 2 cumulative."
    )
    is_monotonic = column[U8]("1 for each point of a sum that only grows.")


class Exemplars(WithAttributes):
    """The exemplars of all points, one behind the other: a row for each.

    Attributes:
        offsets: uint32, shape (points + 1,): point `i` has the exemplars `offsets[i]` to `offsets[i + 1]`.
    """

    _name = "exemplars"
    offsets: U32
    time_unix_nano = column[U64]("When each was measured, in ns since the Unix epoch.")
    value_type = column[U8]("0 no value, 1 `double`, 2 `int`.")
    double = column[F64]("The values that are doubles.")
    int = column[I64]("The values that are integers.")
    trace_id = column[Ids]("The trace that each was measured in: V16.")
    span_id = column[Ids]("The span that each was measured in: V8.")


class Histograms(Table):
    """The points of histograms, a row for each. Those of `bucket_counts` and `explicit_bounds` are found by offsets."""

    _name = "histograms"
    point = column[U32]("The row of each in the points.")
    count = column[U64]("How many measurements.")
    presence = column[U8]("Bit 0 where there is a sum, bit 1 for min, bit 2 for max.")
    sum = column[F64]("The sums.")
    min = column[F64]("The least.")
    max = column[F64]("The greatest.")
    bucket_counts = column[U32]("Offsets into `Metrics.bucket_counts`, shape (rows + 1,).")
    explicit_bounds = column[U32]("Offsets into `Metrics.explicit_bounds`, shape (rows + 1,).")


class ExponentialHistograms(Table):
    """The points of exponential histograms, a row for each."""

    _name = "exponential_histograms"
    point = column[U32]("The row of each in the points.")
    count = column[U64]("How many measurements.")
    presence = column[U8]("Bit 0 where there is a sum, bit 1 for min, bit 2 for max.")
    sum = column[F64]("The sums.")
    min = column[F64]("The least.")
    max = column[F64]("The greatest.")
    scale = column[I32]("The base is 2 ** (2 ** -scale).")
    zero_count = column[U64]("How many measurements are 0.")
    zero_threshold = column[F64]("The bound of what counts as 0.")
    positive_offset = column[I32]("The index of the first positive bucket.")
    positive = column[U32]("Offsets into `Metrics.positive`, shape (rows + 1,).")
    negative_offset = column[I32]("The index of the first negative bucket.")
    negative = column[U32]("Offsets into `Metrics.negative`, shape (rows + 1,).")


class Summaries(Table):
    """The points of summaries, a row for each."""

    _name = "summaries"
    point = column[U32]("The row of each in the points.")
    count = column[U64]("How many measurements.")
    sum = column[F64]("The sums.")
    quantiles = column[U32]("Offsets into `Metrics.quantiles`, shape (rows + 1,).")


class Quantiles(Table):
    """The quantiles of all summaries, one behind the other."""

    _name = "quantiles"
    quantile = column[F64]("The quantiles, 0 to 1.")
    value = column[F64]("Their values.")


LISTS = ("bucket_counts", "explicit_bounds", "positive", "negative")


class Metrics(Request[DataPoint]):
    """The data points of a request, a row for each in every column.

    Times are nanoseconds since the Unix epoch, 0 where there is none. Points of all kinds have a row: the value of a
    gauge or sum is in it, the parts of histograms and summaries are in tables of their own, whose `point` says which
    row they belong to.
    """

    _signal = "metrics"
    _name = "points"
    _tables = (
        "resources",
        "resources.attributes",
        "scopes",
        "scopes.attributes",
        "metrics",
        "metrics.metadata",
        "points",
        "points.attributes",
        "histograms",
        "bucket_counts",
        "explicit_bounds",
        "exponential_histograms",
        "positive",
        "negative",
        "summaries",
        "quantiles",
        "exemplars",
        "exemplars.attributes",
    )

    start_time_unix_nano = column[U64]("When the interval of each began, in ns since the Unix epoch.")
    time_unix_nano = column[U64]("When each was taken, in ns since the Unix epoch.")
    flags = column[U32]("1 where a point says that it has no value.")
    value_type = column[U8]("What the value is: 0 none, as of histograms, 1 `double`, 2 `int`.")
    double = column[F64]("The values that are doubles, 0 for others.")
    int = column[I64]("The values that are integers, 0 for others.")

    bucket_counts = column[U64]("The counts of all buckets of histograms, one histogram behind the other.")
    explicit_bounds = column[F64]("The bounds of all buckets of histograms, one histogram behind the other.")
    positive = column[U64](
        "The counts of all positive buckets of exponential histograms, one histogram behind the other."
    )
    negative = column[U64](
        "The counts of all negative buckets of exponential histograms, one histogram behind the other."
    )

    @cached_property
    def value(self) -> F64:
        """The values of gauges and sums, integers as the nearest double; NaN where there is none.

        float64, shape (points,).
        """
        values = np.where(self.value_type == 2, self.int, self.double)
        values[self.value_type == 0] = np.nan
        return values

    @cached_property
    def metrics(self) -> MetricTable:
        """The metrics, a row for each."""
        return MetricTable(self._columns)

    @cached_property
    def metric(self) -> MetricOfPoints:
        """The metric of each point: `metric.name`, a row for each point."""
        return MetricOfPoints(self.metrics, self._make("metric"))

    @cached_property
    def exemplars(self) -> Exemplars:
        """The exemplars of all points."""
        exemplars = Exemplars(self._columns)
        exemplars.offsets = self._make("exemplars")
        return exemplars

    @cached_property
    def histograms(self) -> Histograms:
        """What histograms have besides a point's row."""
        return Histograms(self._columns)

    @cached_property
    def exponential_histograms(self) -> ExponentialHistograms:
        """What exponential histograms have besides a point's row."""
        return ExponentialHistograms(self._columns)

    @cached_property
    def summaries(self) -> Summaries:
        """What summaries have besides a point's row."""
        return Summaries(self._columns)

    @cached_property
    def quantiles(self) -> Quantiles:
        """The quantiles of all summaries."""
        return Quantiles(self._columns)

    def _make(self, name: str) -> Any:
        # Tables of one column, the elements of lists, are columns here.
        if name in LISTS:
            return next(iter(self.table(name).values()))
        return super()._make(name)

    def _scope_rows(self) -> U32:
        return self.metrics.scope[self.metric.rows]

    @cached_property
    def _known_metrics(self) -> dict[Row, Metric]:
        return {}

    def _metric(self, row: Row) -> Metric:
        """A metric as an object: the same one for all of its points."""
        known = self._known_metrics.get(row)
        if known is None:
            metrics = self.metrics
            known = self._known_metrics[row] = Metric(
                metrics.name[row],
                metrics.description[row],
                metrics.unit[row],
                MetricKind(metrics.kind.item(row)),
                AggregationTemporality(metrics.aggregation_temporality.item(row)),
                bool(metrics.is_monotonic[row]),
            )
        return known

    def _item(self, index: Row) -> DataPoint:
        return POINTS[self.metric.kind.item(index)](self, index)
