"""Records: what the forms of files that hold bytes or text are cut into, each with the offset where it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from otlp_fast.files.content import Content, RecordTooLargeError
from otlp_fast.tracezip.archive import read_stream

_LENGTH_BYTES = 4


class RecordError(ValueError):
    """A record that is not whole."""


class Record(NamedTuple):
    """A request as it stands in the file, and the offset in the decompressed content where it begins."""

    offset: int
    content: bytes


def _read_archive(content: Content, max_record_size: int) -> Iterator[Record]:
    while True:
        offset = content.offset
        head = content.take(_LENGTH_BYTES)
        if not head:
            return
        if len(head) < _LENGTH_BYTES:
            raise RecordError(f"the file ends inside the length of the record, {len(head)} of {_LENGTH_BYTES} bytes")
        length = int.from_bytes(head, "big")
        if length > max_record_size:
            raise RecordTooLargeError(max_record_size)
        record = content.take(length)
        if len(record) < length:
            raise RecordError(f"the file ends inside the record, {len(record):,} of {length:,} bytes")
        yield Record(offset, record)


def _read_tracezip(content: Content, max_record_size: int) -> Iterator[Record]:
    for offset, data in read_stream(content.take, max_record_size=max_record_size):
        yield Record(offset, data)


def _read_lines(content: Content, max_record_size: int) -> Iterator[Record]:
    while True:
        offset = content.offset
        line = content.take_line(max_record_size)
        if not line:
            return
        if line.strip():
            yield Record(offset, line)


def _read_whole(content: Content, max_record_size: int) -> Iterator[Record]:
    if whole := content.take_all(max_record_size):
        yield Record(0, whole)


READERS: dict[str, Callable[[Content, int], Iterator[Record]]] = {
    "archive": _read_archive,
    "tracezip": _read_tracezip,
    "ndjson": _read_lines,
    "protobuf": _read_whole,
    "json": _read_whole,
}
"""For each form a function that cuts it into records of limited length."""
