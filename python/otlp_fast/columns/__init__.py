"""OTLP requests as columns: NumPy arrays and Arrow tables in both directions. Needs NumPy; Arrow needs pyarrow.

    >>> traces = decode_traces(data)                                                          # doctest: +SKIP
    >>> slow = traces.end_time_unix_nano - traces.start_time_unix_nano > 10**9                # doctest: +SKIP
    >>> traces.filter(slow & (traces.resource["service.name"] == "cart")).to_bytes()          # doctest: +SKIP

Everything in a request is checked once, when it is decoded; columns that everybody wants are made with it, others when
they are asked for. `docs/columns.md` lists them.
"""

from __future__ import annotations

try:
    import numpy as _numpy  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"otlp_fast.columns needs the module {missing.name}: pip install 'otlp-fast[columns]'", name=missing.name
    ) from None

from otlp_fast._decode import decode_logs, decode_metrics, decode_traces
from otlp_fast.columns.attributes import Attributes, AttributeTable, ValueColumn
from otlp_fast.columns.data_points import AggregationTemporality, DataPoint, Metric, MetricKind
from otlp_fast.columns.items import InstrumentationScope, Resource
from otlp_fast.columns.logs import Logs
from otlp_fast.columns.metrics import Metrics
from otlp_fast.columns.points import write_points
from otlp_fast.columns.records import LogRecord
from otlp_fast.columns.red import Group, Red, red
from otlp_fast.columns.spans import Span, SpanKind, StatusCode
from otlp_fast.columns.text import BytesColumn, TextColumn
from otlp_fast.columns.traces import Traces
from otlp_fast.columns.writing import write_logs, write_metrics, write_traces

__all__ = [
    "AggregationTemporality",
    "AttributeTable",
    "Attributes",
    "BytesColumn",
    "DataPoint",
    "Group",
    "InstrumentationScope",
    "LogRecord",
    "Logs",
    "Metric",
    "MetricKind",
    "Metrics",
    "Red",
    "Resource",
    "Span",
    "SpanKind",
    "StatusCode",
    "TextColumn",
    "Traces",
    "ValueColumn",
    "decode_logs",
    "decode_metrics",
    "decode_traces",
    "red",
    "write_logs",
    "write_metrics",
    "write_points",
    "write_traces",
]
