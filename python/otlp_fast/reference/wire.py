"""The protobuf wire format (https://protobuf.dev/programming-guides/encoding/).

A message is a sequence of fields. A field is a tag, which says its number and how its value is laid out, and the
value. A nested message is a field whose value is its length and its bytes. Lengths and other integers are varints:
seven bits per byte, least significant first, the high bit set on all bytes but the last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

VARINT = 0
FIXED64 = 1
LENGTH_DELIMITED = 2
FIXED32 = 5


def varint(value: int) -> bytes:
    """`value`, 0 to 2**64 - 1, as 1 to 10 bytes."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(field: int, wire_type: int) -> bytes:
    """The tag in front of a field's value."""
    return varint(field << 3 | wire_type)


def varint_field(field: int, value: int) -> bytes:
    """An integer, bool or enum field. A negative value takes ten bytes, as its two's complement in 64 bits."""
    return tag(field, VARINT) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def sint32_field(field: int, value: int) -> bytes:
    """A `sint32` field: 0, -1, 1, -2 as the varints 0, 1, 2, 3 (zigzag), so that small negative numbers are short."""
    return tag(field, VARINT) + varint(value << 1 if value >= 0 else ~value << 1 | 1)


def fixed64_field(field: int, value: int) -> bytes:
    """A `fixed64` or `sfixed64` field: eight bytes, little-endian, a negative value as its two's complement."""
    return tag(field, FIXED64) + (value & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "little")


def fixed32_field(field: int, value: int) -> bytes:
    """A `fixed32` field: four bytes, little-endian."""
    return tag(field, FIXED32) + value.to_bytes(4, "little")


def double_field(field: int, value: float) -> bytes:
    """A `double` field: IEEE 754, eight bytes, little-endian."""
    return tag(field, FIXED64) + double(value)


def double(value: float) -> bytes:
    """A double. Takes what C Python takes for a float: anything with `__float__` or `__index__`, so no str.

    Raises:
        struct.error: it is no number.
        OverflowError: it is beyond the doubles.
    """
    return struct.pack("<d", value)


def bytes_field(field: int, value: bytes) -> bytes:
    """A `bytes` field, or a nested message that is encoded already."""
    return tag(field, LENGTH_DELIMITED) + varint(len(value)) + value


def packed_field(field: int, elements: Iterable[bytes]) -> bytes:
    """A packed `repeated` field of numbers, left out when there are none."""
    content = b"".join(elements)
    return bytes_field(field, content) if content else b""


def string_field(field: int, value: str) -> bytes:
    """A `string` field. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    return bytes_field(field, utf8(value))


def utf8(value: str) -> bytes:
    """UTF-8, each surrogate code point written as U+FFFD."""
    return "".join("�" if 0xD800 <= ord(char) <= 0xDFFF else char for char in value).encode("utf-8")
