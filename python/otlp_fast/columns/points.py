"""Arrays of numbers as OTLP: one metric with a data point for each element."""

from __future__ import annotations

from array import array as Array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from otlp_fast import _core
from otlp_fast._core import Buffer
from otlp_fast.columns.data_points import AggregationTemporality
from otlp_fast.errors import EncodeError
from otlp_fast.reference import common, wire

TEMPORALITIES = {"cumulative": AggregationTemporality.CUMULATIVE, "delta": AggregationTemporality.DELTA}

# How many messages below the request the attributes of a resource, a scope and a data point lie.
RESOURCE_DEPTH, SCOPE_DEPTH, POINT_DEPTH = 3, 4, 6

_PLAIN = (str, bytes, int, bool, type(None))


def write_points(
    name: str,
    times: Any,
    values: Any,
    *,
    attributes: Mapping[str, Any] | None = None,
    kind: Literal["gauge", "sum"] = "gauge",
    unit: str = "",
    description: str = "",
    start_times: Any = None,
    temporality: Literal["cumulative", "delta"] | None = None,
    monotonic: bool | None = None,
    resource: Any = None,
    scope: Any = None,
) -> Buffer:
    """Write arrays of numbers as an `ExportMetricsServiceRequest` of one metric.

        >>> import numpy
        >>> from otlp_fast.columns import write_points
        >>> times = numpy.arange(1_700_000_000, 1_700_003_600, dtype="int64") * 10**9
        >>> celsius = numpy.sin(numpy.arange(3600) / 600)
        >>> request = write_points("room.temperature", times, celsius, unit="Cel", attributes={"room": "attic"})
        >>> len(request) / 3600 < 40
        True

    Arrays are anything that NumPy makes a one-dimensional array of without guessing: its own arrays, lists, whatever
    has the buffer protocol, columns of Arrow, pandas and polars. Those of eight-byte numbers without gaps are read
    where they are; the GIL is kept meanwhile.

    Args:
        name: the name of the metric.
        times: when each value was measured: `datetime64[ns]`, or integers, ns since the Unix epoch; 0 for not known.
        values: floats, written as doubles, or integers. Narrower ones are widened.
        attributes: of the points, by their keys. A str, bool, int, float, bytes, mapping or None is the value of all
            points, and costs no more than its bytes. A list or an array has one value for each point, in which None
            stands for no attribute; a tuple `(codes, values)` has one for each point too, by its place in `values`.
            Elements of a list keep their types; strings and bytes in arrays of dtype U and S are without zeros at their
            ends, as NumPy has them.
        kind: "gauge", or "sum".
        unit: in the form of UCUM: "s", "By", "{request}".
        description: what is measured.
        start_times: when what each point sums up began: one time for all, or an array of them.
        temporality: of a sum, what its points sum up: all since their start ("cumulative", the default) or since the
            point before ("delta").
        monotonic: of a sum, whether it only ever grows; False if nothing is said.
        resource: what produced the points: a mapping of attributes, or anything with `attributes` and `schema_url`, as
            a `Resource`.
        scope: the library that produced them: a name, or anything with `name`, `version`, `attributes` and
            `schema_url`, as an `InstrumentationScope`.

    Returns:
        The request, in pooled memory.

    Raises:
        TypeError: an argument has a type, or an array a dtype, that cannot be written.
        ValueError: an array has another shape than expected, or `kind` or `temporality` is none that there is.
        EncodeError: arrays differ in length, a time is before 1970, an integer is 2**63 or more, an attribute cannot be
            encoded, or the request would take 2 GiB or more. It is a ValueError.
    """
    values = _numbers("values", values)
    constant, varying = [], []
    for key, value in (attributes or {}).items():
        path = f"attributes[{key!r}]"
        if isinstance(value, numpy.generic):
            value = value.item()
        if value is None or isinstance(value, (str, bytes, int, float, Mapping)):
            constant.append((_text("a key of attributes", key), _any_value(path, value)))
        else:
            varying.append((_text("a key of attributes", key), _column(path, value)))
    return _core.write_points(
        (_text("name", name), _text("description", description), _text("unit", unit)),
        _sum(kind, temporality, monotonic),
        _resource(resource),
        _scope(scope),
        _start_times(start_times),
        _times("times", times),
        values,
        constant,
        varying,
    )


def _sum(kind: str, temporality: str | None, monotonic: bool | None) -> tuple[int, bool] | None:
    """Temporality and monotonicity of a sum; None for a gauge."""
    if kind == "sum":
        if temporality not in (None, *TEMPORALITIES):
            raise ValueError(f"temporality is {temporality!r}, expected one of {', '.join(map(repr, TEMPORALITIES))}")
        return TEMPORALITIES[temporality or "cumulative"], bool(monotonic)
    if kind != "gauge":
        raise ValueError(f"kind is {kind!r}, expected 'gauge' or 'sum'")
    if temporality is not None or monotonic is not None:
        raise ValueError("temporality and monotonic are those of a sum, and kind is 'gauge'")
    return None


def _array(argument: str, given: Any) -> NDArray[Any]:
    """What NumPy makes of an argument."""
    array = numpy.asarray(given)
    if array.dtype.kind in "Of" and isinstance(given, Sequence) and all(type(number) is int for number in given):
        array = _integers(argument, given)
    if array.ndim != 1:
        raise ValueError(f"{argument} has shape {array.shape}, expected one dimension")
    return array


def _integers(argument: str, given: Sequence[int]) -> NDArray[Any]:
    """An array of integers that NumPy by itself would make doubles or objects of: some are 2**63 or more."""
    if all(0 <= number < 2**64 for number in given):
        return numpy.asarray(given, dtype="u8")
    row = next(row for row, number in enumerate(given) if not -(2**63) <= number < 2**63)
    raise EncodeError(f"{argument}[{row}] is {given[row]}, expected an integer of 64 bits", path=f"{argument}[{row}]")


def _contiguous(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The same numbers, as the native code reads them: without gaps, aligned, in the machine's byte order."""
    return numpy.require(array, dtype, ("C_CONTIGUOUS", "ALIGNED"))


def _times(argument: str, given: Any) -> NDArray[Any]:
    """An array of ns since the epoch."""
    array = _array(argument, given)
    kind = array.dtype.kind
    if kind == "M":
        if numpy.datetime_data(array.dtype) != ("ns", 1):
            raise TypeError(
                f"{argument} has dtype {array.dtype}, expected datetime64[ns]: astype('datetime64[ns]') converts it"
            )
        return _contiguous(array, "M8[ns]").view("i8")
    # An empty list is an array of floats.
    if kind not in "iu" and array.size > 0:
        raise TypeError(
            f"{argument} has dtype {array.dtype}, expected integers (ns since the Unix epoch) or datetime64[ns]"
        )
    return _contiguous(array, "i8" if kind == "i" else "u8")


def _start_times(given: Any) -> Any:
    """Ns since the epoch: one number or an array."""
    if given is None:
        return 0
    if isinstance(given, numpy.datetime64):
        return _times("start_times", [given])[0].item()
    if isinstance(given, (int, numpy.integer)):
        if not 0 <= given < 2**64:
            raise ValueError(f"start_times is {given}, expected nanoseconds since 1970")
        return int(given)
    return _times("start_times", given)


def _numbers(argument: str, given: Any) -> NDArray[Any]:
    """An array of numbers."""
    array = _array(argument, given)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "fiu" or size > 8:
        raise TypeError(f"{argument} has dtype {array.dtype}, expected floats or integers of at most 64 bits")
    return _contiguous(array, "f8" if kind == "f" else "u8" if kind == "u" else "i8")


def _column(path: str, given: Any) -> Any:
    """An attribute with a value for each point: an array of numbers, or codes and encoded values."""
    if isinstance(given, tuple):
        if len(given) != 2:
            raise ValueError(
                f"{path} is a tuple of {len(given)}, expected (codes, values); for one value a point, a list"
            )
        return _coded(path, _array(path, given[0]), list(given[1]))
    if _is_plain(given):
        # NumPy would make one type of several, and take zeros off the ends of strings.
        types = {type(element) for element in given}
        if len(types) != 1 or not issubclass(types.pop(), (int, float, numpy.number, numpy.bool_)):
            return _coded_elements(path, list(given))
    array = _array(path, given)
    if array.dtype.kind in "fiu" and array.dtype.itemsize <= 8:
        return _numbers(path, array)
    if array.dtype.kind == "b":
        return _coded(path, array.astype("u4"), [False, True])
    return _coded_elements(path, array.tolist())


def _is_plain(given: Any) -> bool:
    """Whether an argument has Python's own objects as elements: a list, and no view of memory."""
    return (
        isinstance(given, Sequence)
        and len(given) > 0
        and not (isinstance(given, (Array, bytearray, memoryview)) or hasattr(given, "__array__"))
    )


def _coded_elements(path: str, elements: list[Any]) -> tuple[NDArray[Any], list[bytes | None]]:
    """An attribute whose values are objects: each distinct one is encoded once."""
    keys = elements if all(type(element) is str for element in elements) else [_key(path, e) for e in elements]
    distinct = dict(zip(keys, elements, strict=True))
    places = {key: place for place, key in enumerate(distinct)}
    return _coded(path, numpy.fromiter(map(places.__getitem__, keys), "u4", len(keys)), distinct.values())


def _key(path: str, element: Any) -> Any:
    """What only equal elements share. True, 1 and 1.0 are told apart by type, 0.0 and -0.0 by what is written."""
    kind = type(element)
    if kind in _PLAIN:
        return kind, element
    if kind.__hash__ is None:
        raise TypeError(f"{path} has elements that cannot be the value of an attribute: of type {kind.__name__}")
    return kind, _any_value(path, element)


def _coded(path: str, codes: NDArray[Any], values: Iterable[Any]) -> tuple[NDArray[Any], list[bytes | None]]:
    """Codes, and what they stand for as encoded values."""
    if codes.dtype.kind not in "iu":
        raise TypeError(f"the codes of {path} have dtype {codes.dtype}, expected integers")
    encoded = [None if value is None else _any_value(path, value) for value in values]
    outside = (codes < 0) | (codes >= len(encoded))
    if outside.any():
        row = int(outside.argmax())
        raise ValueError(f"{path} has the code {codes[row]} at {row}, expected 0 to {len(encoded) - 1}")
    return _contiguous(codes, "u4"), encoded


def _any_value(path: str, value: Any) -> bytes:
    """The content of an `AnyValue`."""
    if isinstance(value, numpy.generic):
        value = value.item()
    if type(value) is str:
        try:
            return wire.bytes_field(1, value.encode())
        except UnicodeEncodeError:
            pass
    try:
        return common.any_value(value, POINT_DEPTH + 1)
    except EncodeError as error:
        raise EncodeError(f"{path}: {error}", path=path) from None


def _text(argument: str, given: Any) -> str:
    """A str without lone surrogates, which UTF-8 cannot hold."""
    if not isinstance(given, str):
        raise TypeError(f"{argument} is of type {type(given).__name__}, expected str")
    return wire.utf8(given).decode()


def _attributes(path: str, field: int, given: Mapping[str, Any] | None, depth: int) -> bytes:
    """`repeated KeyValue attributes` of a resource or a scope."""
    encoded = []
    for key, value in (given or {}).items():
        try:
            encoded.append(wire.bytes_field(field, common.key_value(_text(f"a key of {path}", key), value, depth)))
        except EncodeError as error:
            raise EncodeError(f"{path}[{key!r}]: {error}", path=f"{path}[{key!r}]") from None
    return b"".join(encoded)


def _resource(given: Any) -> tuple[bytes, str]:
    """An encoded `Resource`, and its schema URL."""
    attributes = given if given is None or isinstance(given, Mapping) else getattr(given, "attributes", given)
    if not (attributes is None or isinstance(attributes, Mapping)):
        raise TypeError(f"resource is of type {type(given).__name__}, expected a mapping of attributes or a Resource")
    schema_url = getattr(given, "schema_url", None) or ""
    return _attributes("resource", 1, attributes, RESOURCE_DEPTH), _text("resource.schema_url", schema_url)


def _scope(given: Any) -> tuple[bytes, str]:
    """An encoded `InstrumentationScope`, and its schema URL."""
    if given is None or isinstance(given, str):
        return (wire.string_field(1, given) if given else b""), ""
    if not hasattr(given, "name"):
        raise TypeError(f"scope is of type {type(given).__name__}, expected a name or an InstrumentationScope")
    version, attributes = getattr(given, "version", None), getattr(given, "attributes", None)
    encoded = b"".join(
        wire.string_field(field, _text(f"scope.{part}", text))
        for field, part, text in ((1, "name", given.name), (2, "version", version))
        if text
    )
    encoded += _attributes("scope.attributes", 3, attributes, SCOPE_DEPTH)
    return encoded, _text("scope.schema_url", getattr(given, "schema_url", None) or "")
