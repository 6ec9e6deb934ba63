"""Figures by key, for as many keys as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Joiner = Callable[[int, int], int]

_MAX_KEYS = 100_000


def add(first: int, second: int) -> int:
    """Join two counts."""
    return first + second


class Tally(Generic[Key]):
    """Some figures for each key. Each figure has its way to join what comes to what is there.

    Names are made by those who send, and may be endless: behind the first 100,000 keys, what comes counts for no key.

    Attributes:
        others: the figures of all that has no key.
    """

    def __init__(self, *joiners: Joiner) -> None:
        """Begin with nothing."""
        self._joiners = joiners
        self._figures: dict[Key, list[int]] = {}
        self.others = [0] * len(joiners)

    def add(self, key: Key, *figures: int) -> None:
        """Add figures to those of a key."""
        known = self._figures.get(key)
        if known is None:
            if len(self._figures) == _MAX_KEYS:
                known = self.others
            else:
                self._figures[key] = list(figures)
                return
        known[:] = [join(old, new) for join, old, new in zip(self._joiners, known, figures, strict=True)]

    def __len__(self) -> int:
        """The number of keys."""
        return len(self._figures)

    def top(self, count: int, figure: int = 0) -> Iterable[tuple[Key, list[int]]]:
        """Give the keys whose `figure` is the greatest, with their figures; of equals the first one first."""
        return sorted(self._figures.items(), key=lambda item: -item[1][figure])[:count]
