"""What is decided again and again, each with probabilities of its own: trees of decisions, numbers, distances.

Numbers are integers from 0 to 2**64 - 1, and sums and differences wrap around there.
"""

from __future__ import annotations

from otlp_fast.reference.tracezip.coder import NEW_BIT, Coder
from otlp_fast.reference.tracezip.constants import (
    CLASS_WIDTH,
    CONTEXT_STEP,
    CONTEXTS,
    MAX_CLASS,
    U64,
    UNIT_RUN,
    UNITS,
)

IS_FIRST, IS_SECOND, IS_NEAR_SECOND, IS_UNIT, IS_IN_TABLE, IS_LATEST = range(6)
"""Which decision of a slot means what."""
IS_SCALE = IS_UNIT
"""The same place: what has a scale is no time."""


class Slot:
    """What is known of a hole in a shape: its last value and how it was predicted."""

    __slots__ = ("bits", "delta", "last", "run", "scale", "size_class", "unit")

    def __init__(self) -> None:
        """Know nothing."""
        self.last = 0
        """The last value; of a text, its place in the family's table and one."""
        self.delta = 0
        """The last value less the one before."""
        self.bits = [NEW_BIT] * 6
        self.size_class = 0
        """How large the last difference was."""
        self.unit = 0
        """What all times are multiples of: a place in UNITS."""
        self.run = 0
        """How many times in a row were multiples of the next unit."""
        self.scale = 0
        """How many decimals doubles have, or BINARY; how wide padded digits are."""

    def copy(self) -> Slot:
        """Copy it, for a frame that may be rolled back."""
        slot = Slot.__new__(Slot)
        slot.last, slot.delta, slot.bits = self.last, self.delta, self.bits[:]
        slot.size_class, slot.unit, slot.run, slot.scale = self.size_class, self.unit, self.run, self.scale
        return slot


def signed(value: int) -> int:
    """Give 64 bits as a two's complement."""
    return value - (1 << 64) if value >> 63 else value


def zigzag(value: int) -> int:
    """Give 0, -1, 1, -2 as 0, 1, 2, 3."""
    return value << 1 if value >= 0 else ~value << 1 | 1


def unzigzag(value: int) -> int:
    """Give 0, 1, 2, 3 as 0, -1, 1, -2."""
    return value >> 1 ^ -(value & 1)


def low_first(coder: Coder, tree: list[int], width: int, value: int) -> int:
    """Code a place in a table that grows, its lowest bit first: what was learned stays right with another bit."""
    tree.extend([NEW_BIT] * ((1 << width) - len(tree)))
    result = 0
    for at in range(width):
        result |= coder.bit(tree, 1 << at | result, bool(value >> at & 1)) << at
    return result


def place_width(length: int) -> int:
    """Give how many bits the places of a table take."""
    return max(length - 1, 0).bit_length()


def class_of(value: int) -> int:
    """Give how many bits a number has, 63 at most."""
    return min(value.bit_length(), MAX_CLASS)


class Magnitudes:
    """Trees for numbers of which only the magnitude can be guessed."""

    def __init__(self, count: int = CONTEXTS) -> None:
        """Have learned nothing."""
        self._classes = [[NEW_BIT] * (1 << CLASS_WIDTH) for _ in range(count)]
        """The decisions of a number's class, a tree whose root is at 1."""
        self._seconds = [[NEW_BIT] * (1 << CLASS_WIDTH) for _ in range(count)]
        """For each class, that of the bit behind the highest."""

    def copy(self) -> Magnitudes:
        """Copy them, for a frame that may be rolled back."""
        magnitudes = Magnitudes.__new__(Magnitudes)
        magnitudes._classes = [tree[:] for tree in self._classes]
        magnitudes._seconds = [tree[:] for tree in self._seconds]
        return magnitudes

    def number(self, coder: Coder, size_class: int, value: int) -> int:
        """Code a number behind one of this class."""
        return self.number_by(coder, min(-(-size_class // CONTEXT_STEP), CONTEXTS - 1), value)

    def number_by(self, coder: Coder, tree: int, value: int) -> int:
        """Code a number by one of the trees."""
        node = 1
        for at in reversed(range(CLASS_WIDTH)):
            node = node << 1 | coder.bit(self._classes[tree], node, bool(class_of(value) >> at & 1))
        size_class = node - (1 << CLASS_WIDTH)
        if size_class <= 1:
            return size_class
        if size_class == MAX_CLASS:
            return coder.bits(64, value)
        plain = size_class - 2
        second = coder.bit(self._seconds[tree], size_class, bool(value >> plain & 1))
        return (2 | second) << plain | coder.bits(plain, value & (1 << plain) - 1)


def difference(coder: Coder, magnitudes: Magnitudes, slot: Slot, base: int, value: int) -> int:
    """Code a number by how far it is from another."""
    distance = magnitudes.number(coder, slot.size_class, zigzag(signed(value - base & U64)))
    slot.size_class = class_of(distance)
    return base + unzigzag(distance) & U64


def nearer(coder: Coder, slot: Slot, guesses: tuple[int, int], value: int) -> int:
    """Code which of two numbers is nearer."""
    first, second = guesses
    is_second = abs(signed(value - second & U64)) < abs(signed(value - first & U64))
    return second if first != second and coder.bit(slot.bits, IS_NEAR_SECOND, is_second) else first


def guessed(coder: Coder, slot: Slot, guesses: tuple[int, int], value: int) -> int | None:
    """Code whether a number is one of two predictions, and give it if it is."""
    first, second = guesses
    if coder.bit(slot.bits, IS_FIRST, value == first):
        return first
    if first != second and coder.bit(slot.bits, IS_SECOND, value == second):
        return second
    return None


def predicted(coder: Coder, slot: Slot, magnitudes: Magnitudes, guesses: tuple[int, int], value: int) -> int:
    """Code a number with two predictions: one of them, or how far it is from the nearer one."""
    guess = guessed(coder, slot, guesses, value)
    if guess is not None:
        return guess
    base = nearer(coder, slot, guesses, value)
    return difference(coder, magnitudes, slot, base, value)


def time(coder: Coder, slot: Slot, magnitudes: Magnitudes, guesses: tuple[int, int], value: int) -> int:
    """Code a time with two predictions, counted in the unit in which the slot's clock ticks."""
    guess = guessed(coder, slot, guesses, value)
    if guess is not None:
        return guess
    base = nearer(coder, slot, guesses, value)
    while slot.unit > 0:
        unit = UNITS[slot.unit]
        is_multiple = signed(value - (base - base % unit) & U64) % unit == 0
        if coder.bit(slot.bits, IS_UNIT, is_multiple):
            break
        slot.unit -= 1
        slot.run = 0
    unit = UNITS[slot.unit]
    start = base - base % unit
    distance = magnitudes.number(coder, slot.size_class, zigzag(signed(value - start & U64) // unit))
    slot.size_class = class_of(distance)
    value = start + unzigzag(distance) * unit & U64
    if slot.unit + 1 < len(UNITS):
        slot.run = slot.run + 1 if value % UNITS[slot.unit + 1] == 0 else 0
        if slot.run >= UNIT_RUN:
            slot.unit += 1
            slot.run = 0
    return value
