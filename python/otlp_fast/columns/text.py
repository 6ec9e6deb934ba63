"""Columns of strings and of byte strings."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow

Rows = slice | npt.NDArray[Any] | list[int]
"""What chooses rows: a slice, a mask, or row numbers."""


class Dictionary:
    """The distinct strings of a column, one behind the other.

    Attributes:
        offsets: uint32, one more than strings: string `i` is `data[offsets[i]:offsets[i + 1]]`.
        data: uint8, UTF-8.
    """

    def __init__(self, offsets: npt.NDArray[np.uint32], data: npt.NDArray[np.uint8]) -> None:
        """Make a dictionary of its two arrays."""
        self.offsets = offsets
        self.data = data

    def __len__(self) -> int:
        """The number of strings."""
        return len(self.offsets) - 1

    @cached_property
    def texts(self) -> npt.NDArray[np.object_]:
        """The strings as `str`: object, shape (strings,)."""
        content, ends = self.data.tobytes(), self.offsets.tolist()
        texts = np.empty(len(self), dtype=object)
        texts[:] = [content[start:end].decode() for start, end in pairwise(ends)]
        return texts

    @cached_property
    def codes(self) -> dict[str, int]:
        """The place of each string."""
        return {text: code for code, text in enumerate(self.texts.tolist())}


class TextColumn:
    """A column of strings, each by its place in a dictionary of the distinct ones.

    `column == "text"` and `column != "text"` give masks, and look at numbers only. `column[3]` is a `str`; a slice, a
    mask or an array of row numbers gives a column that shares the dictionary.

    Attributes:
        codes: uint32, shape (rows,): places in `dictionary`.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, codes: npt.NDArray[np.uint32], strings: Dictionary) -> None:
        """Make a column of codes and their strings."""
        self.codes = codes
        self.strings = strings

    @property
    def dictionary(self) -> npt.NDArray[np.object_]:
        """The distinct strings: object, shape (strings,). String 0 is ""; not all need to occur."""
        return self.strings.texts

    def to_numpy(self) -> npt.NDArray[np.object_]:
        """The strings: object, shape (rows,)."""
        return self.dictionary[self.codes]

    def to_arrow(self) -> pyarrow.Array:
        """The strings as a pyarrow dictionary array; its codes are the memory of `codes`."""
        from otlp_fast.columns.arrow.arrays import text_array

        return text_array(self)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.codes)

    @overload
    def __getitem__(self, rows: int) -> str: ...
    @overload
    def __getitem__(self, rows: Rows) -> TextColumn: ...
    def __getitem__(self, rows: int | Rows) -> str | TextColumn:
        """One string, or the column of some rows."""
        codes = self.codes[rows]
        return TextColumn(codes, self.strings) if isinstance(codes, np.ndarray) else str(self.dictionary[codes])

    def __iter__(self) -> Iterator[str]:
        """The strings."""
        return iter(self.to_numpy())

    def __eq__(self, text: object) -> npt.NDArray[np.bool_]:  # type: ignore[override]
        """Which rows hold `text`: bool, shape (rows,)."""
        if not isinstance(text, str):
            return NotImplemented
        code = self.strings.codes.get(text)
        return np.zeros(len(self), dtype=bool) if code is None else self.codes == code

    def __ne__(self, text: object) -> npt.NDArray[np.bool_]:  # type: ignore[override]
        """Which rows hold something else: bool, shape (rows,)."""
        return ~(self == text) if isinstance(text, str) else NotImplemented

    def __repr__(self) -> str:
        """The column in short."""
        return f"<TextColumn of {len(self)} rows, {len(self.strings)} distinct strings>"


class BytesColumn:
    """A column of byte strings, one behind the other.

    Attributes:
        offsets: uint32, shape (rows + 1,): row `i` is `data[offsets[i]:offsets[i + 1]]`.
        data: uint8.
    """

    def __init__(self, offsets: npt.NDArray[np.uint32], data: npt.NDArray[np.uint8]) -> None:
        """Make a column of its two arrays."""
        self.offsets = offsets
        self.data = data

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> bytes:
        """One byte string."""
        row = range(len(self))[row]
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        """The byte strings."""
        content, ends = self.data.tobytes(), self.offsets.tolist()
        return (content[start:end] for start, end in pairwise(ends))

    def __repr__(self) -> str:
        """The column in short."""
        return f"<BytesColumn of {len(self)} rows, {len(self.data)} bytes>"
