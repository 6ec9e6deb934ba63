"""What a stream has learned, and how one value after the other is said with it.

A request is a tree of nodes. Each says its shape, then its values; where the shape has a run of nodes, they follow.
`encoding` walks the tree from a request, `decoding` from columns; what both have in common is here.
"""

from __future__ import annotations

from otlp_fast.reference.tracezip import template, values
from otlp_fast.reference.tracezip.coder import Coder
from otlp_fast.reference.tracezip.constants import MAX_SKELETON_LEN, Capacity
from otlp_fast.reference.tracezip.errors import damaged
from otlp_fast.reference.tracezip.families import HAS_TEMPLATE, IS_UUID, Families
from otlp_fast.reference.tracezip.ids import Ids, Use
from otlp_fast.reference.tracezip.models import Slot, class_of
from otlp_fast.reference.tracezip.plan import Clock, Hole, Kind
from otlp_fast.reference.tracezip.shape import Copy, Form, HoleOf, Shape
from otlp_fast.reference.tracezip.shapes import NOTHING, Behind, Shapes
from otlp_fast.reference.tracezip.values import HeadModels, HeadValues, Surroundings


class Codec:
    """What a stream has learned. Both ends hold the same.

    It is changed by a frame as it goes; who may have to go back makes a copy first.
    """

    def __init__(self, signal: str, capacity: Capacity) -> None:
        """Have learned nothing."""
        self.signal = signal
        self.shapes = Shapes(capacity.shapes)
        self.families = Families(capacity.values, capacity.families)
        self.ids = Ids(capacity.mentions)
        self.heads = HeadModels()
        self.clocks = [0] * len(Clock)
        self.skeleton_class = 0
        """The magnitude of the last skeleton's length."""

    def copy(self) -> Codec:
        """Copy it, for a frame that may be rolled back."""
        codec = Codec.__new__(Codec)
        codec.signal = self.signal
        codec.shapes = self.shapes.copy()
        codec.families = self.families.copy()
        codec.ids = self.ids.copy()
        codec.heads = self.heads.copy()
        codec.clocks = self.clocks[:]
        codec.skeleton_class = self.skeleton_class
        return codec

    def skeleton_len(self, coder: Coder, value: int) -> int:
        """Code how long a skeleton or a template is that is sent in full."""
        length = self.families[0].magnitudes.number(coder, self.skeleton_class, value)
        self.skeleton_class = class_of(length)
        return length

    def head(self, coder: Coder, shape: Shape, slots: list[Slot], head: HeadValues) -> HeadValues:
        """Code the head of an item."""
        return values.head(coder, self.ids, self.heads, shape.head, slots, self.clocks, head)

    def id(self, coder: Coder, hole: HoleOf, value: bytes) -> bytes:
        """Code an id that is not part of a head."""
        if hole.hole is Hole.TRACE_ID:
            return self.ids.trace(coder, None, value)
        return self.ids.span(coder, Use.NAMED, value)[0]

    def number(self, coder: Coder, hole: HoleOf, slot: Slot, around: Surroundings, value: int) -> int:
        """Code a number, a time, or a double's bits."""
        family = self.families[hole.family]
        if hole.hole is Hole.VARINT:
            return values.recurring(coder, self.families, hole.family, slot, value)
        if hole.hole is Hole.DOUBLE:
            return values.double(coder, family, slot, value)
        if hole.hole is Hole.TIME:
            return values.time(coder, family, slot, self.clocks, hole.clock, around, value)
        return values.count(coder, family, slot, value)

    def text(self, coder: Coder, hole: HoleOf, slot: Slot, value: bytes, room: int) -> bytes:
        """Code a text, packed varints, or a part of a text. `room` is how many bytes it may have at most."""
        family = self.families[hole.family]
        if hole.hole is Hole.VARINTS:
            return values.varints(coder, family, slot, value, room)
        if hole.hole is Hole.DIGITS:
            return values.digits(coder, family, slot, value)
        if hole.hole is Hole.HEX:
            return values.hex_digits(coder, hole.length, value)
        known = values.known_text(coder, self.families, hole.family, slot, value)
        if known is not None:
            return known
        value = self._new_text(coder, hole, value, room)
        values.note_text(self.families, hole.family, slot, value)
        return value

    def _new_text(self, coder: Coder, hole: HoleOf, value: bytes, room: int) -> bytes:
        """Code a text in full: as a UUID, by its template, or as it is."""
        family = self.families[hole.family]
        uuid = template.parse_uuid(value)
        if coder.bit(family.forms, IS_UUID, uuid is not None):
            return template.write_uuid(coder.plain(16, uuid or b""))
        # What is part of a text has no parts.
        if hole.form != Form.TEXT:
            parsed = template.parse(value) if coder.is_writing and family.has_templates() else None
            if coder.bit(family.forms, HAS_TEMPLATE, parsed is not None):
                return self._templated(coder, hole.family, *(parsed or (b"", [])), room)
        length = family.magnitudes.number(coder, family.size_class, len(value))
        family.size_class = class_of(length)
        return coder.text(length, value)

    def _templated(self, coder: Coder, number: int, content: bytes, variables: list[bytes], room: int) -> bytes:
        """Code a text by its template and its variables."""
        family = self.families[number]
        behind = Behind(family.template - 1, is_sibling=True) if family.template else NOTHING
        scope = int(Kind.TEMPLATE)
        known = self.shapes.find(scope, content) if coder.is_writing else None
        place = self.shapes.choose(coder, Kind.TEMPLATE, behind, known)
        if place is None:
            length = min(self.skeleton_len(coder, len(content)), MAX_SKELETON_LEN)
            shape = template.read_template(coder.text(length, content), self.families.named)
            place = self.shapes.enter(Kind.TEMPLATE, behind, scope, shape)
            family.new_templates += 1
        else:
            family.known_templates += 1
        family.template = place + 1
        entry = self.shapes.entry(place)
        if entry is None or entry.kind is not Kind.TEMPLATE:
            raise damaged("a shape of another kind", 0)
        out = bytearray()
        rest = iter(variables)
        next_hole = iter(zip(entry.shape.holes, entry.slots, strict=True))
        for step in entry.shape.steps:
            if isinstance(step, Copy):
                out += step.content
                continue
            hole, slot = next(next_hole)
            variable = self.text(coder, hole, slot, next(rest, b""), room - len(out))
            if not variable:
                raise damaged("a variable without text", 0)
            out += variable
            if len(out) > room:
                break
        return bytes(out)
