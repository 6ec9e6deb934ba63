"""Log records one by one, with the names of `opentelemetry.sdk._logs.LogRecord`."""

from __future__ import annotations

from typing import Any

from otlp_fast.columns.items import Attributes, Item, attributes_of, field, id_of


class LogRecord(Item):
    """One log record of a request."""

    __slots__ = ()
    _table = "log_records"

    timestamp = field("time_unix_nano", 0, "When it happened, in ns since the Unix epoch; 0 where that is not known.")
    observed_timestamp = field("observed_time_unix_nano", 0, "When it was collected, in ns since the Unix epoch, or 0.")
    severity_number = field("severity_number", 0, "The severity, 1 to 24; 0 where there is none.")
    severity_text = field("severity_text", "", "The severity as its source names it.")
    event_name = field("event_name", "", 'The name of the event that it is, "" for none.')
    dropped_attributes = field("dropped_attributes_count", 0, "How many attributes were dropped.")
    body = field[Any]("body", None, "The body: str, bool, int, float, bytes, list, dict or None.")

    @property
    def trace_id(self) -> int:
        """The trace that it belongs to; 0 for none."""
        return id_of(self._fields.get("trace_id"))

    @property
    def span_id(self) -> int:
        """The span that it belongs to; 0 for none."""
        return id_of(self._fields.get("span_id"))

    @property
    def trace_flags(self) -> int:
        """The W3C trace flags."""
        flags: int = self._fields.get("flags", 0)
        return flags & 0xFF

    @property
    def attributes(self) -> Attributes:
        """The attributes."""
        return attributes_of(self._fields)

    def __repr__(self) -> str:
        """The log record in short."""
        return f"<LogRecord {self.severity_text or self.severity_number} {self.body!r}>"
