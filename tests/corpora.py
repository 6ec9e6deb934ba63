"""Captured OTLP that nobody here wrote, see the README beside the files: skipped by name where it is absent."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("OTLP_FAST_CORPORA", PROJECT.parent / "shared" / "corpora"))

# Each with its signal.
CORPORA = {
    "astronomy-traces": "traces",
    "otel-demo-logs": "logs",
    "hostandcollector-metrics": "metrics",
    "metrics-exponential-histogram": "metrics",
}


def missing_corpora(names: Iterable[str] = CORPORA) -> list[str]:
    """Which corpora are not there."""
    return [name for name in names if not _path(name).exists()]


def _path(name: str) -> Path:
    return FOLDER / f"{name}.otlp.zst"


def read_requests(name: str) -> Iterator[bytes]:
    """The serialized requests of a corpus: one zstd frame over records of a big-endian length and the bytes."""
    path = _path(name)
    if not path.exists():
        pytest.skip(f"corpus {name} is not in {FOLDER}")
    import zstandard

    with path.open("rb") as file:
        stream = io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file))
        while head := stream.read(4):
            yield stream.read(struct.unpack(">I", head)[0])
