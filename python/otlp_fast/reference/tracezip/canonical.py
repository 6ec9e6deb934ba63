"""Protobuf, but only as it is canonically written: varints and lengths that are minimal.

What is read otherwise would not come back as the same bytes.
"""

from __future__ import annotations

from otlp_fast.reference.wire import FIXED32, FIXED64, LENGTH_DELIMITED, VARINT
from otlp_fast.reference.wire import varint as written


class NotCanonicalError(Exception):
    """A message that would not come back as the same bytes."""


class Canonical:
    """Reads fields from a part of a message."""

    def __init__(self, content: bytes, at: int = 0, end: int | None = None) -> None:
        """Read from a place up to another."""
        self._content = content
        self._end = len(content) if end is None else end
        self.at = at

    def is_at_end(self) -> bool:
        """Whether everything was read."""
        return self.at == self._end

    def take(self, length: int) -> bytes:
        """Give the next bytes."""
        if length > self._end - self.at:
            raise NotCanonicalError
        self.at += length
        return self._content[self.at - length : self.at]

    def varint(self) -> int:
        """Give the next varint."""
        start = self.at
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 64 or written(value) != self._content[start : self.at]:
                    raise NotCanonicalError
                return value
        raise NotCanonicalError

    def nested(self) -> bytes:
        """Give the content of the next length-delimited value."""
        return self.take(self.varint())

    def varints(self) -> bytes:
        """Give the varints of the next packed field, as they stand on the wire."""
        content = self.nested()
        rest = Canonical(content)
        while not rest.is_at_end():
            rest.varint()
        return content

    def as_written(self, tag: int) -> bytes:
        """Give the value of the field with this tag as it stands on the wire, its length in front of it."""
        start = self.at
        wire_type = tag & 7
        if wire_type == VARINT:
            self.varint()
        elif wire_type == FIXED64:
            self.take(8)
        elif wire_type == LENGTH_DELIMITED:
            self.nested()
        elif wire_type == FIXED32:
            self.take(4)
        else:
            raise NotCanonicalError
        return self._content[start : self.at]

    def tag(self) -> int:
        """Give the next tag."""
        tag = self.varint()
        if tag >> 32 or tag & 7 > FIXED32:
            raise NotCanonicalError
        return tag

    def run(self, tag: int) -> list[bytes]:
        """Give the nodes that stand one behind the other, each with this tag: at least one."""
        nodes = []
        while not self.is_at_end():
            start = self.at
            try:
                if self.tag() != tag:
                    raise NotCanonicalError
                nodes.append(self.nested())
            except NotCanonicalError:
                self.at = start
                break
        if not nodes:
            raise NotCanonicalError
        return nodes
