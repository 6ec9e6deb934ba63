"""Arrow's arrays as the columns that the writer takes, whatever types they have, as long as these hold such values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from otlp_fast.columns.attributes import ABSENT, BYTES, DOUBLE, EMPTY, INT, STRING
from otlp_fast.columns.tables import U32
from otlp_fast.columns.text import Dictionary, TextColumn
from otlp_fast.errors import EncodeError

TEXT_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)


class Values:
    """An array, and where it stands in its table: `events.name`."""

    def __init__(self, array: pa.Array, path: str) -> None:
        """Look at an array."""
        self.array = array
        self.path = path

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.array)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Which rows are not null."""
        mask: npt.NDArray[np.bool_] = self.array.is_valid().to_numpy(zero_copy_only=False)
        return mask

    @property
    def has_content(self) -> npt.NDArray[np.bool_]:
        """Which rows are not null, and no empty lists."""
        return np.diff(self.lists()[0]) > 0 if hasattr(self.array.type, "value_field") else self.valid

    def unfit(self, expected: str, reason: object = None) -> EncodeError:
        """The error of a column that does not hold what it should."""
        why = "" if reason is None else f": {reason}"
        return EncodeError(f"{self.path}: expected {expected}, not {self.array.type}{why}", path=self.path)

    def cast(self, kind: pa.DataType, expected: str) -> pa.Array:
        """The array in another type, if all of its values can be had in it."""
        try:
            return self.array.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise self.unfit(expected, error) from None

    def numbers(self, dtype: type[np.generic]) -> npt.NDArray[Any]:
        """Numbers, 0 where there is null. A timestamp is a number of ns."""
        kind, array = pa.from_numpy_dtype(dtype), self.array
        if pa.types.is_timestamp(array.type):
            array = self.cast(pa.timestamp("ns", array.type.tz), "times").cast(pa.int64())
        array = Values(array, self.path).cast(kind, f"numbers that are {kind}")
        values: npt.NDArray[Any] = array.fill_null(0).to_numpy(zero_copy_only=False)
        return values

    def truths(self) -> npt.NDArray[np.uint8]:
        """Truth values as 0 and 1, 0 where there is null."""
        array = self.cast(pa.bool_(), "truth values").fill_null(False)
        return array.to_numpy(zero_copy_only=False).astype(np.uint8)  # type: ignore[no-any-return]

    def text(self) -> TextColumn:
        """Strings, "" where there is null."""
        array = self.array
        if not pa.types.is_dictionary(array.type):
            # Arrow would make strings of numbers, too.
            if not any(is_kind(array.type) for is_kind in TEXT_TYPES):
                raise self.unfit("strings")
            array = self.cast(pa.string(), "strings").dictionary_encode()
        elif not any(is_kind(array.type.value_type) for is_kind in TEXT_TYPES):
            raise self.unfit("strings")
        dictionary = Values(array.dictionary, self.path).cast(pa.string(), "strings")
        if dictionary.null_count:
            return Values(array.cast(array.type.value_type), self.path).text()
        offsets, data = contents(dictionary)
        # String 0 is "": what is null has the code -1 for a moment.
        codes = array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False) + 1
        return TextColumn(codes.astype(np.uint32), Dictionary(np.concatenate([offsets[:1], offsets]), data))

    def binary(self) -> pa.Array:
        """Byte strings, empty where there is null."""
        return self.cast(pa.binary(), "binary").fill_null(b"")

    def ids(self, size: int) -> npt.NDArray[np.void]:
        """Ids of `size` bytes, all zeros where there is null or an empty one."""
        array = self.cast(pa.binary(), f"binary of {size} bytes").fill_null(b"")
        offsets, data = contents(array)
        lengths = np.diff(offsets)
        wrong = (lengths != size) & (lengths != 0)
        if wrong.any():
            row = int(np.argmax(wrong))
            path = f"{self.path}[{row}]"
            raise EncodeError(f"{path}: expected an id of {size} bytes, not of {lengths[row]}", path=path)
        ids = np.zeros(len(array), dtype=f"V{size}")
        ids[lengths == size] = data.view(ids.dtype)
        return ids

    def lists(self) -> tuple[U32, Values]:
        """Offsets and elements; null is an empty list."""
        array, kind = self.array, self.array.type
        if pa.types.is_null(kind):
            return np.zeros(len(array) + 1, dtype=np.uint32), Values(pa.nulls(0), self.path)
        if not hasattr(kind, "value_field") or pa.types.is_dictionary(kind):
            raise self.unfit("lists")
        # Every kind of list gives these, without what is under nulls; a cast of views loses elements (pyarrow 26).
        lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        if lengths.sum(dtype=np.int64) >= 2**31:
            # Views may show the same elements again and again.
            raise EncodeError(f"{self.path}: no request is as long as these lists", path=self.path)
        offsets = np.zeros(len(array) + 1, dtype=np.uint32)
        np.cumsum(lengths, out=offsets[1:])
        return offsets, Values(array.flatten(), self.path)

    def fields(self) -> Fields:
        """The columns of structs; what is null is null in all of them."""
        kind = self.array.type
        if pa.types.is_null(kind):
            return Fields({}, len(self), f"{self.path}.")
        if not pa.types.is_struct(kind):
            raise self.unfit("structs")
        names = [field.name for field in kind]
        return Fields(dict(zip(names, self.array.flatten(), strict=True)), len(self), f"{self.path}.")


class Fields:
    """Columns by their names: of a table, or of structs."""

    def __init__(self, columns: dict[str, pa.Array], count: int, prefix: str = "") -> None:
        """Look at columns of `count` rows, whose paths begin with `prefix`."""
        self.columns = columns
        self.count = count
        self.prefix = prefix
        self.known: set[str] = set()

    def __getitem__(self, name: str) -> Values:
        """A column; one that is missing is null in every row."""
        self.known.add(name)
        array = self.columns.get(name)
        return Values(pa.nulls(self.count) if array is None else array, f"{self.prefix}{name}")

    def finish(self) -> None:
        """Refuse columns that nobody asked for: what is in them would be lost."""
        for name in self.columns:
            if name not in self.known:
                path = f"{self.prefix}{name}"
                raise EncodeError(
                    f"{path}: there is no such column; there are {', '.join(sorted(self.known))}", path=path
                )


def contents(array: pa.Array) -> tuple[U32, npt.NDArray[np.uint8]]:
    """Where strings begin and end, from 0 on, and their bytes."""
    _, offsets, data = array.buffers()
    if len(array) == 0 or offsets is None:
        return np.zeros(len(array) + 1, dtype=np.uint32), np.empty(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.uint32)[array.offset : array.offset + len(array) + 1]
    content = np.empty(0, dtype=np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return ends - ends[0], content[ends[0] : ends[-1]]


def value_columns(fields: Fields, absent: int) -> dict[str, Any]:
    """Values of any type: `type`, `text`, `int`, `double`, `bytes`. Without a `type` it is that of what is there."""
    text, integer, double, encoded = (fields[name] for name in ("text", "int", "double", "bytes"))
    types = fields["type"]
    kinds = types.numbers(np.uint8)
    known = types.valid
    if not known.all():
        derived = np.full(len(kinds), absent, dtype=np.uint8)
        for values, kind in ((text, STRING), (integer, INT), (double, DOUBLE), (encoded, BYTES)):
            derived[values.valid] = kind
        kinds = np.where(known, kinds, derived)
    fields.finish()
    # Of columns that belong to another type nothing may be said.
    return {
        "type": kinds,
        "text": text.text(),
        "int": integer.numbers(np.int64),
        "double": double.numbers(np.float64),
        "bytes": encoded.binary(),
    }


def attribute_columns(values: Values) -> tuple[U32, dict[str, Any]]:
    """Lists of attributes: the offsets, and the table."""
    offsets, elements = values.lists()
    fields = elements.fields()
    key = fields["key"].text()
    return offsets, {"key": key} | value_columns(fields, EMPTY)


def body_columns(values: Values) -> dict[str, Any]:
    """Bodies of log records."""
    return {f"body_{name}": column for name, column in value_columns(values.fields(), ABSENT).items()}
