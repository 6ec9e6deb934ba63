"""The bytes of an archive, taken from the front."""

from __future__ import annotations

from collections.abc import Callable

from otlp_fast.errors import CompressionError

_MAX_VARINT_BYTES = 10


class Source:
    """The bytes of an archive, taken from the front.

    Attributes:
        offset: where the next byte stands in the file.
    """

    def __init__(self, take: Callable[[int], bytes], offset: int = 0) -> None:
        """Begin at `offset`; `take` gives the next bytes, fewer than asked for only at the end."""
        self._take = take
        self.offset = offset

    def take(self, length: int, what: str) -> bytes:
        """Take so many bytes.

        Raises:
            CompressionError: the file ends inside `what`.
        """
        taken = self.take_at_most(length)
        if len(taken) < length:
            raise CompressionError(f"the file ends inside {what}, {len(taken):,} of {length:,} bytes")
        return taken

    def take_at_most(self, length: int) -> bytes:
        """Take so many bytes, fewer at the end."""
        taken = self._take(length)
        self.offset += len(taken)
        return taken

    def take_varint(self, what: str) -> int:
        """Take a varint.

        Raises:
            CompressionError: the file ends inside it, or it is longer than need be.
        """
        number = 0
        for place in range(_MAX_VARINT_BYTES):
            byte = self.take(1, what)[0]
            number |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if byte == 0 and place > 0:
                    break
                return number
        raise CompressionError(f"{what} is longer than need be")
