"""Columns as requests: the batch writer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from otlp_fast import _core
from otlp_fast.columns.tables import array_of
from otlp_fast.columns.text import BytesColumn, TextColumn

Tables = Mapping[str, Mapping[str, Any]]
"""Tables by their names, columns by theirs, as docs/columns.md has them."""


def write_traces(table: Any) -> bytes:
    """Write an `ExportTraceServiceRequest` of columns.

    Args:
        table: either tables as docs/columns.md lists them, a dict of dicts: `{"spans": {"name": [...], ...}, ...}`, where columns are
            NumPy arrays or sequences of such numbers, text columns `TextColumn` or sequences of str, ids arrays of `V16` and `V8`
            or sequences of bytes. Only `spans` must be there; columns that are missing are absent in every row.
            Or an Arrow table in the form of `otlp_fast.columns.arrow`: anything with `__arrow_c_stream__`.

    Raises:
        EncodeError: tables that do not fit together, or that have a column of another type; `.path` says where.
        TypeError: a column is nothing that an array can be made of.
    """
    return write(table, "traces")


def write_logs(table: Any) -> bytes:
    """Write an `ExportLogsServiceRequest` of columns. Arguments and errors are those of `write_traces`; the items are `log_records`."""
    return write(table, "logs")


def write_metrics(table: Any) -> bytes:
    """Write an `ExportMetricsServiceRequest` of columns. Arguments and errors are those of `write_traces`; items are `points`."""
    return write(table, "metrics")


def write(table: Any, signal: str) -> bytes:
    """Write a request of tables, or of an Arrow table."""
    if isinstance(table, Mapping):
        return write_tables(signal, table)
    from otlp_fast.columns.arrow import to_request

    return to_request(table, signal)


def write_tables(signal: str, tables: Tables) -> bytes:
    """Write a request of tables."""
    native = {
        table: {column: native_column(values) for column, values in columns.items()}
        for table, columns in tables.items()
    }
    return _core.write_tables(signal, native)


DTYPES = {
    "u8": np.dtype(np.uint8),
    "i32": np.dtype(np.int32),
    "u32": np.dtype(np.uint32),
    "i64": np.dtype(np.int64),
    "u64": np.dtype(np.uint64),
    "f64": np.dtype(np.float64),
    "id8": np.dtype("V8"),
    "id16": np.dtype("V16"),
    "offsets": np.dtype(np.uint32),
}
