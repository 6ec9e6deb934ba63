"""What is sent: the bytes of a request, and how they are encoded."""

from __future__ import annotations

from typing import NamedTuple


class Body(NamedTuple):
    """A request as it goes over the wire, the same at each attempt."""

    content: bytes
    encoding: str
    """The value of a `Compression`, which is HTTP's name for it."""
