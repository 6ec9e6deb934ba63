"""Data points one by one, with the names of `opentelemetry.sdk.metrics.export`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from otlp_fast.columns.items import Attributes, Item, OpenEnum, attributes_of, field, id_of

if TYPE_CHECKING:
    from otlp_fast.columns.metrics import Metrics


class MetricKind(OpenEnum):
    """What kind of data a metric has, by the number of its field in `Metric`."""

    NONE = 0
    GAUGE = 5
    SUM = 7
    HISTOGRAM = 9
    EXPONENTIAL_HISTOGRAM = 10
    SUMMARY = 11


class AggregationTemporality(OpenEnum):
    """`AggregationTemporality`."""

    UNSPECIFIED = 0
    DELTA = 1
    CUMULATIVE = 2


class Metric(NamedTuple):
    """What a data point says something about. `is_monotonic` and the temporality are those of a sum or histogram."""

    name: str
    description: str
    unit: str
    kind: MetricKind
    aggregation_temporality: AggregationTemporality
    is_monotonic: bool


class Exemplar(NamedTuple):
    """A measurement that stands for others. `span_id` and `trace_id` are 0 where there are none."""

    filtered_attributes: Attributes
    value: int | float | None
    time_unix_nano: int
    span_id: int
    trace_id: int


class Buckets(NamedTuple):
    """Buckets of an exponential histogram: the first has the index `offset`."""

    offset: int
    bucket_counts: list[int]


class Quantile(NamedTuple):
    """A quantile, 0 to 1, and its value."""

    quantile: float
    value: float


def value_of(fields: dict[str, Any]) -> int | float | None:
    """The value of a point or exemplar."""
    value: int | float | None = fields.get("as_double", fields.get("as_int"))
    return value


class DataPoint(Item):
    """One data point of a request, of any kind."""

    __slots__ = ()
    _table = "points"
    _request: Metrics

    start_time_unix_nano = field(
        "start_time_unix_nano", 0, "When its interval began, in ns since the Unix epoch, or 0."
    )
    time_unix_nano = field("time_unix_nano", 0, "When it was taken, in ns since the Unix epoch.")
    flags = field("flags", 0, "1 where it says that there is no value.")

    @property
    def metric(self) -> Metric:
        """The metric that it belongs to."""
        return self._request._metric(int(self._request.metric.rows[self._index]))

    @property
    def attributes(self) -> Attributes:
        """The attributes."""
        return attributes_of(self._fields)

    @property
    def exemplars(self) -> list[Exemplar]:
        """Some of the measurements."""
        return [
            Exemplar(
                attributes_of(exemplar, "filtered_attributes"),
                value_of(exemplar),
                exemplar.get("time_unix_nano", 0),
                id_of(exemplar.get("span_id")),
                id_of(exemplar.get("trace_id")),
            )
            for exemplar in self._fields.get("exemplars", ())
        ]

    def __repr__(self) -> str:
        """The point in short."""
        return f"<{type(self).__name__} of {self.metric.name!r} at {self.time_unix_nano}>"


class NumberDataPoint(DataPoint):
    """A point of a gauge or sum."""

    __slots__ = ()

    @property
    def value(self) -> int | float | None:
        """The value; None where there is none."""
        return value_of(self._fields)


class HistogramDataPoint(DataPoint):
    """A point of a histogram with explicit bounds."""

    __slots__ = ()

    count = field("count", 0, "How many measurements it stands for.")
    sum = field[float | None]("sum", None, "Their sum.")
    min = field[float | None]("min", None, "The least.")
    max = field[float | None]("max", None, "The greatest.")

    @property
    def bucket_counts(self) -> list[int]:
        """How many measurements lie in each bucket."""
        return list(self._fields.get("bucket_counts", ()))

    @property
    def explicit_bounds(self) -> list[float]:
        """The bounds between buckets, which are one more."""
        return list(self._fields.get("explicit_bounds", ()))


class ExponentialHistogramDataPoint(DataPoint):
    """A point of an exponential histogram: bucket `i` holds what is above `base ** i` and up to `base ** (i + 1)`."""

    __slots__ = ()

    count = field("count", 0, "How many measurements it stands for.")
    sum = field[float | None]("sum", None, "Their sum.")
    min = field[float | None]("min", None, "The least.")
    max = field[float | None]("max", None, "The greatest.")
    scale = field("scale", 0, "The base is 2 ** (2 ** -scale).")
    zero_count = field("zero_count", 0, "How many measurements are 0, or no further from it than `zero_threshold`.")
    zero_threshold = field("zero_threshold", 0.0, "The bound of what counts as 0.")

    @property
    def positive(self) -> Buckets:
        """The buckets of positive measurements."""
        return self._buckets("positive")

    @property
    def negative(self) -> Buckets:
        """The buckets of negative measurements, by their absolute values."""
        return self._buckets("negative")

    def _buckets(self, name: str) -> Buckets:
        buckets = self._fields.get(name, {})
        return Buckets(buckets.get("offset", 0), list(buckets.get("bucket_counts", ())))


class SummaryDataPoint(DataPoint):
    """A point of a summary."""

    __slots__ = ()

    count = field("count", 0, "How many measurements it stands for.")
    sum = field("sum", 0.0, "Their sum.")

    @property
    def quantile_values(self) -> list[Quantile]:
        """Quantiles of the measurements."""
        pairs = self._fields.get("quantile_values", ())
        return [Quantile(pair.get("quantile", 0.0), pair.get("value", 0.0)) for pair in pairs]


POINTS: dict[int, type[DataPoint]] = {
    MetricKind.GAUGE: NumberDataPoint,
    MetricKind.SUM: NumberDataPoint,
    MetricKind.HISTOGRAM: HistogramDataPoint,
    MetricKind.EXPONENTIAL_HISTOGRAM: ExponentialHistogramDataPoint,
    MetricKind.SUMMARY: SummaryDataPoint,
}
"""The class of a metric's points by its kind."""
