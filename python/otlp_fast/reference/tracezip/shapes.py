"""Shapes that were seen, each with what is known of its holes.

A shape is referred to by its place in the table, but mostly it need not be: what followed last time follows again.
Shapes leave first in, first out, when the table is full or its budget spent; both ends count the same cost.
"""

from __future__ import annotations

from typing import NamedTuple

from otlp_fast.reference.tracezip.coder import NEW_BIT, Coder
from otlp_fast.reference.tracezip.constants import FOLLOWERS, HOLE_COST, SHAPE_COST
from otlp_fast.reference.tracezip.errors import damaged
from otlp_fast.reference.tracezip.hashes import hash_of
from otlp_fast.reference.tracezip.models import Slot, low_first, place_width
from otlp_fast.reference.tracezip.plan import Kind, Plan
from otlp_fast.reference.tracezip.shape import Shape


class Behind(NamedTuple):
    """What a node comes behind, which is what its shape is guessed from."""

    place: int | None
    """The place of another's shape; None for the request, which comes behind nothing."""
    is_sibling: bool = False
    """Whether that is the one in front of it in the same run, or the one around it, in which it is the first."""


NOTHING = Behind(None)


class Followers:
    """The shapes that came behind another, the latest first."""

    def __init__(self) -> None:
        """Know none."""
        self.places = [0] * FOLLOWERS
        """The place of each, and one; 0 for none."""
        self.bits = [NEW_BIT] * FOLLOWERS

    def copy(self) -> Followers:
        """Copy them, for a frame that may be rolled back."""
        followers = Followers.__new__(Followers)
        followers.places, followers.bits = self.places[:], self.bits[:]
        return followers

    def enter(self, place: int) -> None:
        """Take in a shape in the place of the one that came longest ago."""
        self.places = [place + 1, *self.places[:-1]]


class Entry:
    """A shape of the table."""

    def __init__(self, shape: Shape, kind: Kind, scope: int, entered: int) -> None:
        """Know nothing of its holes."""
        self.shape = shape
        self.kind = kind
        self.scope = scope
        self.number = entered << 8 | 0xFF
        """The number under which the shapes within this one are known; never that of a kind."""
        self.slots = [Slot() for _ in shape.holes]
        self.next = Followers()
        """The shapes that came behind this one."""
        self.first = Followers()
        """Those that came first in it."""

    def copy(self) -> Entry:
        """Copy it, for a frame that may be rolled back."""
        entry = Entry.__new__(Entry)
        entry.__dict__.update(self.__dict__)
        entry.slots = [slot.copy() for slot in self.slots]
        entry.next, entry.first = self.next.copy(), self.first.copy()
        return entry


def cost_of(shape: Shape) -> int:
    """Give what a shape costs."""
    return 2 * len(shape.skeleton) + SHAPE_COST + len(shape.holes) * HOLE_COST


class Shapes:
    """The shapes of a stream."""

    def __init__(self, budget: int) -> None:
        """Hold as much as the stream's state allows."""
        self._budget = budget
        # As many as there can be at the cost of the smallest.
        self._capacity = budget // SHAPE_COST
        self._entries: list[Entry | None] = []
        self._places: dict[int, int] = {}
        """Where the shapes are, by the hash of their skeletons, seeded with their scopes."""
        self._trees: list[list[int]] = [[] for _ in Kind]
        self._is_known = [NEW_BIT] * len(Kind)
        self._entered = 0
        self._left = 0
        self._cost = 0

    def copy(self) -> Shapes:
        """Copy them, for a frame that may be rolled back."""
        shapes = Shapes.__new__(Shapes)
        shapes.__dict__.update(self.__dict__)
        shapes._entries = [entry and entry.copy() for entry in self._entries]
        shapes._places = self._places.copy()
        shapes._trees = [tree[:] for tree in self._trees]
        shapes._is_known = self._is_known[:]
        return shapes

    def entry(self, place: int) -> Entry | None:
        """Give the shape at a place."""
        return self._entries[place] if place < len(self._entries) else None

    def scope(self, plan: Plan, parent: int | None) -> int:
        """Give the number under which a node's shapes are known: that of its kind, or of the shape around it."""
        around = self.entry(parent) if plan.is_within_parent and parent is not None else None
        return plan.kind if around is None else around.number

    def find(self, scope: int, skeleton: bytes) -> int | None:
        """Give where a shape is."""
        place = self._places.get(hash_of(skeleton, scope))
        entry = None if place is None else self.entry(place)
        return place if entry is not None and entry.shape.skeleton == skeleton else None

    def expected(self, kind: Kind, scope: int, behind: Behind, skeleton: bytes) -> int | None:
        """Give where a shape is, if it is one of those that came behind the same before."""
        followers = self._followers(behind)
        for wanted in followers.places if followers else ():
            entry = self.entry(wanted - 1) if wanted else None
            if entry and (entry.kind, entry.scope, entry.shape.skeleton) == (kind, scope, skeleton):
                return wanted - 1
        return None

    def choose(self, coder: Coder, kind: Kind, behind: Behind, place: int | None) -> int | None:
        """Code which shape a node has: one that was behind the same before, one of the table, or None for a new one."""
        wanted = 0 if place is None else place + 1
        followers = self._followers(behind)
        if followers:
            for at, follower in enumerate(followers.places):
                if coder.bit(followers.bits, at, follower != 0 and follower == wanted):
                    followers.places.insert(0, followers.places.pop(at))
                    return self._known(follower - 1)
        if not coder.bit(self._is_known, kind, wanted != 0):
            return None
        place = low_first(coder, self._trees[kind], place_width(len(self._entries)), place or 0)
        self._follows(behind, place)
        return self._known(place)

    def check(self, shape: Shape) -> None:
        """Refuse a shape that has no place in the table even alone."""
        if cost_of(shape) > self._budget:
            raise damaged("a shape that is larger than the table", 0)

    def enter(self, kind: Kind, behind: Behind, scope: int, shape: Shape) -> int:
        """Take in a shape that was sent in full, and give its place."""
        while self._left < self._entered and (
            self._cost + cost_of(shape) > self._budget or self._entered - self._left >= self._capacity
        ):
            self._leave()
        place = self._entered % self._capacity
        entry = Entry(shape, kind, scope, self._entered)
        if place < len(self._entries):
            self._entries[place] = entry
        else:
            self._entries.append(entry)
        self._entered += 1
        self._cost += cost_of(shape)
        self._places[hash_of(shape.skeleton, scope)] = place
        self._follows(behind, place)
        return place

    def _leave(self) -> None:
        """The oldest shape leaves the table."""
        place = self._left % self._capacity
        self._left += 1
        entry = self._entries[place]
        assert entry is not None, "it entered, and did not leave"
        self._entries[place] = None
        self._cost -= cost_of(entry.shape)
        key = hash_of(entry.shape.skeleton, entry.scope)
        if self._places.get(key) == place:
            del self._places[key]

    def _followers(self, behind: Behind) -> Followers | None:
        entry = None if behind.place is None else self.entry(behind.place)
        if entry is None:
            return None
        return entry.next if behind.is_sibling else entry.first

    def _follows(self, behind: Behind, place: int) -> None:
        """Remember what came behind what."""
        followers = self._followers(behind)
        if followers:
            followers.enter(place)

    def _known(self, place: int) -> int | None:
        """Give a place that a reader was told: a new shape where there is none."""
        return place if place >= 0 and self.entry(place) else None
