"""NumPy's arrays as Arrow's, on the same memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from otlp_fast.columns.attributes import (
    ABSENT,
    ARRAY,
    BOOL,
    BYTES,
    DOUBLE,
    EMPTY,
    INT,
    PAIRS,
    STRING,
    Attributes,
    ValueColumn,
)
from otlp_fast.columns.tables import I32, U32, Ids
from otlp_fast.columns.text import BytesColumn, Dictionary, TextColumn

Mask = npt.NDArray[np.bool_]


def validity(valid: Mask | None) -> pa.Buffer | None:
    """Arrow's bitmap of what is not null."""
    if valid is None or valid.all():
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def signed(numbers: U32) -> I32:
    """Codes or offsets as Arrow has them: a request is shorter than 2 GiB, so that all fit."""
    return numbers.view(np.int32)


def number_array(numbers: npt.NDArray[Any], valid: Mask | None = None) -> pa.Array:
    """Numbers of any type."""
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [validity(valid), pa.py_buffer(np.ascontiguousarray(numbers))])


def id_array(ids: Ids) -> pa.Array:
    """Ids, null where they are all zeros."""
    words = ids.view(np.uint64).reshape(-1, ids.itemsize // 8)
    valid: Mask = np.any(words != 0, axis=1)
    kind = pa.binary(ids.itemsize)
    return pa.Array.from_buffers(kind, len(ids), [validity(valid), pa.py_buffer(np.ascontiguousarray(ids))])


def text_array(text: TextColumn, valid: Mask | None = None) -> pa.Array:
    """Strings as a dictionary."""
    strings = text.strings
    buffers = [None, pa.py_buffer(signed(strings.offsets)), pa.py_buffer(strings.data)]
    dictionary = pa.Array.from_buffers(pa.string(), len(strings), buffers)
    # Places in the dictionary were checked when it was made.
    return pa.DictionaryArray.from_arrays(number_array(signed(text.codes), valid), dictionary, safe=False)


def bytes_array(column: BytesColumn, valid: Mask | None = None) -> pa.Array:
    """Byte strings."""
    buffers = [validity(valid), pa.py_buffer(signed(column.offsets)), pa.py_buffer(column.data)]
    return pa.Array.from_buffers(pa.binary(), len(column), buffers)


def list_array(offsets: U32, elements: pa.Array, valid: Mask | None = None) -> pa.Array:
    """Lists of what lies one behind the other."""
    buffers = [validity(valid), pa.py_buffer(signed(offsets))]
    return pa.Array.from_buffers(pa.list_(elements.type), len(offsets) - 1, buffers, children=[elements])


def struct_array(fields: dict[str, pa.Array], valid: Mask | None = None) -> pa.Array:
    """Structs of columns of equal length."""
    mask = None if valid is None or valid.all() else pa.array(~valid)
    return pa.StructArray.from_arrays(list(fields.values()), names=list(fields), mask=mask)


def value_fields(values: ValueColumn) -> dict[str, pa.Array]:
    """Values of any type: the type, and the one of four columns that it says, null or "" in the others."""
    types, count = values.types, len(values)
    return {
        "type": number_array(types),
        # DuckDB before 2 writes past its memory for a list of dictionaries with nulls: here they have "" instead.
        "text": text_array(no_text(count) if values.text is None else values.text),
        "int": pa.nulls(count, pa.int64())
        if values.int is None
        else number_array(values.int, (types == INT) | (types == BOOL)),
        "double": pa.nulls(count, pa.float64())
        if values.double is None
        else number_array(values.double, types == DOUBLE),
        "bytes": content_array(values),
    }


def no_text(count: int) -> TextColumn:
    """Rows of ""."""
    nothing = Dictionary(np.zeros(2, dtype=np.uint32), np.empty(0, dtype=np.uint8))
    return TextColumn(np.zeros(count, dtype=np.uint32), nothing)


def content_array(values: ValueColumn) -> pa.Array:
    """Bytes, and the messages of arrays and lists of pairs; null for other types."""
    types = values.types
    valid = (types == ARRAY) | (types == PAIRS) | (types == BYTES)
    if values.bytes is None:
        return pa.nulls(len(values), pa.binary())
    if values.rows is None:
        return bytes_array(values.bytes, valid)
    return bytes_array(values.bytes).take(number_array(values.rows, valid))


def attribute_lists(attributes: Attributes) -> pa.Array:
    """The attributes of each row as a list of structs."""
    table = attributes.table
    return list_array(attributes.offsets, struct_array({"key": text_array(table.key)} | value_fields(table.values)))


def value_array(values: ValueColumn) -> pa.Array:
    """Values of one type as an array of that type; of several types as structs."""
    valid = ~values.is_null
    kinds = {int(kind) for kind in np.unique(values.types)} - {ABSENT, EMPTY}
    if kinds == {STRING} and values.text is not None:
        return text_array(values.text, valid)
    if kinds == {INT} and values.int is not None:
        return number_array(values.int, valid)
    if kinds == {BOOL} and values.int is not None:
        return pa.array(values.int.astype(bool), mask=~valid)
    if kinds == {DOUBLE} and values.double is not None:
        return number_array(values.double, valid)
    if kinds == {BYTES}:
        return content_array(values)
    if not kinds:
        return pa.nulls(len(values))
    return struct_array(value_fields(values), valid)
