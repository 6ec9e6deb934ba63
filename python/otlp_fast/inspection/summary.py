"""Counts what is in requests, one request after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from otlp_fast.columns import Logs, Metrics, Traces
from otlp_fast.columns.data_points import MetricKind
from otlp_fast.columns.spans import StatusCode
from otlp_fast.inspection.grouping import Groups, attribute_weights
from otlp_fast.inspection.tally import Tally, add

ITEMS = {"traces": "spans", "logs": "log_records", "metrics": "data_points"}
"""The signals, and what their items are called."""

_CLASSES: dict[str, type[Traces] | type[Logs] | type[Metrics]] = {"traces": Traces, "logs": Logs, "metrics": Metrics}
_SERVICE = "service.name"
_ATTRIBUTES = {
    "traces": [f"{owner}.attributes" for owner in ("resources", "scopes", "spans", "events", "links")],
    "logs": [f"{owner}.attributes" for owner in ("resources", "scopes", "log_records")],
    "metrics": [
        *(f"{owner}.attributes" for owner in ("resources", "scopes", "points", "exemplars")),
        "metrics.metadata",
    ],
}
"""The tables of attributes of each signal, see docs/columns.md."""
_KINDS = {kind.value: kind.name.lower().replace("_", " ") for kind in MetricKind}
_TEMPORALITIES = {1: "delta", 2: "cumulative"}


@dataclass
class SignalSummary:
    """Requests of one signal.

    Attributes:
        requests: how many.
        items: how many spans, log records or data points are in them.
        bytes: their length.
        first_unix_nano: the first time in any of them, in ns since the Unix epoch; 0 where there is none.
        last_unix_nano: the last one.
    """

    requests: int = 0
    items: int = 0
    bytes: int = 0
    first_unix_nano: int = 0
    last_unix_nano: int = 0

    def add(self, items: int, size: int, times: npt.NDArray[np.uint64], ends: npt.NDArray[np.uint64]) -> None:
        """Add a request whose items have these times, from the one to the other."""
        self.requests += 1
        self.items += items
        self.bytes += size
        known = times[times > 0]
        if len(known):
            first = int(known.min())
            self.first_unix_nano = min(self.first_unix_nano or first, first)
        if len(ends):
            self.last_unix_nano = max(self.last_unix_nano, int(ends.max()))


@dataclass
class Summary:
    """What is in the requests so far."""

    signals: dict[str, SignalSummary] = field(default_factory=lambda: {signal: SignalSummary() for signal in ITEMS})
    services: Tally[str] = field(default_factory=lambda: Tally(add, add, add, add))
    """Items of all signals, then spans, log records and data points, by service."""
    operations: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(add, add, add, max))
    """Spans, errors, their time together and the longest one in ns, by service and span name."""
    severities: Tally[int] = field(default_factory=lambda: Tally(add))
    """Log records by severity number."""
    metrics: Tally[tuple[str, str, str, str]] = field(default_factory=lambda: Tally(add))
    """Data points by name, kind, unit and temporality of their metric."""
    attributes: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(add, add))
    """Bytes and number of attributes, by the table that they belong to and their key."""

    def add(self, data: bytes, signal: str) -> None:
        """Count a request.

        Raises:
            DecodeError: `data` is not such a request.
        """
        request = _CLASSES[signal].decode(data)
        if isinstance(request, Traces):
            times, ends = request.start_time_unix_nano, request.end_time_unix_nano
            self._add_operations(request)
        elif isinstance(request, Logs):
            times = ends = np.where(request.time_unix_nano > 0, request.time_unix_nano, request.observed_time_unix_nano)
            self._add_severities(request)
        else:
            times = ends = request.time_unix_nano
            self._add_metrics(request)
        self.signals[signal].add(len(request), len(data), times, ends)
        self._add_services(request, signal)
        self._add_attributes(request, signal)

    def _add_services(self, request: Traces | Logs | Metrics, signal: str) -> None:
        services = request.resource[_SERVICE]
        groups = Groups(services.codes)
        for row, count in zip(groups.first, groups.counts, strict=True):
            by_signal = [int(count) if other == signal else 0 for other in ITEMS]
            self.services.add(services.dictionary[services.codes[row]], int(count), *by_signal)

    def _add_operations(self, traces: Traces) -> None:
        services = traces.resource[_SERVICE]
        groups = Groups(services.codes, traces.name.codes)
        ends = np.maximum(traces.end_time_unix_nano, traces.start_time_unix_nano)
        durations = ends - traces.start_time_unix_nano
        figures = zip(
            groups.counts.tolist(),
            groups.sums(traces.status_code == StatusCode.ERROR),
            groups.sums(durations),
            groups.maxima(durations),
            strict=True,
        )
        for row, values in zip(groups.first, figures, strict=True):
            self.operations.add((services.dictionary[services.codes[row]], traces.name[int(row)]), *values)

    def _add_severities(self, logs: Logs) -> None:
        numbers, counts = np.unique(logs.severity_number, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            self.severities.add(number, count)

    def _add_metrics(self, metrics: Metrics) -> None:
        table = metrics.metrics
        points = np.bincount(metrics.metric.rows, minlength=len(table))
        columns = (table.name, table.kind.tolist(), table.unit, table.aggregation_temporality.tolist(), points.tolist())
        for name, kind, unit, temporality, count in zip(*columns, strict=True):
            self.metrics.add((name, _KINDS.get(kind, str(kind)), unit, _TEMPORALITIES.get(temporality, "")), count)

    def _add_attributes(self, request: Traces | Logs | Metrics, signal: str) -> None:
        for name in _ATTRIBUTES[signal]:
            owner = name.partition(".")[0]
            for key, count, weight in attribute_weights(request.table(name)):
                self.attributes.add((owner, key), weight, count)
