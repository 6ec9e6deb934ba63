"""A decoded request as an Arrow table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from otlp_fast.columns.arrow.arrays import (
    Mask,
    attribute_lists,
    id_array,
    list_array,
    number_array,
    struct_array,
    text_array,
    value_fields,
)
from otlp_fast.columns.arrow.copies import check_copies
from otlp_fast.columns.attributes import ABSENT
from otlp_fast.columns.groups import Resources, Scopes
from otlp_fast.columns.logs import Logs
from otlp_fast.columns.metrics import Metrics
from otlp_fast.columns.request import Request
from otlp_fast.columns.tables import U32, Table
from otlp_fast.columns.text import TextColumn
from otlp_fast.columns.traces import Traces
from otlp_fast.errors import EncodeError


def to_arrow(request: Request[Any]) -> pa.Table:
    """The table of a request, in the form that `otlp_fast.columns.arrow` describes.

    Raises:
        EncodeError: what encloses its items is too long to be copied to each of them.
    """
    check_copies(request)
    if isinstance(request, Traces):
        columns = span_columns(request)
    elif isinstance(request, Logs):
        columns = log_columns(request)
    else:
        assert isinstance(request, Metrics)
        columns = point_columns(request)
    return pa.table(enclosing_columns(request) | columns)


def plain(table: Table, *names: str) -> dict[str, pa.Array]:
    """Columns of numbers, ids and text, by their names."""

    def array_of(values: TextColumn | npt.NDArray[Any]) -> pa.Array:
        if isinstance(values, TextColumn):
            return text_array(values)
        return id_array(values) if values.dtype.kind == "V" else number_array(values)

    return {name: array_of(getattr(table, name)) for name in names}


def enclosing_columns(request: Request[Any]) -> dict[str, pa.Array]:
    """The resource and the scope of each item."""

    def structs(table: Resources | Scopes, *names: str) -> pa.Array:
        return struct_array({"attributes": attribute_lists(table.attributes)} | plain(table, *names))

    resources = structs(request.resources, "dropped_attributes_count", "schema_url")
    scopes = structs(request.scopes, "dropped_attributes_count", "schema_url", "name", "version")
    return {
        "resource": copied(resources, request.resource.rows),
        "scope": copied(scopes, request.scope.rows),
    }


def copied(values: pa.Array, rows: U32) -> pa.Array:
    """What encloses each item, for each of them."""
    try:
        return values.take(number_array(rows))
    except pa.ArrowInvalid as error:
        raise EncodeError(f"resources and scopes are too long for each item to have them, cut it: {error}") from None


def span_columns(traces: Traces) -> dict[str, pa.Array]:
    """The columns of spans."""
    events = plain(traces.events, "time_unix_nano", "name", "dropped_attributes_count")
    events["attributes"] = attribute_lists(traces.events.attributes)
    links = plain(traces.links, "trace_id", "span_id", "trace_state", "dropped_attributes_count", "flags")
    links["attributes"] = attribute_lists(traces.links.attributes)
    return {
        **plain(traces, "trace_id", "span_id", "parent_span_id", "trace_state", "name", "kind"),
        **plain(traces, "start_time_unix_nano", "end_time_unix_nano", "status_code", "status_message", "flags"),
        "attributes": attribute_lists(traces.attributes),
        "events": list_array(traces.events.offsets, struct_array(events)),
        "links": list_array(traces.links.offsets, struct_array(links)),
        **plain(traces, "dropped_attributes_count", "dropped_events_count", "dropped_links_count"),
    }


def log_columns(logs: Logs) -> dict[str, pa.Array]:
    """The columns of log records."""
    body = logs.body
    return {
        **plain(logs, "time_unix_nano", "observed_time_unix_nano", "severity_number", "severity_text", "event_name"),
        "body": struct_array(value_fields(body), body.types != ABSENT),
        **plain(logs, "trace_id", "span_id", "flags"),
        "attributes": attribute_lists(logs.attributes),
        **plain(logs, "dropped_attributes_count"),
    }


def point_columns(metrics: Metrics) -> dict[str, pa.Array]:
    """The columns of data points."""
    table = metrics.metrics
    metric = plain(table, "name", "description", "unit", "kind", "aggregation_temporality")
    metric["is_monotonic"] = pa.array(table.is_monotonic.astype(bool))
    metric["metadata"] = attribute_lists(table.metadata)
    rows = metrics.metric.rows
    return {
        **{name: copied(values, rows) for name, values in metric.items()},
        **plain(metrics, "start_time_unix_nano", "time_unix_nano", "flags"),
        **number_values(metrics),
        "attributes": attribute_lists(metrics.attributes),
        "exemplars": list_array(metrics.exemplars.offsets, exemplar_structs(metrics)),
        **histogram_columns(metrics),
    }


def number_values(table: Any) -> dict[str, pa.Array]:
    """The values of points or exemplars."""
    return {
        "double": number_array(table.double, table.value_type == 1),
        "int": number_array(table.int, table.value_type == 2),
    }


def exemplar_structs(metrics: Metrics) -> pa.Array:
    """The exemplars of all points."""
    exemplars = metrics.exemplars
    return struct_array(
        {
            **plain(exemplars, "time_unix_nano", "trace_id", "span_id"),
            **number_values(exemplars),
            "attributes": attribute_lists(exemplars.attributes),
        }
    )


def histogram_columns(metrics: Metrics) -> dict[str, pa.Array]:
    """The parts of histograms and summaries, null in the rows of other points."""
    plain_histograms, exponential, summaries = metrics.histograms, metrics.exponential_histograms, metrics.summaries
    count = len(metrics)

    def numbers(*parts: tuple[U32, npt.NDArray[Any], Mask | bool]) -> pa.Array:
        """Each part: rows, their values, and which of these are there."""
        values = np.zeros(count, dtype=parts[0][1].dtype)
        valid = np.zeros(count, dtype=bool)
        for rows, part, there in parts:
            values[rows] = part
            valid[rows] = there
        return number_array(values, valid)

    def lists(rows: U32, offsets: U32, elements: pa.Array) -> pa.Array:
        lengths = np.zeros(count + 1, dtype=np.uint32)
        lengths[1:][rows] = np.diff(offsets)
        valid = np.zeros(count, dtype=bool)
        valid[rows] = True
        return list_array(np.cumsum(lengths, dtype=np.uint32), elements, valid)

    def optional(name: str, bit: int) -> pa.Array:
        tables = (plain_histograms, exponential)
        parts = [(table.point, getattr(table, name), (table.presence & bit) != 0) for table in tables]
        if name == "sum":
            parts.append((summaries.point, summaries.sum, np.ones(len(summaries), dtype=bool)))
        return numbers(*parts)

    rows = exponential.point
    quantiles = struct_array(plain(metrics.quantiles, "quantile", "value"))
    return {
        "count": numbers(*((table.point, table.count, True) for table in (plain_histograms, exponential, summaries))),
        "sum": optional("sum", 1),
        "min": optional("min", 2),
        "max": optional("max", 4),
        "bucket_counts": lists(
            plain_histograms.point, plain_histograms.bucket_counts, number_array(metrics.bucket_counts)
        ),
        "explicit_bounds": lists(
            plain_histograms.point, plain_histograms.explicit_bounds, number_array(metrics.explicit_bounds)
        ),
        "scale": numbers((rows, exponential.scale, True)),
        "zero_count": numbers((rows, exponential.zero_count, True)),
        "zero_threshold": numbers((rows, exponential.zero_threshold, True)),
        "positive_offset": numbers((rows, exponential.positive_offset, True)),
        "positive": lists(rows, exponential.positive, number_array(metrics.positive)),
        "negative_offset": numbers((rows, exponential.negative_offset, True)),
        "negative": lists(rows, exponential.negative, number_array(metrics.negative)),
        "quantiles": lists(summaries.point, summaries.quantiles, quantiles),
    }
