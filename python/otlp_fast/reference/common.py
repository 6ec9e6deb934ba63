"""What all signals share: attribute values, attributes, resources and scopes.

Source: opentelemetry/proto/common/v1/common.proto and resource/v1/resource.proto of opentelemetry-proto 1.11; the
mapping of values: https://opentelemetry.io/docs/specs/otel/common/attribute-type-mapping/.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from otlp_fast.errors import EncodeError
from otlp_fast.reference.fields import optional_string, text
from otlp_fast.reference.wire import bytes_field, double_field, string_field, varint_field

MAX_MESSAGE_DEPTH = 100
"""Most messages between the request (depth 0) and an innermost value: protobuf parsers refuse more."""


def unsupported(value: Any) -> Any:
    """What attributes make of a value beyond those that an AnyValue has a place for: nothing.

    Raises:
        EncodeError: always.
    """
    raise EncodeError(f"a value of type {type(value).__name__} cannot be an attribute")


def any_value(value: Any, depth: int, beyond: Callable[[Any], Any] = unsupported) -> bytes:
    """The content of an `AnyValue` message that lies `depth` messages below the request.

    A oneof: what is set is written even when it is zero or empty, and None is an empty message. The order of the checks
    matters, as bool is an int and str is a Sequence. A value of another kind is written as what `beyond` makes of it.

    Raises:
        EncodeError: a value of another kind that cannot be written, or one that is nested too deeply.
    """
    if depth > MAX_MESSAGE_DEPTH:
        raise EncodeError("nested too deeply")
    if value is None:
        return b""
    if isinstance(value, str):
        return string_field(1, value)
    if isinstance(value, bool):
        return varint_field(2, value)
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return varint_field(3, value)
        return string_field(1, int.__repr__(value))  # beyond 64 bits: its decimal form
    if isinstance(value, float):
        return double_field(4, value)
    if isinstance(value, bytes):
        return bytes_field(7, value)
    if not isinstance(value, (Sequence, Mapping)):
        return any_value(beyond(value), depth, beyond)
    if depth + 1 > MAX_MESSAGE_DEPTH:
        raise EncodeError("nested too deeply")
    if isinstance(value, Sequence):
        # ArrayValue { repeated AnyValue values = 1 }
        return bytes_field(5, b"".join(bytes_field(1, any_value(element, depth + 2, beyond)) for element in value))
    # KeyValueList { repeated KeyValue values = 1 }
    pairs = (key_value(str(key), member, depth + 2, beyond) for key, member in value.items())
    return bytes_field(6, b"".join(bytes_field(1, pair) for pair in pairs))


def key_value(key: str, value: Any, depth: int, beyond: Callable[[Any], Any] = unsupported) -> bytes:
    """The content of a `KeyValue` message: `string key = 1`, left out when empty, and `AnyValue value = 2`."""
    return optional_string(1, key) + bytes_field(2, any_value(value, depth + 1, beyond))


def attributes(field: int, values: Mapping[str, Any] | None, depth: int) -> bytes:
    """`repeated KeyValue attributes`, for a message whose KeyValues lie at `depth`.

    A value that cannot be encoded is left out; it costs nothing but itself.
    """
    try:
        items = list(values.items()) if values else []
    except Exception:
        return b""
    return b"".join(kept(lambda item: bytes_field(field, key_value(text(item[0]), item[1], depth)), items))


def kept(encode: Callable[[Any], bytes], items: Iterable[Any]) -> Iterator[bytes]:
    """Each item encoded, but for those whose encoding fails: they cost nothing but themselves."""
    for item in items:
        try:
            yield encode(item)
        except Exception:
            continue


def resource(value: Any) -> bytes:
    """The content of a `Resource` message: `repeated KeyValue attributes = 1`; empty for no resource."""
    return attributes(1, value.attributes, 3) if value else b""


def scope(value: Any) -> bytes:
    """The content of an `InstrumentationScope`: `name = 1`, `version = 2`, `attributes = 3`; empty for no scope."""
    if not value:
        return b""
    return optional_string(1, value.name) + optional_string(2, value.version) + attributes(3, value.attributes, 4)
