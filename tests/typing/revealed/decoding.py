"""Requests as columns: each column has the type of its elements, and one item of it the type of an item."""

from typing_extensions import reveal_type

import otlp_fast
from otlp_fast import columns


def of_traces(data: bytes) -> None:
    traces = otlp_fast.decode_traces(data)
    reveal_type(traces)  # otlp_fast.columns.traces.Traces
    reveal_type(traces.start_time_unix_nano)  # ndarray[uint64]
    reveal_type(traces.trace_id)  # ndarray[void]
    reveal_type(traces.name)  # otlp_fast.columns.text.TextColumn
    reveal_type(traces.name[0])  # str
    reveal_type(traces.name[1:])  # otlp_fast.columns.text.TextColumn
    reveal_type(traces.name == "GET")  # ndarray[bool]
    reveal_type(traces.name.to_numpy())  # ndarray[object_]
    reveal_type(traces.attributes["http.route"])  # otlp_fast.columns.attributes.ValueColumn
    reveal_type(traces.attributes["http.route"][0])  # Any
    reveal_type(traces.attributes["http.route"][1:])  # otlp_fast.columns.attributes.ValueColumn
    reveal_type(traces.resource["service.name"] == "shop")  # ndarray[bool]
    reveal_type(traces.scope.name)  # otlp_fast.columns.text.TextColumn
    reveal_type(traces.events.time_unix_nano)  # ndarray[uint64]
    reveal_type(traces.links.trace_id)  # ndarray[void]
    reveal_type(traces.filter(traces.status_code == 2))  # otlp_fast.columns.traces.Traces
    reveal_type(columns.Traces.concat([traces]))  # otlp_fast.columns.traces.Traces
    reveal_type(columns.Traces.from_arrow(traces.to_arrow()))  # otlp_fast.columns.traces.Traces
    reveal_type(traces.to_arrow())  # Any
    reveal_type(traces.to_bytes())  # bytes
    reveal_type(len(traces))  # int


def of_spans(traces: columns.Traces) -> None:
    span = traces[0]
    reveal_type(span)  # otlp_fast.columns.spans.Span
    reveal_type(traces[1:2])  # otlp_fast.columns.traces.Traces
    reveal_type([span.start_time for span in traces])  # list[int]
    reveal_type(span.name)  # str
    reveal_type(span.kind)  # otlp_fast.columns.spans.SpanKind
    reveal_type(span.status.status_code)  # otlp_fast.columns.spans.StatusCode
    reveal_type(span.context.trace_id)  # int
    reveal_type(span.parent)  # otlp_fast.columns.spans.SpanContext | None
    reveal_type(span.attributes)  # dict[str, Any]
    reveal_type(span.events[0].timestamp)  # int
    reveal_type(span.links[0].context)  # otlp_fast.columns.spans.SpanContext
    reveal_type(span.resource.attributes)  # dict[str, Any]
    reveal_type(span.instrumentation_scope.name)  # str


def of_logs(data: bytes) -> None:
    logs = otlp_fast.decode_logs(data)
    reveal_type(logs)  # otlp_fast.columns.logs.Logs
    reveal_type(logs.body)  # otlp_fast.columns.attributes.ValueColumn
    reveal_type(logs.severity_text)  # otlp_fast.columns.text.TextColumn
    reveal_type(logs[0])  # otlp_fast.columns.records.LogRecord
    reveal_type(logs[0].timestamp)  # int
    reveal_type(logs[0].trace_id)  # int
    reveal_type(logs[1:])  # otlp_fast.columns.logs.Logs


def of_metrics(data: bytes) -> None:
    metrics = otlp_fast.decode_metrics(data)
    reveal_type(metrics)  # otlp_fast.columns.metrics.Metrics
    reveal_type(metrics.value)  # ndarray[float64]
    reveal_type(metrics.metric.unit)  # otlp_fast.columns.text.TextColumn
    reveal_type(metrics.exemplars.double)  # ndarray[float64]
    reveal_type(metrics.histograms)  # otlp_fast.columns.metrics.Histograms
    reveal_type(metrics[0])  # otlp_fast.columns.data_points.DataPoint
    reveal_type(metrics[0].metric.kind)  # otlp_fast.columns.data_points.MetricKind


def of_figures(traces: columns.Traces) -> None:
    figures = columns.red(traces, by=["service.name"])
    reveal_type(figures)  # otlp_fast.columns.red.Red
    reveal_type(figures[0])  # otlp_fast.columns.red.Group
    reveal_type([group.errors for group in figures])  # list[int]
    reveal_type(figures["count"])  # ndarray[object_]
    reveal_type(figures.merge(figures))  # otlp_fast.columns.red.Red
    reveal_type(figures.quantile(0.99))  # ndarray[float64]
    reveal_type(figures.to_numpy())  # dict[str, ndarray[Any]]


def of_tables(traces: columns.Traces) -> None:
    reveal_type(columns.write_traces(traces.tables()))  # bytes
    reveal_type(columns.write_logs({}))  # bytes
    reveal_type(columns.write_metrics({}))  # bytes
    reveal_type(columns.write_points("up", [1], [1.0], kind="gauge"))  # otlp_fast._core.Buffer
    columns.write_points("up", [1], [1.0], kind="counter")  # type: ignore[arg-type]
