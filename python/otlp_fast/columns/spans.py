"""Spans one by one, with the names of `opentelemetry.sdk.trace.ReadableSpan`."""

from __future__ import annotations

from typing import NamedTuple

from otlp_fast.columns.items import Attributes, Item, OpenEnum, attributes_of, field, id_of


class SpanKind(OpenEnum):
    """`Span.SpanKind`, with OTLP's numbers, which are one more than the SDK's."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(OpenEnum):
    """`Status.StatusCode`."""

    UNSET = 0
    OK = 1
    ERROR = 2


class SpanContext(NamedTuple):
    """The ids of a span. `trace_state` is in the form of the W3C header."""

    trace_id: int
    span_id: int
    is_remote: bool
    trace_flags: int
    trace_state: str


class Status(NamedTuple):
    """What became of a span."""

    status_code: StatusCode
    description: str


class Event(NamedTuple):
    """Something that happened during a span, at `timestamp` in ns since the Unix epoch."""

    name: str
    timestamp: int
    attributes: Attributes
    dropped_attributes: int


class Link(NamedTuple):
    """A span that a span refers to."""

    context: SpanContext
    attributes: Attributes
    dropped_attributes: int


# Bits of `flags`: those of the W3C trace flags, and one that is set where the parent or linked span is remote.
W3C_FLAGS = 0xFF
IS_REMOTE = 0x200


class Span(Item):
    """One span of a request."""

    __slots__ = ()
    _table = "spans"

    name = field("name", "", "The name.")
    start_time = field(
        "start_time_unix_nano", 0, "When it began, in ns since the Unix epoch; 0 where that is not known."
    )
    end_time = field("end_time_unix_nano", 0, "When it ended, in ns since the Unix epoch; 0 where that is not known.")
    dropped_attributes = field("dropped_attributes_count", 0, "How many attributes were dropped.")
    dropped_events = field("dropped_events_count", 0, "How many events were dropped.")
    dropped_links = field("dropped_links_count", 0, "How many links were dropped.")

    @property
    def context(self) -> SpanContext:
        """The ids. Of a span itself OTLP says only of its parent whether it is remote."""
        fields = self._fields
        trace_flags = fields.get("flags", 0) & W3C_FLAGS
        ids = (id_of(fields.get("trace_id")), id_of(fields.get("span_id")))
        return SpanContext(*ids, False, trace_flags, fields.get("trace_state", ""))

    @property
    def parent(self) -> SpanContext | None:
        """The ids of the parent; None for a root."""
        fields = self._fields
        span_id = id_of(fields.get("parent_span_id"))
        if span_id == 0:
            return None
        return SpanContext(id_of(fields.get("trace_id")), span_id, bool(fields.get("flags", 0) & IS_REMOTE), 0, "")

    @property
    def kind(self) -> SpanKind:
        """The kind."""
        return SpanKind(self._fields.get("kind", 0))

    @property
    def status(self) -> Status:
        """What became of it."""
        status = self._fields.get("status", {})
        return Status(StatusCode(status.get("code", 0)), status.get("message", ""))

    @property
    def attributes(self) -> Attributes:
        """The attributes."""
        return attributes_of(self._fields)

    @property
    def events(self) -> list[Event]:
        """The events."""
        return [
            Event(
                event.get("name", ""),
                event.get("time_unix_nano", 0),
                attributes_of(event),
                event.get("dropped_attributes_count", 0),
            )
            for event in self._fields.get("events", ())
        ]

    @property
    def links(self) -> list[Link]:
        """The links."""
        return [
            Link(
                SpanContext(
                    id_of(link.get("trace_id")),
                    id_of(link.get("span_id")),
                    bool(link.get("flags", 0) & IS_REMOTE),
                    link.get("flags", 0) & W3C_FLAGS,
                    link.get("trace_state", ""),
                ),
                attributes_of(link),
                link.get("dropped_attributes_count", 0),
            )
            for link in self._fields.get("links", ())
        ]

    def __repr__(self) -> str:
        """The span in short."""
        context = self.context
        return f"<Span {self.name!r} trace_id={context.trace_id:032x} span_id={context.span_id:016x}>"
