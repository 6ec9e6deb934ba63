"""Ids: random when they are new, and known when they come again.

A span is exported before its parent, so a parent's id is first seen as a *parent id*; when its own span comes, the id
is a reference to that. Each mention of a span enters a ring; a reference says how many mentions back.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from otlp_fast.reference.tracezip.coder import NEW_BIT, Coder
from otlp_fast.reference.tracezip.models import Magnitudes

NO_SPAN = bytes(8)
NO_TRACE = bytes(16)


class Mention(NamedTuple):
    """A mention of a span."""

    span_id: bytes = NO_SPAN
    trace_id: bytes = NO_TRACE
    start: int = 0
    """Of the span, or of the child that mentioned it, in ns."""
    end: int = 0
    is_entered: bool = False
    """Whether it is one: what a damaged frame refers to may be none, and then has no times."""


class Use(IntEnum):
    """Which id is looked for, as each is known differently often."""

    SPAN = 0
    PARENT_OF_KNOWN = 1
    """The parent's, of a span that was mentioned."""
    PARENT_OF_NEW = 2
    PREDICTED_TRACE = 3
    """The trace, where a mention says which it should be."""
    TRACE = 4
    OTHER_TRACE = 5
    NAMED = 6
    """A span that something else names: a link, a log record, an exemplar."""


class Ids:
    """The mentions of the stream."""

    def __init__(self, capacity: int) -> None:
        """Remember so many mentions."""
        self._capacity = capacity
        self._ring: list[Mention] = []
        self._mentions = 0
        self._spans: dict[bytes, int] = {}
        """Where in the ring a span was mentioned last."""
        self._traces: dict[bytes, int] = {}
        self._is_known = [NEW_BIT] * len(Use)
        self._distances = Magnitudes(len(Use))
        self._last_trace = NO_TRACE

    def copy(self) -> Ids:
        """Copy them, for a frame that may be rolled back."""
        ids = Ids.__new__(Ids)
        ids.__dict__.update(self.__dict__)
        ids._ring = self._ring[:]
        ids._spans = self._spans.copy()
        ids._traces = self._traces.copy()
        ids._is_known = self._is_known[:]
        ids._distances = self._distances.copy()
        return ids

    def enter(self, mention: Mention) -> None:
        """Take in a mention, in the place of the oldest one where the ring is full."""
        place = self._mentions % self._capacity
        if place < len(self._ring):
            old = self._ring[place]
            if self._spans.get(old.span_id) == place:
                del self._spans[old.span_id]
            if self._traces.get(old.trace_id) == place:
                del self._traces[old.trace_id]
            self._ring[place] = mention
        else:
            self._ring.append(mention)
        self._spans[mention.span_id] = place
        self._traces[mention.trace_id] = place
        self._mentions += 1

    def span(self, coder: Coder, use: Use, value: bytes) -> tuple[bytes, Mention | None]:
        """Code a span id, and give its last mention if there was one."""
        place = self._spans.get(value) if coder.is_writing else None
        distance = self._reference(coder, use, None if place is None else self._distance(place))
        if distance is None:
            return coder.plain(8, value), None
        mention = self._mention(distance)
        return mention.span_id, mention

    def trace(self, coder: Coder, predicted: bytes | None, value: bytes) -> bytes:
        """Code a trace id; `predicted` where a mention says which it should be."""
        use, guess = (Use.TRACE, self._last_trace) if predicted is None else (Use.PREDICTED_TRACE, predicted)
        if coder.bit(self._is_known, use, value == guess):
            self._last_trace = guess
            return guess
        place = self._traces.get(value) if coder.is_writing else None
        distance = self._reference(coder, Use.OTHER_TRACE, None if place is None else self._distance(place))
        self._last_trace = coder.plain(16, value) if distance is None else self._mention(distance).trace_id
        return self._last_trace

    def _reference(self, coder: Coder, use: Use, distance: int | None) -> int | None:
        if not coder.bit(self._is_known, use, distance is not None):
            return None
        return self._distances.number_by(coder, use, distance or 0)

    def _distance(self, place: int) -> int:
        """Give how many mentions back a place of the ring is: 1 for the latest."""
        return (self._mentions - 1 - place) % self._capacity + 1

    def _mention(self, distance: int) -> Mention:
        """Give the mention so far back; an empty one where that is none."""
        if not 0 < distance <= min(self._mentions, self._capacity):
            return Mention()
        return self._ring[(self._mentions - distance) % self._capacity]
