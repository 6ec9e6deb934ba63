"""Logs as columns."""

from __future__ import annotations

from functools import cached_property

from otlp_fast.columns.attributes import ValueColumn
from otlp_fast.columns.records import LogRecord
from otlp_fast.columns.request import Request
from otlp_fast.columns.tables import I32, U32, U64, Ids, column
from otlp_fast.columns.text import TextColumn


class Logs(Request[LogRecord]):
    """The log records of a request, a row for each in every column.

    Times are nanoseconds since the Unix epoch, 0 where there is none. Ids are `V16` and `V8`, all zeros where there is
    none: compare them with `numpy.void(id)`, sort and group them with NumPy, get at one by `bytes(logs.trace_id[3])`.
    """

    _signal = "logs"
    _name = "log_records"
    _tables = (
        "resources",
        "resources.attributes",
        "scopes",
        "scopes.attributes",
        "log_records",
        "log_records.attributes",
    )

    time_unix_nano = column[U64]("When each happened, in ns since the Unix epoch.")
    observed_time_unix_nano = column[U64]("When each was collected, in ns since the Unix epoch.")
    severity_number = column[I32]("The severities, 1 to 24, 0 where there is none.")
    severity_text = column[TextColumn]("The severities as their sources name them.")
    flags = column[U32]("The W3C trace flags.")
    trace_id = column[Ids]("The trace that each belongs to: V16.")
    span_id = column[Ids]("The span that each belongs to: V8.")
    event_name = column[TextColumn]("The names of the events that they are.")
    dropped_attributes_count = column[U32]("How many attributes were dropped.")

    @cached_property
    def body(self) -> ValueColumn:
        """The bodies: values of any type."""
        parts = (self._make(f"body_{part}") for part in ("type", "text", "int", "double", "bytes"))
        return ValueColumn(*parts)

    def _scope_rows(self) -> U32:
        rows: U32 = self._make("scope")
        return rows

    def _item(self, index: int) -> LogRecord:
        return LogRecord(self, index)
