"""What is filed together: the values of one attribute, wherever it stands, and the numbers of one field.

A family has a table of its values and trees of magnitudes. A value enters the table when it is sent in full, and leaves
it first in, first out, when the table or the budget of all tables is full. A family whose values do not recur gets no
more of them: both ends count alike, so nothing needs to be said.
"""

from __future__ import annotations

from collections import deque

from otlp_fast.reference.tracezip.coder import NEW_BIT
from otlp_fast.reference.tracezip.constants import MAX_VALUE_LEN, MAX_VALUES, TEMPLATE_TRIAL, TRIAL, VALUE_COST
from otlp_fast.reference.tracezip.hashes import hash_of
from otlp_fast.reference.tracezip.models import Magnitudes, place_width

IS_UUID, HAS_TEMPLATE = range(2)
"""What is decided of a text that is in no table."""


class Family:
    """A family."""

    def __init__(self) -> None:
        """Know nothing."""
        self.entered = 0
        """How many values entered the table; the value of number n stands at place n % MAX_VALUES."""
        self.left = 0
        self.found = 0
        """How many values were found in the table."""
        self.missed = 0
        self.latest = 0
        """The place of the latest value, and one; 0 before the first."""
        self.size_class = 0
        """How long the last text was that was not in the table."""
        self.forms = [NEW_BIT] * 2
        self.template = 0
        """The place of the last template, and one."""
        self.new_templates = 0
        self.known_templates = 0
        self.values: list[bytes | None] = []
        self.places: list[int] = []
        """The tree of places in the table."""
        self.magnitudes = Magnitudes()

    def copy(self) -> Family:
        """Copy it, for a frame that may be rolled back."""
        family = Family.__new__(Family)
        family.__dict__.update(self.__dict__)
        family.forms = self.forms[:]
        family.values = self.values[:]
        family.places = self.places[:]
        family.magnitudes = self.magnitudes.copy()
        return family

    def value(self, place: int) -> bytes | None:
        """Give the value at a place."""
        return self.values[place] if place < len(self.values) else None

    def place_width(self) -> int:
        """Give how many bits the places of the table take."""
        return place_width(len(self.values))

    def admits(self) -> bool:
        """Whether values enter the table: more than half of those that were looked for came back."""
        return self.missed < TRIAL or self.found > self.missed

    def has_templates(self) -> bool:
        """Whether texts are taken apart: their templates come back."""
        return self.new_templates < TEMPLATE_TRIAL or self.known_templates > self.new_templates


class Families:
    """All families of a stream, by their number."""

    def __init__(self, budget: int, max_families: int) -> None:
        """Hold as much as the stream's state allows."""
        self._budget = budget
        self._max_families = max_families
        self._families: list[Family] = []
        self._names: dict[int, int] = {}
        self._places: dict[int, int] = {}
        """Where the values are, by their hash with their family's number."""
        self._queue: deque[tuple[int, int]] = deque()
        """The order in which values entered: their families and numbers."""
        self._cost = 0
        # The family of all that come when there is no place for another.
        self.named(b"")

    def copy(self) -> Families:
        """Copy them, for a frame that may be rolled back."""
        families = Families.__new__(Families)
        families.__dict__.update(self.__dict__)
        families._families = [family.copy() for family in self._families]
        families._names = self._names.copy()
        families._places = self._places.copy()
        families._queue = self._queue.copy()
        return families

    def __getitem__(self, number: int) -> Family:
        """Give a family."""
        return self._families[number]

    def named(self, name: bytes) -> int:
        """Give the number of a family, which is made if there is place for it; 0 for all others."""
        known = self._names.get(hash_of(name))
        if known is not None:
            return known
        number = len(self._families)
        if number >= self._max_families:
            return 0
        self._families.append(Family())
        self._names[hash_of(name)] = number
        return number

    def find(self, number: int, value: bytes) -> int | None:
        """Give where a value is in its family's table."""
        place = self._places.get(hash_of(value, number))
        return place if place is not None and self[number].value(place) == value else None

    def enter(self, number: int, value: bytes) -> int:
        """Take in a value that was sent in full, if the family's values recur. Give its place and one; 0 without."""
        family = self[number]
        family.missed += 1
        if not family.admits() or len(value) > MAX_VALUE_LEN:
            return 0
        while self._queue and self._cost + len(value) + VALUE_COST > self._budget:
            self._leave(*self._queue.popleft())
        if family.entered - family.left >= MAX_VALUES:
            self._leave(number, family.left)
        place = family.entered % MAX_VALUES
        if place < len(family.values):
            family.values[place] = value
        else:
            family.values.append(value)
        self._places[hash_of(value, number)] = place
        self._queue.append((number, family.entered))
        self._cost += len(value) + VALUE_COST
        family.entered += 1
        return place + 1

    def _leave(self, number: int, entry: int) -> None:
        """A value leaves its family's table, if it is still the oldest there."""
        family = self[number]
        if family.left != entry:
            return
        family.left += 1
        place = entry % MAX_VALUES
        value = family.values[place]
        assert value is not None, "it entered, and did not leave"
        family.values[place] = None
        self._cost -= len(value) + VALUE_COST
        if self._places.get(hash_of(value, number)) == place:
            del self._places[hash_of(value, number)]
