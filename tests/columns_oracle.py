"""The tables of docs/columns.md, made of protobuf's messages in the plainest way: what decoding is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otlp_fast.columns import BytesColumn, TextColumn

REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
VALUE_TYPES = {
    "string_value": 1,
    "bool_value": 2,
    "int_value": 3,
    "double_value": 4,
    "array_value": 5,
    "kvlist_value": 6,
    "bytes_value": 7,
}
DATA = {"gauge": 5, "sum": 7, "histogram": 9, "exponential_histogram": 10, "summary": 11}

Tables = dict[str, dict[str, list[Any]]]


def value_row(value: Any) -> dict[str, Any]:
    """A value as the columns that it has."""
    row = {"type": 0, "text": "", "int": 0, "double": 0.0, "bytes": b""}
    which = value.WhichOneof("value")
    if which is None or which not in VALUE_TYPES:
        return row
    content = getattr(value, which)
    row["type"] = VALUE_TYPES[which]
    if which in ("array_value", "kvlist_value"):
        row["bytes"] = content.SerializeToString()
    else:
        column = {"string_value": "text", "double_value": "double", "bytes_value": "bytes"}.get(which, "int")
        row[column] = content
    return row


class Oracle:
    """Tables under construction."""

    def __init__(self) -> None:
        self.tables: Tables = {}

    def table(self, name: str, *columns: str) -> None:
        self.tables[name] = {column: [] for column in columns}

    def count(self, name: str) -> int:
        return len(next(iter(self.tables[name].values())))

    def add(self, name: str, row: dict[str, Any]) -> None:
        table = self.tables[name]
        for column, value in row.items():
            table.setdefault(column, []).append(value)

    def offsets(self, name: str, column: str, elements: str) -> None:
        """Ends the elements of the last row of a table."""
        self.tables[name].setdefault(column, [0]).append(self.count(elements))

    def attributes(self, name: str, pairs: Iterable[Any], column: str = "attributes") -> None:
        for pair in pairs:
            self.add(f"{name}.{column}", {"key": pair.key} | value_row(pair.value))
        self.offsets(name, column, f"{name}.{column}")

    def attribute_table(self, name: str, column: str = "attributes") -> None:
        self.table(f"{name}.{column}", "key", "type", "text", "int", "double", "bytes")
        self.tables[name][column] = [0]


def fields_of(message: Any, *names: str) -> dict[str, Any]:
    """Fields of a message; ids in their full length."""

    def value_of(name: str) -> Any:
        value = getattr(message, name)
        if isinstance(value, bytes):
            return value or bytes(16 if name == "trace_id" else 8)
        return value

    return {name: value_of(name) for name in names}


def tables_of(data: bytes, signal: str) -> Tables:
    """All tables of a request."""
    request = REQUESTS[signal].FromString(data)
    oracle = Oracle()
    oracle.table("resources", "schema_url", "dropped_attributes_count")
    oracle.attribute_table("resources")
    oracle.table("scopes", "resource", "name", "version", "schema_url", "dropped_attributes_count")
    oracle.attribute_table("scopes")
    prefix, items, add_item = START[signal](oracle)
    for resource_group in getattr(request, f"resource_{prefix}"):
        resource = resource_group.resource
        oracle.add(
            "resources", fields_of(resource_group, "schema_url") | fields_of(resource, "dropped_attributes_count")
        )
        oracle.attributes("resources", resource.attributes)
        for scope_group in getattr(resource_group, f"scope_{prefix}"):
            scope = scope_group.scope
            row = {"resource": oracle.count("resources") - 1} | fields_of(scope_group, "schema_url")
            oracle.add("scopes", row | fields_of(scope, "name", "version", "dropped_attributes_count"))
            oracle.attributes("scopes", scope.attributes)
            for item in getattr(scope_group, items):
                add_item(item)
    return oracle.tables


def start_spans(oracle: Oracle) -> tuple[str, str, Callable[[Any], None]]:
    plain = ("trace_id", "span_id", "parent_span_id", "name", "kind", "start_time_unix_nano", "end_time_unix_nano")
    further = ("trace_state", "dropped_attributes_count", "dropped_events_count", "dropped_links_count")
    oracle.table("spans", "scope", *plain, "flags", "status_code", "status_message", *further)
    event_fields = ("time_unix_nano", "name", "dropped_attributes_count")
    link_fields = ("trace_id", "span_id", "trace_state", "dropped_attributes_count", "flags")
    oracle.table("events", *event_fields)
    oracle.table("links", *link_fields)
    oracle.tables["spans"] |= {"events": [0], "links": [0]}
    for table in ("spans", "events", "links"):
        oracle.attribute_table(table)

    def add(span: Any) -> None:
        row = {"scope": oracle.count("scopes") - 1} | fields_of(span, *plain, "flags", *further)
        oracle.add("spans", row | {"status_code": span.status.code, "status_message": span.status.message})
        oracle.attributes("spans", span.attributes)
        for event in span.events:
            oracle.add("events", fields_of(event, *event_fields))
            oracle.attributes("events", event.attributes)
        oracle.offsets("spans", "events", "events")
        for link in span.links:
            oracle.add("links", fields_of(link, *link_fields))
            oracle.attributes("links", link.attributes)
        oracle.offsets("spans", "links", "links")

    return "spans", "spans", add


def start_log_records(oracle: Oracle) -> tuple[str, str, Callable[[Any], None]]:
    plain = ("time_unix_nano", "observed_time_unix_nano", "severity_number", "severity_text", "flags", "trace_id")
    plain += ("span_id", "event_name", "dropped_attributes_count")
    body = ("body_type", "body_text", "body_int", "body_double", "body_bytes")
    oracle.table("log_records", "scope", *plain, *body)
    oracle.attribute_table("log_records")

    def add(record: Any) -> None:
        row = {"scope": oracle.count("scopes") - 1} | fields_of(record, *plain)
        values = value_row(record.body)
        if not record.HasField("body"):
            values["type"] = 255
        oracle.add("log_records", row | {f"body_{name}": value for name, value in values.items()})
        oracle.attributes("log_records", record.attributes)

    return "logs", "log_records", add


def start_metrics(oracle: Oracle) -> tuple[str, str, Callable[[Any], None]]:
    oracle.table("metrics", "scope", "name", "description", "unit", "kind", "aggregation_temporality", "is_monotonic")
    oracle.attribute_table("metrics", "metadata")
    oracle.table("points", "metric", "start_time_unix_nano", "time_unix_nano", "flags", "value_type", "double", "int")
    oracle.table("exemplars", "time_unix_nano", "value_type", "double", "int", "trace_id", "span_id")
    oracle.tables["points"]["exemplars"] = [0]
    for table in ("points", "exemplars"):
        oracle.attribute_table(table)
    shared = ("point", "count", "presence", "sum", "min", "max")
    oracle.table("histograms", *shared)
    oracle.tables["histograms"] |= {"bucket_counts": [0], "explicit_bounds": [0]}
    oracle.table("bucket_counts", "count")
    oracle.table("explicit_bounds", "bound")
    exponential = ("scale", "zero_count", "zero_threshold")
    oracle.table("exponential_histograms", *shared, *exponential, "positive_offset", "negative_offset")
    oracle.tables["exponential_histograms"] |= {"positive": [0], "negative": [0]}
    oracle.table("positive", "count")
    oracle.table("negative", "count")
    oracle.table("summaries", "point", "count", "sum")
    oracle.tables["summaries"]["quantiles"] = [0]
    oracle.table("quantiles", "quantile", "value")

    def number(message: Any) -> dict[str, Any]:
        which = message.WhichOneof("value")
        return {
            "value_type": {None: 0, "as_double": 1, "as_int": 2}[which],
            "double": message.as_double if which == "as_double" else 0.0,
            "int": message.as_int if which == "as_int" else 0,
        }

    def summed(point: Any) -> dict[str, Any]:
        there = [point.HasField(name) for name in ("sum", "min", "max")]
        row = {"point": oracle.count("points") - 1, "count": point.count, "sum": point.sum}
        return row | {"min": point.min, "max": point.max, "presence": sum(bit << at for at, bit in enumerate(there))}

    def elements(table: str, name: str, column: str, values: Iterable[Any]) -> None:
        for value in values:
            oracle.add(name, {column: value})
        oracle.offsets(table, name, name)

    def add_details(point: Any, kind: str) -> None:
        if kind == "histogram":
            oracle.add("histograms", summed(point))
            elements("histograms", "bucket_counts", "count", point.bucket_counts)
            elements("histograms", "explicit_bounds", "bound", point.explicit_bounds)
        elif kind == "exponential_histogram":
            offsets = {"positive_offset": point.positive.offset, "negative_offset": point.negative.offset}
            oracle.add("exponential_histograms", summed(point) | fields_of(point, *exponential) | offsets)
            elements("exponential_histograms", "positive", "count", point.positive.bucket_counts)
            elements("exponential_histograms", "negative", "count", point.negative.bucket_counts)
        elif kind == "summary":
            oracle.add("summaries", {"point": oracle.count("points") - 1} | fields_of(point, "count", "sum"))
            for pair in point.quantile_values:
                oracle.add("quantiles", fields_of(pair, "quantile", "value"))
            oracle.offsets("summaries", "quantiles", "quantiles")

    def add(metric: Any) -> None:
        kind = metric.WhichOneof("data")
        data = getattr(metric, kind) if kind else None
        oracle.add(
            "metrics",
            {"scope": oracle.count("scopes") - 1, "kind": DATA.get(kind, 0)}
            | fields_of(metric, "name", "description", "unit")
            | {
                "aggregation_temporality": getattr(data, "aggregation_temporality", 0),
                "is_monotonic": int(getattr(data, "is_monotonic", False)),
            },
        )
        oracle.attributes("metrics", metric.metadata, "metadata")
        for point in data.data_points if data is not None else ():
            is_number = kind in ("gauge", "sum")
            value = number(point) if is_number else {"value_type": 0, "double": 0.0, "int": 0}
            row = {"metric": oracle.count("metrics") - 1} | value
            oracle.add("points", row | fields_of(point, "start_time_unix_nano", "time_unix_nano", "flags"))
            oracle.attributes("points", point.attributes)
            for exemplar in getattr(point, "exemplars", ()):
                row = number(exemplar) | fields_of(exemplar, "time_unix_nano", "trace_id", "span_id")
                oracle.add("exemplars", row)
                oracle.attributes("exemplars", exemplar.filtered_attributes)
            oracle.offsets("points", "exemplars", "exemplars")
            add_details(point, kind)

    return "metrics", "metrics", add


START = {"traces": start_spans, "logs": start_log_records, "metrics": start_metrics}


def plain_column(column: Any) -> list[Any]:
    """A decoded column as plain values; doubles by their bits, so that NaN is equal to itself."""
    if isinstance(column, TextColumn | BytesColumn):
        return list(column)
    return column.view(np.uint64).tolist() if column.dtype == np.float64 else column.tolist()


def plain_tables(tables: Any) -> Tables:
    """Decoded tables as plain values."""
    return {
        table: {name: plain_column(column) for name, column in columns.items()} for table, columns in tables.items()
    }


def expected_tables(data: bytes, signal: str) -> Tables:
    """What decoding gives, as `plain_tables` shows it."""

    def plain(values: list[Any]) -> list[Any]:
        return np.array(values).view(np.uint64).tolist() if values and isinstance(values[0], float) else values

    tables = tables_of(data, signal)
    return {table: {name: plain(values) for name, values in columns.items()} for table, columns in tables.items()}
