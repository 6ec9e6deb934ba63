"""Requests to columns."""

from __future__ import annotations

from typing import NamedTuple

from otlp_fast.errors import CompressionError
from otlp_fast.reference.tracezip import values
from otlp_fast.reference.tracezip.canonical import NotCanonicalError
from otlp_fast.reference.tracezip.codec import Codec
from otlp_fast.reference.tracezip.coder import Writing
from otlp_fast.reference.tracezip.plan import REQUESTS, Clock, Hole, Kind, Plan
from otlp_fast.reference.tracezip.shape import Run, read_shape
from otlp_fast.reference.tracezip.shapes import NOTHING, Behind, Entry
from otlp_fast.reference.tracezip.skeleton import Value, take_apart
from otlp_fast.reference.tracezip.values import HeadValues, Surroundings


class Encoded(NamedTuple):
    """A request, taken to columns."""

    decisions: bytes
    bits: bytes
    plain_bytes: bytes
    text: bytes
    items: int

    def plain_len(self) -> int:
        """Give how many bytes the columns have together."""
        return len(self.decisions) + len(self.bits) + len(self.plain_bytes) + len(self.text)


def encode(codec: Codec, request: bytes) -> Encoded | None:
    """Give the columns of a request; None where it would not come back as the same bytes: the codec is spoilt then."""
    encoding = _Encoding(codec)
    try:
        encoding.node(request, REQUESTS[codec.signal], None, NOTHING, Surroundings())
    except NotCanonicalError:
        return None
    return Encoded(*encoding.coder.finish(), encoding.items)


class _Encoding:
    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.coder = Writing()
        self.items = 0
        self._kind_of_items = Kind.POINT if codec.signal == "metrics" else Kind.ITEM

    def node(self, message: bytes, plan: Plan, parent: int | None, behind: Behind, around: Surroundings) -> int:
        """Write a node, and give the place of its shape."""
        codec = self.codec
        skeleton, node_values = take_apart(message, plan)
        scope = codec.shapes.scope(plan, parent)
        known = codec.shapes.expected(plan.kind, scope, behind, skeleton)
        if known is None:
            known = codec.shapes.find(scope, skeleton)
        self.items += plan.kind == self._kind_of_items
        place = codec.shapes.choose(self.coder, plan.kind, behind, known)
        if place is None:
            try:
                shape = read_shape(skeleton, plan, codec.families.named)
                codec.shapes.check(shape)
            except CompressionError:
                raise NotCanonicalError from None
            codec.skeleton_len(self.coder, len(skeleton))
            self.coder.text(len(skeleton), skeleton)
            place = codec.shapes.enter(plan.kind, behind, scope, shape)
        entry = codec.shapes.entry(place)
        assert entry is not None, "found or entered just now"
        self._holes(entry, place, node_values, around)
        return place

    def _holes(self, entry: Entry, place: int, node_values: list[Value], around: Surroundings) -> None:
        codec, coder, shape = self.codec, self.coder, entry.shape
        if shape.head:
            parts = {FIELDS[part]: node_values[at] for part, at in shape.head.items()}
            head = codec.head(coder, shape, entry.slots, HeadValues(**parts))  # type: ignore[arg-type]
            around = Surroundings(head.start, head.end)
        plans = iter([step.plan for step in shape.steps if isinstance(step, Run)])
        for at, (hole, slot, value) in enumerate(zip(shape.holes, entry.slots, node_values, strict=True)):
            if at in shape.head.values():
                continue
            if isinstance(value, list):
                values.nodes(coder, codec.families[hole.family], slot, len(value))
                self._run(value, next(plans), place, around)
            elif isinstance(value, int):
                codec.number(coder, hole, slot, around, value)
            elif hole.hole in (Hole.TRACE_ID, Hole.SPAN_ID, Hole.PARENT_ID):
                codec.id(coder, hole, value)
            else:
                codec.text(coder, hole, slot, value, len(value))

    def _run(self, nodes: list[bytes], plan: Plan, place: int, around: Surroundings) -> None:
        behind = Behind(place)
        for node in nodes:
            behind = Behind(self.node(node, plan, place, behind, around.copy()), is_sibling=True)
            if plan.kind == Kind.EVENT:
                around.time = self.codec.clocks[Clock.EVENT]


FIELDS = {
    Hole.TRACE_ID: "trace_id",
    Hole.SPAN_ID: "span_id",
    Hole.PARENT_ID: "parent_id",
    Clock.START: "start",
    Clock.END: "end",
}
"""The parts of a head, by their names in `HeadValues`."""
