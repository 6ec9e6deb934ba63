"""Columns as requests: the batch writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from otlp_fast import _core
from otlp_fast.columns.text import BytesColumn, TextColumn
from otlp_fast.errors import EncodeError

Tables = Mapping[str, Mapping[str, Any]]
"""Tables by their names, columns by theirs, as docs/columns.md has them."""

DTYPES: dict[str, np.dtype[Any]] = {
    "u8": np.dtype(np.uint8),
    "i32": np.dtype(np.int32),
    "u32": np.dtype(np.uint32),
    "i64": np.dtype(np.int64),
    "u64": np.dtype(np.uint64),
    "f64": np.dtype(np.float64),
    "offsets": np.dtype(np.uint32),
}
ID_SIZES = {"id8": 8, "id16": 16}


def write_traces(table: Any) -> bytes:
    """Write an `ExportTraceServiceRequest` of columns.

    Args:
        table: either tables as docs/columns.md lists them, `{"spans": {"name": [...], ...}, "scopes": ...}`: columns
            are arrays or sequences of numbers that fit their types (or `datetime64`, for times); text columns
            `TextColumn` or sequences of str; ids arrays of `V16` and `V8`, or sequences of bytes, empty for none; bytes
            `BytesColumn` or sequences of bytes. Only `spans` must be there; columns that are missing are absent in
            every row. What `Traces.tables()` gives is of this form.
            Or an Arrow table in the form of `otlp_fast.columns.arrow`: anything with `__arrow_c_stream__`.

    Raises:
        EncodeError: tables that do not fit together, or that have a column of another type; `.path` says where.
    """
    return write(table, "traces")


def write_logs(table: Any) -> bytes:
    """Write an `ExportLogsServiceRequest` of columns, of which `log_records` must be there; see `write_traces`."""
    return write(table, "logs")


def write_metrics(table: Any) -> bytes:
    """Write an `ExportMetricsServiceRequest` of columns; `metrics` and `points` must be there; see `write_traces`."""
    return write(table, "metrics")


def write(table: Any, signal: str) -> bytes:
    """Write a request of tables, or of an Arrow table."""
    if isinstance(table, Mapping):
        return write_tables(signal, table)
    from otlp_fast.columns.arrow import to_request

    return to_request(table, signal)


def write_tables(signal: str, tables: Tables) -> bytes:
    """Write a request of tables."""
    contract = _core.table_types(signal)
    native: dict[str, dict[str, Any]] = {}
    for table, columns in tables.items():
        check_name("table", table)
        if not isinstance(columns, Mapping):
            raise refuse(table, "a mapping of columns by their names", type(columns).__name__)
        types = contract.get(table, {})
        native[table] = {}
        for column, values in columns.items():
            check_name("column", column, table)
            native[table][column] = native_column(types.get(column, ""), values, f"{table}.{column}")
    return _core.write_tables(signal, native)


def check_name(what: str, name: object, path: str = "") -> None:
    """Refuse what cannot be a name; which names there are is for the native module to say."""
    if not (isinstance(name, str) and name.isprintable()):
        place = f"{path}: " if path else ""
        raise EncodeError(f"{place}expected the name of a {what}, not {name!r}", path=path)


def native_column(kind: str, values: Any, path: str) -> Any:
    """A column in the form that the native module takes: an array, or a tuple of arrays for text and bytes."""
    if np.ma.is_masked(values):
        raise refuse(path, "a value in every row", "an array in which some are masked")
    if kind == "text":
        return text_arrays(values, path)
    if kind == "bytes":
        return bytes_arrays(values, path)
    if kind in ID_SIZES:
        return id_bytes(values, ID_SIZES[kind], path)
    # A column that is none is refused by the native module, with the names that it has there.
    return number_array(values, DTYPES[kind], path) if kind else values


def refuse(path: str, expected: str, found: object) -> EncodeError:
    """The error of a column that does not hold what it should."""
    return EncodeError(f"{path}: expected {expected}, not {found}", path=path)


def number_array(values: Any, dtype: np.dtype[Any], path: str) -> npt.NDArray[Any]:
    """Numbers of exactly this type, if all values can be had in it."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:  # such as lists of different lengths
        raise refuse(path, f"a column of {dtype}", f"{type(values).__name__}: {error}") from None
    if array.ndim != 1:
        raise refuse(path, f"a column of {dtype}", f"an array of shape {array.shape}")
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    if array.dtype.kind == "f" and not isinstance(values, np.ndarray) and all(isinstance(one, int) for one in values):
        # Integers on both sides of 2**63 became doubles, which do not hold all of their digits.
        array = np.asarray(values, dtype=np.uint64 if min(values, default=0) >= 0 else object)
    if array.dtype.kind == "M":
        array = nanoseconds(array, path)
    if array.size and array.dtype.kind not in "biuf":
        raise refuse(path, f"a column of {dtype}", array.dtype)
    with np.errstate(invalid="ignore"):
        converted = np.ascontiguousarray(array, dtype=dtype)
    differs = converted != array if dtype.kind != "f" else np.zeros(0, dtype=bool)
    if differs.any():
        row = int(np.argmax(differs))
        raise refuse(f"{path}[{row}]", f"a number that fits {dtype}", array[row])
    return converted


def nanoseconds(times: npt.NDArray[Any], path: str) -> npt.NDArray[np.int64]:
    """Times of any unit as integers. NumPy's cast wraps, and its comparison of two units does so, too."""
    converted = times.astype("M8[ns]")
    if np.datetime_data(times.dtype)[0] != "generic":  # which has NaT only
        lost = (converted.astype(times.dtype) != times) & ~np.isnat(times)
        if lost.any():
            row = int(np.argmax(lost))
            raise refuse(f"{path}[{row}]", "a time that fits datetime64[ns]", times[row])
    return converted.view(np.int64)


def id_bytes(values: Any, size: int, path: str) -> npt.NDArray[np.void]:
    """Ids, all zeros where there is none."""
    if (
        isinstance(values, np.ndarray)
        and values.dtype.kind in "SV"
        and values.dtype.itemsize == size
        and values.ndim == 1
    ):
        return np.ascontiguousarray(values).view(f"V{size}")
    contents = byte_strings(values, path)
    for row, content in enumerate(contents):
        if len(content) not in (0, size):
            raise refuse(f"{path}[{row}]", f"an id of {size} bytes", f"of {len(content)}")
    return np.frombuffer(b"".join(content or bytes(size) for content in contents), dtype=f"V{size}")


def text_arrays(values: Any, path: str) -> tuple[npt.NDArray[Any], ...]:
    """Codes, and the offsets and bytes of the strings."""
    if isinstance(values, TextColumn):
        return values.codes, values.strings.offsets, values.strings.data
    codes: dict[str, int] = {"": 0}
    texts = elements(values, "a column of str", path)
    rows = np.empty(len(texts), dtype=np.uint32)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise refuse(f"{path}[{row}]", "a str", type(text).__name__)
        rows[row] = codes.setdefault(text, len(codes))
    # Of a lone surrogate there is no UTF-8: it becomes what the encoders of SDK objects write.
    encoded = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode() for text in codes]
    return (rows, *joined(encoded))


def bytes_arrays(values: Any, path: str) -> tuple[npt.NDArray[Any], ...]:
    """The offsets and bytes of byte strings."""
    if isinstance(values, BytesColumn):
        return values.offsets, values.data
    return joined(byte_strings(values, path))


def elements(values: Any, expected: str, path: str) -> list[Any]:
    """The elements of a sequence. A string is none, though it has characters."""
    if isinstance(values, (str, bytes)):
        raise refuse(path, expected, f"one {type(values).__name__}")
    try:
        return list(values)
    except TypeError:
        raise refuse(path, expected, type(values).__name__) from None


def byte_strings(values: Any, path: str) -> list[bytes]:
    """A sequence of bytes."""
    contents = elements(values, "a column of bytes", path)
    for row, content in enumerate(contents):
        if not isinstance(content, bytes | np.bytes_ | np.void):
            raise refuse(f"{path}[{row}]", "bytes", type(content).__name__)
    return [bytes(content) for content in contents]


def joined(strings: Sequence[bytes]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """Byte strings one behind the other."""
    ends = np.zeros(len(strings) + 1, dtype=np.int64)
    np.cumsum([len(content) for content in strings], out=ends[1:])
    if ends[-1] >= 2**31:
        raise EncodeError("no request is as long as this table: it must be cut first")
    return ends.astype(np.uint32), np.frombuffer(b"".join(strings), dtype=np.uint8)
