"""Traces as columns."""

from __future__ import annotations

from functools import cached_property

from otlp_fast.columns.groups import WithAttributes
from otlp_fast.columns.request import Request
from otlp_fast.columns.spans import Span
from otlp_fast.columns.tables import I32, U32, U64, Ids, column
from otlp_fast.columns.text import TextColumn


class Events(WithAttributes):
    """The events of all spans, one behind the other: a row for each.

    Attributes:
        offsets: uint32, shape (spans + 1,): span `i` has the events `offsets[i]` to `offsets[i + 1]`.
    """

    _name = "events"
    offsets: U32
    time_unix_nano = column[U64]("When each happened, in ns since the Unix epoch.")
    name = column[TextColumn]("The names.")
    dropped_attributes_count = column[U32]("How many attributes were dropped.")


class Links(WithAttributes):
    """The links of all spans, one behind the other: a row for each.

    Attributes:
        offsets: uint32, shape (spans + 1,): span `i` has the links `offsets[i]` to `offsets[i + 1]`.
    """

    _name = "links"
    offsets: U32
    trace_id = column[Ids]("The trace of the span that each refers to: V16.")
    span_id = column[Ids]("The span that each refers to: V8.")
    trace_state = column[TextColumn]("Its trace state, in the form of the W3C header.")
    dropped_attributes_count = column[U32]("How many attributes were dropped.")
    flags = column[U32](
        "The W3C trace flags, 0x100 where it is known whether the span is remote, and 0x200 where it is."
    )


class Traces(Request[Span]):
    """The spans of a request, a row for each in every column.

    Times are nanoseconds since the Unix epoch, 0 where there is none. Ids are `V16` and `V8`, all zeros where there is
    none: compare them with `numpy.void(id)`, sort and group them with NumPy, get at one by `bytes(traces.trace_id[3])`.
    """

    _signal = "traces"
    _name = "spans"
    _tables = (
        "resources",
        "resources.attributes",
        "scopes",
        "scopes.attributes",
        "spans",
        "spans.attributes",
        "events",
        "events.attributes",
        "links",
        "links.attributes",
    )

    trace_id = column[Ids]("The trace of each span: V16.")
    span_id = column[Ids]("The id of each span: V8.")
    parent_span_id = column[Ids]("The id of each span's parent, all zeros for a root: V8.")
    name = column[TextColumn]("The names.")
    kind = column[I32]("The kinds, by the numbers of `SpanKind`.")
    start_time_unix_nano = column[U64]("When each began, in ns since the Unix epoch.")
    end_time_unix_nano = column[U64]("When each ended, in ns since the Unix epoch.")
    status_code = column[I32]("The status codes: 0 unset, 1 ok, 2 error.")
    status_message = column[TextColumn]("What the status says.")
    flags = column[U32](
        "The W3C trace flags, 0x100 where it is known whether the parent is remote, and 0x200 where it is."
    )
    trace_state = column[TextColumn]("The trace states, in the form of the W3C header.")
    dropped_attributes_count = column[U32]("How many attributes were dropped.")
    dropped_events_count = column[U32]("How many events were dropped.")
    dropped_links_count = column[U32]("How many links were dropped.")

    @cached_property
    def events(self) -> Events:
        """The events of all spans."""
        events = Events(self._columns)
        events.offsets = self._make("events")
        return events

    @cached_property
    def links(self) -> Links:
        """The links of all spans."""
        links = Links(self._columns)
        links.offsets = self._make("links")
        return links

    def _scope_rows(self) -> U32:
        rows: U32 = self._make("scope")
        return rows

    def _item(self, index: int) -> Span:
        return Span(self, index)
