"""An Arrow table as a request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from otlp_fast.columns.arrow.distinct import distinct, take, take_lists
from otlp_fast.columns.arrow.values import Fields, attribute_columns, body_columns, contents
from otlp_fast.columns.data_points import MetricKind
from otlp_fast.columns.tables import U8, U32
from otlp_fast.columns.text import BytesColumn
from otlp_fast.columns.writing import write_tables
from otlp_fast.errors import EncodeError

_HISTOGRAMS = (MetricKind.HISTOGRAM, MetricKind.EXPONENTIAL_HISTOGRAM)
PARTS_OF_KINDS = {
    **dict.fromkeys(("count", "sum"), (*_HISTOGRAMS, MetricKind.SUMMARY)),
    **dict.fromkeys(("min", "max"), _HISTOGRAMS),
    **dict.fromkeys(("bucket_counts", "explicit_bounds"), (MetricKind.HISTOGRAM,)),
    **dict.fromkeys(("scale", "zero_count", "zero_threshold"), (MetricKind.EXPONENTIAL_HISTOGRAM,)),
    **dict.fromkeys(("positive_offset", "positive"), (MetricKind.EXPONENTIAL_HISTOGRAM,)),
    **dict.fromkeys(("negative_offset", "negative"), (MetricKind.EXPONENTIAL_HISTOGRAM,)),
    "quantiles": (MetricKind.SUMMARY,),
}
"""The kinds of metrics whose points have each of these columns."""

Tables = dict[str, dict[str, Any]]


def to_request(table: Any, signal: str) -> bytes:
    """The request of a table in the form that `otlp_fast.columns.arrow` describes.

    Args:
        table: a pyarrow Table, or anything else with `__arrow_c_stream__` or `__arrow_c_array__`.
        signal: "traces", "logs" or "metrics".

    Raises:
        EncodeError: a column has another type, does not fit the others, or is unknown; `.path` says which.
        TypeError: `table` is nothing of Arrow's.
    """
    source = table if isinstance(table, pa.Table) else pa.table(table)
    names = source.column_names
    if len(set(names)) < len(names):
        raise EncodeError("two columns of the table have the same name")
    arrays = dict(zip(names, (one_array(column) for column in source.columns), strict=True))
    fields = Fields(arrays, source.num_rows)
    tables: Tables = {}
    scopes = read_groups(fields, tables)
    {"traces": read_spans, "logs": read_log_records, "metrics": read_points}[signal](fields, scopes, tables)
    fields.finish()
    for columns in tables.values():
        for name, values in columns.items():
            if isinstance(values, pa.Array):
                columns[name] = BytesColumn(*contents(values))
    return write_tables(signal, tables)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        # Strings of more than 2 GiB stay in pieces, and no request could hold them.
        raise EncodeError("no request is as long as this table: it must be cut first")
    return array


def read_groups(fields: Fields, tables: Tables) -> U32:
    """The resources and scopes; gives the scope of each row."""

    def group(name: str, own: Fields, columns: dict[str, Any]) -> U32:
        columns["schema_url"] = own["schema_url"].text()
        columns["dropped_attributes_count"] = own["dropped_attributes_count"].numbers(np.uint32)
        offsets, attributes = attribute_columns(own["attributes"])
        own.finish()
        groups, firsts = distinct(list(columns.values()), offsets, attributes)
        tables[name] = {column: take(values, firsts) for column, values in columns.items()}
        tables[name]["attributes"], tables[f"{name}.attributes"] = take_lists(offsets, attributes, firsts)
        return groups

    resources = group("resources", fields["resource"].fields(), {})
    scope = fields["scope"].fields()
    named = {"resource": resources, "name": scope["name"].text(), "version": scope["version"].text()}
    return group("scopes", scope, named)


def read_spans(fields: Fields, scopes: U32, tables: Tables) -> None:
    """The tables of spans."""
    spans: dict[str, Any] = {"scope": scopes, "trace_id": fields["trace_id"].ids(16)}
    for name in ("span_id", "parent_span_id"):
        spans[name] = fields[name].ids(8)
    for name in ("name", "trace_state", "status_message"):
        spans[name] = fields[name].text()
    for name in ("kind", "status_code"):
        spans[name] = fields[name].numbers(np.int32)
    for name in ("start_time_unix_nano", "end_time_unix_nano"):
        spans[name] = fields[name].numbers(np.uint64)
    for name in ("flags", "dropped_attributes_count", "dropped_events_count", "dropped_links_count"):
        spans[name] = fields[name].numbers(np.uint32)
    spans["attributes"], tables["spans.attributes"] = attribute_columns(fields["attributes"])

    spans["events"], elements = fields["events"].lists()
    own = elements.fields()
    events: dict[str, Any] = {
        "time_unix_nano": own["time_unix_nano"].numbers(np.uint64),
        "name": own["name"].text(),
        "dropped_attributes_count": own["dropped_attributes_count"].numbers(np.uint32),
    }
    events["attributes"], tables["events.attributes"] = attribute_columns(own["attributes"])
    own.finish()

    spans["links"], elements = fields["links"].lists()
    own = elements.fields()
    links: dict[str, Any] = {
        "trace_id": own["trace_id"].ids(16),
        "span_id": own["span_id"].ids(8),
        "trace_state": own["trace_state"].text(),
        "dropped_attributes_count": own["dropped_attributes_count"].numbers(np.uint32),
        "flags": own["flags"].numbers(np.uint32),
    }
    links["attributes"], tables["links.attributes"] = attribute_columns(own["attributes"])
    own.finish()
    tables |= {"spans": spans, "events": events, "links": links}


def read_log_records(fields: Fields, scopes: U32, tables: Tables) -> None:
    """The tables of log records."""
    records: dict[str, Any] = {"scope": scopes, "severity_number": fields["severity_number"].numbers(np.int32)}
    for name in ("time_unix_nano", "observed_time_unix_nano"):
        records[name] = fields[name].numbers(np.uint64)
    for name in ("severity_text", "event_name"):
        records[name] = fields[name].text()
    for name in ("flags", "dropped_attributes_count"):
        records[name] = fields[name].numbers(np.uint32)
    records |= {"trace_id": fields["trace_id"].ids(16), "span_id": fields["span_id"].ids(8)}
    records |= body_columns(fields["body"])
    records["attributes"], tables["log_records.attributes"] = attribute_columns(fields["attributes"])
    tables["log_records"] = records


def read_points(fields: Fields, scopes: U32, tables: Tables) -> None:
    """The tables of metrics and data points."""
    metrics: dict[str, Any] = {"scope": scopes}
    for name in ("name", "description", "unit"):
        metrics[name] = fields[name].text()
    kinds = metrics["kind"] = fields["kind"].numbers(np.uint8)
    metrics["aggregation_temporality"] = fields["aggregation_temporality"].numbers(np.int32)
    metrics["is_monotonic"] = fields["is_monotonic"].truths()
    offsets, metadata = attribute_columns(fields["metadata"])
    groups, firsts = distinct(list(metrics.values()), offsets, metadata)
    tables["metrics"] = {name: take(column, firsts) for name, column in metrics.items()}
    tables["metrics"]["metadata"], tables["metrics.metadata"] = take_lists(offsets, metadata, firsts)

    points: dict[str, Any] = {"metric": groups, "flags": fields["flags"].numbers(np.uint32)}
    for name in ("start_time_unix_nano", "time_unix_nano"):
        points[name] = fields[name].numbers(np.uint64)
    points |= number_columns(fields)
    points["attributes"], tables["points.attributes"] = attribute_columns(fields["attributes"])
    points["exemplars"], elements = fields["exemplars"].lists()
    own = elements.fields()
    exemplars: dict[str, Any] = {"time_unix_nano": own["time_unix_nano"].numbers(np.uint64), **number_columns(own)}
    exemplars |= {"trace_id": own["trace_id"].ids(16), "span_id": own["span_id"].ids(8)}
    exemplars["attributes"], tables["exemplars.attributes"] = attribute_columns(own["attributes"])
    own.finish()
    tables |= {"points": points, "exemplars": exemplars}
    read_histograms(fields, kinds, tables)


def number_columns(fields: Fields) -> dict[str, Any]:
    """The values of points or exemplars."""
    double, integer = fields["double"], fields["int"]
    both = double.valid & integer.valid
    if both.any():
        path = f"{integer.path}[{int(np.argmax(both))}]"
        raise EncodeError(f"{path}: there is a double as well, and a value is one of them", path=path)
    return {
        "value_type": np.where(double.valid, 1, np.where(integer.valid, 2, 0)).astype(np.uint8),
        "double": double.numbers(np.float64),
        "int": integer.numbers(np.int64),
    }


def read_histograms(fields: Fields, kinds: U8, tables: Tables) -> None:
    """What histograms and summaries have besides a point."""
    for name, owners in PARTS_OF_KINDS.items():
        lost = fields[name].has_content & ~np.isin(kinds, owners)
        if lost.any():
            row = int(np.argmax(lost))
            raise EncodeError(
                f"{name}[{row}]: a point of a metric of kind {kinds[row]} has none", path=f"{name}[{row}]"
            )
    counts, sums = fields["count"].numbers(np.uint64), fields["sum"].numbers(np.float64)
    least, greatest = fields["min"].numbers(np.float64), fields["max"].numbers(np.float64)
    presence = fields["sum"].valid | fields["min"].valid * np.uint8(2) | fields["max"].valid * np.uint8(4)

    def rows_of(kind: MetricKind) -> dict[str, Any]:
        rows = np.flatnonzero(kinds == kind)
        return {"point": rows.astype(np.uint32), "count": counts[rows], "sum": sums[rows]}

    def add_extremes(table: dict[str, Any]) -> None:
        rows = table["point"]
        table |= {"presence": presence[rows].astype(np.uint8), "min": least[rows], "max": greatest[rows]}

    def add_lists(table: dict[str, Any], name: str, column: str, dtype: type[np.generic]) -> None:
        offsets, elements = fields[name].lists()
        table[name], tables[name] = take_lists(offsets, {column: elements.numbers(dtype)}, table["point"])

    histograms = tables["histograms"] = rows_of(MetricKind.HISTOGRAM)
    add_extremes(histograms)
    add_lists(histograms, "bucket_counts", "count", np.uint64)
    add_lists(histograms, "explicit_bounds", "bound", np.float64)

    exponential = tables["exponential_histograms"] = rows_of(MetricKind.EXPONENTIAL_HISTOGRAM)
    add_extremes(exponential)
    for name in ("scale", "positive_offset", "negative_offset"):
        exponential[name] = fields[name].numbers(np.int32)[exponential["point"]]
    exponential["zero_count"] = fields["zero_count"].numbers(np.uint64)[exponential["point"]]
    exponential["zero_threshold"] = fields["zero_threshold"].numbers(np.float64)[exponential["point"]]
    for name in ("positive", "negative"):
        add_lists(exponential, name, "count", np.uint64)

    summaries = tables["summaries"] = rows_of(MetricKind.SUMMARY)
    offsets, elements = fields["quantiles"].lists()
    own = elements.fields()
    quantiles = {name: own[name].numbers(np.float64) for name in ("quantile", "value")}
    own.finish()
    summaries["quantiles"], tables["quantiles"] = take_lists(offsets, quantiles, summaries["point"])
