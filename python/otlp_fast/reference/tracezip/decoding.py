"""Columns to requests."""

from __future__ import annotations

from otlp_fast.reference.tracezip import values
from otlp_fast.reference.tracezip.codec import Codec
from otlp_fast.reference.tracezip.coder import Reading
from otlp_fast.reference.tracezip.constants import MAX_SKELETON_LEN
from otlp_fast.reference.tracezip.errors import damaged
from otlp_fast.reference.tracezip.plan import REQUESTS, Clock, Hole, Kind, Plan
from otlp_fast.reference.tracezip.shape import ID_LENGTHS, Copy, Form, HoleOf, Mark, Run, read_shape
from otlp_fast.reference.tracezip.shapes import NOTHING, Behind, Entry
from otlp_fast.reference.tracezip.values import HeadValues, Surroundings
from otlp_fast.reference.wire import varint


def decode(codec: Codec, coder: Reading, length: int) -> bytes:
    """Give the request of columns, of at most this many bytes.

    Raises:
        CompressionError: the columns are none of a request; the codec is spoilt then.
    """
    decoding = _Decoding(codec, coder, length)
    decoding.node(REQUESTS[codec.signal], None, NOTHING, Surroundings())
    if not coder.is_complete():
        raise damaged("columns with something left", 0)
    return bytes(decoding.out)


class _Decoding:
    def __init__(self, codec: Codec, coder: Reading, length: int) -> None:
        self.codec = codec
        self.coder = coder
        self.out = bytearray()
        self._length = length

    def _check(self) -> None:
        """Refuse to go on behind the announced end, of the request or of a column."""
        if len(self.out) > self._length:
            raise damaged("a request longer than announced", 0)
        if self.coder.is_overrun:
            raise damaged("columns that end too early", 0)

    def node(self, plan: Plan, parent: int | None, behind: Behind, around: Surroundings) -> int:
        """Read a node, and give the place of its shape."""
        self._check()
        codec = self.codec
        place = codec.shapes.choose(self.coder, plan.kind, behind, None)
        if place is None:
            length = codec.skeleton_len(self.coder, 0)
            if length >= MAX_SKELETON_LEN:
                raise damaged("a skeleton that is too long", 0)
            shape = read_shape(self.coder.text(length, b""), plan, codec.families.named)
            codec.shapes.check(shape)
            place = codec.shapes.enter(plan.kind, behind, codec.shapes.scope(plan, parent), shape)
        self._check()
        entry = codec.shapes.entry(place)
        if entry is None or entry.kind != plan.kind:
            raise damaged("a shape of another kind", 0)
        self._holes(entry, place, around)
        return place

    def _holes(self, entry: Entry, place: int, around: Surroundings) -> None:
        codec, coder, shape = self.codec, self.coder, entry.shape
        head = HeadValues()
        if shape.head:
            head = codec.head(coder, shape, entry.slots, head)
            around = Surroundings(head.start, head.end)
        parts = {at: head.part(part) for part, at in shape.head.items()}
        opened: list[int] = []
        at = 0
        for step in shape.steps:
            if isinstance(step, Copy):
                self.out += step.content
            elif step is Mark.OPEN:
                opened.append(self._open())
            elif step is Mark.CLOSE:
                self._close(opened.pop())
            elif isinstance(step, Run):
                family = codec.families[shape.holes[at].family]
                count = values.nodes(coder, family, entry.slots[at], 0)
                if count == 0:
                    # They would be work without end, as nothing comes out of them.
                    raise damaged("a run without nodes", 0)
                self._run(step, count, place, around)
                at += 1
            else:
                self._hole(shape.holes[at], entry, at, parts, around)
                at += 1
                self._check()
        self._check()

    def _hole(self, hole: HoleOf, entry: Entry, at: int, parts: dict[int, int | bytes], around: Surroundings) -> None:
        slot = entry.slots[at]
        if hole.hole in (Hole.TEXT, Hole.VARINTS):
            start = self._open()
            self.out += self.codec.text(self.coder, hole, slot, b"", self._length - start)
            self._close(start)
            return
        if at in parts:
            value = parts[at]
        elif hole.hole in ID_LENGTHS:
            value = self.codec.id(self.coder, hole, b"")
        else:
            value = self.codec.number(self.coder, hole, slot, around, 0)
        if isinstance(value, bytes):
            self.out += varint(len(value)) + value
        else:
            self.out += value.to_bytes(8, "little") if hole.form is Form.FIXED64 else varint(value)

    def _run(self, run: Run, count: int, place: int, around: Surroundings) -> None:
        behind = Behind(place)
        for _ in range(count):
            self.out.append(run.tag)
            start = self._open()
            behind = Behind(self.node(run.plan, place, behind, around.copy()), is_sibling=True)
            self._close(start)
            if run.plan.kind == Kind.EVENT:
                around.time = self.codec.clocks[Clock.EVENT]

    def _open(self) -> int:
        """Begin what has its length in front of it, for which a byte is kept."""
        self.out.append(0)
        return len(self.out)

    def _close(self, start: int) -> None:
        self.out[start - 1 : start] = varint(len(self.out) - start)
