"""The distinct ones among the resources, scopes or metrics that stand in every row.

Neighbours mostly share them, so rows are compared with the row before, by columns. Only the first rows of runs of equal ones are
looked up by what is in them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from otlp_fast.columns.tables import U32
from otlp_fast.columns.text import TextColumn

Numbers = npt.NDArray[Any]


def comparable(column: Any) -> Numbers:
    """A column as numbers that are equal where its values are; doubles by their bits."""
    if isinstance(column, TextColumn):
        return column.codes
    if isinstance(column, pa.Array):
        codes: Numbers = column.dictionary_encode().indices.to_numpy(zero_copy_only=False)
        return codes
    return column.view(np.int64) if column.dtype == np.float64 else column  # type: ignore[no-any-return]


def distinct(columns: list[Any], lists: U32, elements: dict[str, Any]) -> tuple[U32, npt.NDArray[np.intp]]:
    """The groups of equal rows.

    Args:
        columns: columns of one value for each row.
        lists: offsets of each row's elements.
        elements: the columns of these.

    Returns:
        The group of each row, by the order in which they turn up, and the first row of each group.
    """
    count, starts = len(lists) - 1, lists.astype(np.int64)
    lengths = np.diff(starts)
    values, leaves = [comparable(column) for column in columns], [comparable(column) for column in elements.values()]
    same = np.ones(count, dtype=bool)
    same[:1] = False
    for numbers in (*values, lengths):
        same[1:] &= numbers[1:] == numbers[:-1]
    # An element is compared with the one at its place in the row before, which has as many.
    rows = np.repeat(np.arange(count), np.where(same, lengths, 0))
    places = np.flatnonzero(np.repeat(same, lengths))
    before = places - lengths[rows]
    for leaf in leaves:
        same[rows[leaf[places] != leaf[before]]] = False
    heads = np.flatnonzero(~same)
    known: dict[Any, int] = {}
    groups, firsts = [], []
    for row in heads.tolist():
        inside = slice(starts[row], starts[row + 1])
        content = (*(numbers[row].item() for numbers in values), *(leaf[inside].tobytes() for leaf in leaves))
        group = known.setdefault(content, len(known))
        if group == len(firsts):
            firsts.append(row)
        groups.append(group)
    runs = np.cumsum(~same) - 1
    return np.array(groups, dtype=np.uint32)[runs], np.array(firsts, dtype=np.intp)


def take(column: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Some rows of a column."""
    return column.take(pa.array(rows)) if isinstance(column, pa.Array) else column[rows]


def take_lists(offsets: U32, elements: dict[str, Any], rows: npt.NDArray[np.intp]) -> tuple[U32, dict[str, Any]]:
    """The lists of some rows: their offsets and elements."""
    starts, lengths = offsets[rows].astype(np.int64), np.diff(offsets.astype(np.int64))[rows]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)
    return ends.astype(np.uint32), {name: take(column, places) for name, column in elements.items()}
