"""A shape: a skeleton that was read, as the steps in which a node of it is written."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import NamedTuple

from otlp_fast.reference.tracezip.canonical import Canonical, NotCanonicalError
from otlp_fast.reference.tracezip.constants import MAX_DEPTH, MAX_HOLES, MAX_PACKED
from otlp_fast.reference.tracezip.errors import damaged
from otlp_fast.reference.tracezip.plan import PLANS, Clock, Hole, HoleRole, Inline, Kind, Nodes, Plan, Simple

ID_LENGTHS = {Hole.TRACE_ID: 16, Hole.SPAN_ID: 8, Hole.PARENT_ID: 8}


HEAD_PARTS = (Hole.TRACE_ID, Hole.SPAN_ID, Hole.PARENT_ID, Clock.START, Clock.END)
"""What the head of an item is made of."""


class Form(IntEnum):
    """How the value of a hole stands on the wire."""

    LEN = 0
    """A length and bytes."""
    VARINT = 1
    FIXED64 = 2
    NODES = 3
    """Not at all: the nodes of a run."""
    TEXT = 4
    """As part of a text."""


FORMS = {
    Hole.TEXT: Form.LEN,
    Hole.VARINT: Form.VARINT,
    Hole.COUNT: Form.VARINT,
    Hole.FIXED64: Form.FIXED64,
    Hole.DOUBLE: Form.FIXED64,
    Hole.TIME: Form.FIXED64,
    Hole.TRACE_ID: Form.LEN,
    Hole.SPAN_ID: Form.LEN,
    Hole.PARENT_ID: Form.LEN,
    Hole.VARINTS: Form.LEN,
}


class HoleOf(NamedTuple):
    """A hole of a shape."""

    hole: Hole
    form: Form
    family: int
    """Which family its values belong to."""
    clock: Clock = Clock.START
    """Of a time: which."""
    length: int = 0
    """Of hexadecimal digits: how many."""


class Copy(NamedTuple):
    """A step of writing a node: these bytes of the skeleton."""

    content: bytes


class Run(NamedTuple):
    """A step of writing a node: the nodes of the next hole, each behind this tag."""

    tag: int
    plan: Plan


class Mark(IntEnum):
    """The other steps."""

    HOLE = 0
    """The value of the next hole."""
    OPEN = 1
    """A message or packed field opens; its tag is written already."""
    CLOSE = 2
    """It ends."""


Step = Copy | Run | Mark


class Shape(NamedTuple):
    """A skeleton, read."""

    skeleton: bytes
    steps: list[Step]
    holes: list[HoleOf]
    head: dict[Hole | Clock, int]
    """Which holes are the head of a span or a log record: its ids, start and end, as far as it has them."""


def read_shape(skeleton: bytes, plan: Plan, family: Callable[[bytes], int]) -> Shape:
    """Read the skeleton of a node. `family` gives the number of a family by its name.

    Raises:
        CompressionError: it is none.
    """
    reader = _ShapeReader(skeleton, plan.kind == Kind.ITEM, family)
    try:
        reader.fields(len(skeleton), plan, MAX_DEPTH)
    except NotCanonicalError:
        raise damaged("a skeleton that is none", reader.at) from None
    if len(reader.holes) > MAX_HOLES:
        raise damaged("a skeleton with too many holes", 0)
    return Shape(skeleton, reader.steps, reader.holes, reader.head)


class _ShapeReader:
    def __init__(self, skeleton: bytes, has_head: bool, family: Callable[[bytes], int]) -> None:
        self._skeleton = skeleton
        self._has_head = has_head
        self._family = family
        self._key = b""
        """What the values of an attribute are filed under: its length and bytes."""
        self.at = 0
        self.steps: list[Step] = []
        self.holes: list[HoleOf] = []
        self.head: dict[Hole | Clock, int] = {}

    def fields(self, end: int, plan: Plan, depth: int) -> None:
        while self.at < end:
            peeked = Canonical(self._skeleton, self.at, end)
            tag = peeked.tag()
            role = plan.role(tag)
            if isinstance(role, Nodes):
                self.at = peeked.at
                self.steps.append(Run(tag, PLANS[role.plan]))
                self._hole(HoleRole(Hole.NODES), Form.NODES, tag)
                continue
            self._copy(end, Canonical.tag)
            if isinstance(role, Inline):
                self._inline(end, PLANS[role.plan], depth)
            elif isinstance(role, HoleRole):
                if role.hole in ID_LENGTHS and self._is_literal(end):
                    continue
                self.steps.append(Mark.HOLE)
                self._hole(role, FORMS[role.hole], tag)
            elif role is Simple.PACKED_FIXED64:
                if not self._is_literal(end):
                    self._packed(end, tag)
            elif role is None:
                raise NotCanonicalError
            else:
                start = self.at
                self._copy(end, partial(Canonical.as_written, tag=tag))
                if role is Simple.KEY:
                    self._key = self._skeleton[start : self.at]

    def _inline(self, end: int, plan: Plan, depth: int) -> None:
        length = self._byte(end) | self._byte(end) << 8
        inner_end = self.at + length
        if inner_end > end:
            raise NotCanonicalError
        key = self._key
        self.steps.append(Mark.OPEN)
        if depth == 0:
            raise NotCanonicalError
        self.fields(inner_end, plan, depth - 1)
        self.steps.append(Mark.CLOSE)
        self._key = key

    def _packed(self, end: int, tag: int) -> None:
        rest = Canonical(self._skeleton, self.at, end)
        count = rest.varint()
        if count > MAX_PACKED:
            raise NotCanonicalError
        self.at = rest.at
        self.steps.append(Mark.OPEN)
        for _ in range(count):
            self.steps.append(Mark.HOLE)
            self._hole(HoleRole(Hole.FIXED64), Form.FIXED64, tag)
        self.steps.append(Mark.CLOSE)

    def _copy(self, end: int, read: Callable[[Canonical], object]) -> None:
        """Copy what `read` reads."""
        rest = Canonical(self._skeleton, self.at, end)
        read(rest)
        content = self._skeleton[self.at : rest.at]
        self.at = rest.at
        self.steps.append(Copy(content))

    def _byte(self, end: int) -> int:
        byte = Canonical(self._skeleton, self.at, end).take(1)[0]
        self.at += 1
        return byte

    def _is_literal(self, end: int) -> bool:
        """Whether a value is part of the skeleton, which then is copied."""
        marker = self._byte(end)
        if marker > 1:
            raise NotCanonicalError
        if marker:
            self._copy(end, Canonical.nested)
        return bool(marker)

    def _hole(self, role: HoleRole, form: Form, tag: int) -> None:
        part = role.clock if role.hole is Hole.TIME else role.hole
        if self._has_head and part in HEAD_PARTS:
            if part in self.head:
                raise NotCanonicalError
            self.head[part] = len(self.holes)
        if len(self.holes) > MAX_HOLES:
            raise NotCanonicalError
        family = self._family(self._key + bytes([tag & 0xFF, form]))
        self.holes.append(HoleOf(role.hole, form, family, role.clock))
