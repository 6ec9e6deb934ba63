"""Single fields: what is written for the value that the SDK puts there, and what becomes of any other.

A value that is not what it should be is repaired where something can be read out of it, and left out where not, so that
it costs nothing but itself. A field of proto3 is left out when it is zero or empty.
"""

from __future__ import annotations

from typing import Any

from otlp_fast.reference.wire import bytes_field, fixed64_field, string_field, varint_field


def text(value: object) -> str:
    """A string out of what should have been one: bytes are UTF-8, None is empty, anything else is its `str()`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def unsigned(value: Any, most: int) -> int:
    """An integer between 0 and `most` out of what should have been one; 0 where there is none."""
    if value is None:
        return 0
    try:
        number = value.__index__() if hasattr(value, "__index__") else int(value)
    except Exception:
        return 0
    return number if 0 <= number <= most else 0


def optional_string(field: int, value: object) -> bytes:
    """A string."""
    try:
        content = text(value)
    except Exception:
        return b""
    return string_field(field, content) if content else b""


def time(field: int, value: Any) -> bytes:
    """Nanoseconds since the epoch; left out where they do not fit 64 bits."""
    number = unsigned(value, 2**64 - 1)
    return fixed64_field(field, number) if number else b""


def count(field: int, value: Any) -> bytes:
    """How much the SDK dropped; left out where they do not fit 32 bits."""
    number = unsigned(value, 2**32 - 1)
    return varint_field(field, number) if number else b""


def enumeration(field: int, value: Any) -> bytes:
    """An enum, of which proto3 takes any number of 32 bits; left out where it is none."""
    if not isinstance(value, int) or not -(2**31) <= value < 2**31:
        return b""
    return varint_field(field, value) if value else b""


def identifier(field: int, value: Any, width: int) -> bytes:
    """A trace or span id as `width` bytes, big-endian, zero as well; left out where there is none that fits."""
    if not isinstance(value, int) or not 0 <= value < 1 << (8 * width):
        return b""
    return bytes_field(field, value.to_bytes(width, "big"))
