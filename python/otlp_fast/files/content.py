"""The content of a file, decompressed, taken from its front piece by piece.

What is held is the piece that was asked for and a chunk more, so that neither a large file nor a decompression bomb
costs more than the caller allows.
"""

from __future__ import annotations

from typing import BinaryIO

from otlp_fast._core import Decompressor
from otlp_fast.errors import CompressionError

_CHUNK = 256 * 1024
_MAGIC_LENGTH = 4


def encoding_of(head: bytes) -> str:
    """Give the compression that data begins with, by its first bytes: "none", "gzip", "zstd" or "lz4"."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    # A skippable frame may stand in front of either format; those who write them write zstd.
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return "zstd"
    if head.startswith(b"\x04\x22\x4d\x18"):
        return "lz4"
    return "none"


class RecordTooLargeError(ValueError):
    """More would have to be held at once than the caller allows."""

    def __init__(self, limit: int) -> None:
        """Make an error about the limit `max_record_size`."""
        super().__init__(f"longer than max_record_size, {limit:,} bytes")


class Content:
    """The decompressed content of a file.

    Methods that take raise CompressionError where what they should take is damaged or cut off; all may raise OSError.

    Attributes:
        encoding: how the file is compressed: "none", "gzip", "zstd" or "lz4".
        bytes_read: how much of the file was read, in bytes.
        offset: how much of the content was taken, in bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Look at the first bytes of a file."""
        # A pipe gives what it has, and is not waited for to fill a whole chunk.
        self._read = getattr(file, "read1", file.read)
        self.bytes_read = 0
        self.offset = 0
        self._buffer = bytearray()
        self._is_finished = False
        self._failure: CompressionError | None = None
        head = b""
        while len(head) < _MAGIC_LENGTH and (piece := self._read_piece()):
            head += piece
        self.encoding = encoding_of(head)
        self._decompressor = None if self.encoding == "none" else Decompressor(self.encoding)
        self._add(head)

    def peek(self, count: int) -> bytes:
        """Give the next `count` bytes, fewer only at the end, and take none."""
        while len(self._buffer) < count and self._fill():
            pass
        return bytes(self._buffer[:count])

    def take(self, count: int) -> bytes:
        """Take the next `count` bytes, fewer only at the end."""
        while len(self._buffer) < count and self._fill():
            pass
        if len(self._buffer) < count and self._failure is not None:
            raise self._failure
        with memoryview(self._buffer) as view:
            taken = bytes(view[:count])
        del self._buffer[:count]
        self.offset += len(taken)
        return taken

    def take_line(self, limit: int) -> bytes:
        """Take what is left of the line, with its end; empty only at the end of the content.

        Raises:
            RecordTooLargeError: the line has more than `limit` bytes.
        """
        length = self._line_length(limit)
        if self._failure is not None and not self._buffer.endswith(b"\n", 0, length):
            raise self._failure
        return self.take(length)

    def peek_line(self, limit: int) -> bytes:
        """Give what `take_line` would take."""
        return bytes(self._buffer[: self._line_length(limit)])

    def take_all(self, limit: int) -> bytes:
        """Take all that is left.

        Raises:
            RecordTooLargeError: that is more than `limit` bytes.
        """
        while len(self._buffer) <= limit and self._fill():
            pass
        if len(self._buffer) > limit:
            raise RecordTooLargeError(limit)
        if self._failure is not None:
            raise self._failure
        return self.take(len(self._buffer))

    def _line_length(self, limit: int) -> int:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise RecordTooLargeError(limit)
            if not self._fill():
                return searched
        if end > limit:
            raise RecordTooLargeError(limit)
        return end + 1

    def _fill(self) -> bool:
        """Add a piece to the buffer, or say that there is none."""
        while not self._is_finished:
            piece = b""
            if self._decompressor is None or self._decompressor.needs_input:
                piece = self._read_piece()
                self._is_finished = not piece
            if self._add(piece):
                return True
        return False

    def _add(self, piece: bytes) -> bool:
        """Add what a piece of the file holds to the buffer, and say whether that is anything."""
        if self._decompressor is not None:
            try:
                if self._is_finished:
                    self._decompressor.finish()
                else:
                    piece = self._decompressor.decompress(piece, _CHUNK)
            except CompressionError as error:
                self._failure, self._is_finished = error, True
                return False
        self._buffer += piece
        return bool(piece)

    def _read_piece(self) -> bytes:
        piece: bytes = self._read(_CHUNK)
        self.bytes_read += len(piece)
        return piece
