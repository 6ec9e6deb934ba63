"""Rows of a request by what they have in common, and what their attributes weigh."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from otlp_fast.columns import TextColumn
from otlp_fast.columns.attributes import BOOL, DOUBLE, INT

Numbers = npt.NDArray[Any]

# A varint has a byte more from each of these numbers on.
_VARINT_STEPS = np.array([1 << 7 * length for length in range(1, 10)], dtype=np.uint64)
# Of values whose length their type says: of a bool, and of a double.
_VALUE_LENGTHS = np.array([{BOOL: 1, DOUBLE: 8}.get(kind, 0) for kind in range(256)])


class Groups:
    """Rows in groups that agree in every one of some columns of numbers below 2 ** 31, at most two of them.

    Attributes:
        first: the first row of each group.
        counts: the number of its rows.
    """

    def __init__(self, first: Numbers, second: Numbers | None = None) -> None:
        """Group rows."""
        joined = first.astype(np.int64)
        if second is not None and len(second):
            joined = joined * (int(second.max()) + 1) + second
        _, self.first, self._group, self.counts = np.unique(
            joined, return_index=True, return_inverse=True, return_counts=True
        )

    def sums(self, values: Numbers) -> list[int]:
        """Sum the values of each group, as exactly as a double is."""
        return [int(value) for value in np.bincount(self._group, weights=values, minlength=len(self.counts))]

    def maxima(self, values: Numbers) -> list[int]:
        """Give the greatest value of each group."""
        greatest = np.zeros(len(self.counts), dtype=values.dtype)
        np.maximum.at(greatest, self._group, values)
        return [int(value) for value in greatest]


def attribute_weights(table: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Give each key of a table of attributes, how often it stands, and the bytes of the key and its values.

    The bytes are those that encode keys and values, without the tags and lengths around them.
    """
    key: TextColumn = table["key"]
    if not len(key):
        return
    types: Numbers = table["type"]
    weights = _lengths(key) + _VALUE_LENGTHS[types]
    if "text" in table:
        weights += _lengths(table["text"])
    if "bytes" in table:
        weights += _differences(table["bytes"].offsets)
    if "int" in table:
        varints = np.searchsorted(_VARINT_STEPS, table["int"].view(np.uint64), side="right") + 1
        weights += np.where(types == INT, varints, 0)
    counts = np.bincount(key.codes)
    totals = np.bincount(key.codes, weights=weights)
    keys = np.flatnonzero(counts)
    yield from zip(key.dictionary[keys], counts[keys].tolist(), map(int, totals[keys].tolist()), strict=True)


def _lengths(text: TextColumn) -> npt.NDArray[np.int64]:
    """Give the length of each string in bytes."""
    lengths: npt.NDArray[np.int64] = _differences(text.strings.offsets)[text.codes]
    return lengths


def _differences(offsets: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    return (offsets[1:] - offsets[:-1]).astype(np.int64)
