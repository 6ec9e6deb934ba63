"""Tables, whose columns are made when somebody asks for them.

A table of `docs/columns.md` is a class, and each of its columns a `column` in it. The native module gives the core
columns of a table all at once, without a copy, and its further columns, also all at once, when the first of them is
asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar, overload

import numpy as np
import numpy.typing as npt

from otlp_fast import _core
from otlp_fast.columns.text import BytesColumn, Dictionary, TextColumn

T = TypeVar("T")
Column = npt.NDArray[Any] | TextColumn | BytesColumn

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Ids = npt.NDArray[np.void]


def array_of(array: _core.Array) -> npt.NDArray[Any]:
    """A native array as NumPy's: a read-only view of the same memory. Ids are `V8` and `V16`."""
    values = np.asarray(array)
    # NumPy's own type for bytes of fixed size, S, drops zeros at the end of what it gives out; some ids end in zeros.
    return values.view(f"V{values.itemsize}") if values.dtype.kind == "S" else values


def column_of(content: _core.Array | tuple[_core.Array, ...]) -> Column:
    """A column as the native module gives it: an array, three of text, or two of bytes."""
    if not isinstance(content, tuple):
        return array_of(content)
    *codes, offsets, data = map(array_of, content)
    return TextColumn(codes[0], Dictionary(offsets, data)) if codes else BytesColumn(offsets, data)


class Maker(Protocol):
    """What makes columns by their names."""

    def _make(self, name: str) -> Any: ...


class column(Generic[T]):
    """A column of a class: made when it is first asked for, and kept."""

    def __init__(self, doc: str) -> None:
        """Declare a column with its documentation."""
        self.__doc__ = doc

    def __set_name__(self, owner: type[Maker], name: str) -> None:
        """Learn the column's name."""
        self.name = name

    @overload
    def __get__(self, table: None, owner: type[Maker]) -> column[T]: ...
    @overload
    def __get__(self, table: Maker, owner: type[Maker]) -> T: ...
    def __get__(self, table: Maker | None, owner: type[Maker]) -> column[T] | T:
        """The column of an object. The next time Python finds it in the object itself."""
        if table is None:
            return self
        made: T = table._make(self.name)
        table.__dict__[self.name] = made
        return made


class Table:
    """Columns of equal length, with a row for each message of one kind in the order of the request."""

    _name: ClassVar[str]

    def __init__(self, columns: _core.Columns) -> None:
        """Look at a table of a decoded request."""
        self._columns = columns

    @cached_property
    def _made(self) -> dict[str, Any]:
        """The columns as the native module gives them, without the further ones of a core table."""
        return self._columns.table(self._name) or {}

    @cached_property
    def _further(self) -> dict[str, Any]:
        return self._columns.further(self._name) or {}

    def _make(self, name: str) -> Any:
        content = self._made.get(name)
        return column_of(self._further[name] if content is None else content)

    def to_dict(self) -> dict[str, Column]:
        """All columns by their names in docs/columns.md."""
        return {name: column_of(content) for name, content in (self._made | self._further).items()}

    def __len__(self) -> int:
        """The number of rows."""
        # The first column of every table has a value for each row; offsets, which have one more, stand further behind.
        first = next(iter(self._made.values()))
        return len(first[0] if isinstance(first, tuple) else first)

    def __repr__(self) -> str:
        """The table in short."""
        return f"<{type(self).__name__} of {len(self)} rows>"
