"""Attributes as columns, one for each key, made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from otlp_fast import _core
from otlp_fast.columns.tables import F64, I64, U8, U32, Table, column, column_of
from otlp_fast.columns.text import BytesColumn, Rows, TextColumn

if TYPE_CHECKING:
    import pyarrow

ABSENT = 255
"""The type of an attribute that a row does not have."""
EMPTY, STRING, BOOL, INT, DOUBLE, ARRAY, PAIRS, BYTES = range(8)
"""The types of values: the numbers of their fields in `AnyValue`."""


class ValueColumn:
    """A column of values, each of any type: an attribute of every row, or the body of every log record.

    `column == value` and `column != value` give masks: a str, bool, bytes or number is compared with values of that
    type (numbers with integers and doubles), None with what is null. `column[3]` is the value as a Python object; a
    slice, a mask or an array of row numbers gives a column. Of an attribute that stands twice in a row the last one
    counts.

    Attributes:
        types: uint8, shape (rows,): 255 absent, 0 empty, 1 string, 2 bool, 3 int, 4 double, 5 array, 6 list of pairs,
            7 bytes.
        text: the strings, "" where the type is another; None where there are none. `int`, `double` and `bytes`
            likewise; a bool is an `int` of 0 or 1, an array or list of pairs the `bytes` of its message.
        rows: the rows of `bytes` that are this column's; None where they are all, in their order.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        types: U8,
        text: TextColumn | None = None,
        int: I64 | None = None,
        double: F64 | None = None,
        bytes: BytesColumn | None = None,
        rows: npt.NDArray[Any] | None = None,
    ) -> None:
        """Make a column of what is in it."""
        self.types = types
        self.text = text
        self.int = int
        self.double = double
        self.bytes = bytes
        self.rows = rows

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.types)

    @property
    def is_null(self) -> npt.NDArray[np.bool_]:
        """Which rows have no value: absent or empty. bool, shape (rows,)."""
        null: npt.NDArray[np.bool_] = (self.types == ABSENT) | (self.types == EMPTY)
        return null

    @property
    def codes(self) -> U32:
        """The strings by their places in `dictionary`: uint32, shape (rows,), 0 where the type is another."""
        return np.zeros(len(self), dtype=np.uint32) if self.text is None else self.text.codes

    @property
    def dictionary(self) -> npt.NDArray[np.object_]:
        """The distinct strings: object, shape (strings,). String 0 is ""."""
        return np.array([""], dtype=object) if self.text is None else self.text.dictionary

    @cached_property
    def values(self) -> npt.NDArray[Any]:
        """The values, shape (rows,).

        int64, float64 or bool where all values are of that type, and 0 where there is none (`is_null` tells the two
        apart); otherwise object: str, bool, int, float, bytes, list and dict, and None where there is no value.
        """
        kinds = {int(kind) for kind in np.unique(self.types)} - {ABSENT, EMPTY}
        if kinds == {INT} and self.int is not None:
            return self.int
        if kinds == {DOUBLE} and self.double is not None:
            return self.double
        if kinds == {BOOL} and self.int is not None:
            return self.int.astype(bool)
        values = np.full(len(self), None, dtype=object)
        for kind in kinds:
            rows = np.flatnonzero(self.types == kind)
            values[rows] = self._objects(kind, rows)
        return values

    def _objects(self, kind: int, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.object_]:
        """The values of some rows, all of one type, as Python objects."""
        if kind == STRING and self.text is not None:
            return self.text[rows].to_numpy()
        if kind in (BOOL, INT) and self.int is not None:
            return self.int[rows].astype(bool if kind == BOOL else np.int64).astype(object)
        if kind == DOUBLE and self.double is not None:
            return self.double[rows].astype(object)
        assert self.bytes is not None
        objects = np.empty(len(rows), dtype=object)
        for place, row in enumerate(rows if self.rows is None else self.rows[rows]):
            content = self.bytes[int(row)]
            objects[place] = content if kind == BYTES else _core.any_value(kind, content)
        return objects

    @overload
    def __getitem__(self, rows: int) -> Any: ...
    @overload
    def __getitem__(self, rows: Rows) -> ValueColumn: ...
    def __getitem__(self, rows: int | Rows) -> Any:
        """One value, or the column of some rows."""
        if isinstance(rows, int | np.integer):
            rows = range(len(self))[rows]
            one = self[rows : rows + 1]
            return None if one.is_null[0] else one._objects(int(one.types[0]), np.zeros(1, dtype=np.intp))[0]
        return ValueColumn(
            self.types[rows],
            None if self.text is None else self.text[rows],
            None if self.int is None else self.int[rows],
            None if self.double is None else self.double[rows],
            self.bytes,
            (np.arange(len(self)) if self.rows is None else self.rows)[rows],
        )

    def __iter__(self) -> Iterator[Any]:
        """The values as Python objects."""
        values = self.values.astype(object)
        values[self.is_null] = None
        return iter(values.tolist())

    def __eq__(self, value: object) -> npt.NDArray[np.bool_]:  # type: ignore[override]
        """Which rows hold `value`: bool, shape (rows,)."""
        mask = np.zeros(len(self), dtype=bool)
        if value is None:
            return self.is_null
        if isinstance(value, bool | np.bool_):
            return mask if self.int is None else (self.types == BOOL) & (self.int == int(value))
        if isinstance(value, str):
            return mask if self.text is None else (self.types == STRING) & (self.text == value)
        if isinstance(value, int | float | np.number):
            if self.int is not None:
                mask |= (self.types == INT) & (self.int == value)
            if self.double is not None:
                mask |= (self.types == DOUBLE) & (self.double == value)
            return mask
        if isinstance(value, bytes):
            if self.bytes is None:
                return mask
            rows = np.flatnonzero(self.types == BYTES)
            mask[rows] = self._objects(BYTES, rows) == value
            return mask
        return NotImplemented

    def __ne__(self, value: object) -> npt.NDArray[np.bool_]:  # type: ignore[override]
        """Which rows hold something else, or nothing: bool, shape (rows,)."""
        equal = self.__eq__(value)
        return equal if equal is NotImplemented else ~equal

    def to_arrow(self) -> pyarrow.Array:
        """The values as a pyarrow Array, null where there is none.

        Strings (as a dictionary), bool, int64, double or binary where all values are of one type; otherwise a struct of
        `type`, `text`, `int`, `double` and `bytes`.
        """
        from otlp_fast.columns import arrow

        return arrow.value_array(self)

    def __repr__(self) -> str:
        """The column in short."""
        return f"<{type(self).__name__} of {len(self)} rows, {np.count_nonzero(~self.is_null)} values>"


class AttributeTable(Table):
    """The attributes of a table, one behind the other: a row for each."""

    key = column[TextColumn]("The keys.")
    type = column[U8]("What each value is, see `ValueColumn.types`.")
    text = column[TextColumn]('Strings; "" where the value is none.')
    int = column[I64]("Integers, and bools as 0 and 1.")
    double = column[F64]("Doubles.")
    bytes = column[BytesColumn]("Bytes, and the encoded messages of arrays and lists of pairs.")

    def __init__(self, columns: _core.Columns, owner: str) -> None:
        """Look at the attributes of the table `owner`."""
        super().__init__(columns)
        self._made = columns.attributes(owner) or {}

    @cached_property
    def values(self) -> ValueColumn:
        """The values."""
        return ValueColumn(self.type, self.text, self.int, self.double, self.bytes)


class Attributes:
    """The attributes of a table's rows: `attributes["http.route"]` is the column of a key.

    A column has a value for each row of the table. A key that stands nowhere gives a column without values, as any
    other key may: which keys a request holds depends on what was sent.
    """

    def __init__(self, owner: Table, offsets: str = "attributes") -> None:
        """Look at the attributes of a table, whose column `offsets` says where those of each row are."""
        self._owner = owner
        self._offsets = offsets
        self._made: dict[str, ValueColumn] = {}

    @cached_property
    def offsets(self) -> U32:
        """Row `i` has the rows `offsets[i]` to `offsets[i + 1]` of `table`: uint32, shape (rows + 1,)."""
        offsets: U32 = self._owner._make(self._offsets)
        return offsets

    def __getitem__(self, key: str) -> ValueColumn:
        """The attribute of a key in every row."""
        known = self._made.get(key)
        if known is None:
            found = self._owner._columns.attribute(self._owner._name, key) or {}
            contents = {name: column_of(content) for name, content in found.items()}
            known = self._made[key] = ValueColumn(contents.pop("type"), **contents)  # type: ignore[arg-type]
        return known

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each key stands, in the order in which they turn up."""
        return dict(self._owner._columns.attribute_keys(self._owner._name) or ())

    def keys(self) -> list[str]:
        """The keys, in the order in which they turn up."""
        return list(self.counts)

    def __iter__(self) -> Iterator[str]:
        """The keys."""
        return iter(self.counts)

    def __contains__(self, key: object) -> bool:
        """Whether any row has the key."""
        return key in self.counts

    def __len__(self) -> int:
        """The number of keys."""
        return len(self.counts)

    @cached_property
    def table(self) -> AttributeTable:
        """All of them, one behind the other."""
        return AttributeTable(self._owner._columns, self._owner._name)

    def __repr__(self) -> str:
        """The attributes in short."""
        return f"<Attributes with {len(self)} keys>"
