"""Requests in a file, each behind its length of four bytes, big-endian: the form of the corpora, not compressed."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO


def write_records(path: Path, requests: Iterable[bytes]) -> None:
    """Write a whole file."""
    with path.open("wb") as file:
        for request in requests:
            write_record(file, request)


def write_record(file: BinaryIO, record: bytes) -> None:
    """Write one record."""
    file.write(struct.pack(">I", len(record)) + record)


def read_records(file: BinaryIO) -> Iterator[bytes]:
    """Read one record after the other."""
    while head := file.read(4):
        yield file.read(struct.unpack(">I", head)[0])
