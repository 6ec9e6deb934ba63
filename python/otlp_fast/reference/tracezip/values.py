"""How the values of holes are predicted: one function for both directions, see `Coder`."""

from __future__ import annotations

import math
import struct
from typing import NamedTuple

from otlp_fast.reference.tracezip import models
from otlp_fast.reference.tracezip.canonical import Canonical
from otlp_fast.reference.tracezip.coder import Coder
from otlp_fast.reference.tracezip.constants import BINARY, MAX_EXACT, MAX_SCALE, U64
from otlp_fast.reference.tracezip.families import Families, Family
from otlp_fast.reference.tracezip.ids import NO_SPAN, NO_TRACE, Ids, Mention, Use
from otlp_fast.reference.tracezip.models import Slot
from otlp_fast.reference.tracezip.plan import Clock, Hole
from otlp_fast.reference.wire import varint

POWERS = [float(10**scale) for scale in range(MAX_SCALE + 1)]


class Surroundings:
    """What is known where a node stands."""

    def __init__(self, time: int = 0, end: int = 0) -> None:
        """Take what is known."""
        self.time = time
        """The time of what is around or just before, in ns: a span's start, its last event."""
        self.end = end
        """The end of what is around."""

    def copy(self) -> Surroundings:
        """Copy it, for a node that may go on from it."""
        return Surroundings(self.time, self.end)


def count(coder: Coder, family: Family, slot: Slot, value: int) -> int:
    """Code a count: mostly as last time, or on by as much as then."""
    guesses = (slot.last, slot.last + slot.delta & U64)
    value = models.predicted(coder, slot, family.magnitudes, guesses, value)
    slot.delta = value - slot.last & U64
    slot.last = value
    return value


def nodes(coder: Coder, family: Family, slot: Slot, value: int) -> int:
    """Code how many nodes stand in a run: as last time, or one."""
    slot.last = models.predicted(coder, slot, family.magnitudes, (slot.last, 1), value)
    return slot.last


def recurring(coder: Coder, families: Families, number: int, slot: Slot, value: int) -> int:
    """Code a number that may recur: as last time, from the family's table, or near the last one or zero."""
    if coder.bit(slot.bits, models.IS_FIRST, value == slot.last):
        return slot.last
    family = families[number]
    content = value.to_bytes(8, "little")
    place = families.find(number, content) if coder.is_writing else None
    if family.values and coder.bit(slot.bits, models.IS_IN_TABLE, place is not None):
        known = family.value(_placed(coder, family, place))
        family.found += 1
        slot.last = int.from_bytes(known, "little") if known is not None and len(known) == 8 else 0
        return slot.last
    base = models.nearer(coder, slot, (slot.last, 0), value)
    value = models.difference(coder, family.magnitudes, slot, base, value)
    families.enter(number, value.to_bytes(8, "little"))
    slot.last = value
    return value


def _placed(coder: Coder, family: Family, place: int | None) -> int:
    return models.low_first(coder, family.places, family.place_width(), place or 0)


def double(coder: Coder, family: Family, slot: Slot, bits: int) -> int:
    """Code a double: a decimal of as many digits as last time, predicted as a count; or its bits."""
    scale = scale_of(bits, slot.scale) if coder.is_writing else 0
    if not coder.bit(slot.bits, models.IS_SCALE, scale == slot.scale):
        slot.scale = coder.bits(4, scale)
        slot.last = slot.delta = 0
    if slot.scale <= MAX_SCALE:
        power = POWERS[slot.scale]
        scaled = round(_float_of(bits) * power) & U64 if coder.is_writing else 0
        return _bits_of(models.signed(count(coder, family, slot, scaled)) / power)
    if not coder.bit(slot.bits, models.IS_FIRST, bits == slot.last):
        difference = family.magnitudes.number(coder, slot.size_class, bits ^ slot.last)
        slot.size_class = models.class_of(difference)
        slot.last ^= difference
    return slot.last


def scale_of(bits: int, last: int) -> int:
    """Give how many decimals a double has: as many as last time, if it can have them; BINARY without."""
    return next((scale for scale in (last, *range(MAX_SCALE + 1)) if _is_decimal(bits, scale)), BINARY)


def _is_decimal(bits: int, scale: int) -> bool:
    scaled = _float_of(bits) * POWERS[scale] if scale <= MAX_SCALE else math.inf
    return abs(scaled) < MAX_EXACT and _bits_of(round(scaled) / POWERS[scale]) == bits


def _float_of(bits: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value


def _bits_of(value: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return bits


def time(
    coder: Coder, family: Family, slot: Slot, clocks: list[int], clock: Clock, around: Surroundings, value: int
) -> int:
    """Code a time of something that is not the start or end of an item with a head."""
    latest = clocks[clock]
    following = slot.last + slot.delta & U64
    guesses = {
        Clock.START: (latest, following),
        Clock.END: (around.time, around.end),
        Clock.EVENT: (around.time, around.end),
        Clock.RECORD: (latest, following),
        Clock.OBSERVED: (around.time + slot.delta & U64, latest),
        Clock.POINT_START: (slot.last, latest),
        Clock.POINT: (latest, following),
        Clock.EXEMPLAR: (latest, clocks[Clock.POINT]),
    }[clock]
    value = models.time(coder, slot, family.magnitudes, guesses, value)
    slot.delta = value - (around.time if clock is Clock.OBSERVED else slot.last) & U64
    slot.last = value
    clocks[clock] = value
    if clock in (Clock.EVENT, Clock.RECORD):
        around.time = value
    return value


class HeadValues(NamedTuple):
    """The ids and times of a span, as far as it has them; the ids of a log record."""

    trace_id: bytes = NO_TRACE
    span_id: bytes = NO_SPAN
    parent_id: bytes = NO_SPAN
    start: int = 0
    end: int = 0

    def part(self, part: Hole | Clock) -> int | bytes:
        """Give one of them."""
        parts: dict[Hole | Clock, int | bytes] = {
            Hole.TRACE_ID: self.trace_id,
            Hole.SPAN_ID: self.span_id,
            Hole.PARENT_ID: self.parent_id,
            Clock.START: self.start,
            Clock.END: self.end,
        }
        return parts[part]


class HeadModels:
    """What is decided of the times of spans, by what is known of the span: nothing, itself, its parent."""

    def __init__(self) -> None:
        """Know nothing."""
        self.starts = [models.Magnitudes() for _ in range(3)]
        self.ends = [models.Magnitudes() for _ in range(3)]

    def copy(self) -> HeadModels:
        """Copy them, for a frame that may be rolled back."""
        copy = HeadModels.__new__(HeadModels)
        copy.starts = [tree.copy() for tree in self.starts]
        copy.ends = [tree.copy() for tree in self.ends]
        return copy


def head(
    coder: Coder,
    ids: Ids,
    trees: HeadModels,
    places: dict[Hole | Clock, int],
    slots: list[Slot],
    clocks: list[int],
    values: HeadValues,
) -> HeadValues:
    """Code the head of a span or log record, of which `places` says what it has.

    The span's own id comes first: a span that was mentioned by its child has that child's trace, started shortly before
    it and ended shortly after it. Then the parent's, which tells as much of one whose siblings or parent came before.
    """
    span_id, own = ids.span(coder, Use.SPAN, values.span_id) if Hole.SPAN_ID in places else (NO_SPAN, None)
    use = Use.PARENT_OF_NEW if own is None else Use.PARENT_OF_KNOWN
    parent_id, parent = ids.span(coder, use, values.parent_id) if Hole.PARENT_ID in places else (NO_SPAN, None)
    known = parent if own is None else own
    trace_id, start, end = NO_TRACE, 0, 0
    if Hole.TRACE_ID in places:
        trace_id = ids.trace(coder, known and known.trace_id, values.trace_id)
    kind = 1 if own is not None else 2 if parent is not None else 0
    if Clock.START in places:
        slot = slots[places[Clock.START]]
        latest = clocks[Clock.START]
        guesses = (latest if known is None else known.start, latest)
        start = models.time(coder, slot, trees.starts[kind], guesses, values.start)
        clocks[Clock.START] = start
    if Clock.END in places:
        slot = slots[places[Clock.END]]
        by_duration = start + slot.last & U64
        guesses = (by_duration if known is None else known.end, by_duration)
        end = models.time(coder, slot, trees.ends[kind], guesses, values.end)
        slot.last = end - start & U64
    if Hole.SPAN_ID in places:
        ids.enter(Mention(span_id, trace_id, start, end, True))
        if Hole.PARENT_ID in places:
            if parent is not None and parent.is_entered:
                start_of_parent, end_of_parent = parent.start, parent.end
            else:
                start_of_parent, end_of_parent = start, end
            ids.enter(Mention(parent_id, trace_id, start_of_parent, end_of_parent, True))
    return HeadValues(trace_id, span_id, parent_id, start, end)


def known_text(coder: Coder, families: Families, number: int, slot: Slot, value: bytes) -> bytes | None:
    """Code a text that is as last time, the family's latest, or one of its table; None where it has to be sent."""
    family = families[number]
    tried = 0
    for place, decision in ((slot.last, models.IS_FIRST), (family.latest, models.IS_LATEST)):
        known = family.value(place - 1) if place else None
        if known is None or place == tried:
            continue
        tried = place
        if coder.bit(slot.bits, decision, known == value):
            slot.last = family.latest = place
            return known
    found = families.find(number, value) if coder.is_writing else None
    if not family.values or not coder.bit(slot.bits, models.IS_IN_TABLE, found is not None):
        return None
    place = _placed(coder, family, found)
    slot.last = family.latest = place + 1
    family.found += 1
    return family.value(place) or b""


def note_text(families: Families, number: int, slot: Slot, value: bytes) -> None:
    """Take in a text that was sent in full."""
    slot.last = families[number].latest = families.enter(number, value)


def varints(coder: Coder, family: Family, slot: Slot, value: bytes, room: int) -> bytes:
    """Code packed varints: how many they are, and each by how large the one before it was."""
    rest = Canonical(value)
    numbers = []
    while not rest.is_at_end():
        numbers.append(rest.varint())
    slot.last = models.difference(coder, family.magnitudes, slot, slot.last, len(numbers))
    out = bytearray()
    size_class = 0
    for at in range(slot.last):
        number = family.magnitudes.number(coder, size_class, numbers[at] if numbers else 0)
        size_class = models.class_of(number)
        if len(out) > room:
            break
        out += varint(number)
    return bytes(out)


def digits(coder: Coder, family: Family, slot: Slot, value: bytes) -> bytes:
    """Code a run of decimal digits: a number, and how wide it is where it is padded with zeros."""
    is_padded = len(value) > 1 and value.startswith(b"0")
    width = len(value) if is_padded or len(value) == slot.scale else 0
    if not coder.bit(slot.bits, models.IS_SCALE, width == slot.scale):
        slot.scale = coder.bits(5, width)
    number = count(coder, family, slot, int(value or b"0"))
    return str(number).zfill(slot.scale).encode()


def hex_digits(coder: Coder, length: int, value: bytes) -> bytes:
    """Code hexadecimal digits that nothing predicts."""
    return "".join(f"{coder.bits(4, int(value[at : at + 1] or b'0', 16)):x}" for at in range(length)).encode()
