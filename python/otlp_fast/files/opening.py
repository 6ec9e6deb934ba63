"""Opens files by their paths, and standard input and output as "-"."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from otlp_fast.errors import FileError
from otlp_fast.files.formats import FORMATS, format_of_name
from otlp_fast.files.reader import MAX_RECORD_SIZE, RequestReader
from otlp_fast.files.replacement import Replacement
from otlp_fast.files.writer import RequestWriter

STANDARD = "-"
"""The path of standard input and standard output."""


class OpenFile(NamedTuple):
    """A file that is open, and its name as errors have it."""

    file: BinaryIO
    name: str


def open_source(path: str | os.PathLike[str]) -> OpenFile:
    """Open a file to read from; "-" is standard input.

    Raises:
        OSError: the file cannot be read.
    """
    name = os.fspath(path)
    if name == STANDARD:
        # A copy of the descriptor, so that closing the reader leaves standard input alone.
        return OpenFile(os.fdopen(os.dup(sys.stdin.fileno()), "rb"), "standard input")
    return OpenFile(Path(path).open("rb"), name)


def open_reader(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    signal: str | None = None,
    keep_unknown: bool = False,
    max_record_size: int = MAX_RECORD_SIZE,
) -> RequestReader:
    """Open a file of OTLP requests, in any form and compression that `otlp_fast.files` names.

    Args:
        path: of the file; "-" for standard input.
        format: one of `FORMATS`; None to tell it by the content.
        signal: "traces", "logs" or "metrics": give the requests of this signal only, and take those for it that could
            be of several. None to tell the signal of each request by its items.
        keep_unknown: whether records of archives that are no requests, or may be of several signals, are given as they
            are, with the signal of the one before, instead of being errors.
        max_record_size: the longest record to read, in bytes, compressed and decompressed.

    Raises:
        FileError: what the file begins with is of no form that is known.
        OSError: the file cannot be read.
        ValueError: `format` or `signal` has no such value.
    """
    _check_format(format)
    file, name = open_source(path)
    try:
        return RequestReader(
            file, name, format=format, signal=signal, keep_unknown=keep_unknown, max_record_size=max_record_size
        )
    except BaseException:
        file.close()
        raise


@contextmanager
def open_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[OpenFile]:
    """Open a file to write to.

    A file that is there is replaced at the end, in one step: after an error it is as it was, and where there was none
    there is none.

    Args:
        path: of the file; "-" for standard output.
        overwrite: whether to replace a file that is there.

    Raises:
        FileExistsError: there is such a file, at the beginning or at the end, and `overwrite` is not set.
        OSError: the file cannot be written.
    """
    name = os.fspath(path)
    if name == STANDARD:
        yield OpenFile(sys.stdout.buffer, "standard output")
        return
    path = Path(path)
    if path.exists() and not path.is_file():
        # A device or a pipe has no place that another file could take.
        with path.open("wb") as file:
            yield OpenFile(file, name)
        return
    if path.exists() and not overwrite:
        raise FileExistsError(f"{name}: there is such a file already")
    replacement = Replacement(path)
    try:
        yield OpenFile(replacement.open(), name)
        replacement.commit(overwrite=overwrite)
    except BaseException:
        replacement.discard()
        raise


@contextmanager
def open_writer(
    path: str | os.PathLike[str], *, format: str | None = None, encoding: str | None = None, overwrite: bool = False
) -> Iterator[RequestWriter]:
    """Open a file for OTLP requests, as `open_target` does.

    Args:
        path: of the file; "-" for standard output.
        format: one of `FORMATS`; None for what the name says, as in ``capture.ndjson.gz``.
        encoding: "none", "gzip", "zstd" or "lz4"; None for what the name says.
        overwrite: whether to replace a file that is there.

    Raises:
        FileExistsError: there is such a file, and `overwrite` is not set.
        FileError: the name does not say which form is meant.
        OSError: the file cannot be written.
        ValueError: `format` or `encoding` has no such value.
    """
    _check_format(format)
    named = format_of_name(os.fspath(path))
    format = format or named.format
    encoding = named.encoding if encoding is None else encoding
    name = os.fspath(path)
    if format is None:
        raise FileError("its name does not say which format it should have", name=name)
    with open_target(path, overwrite=overwrite) as target:
        writer = RequestWriter(target.file, target.name, format=format, encoding=encoding)
        try:
            yield writer
            writer.close()
        except BaseException:
            writer.discard()
            raise


def _check_format(format: str | None) -> None:
    if format is not None and format not in FORMATS:
        raise ValueError(f"unknown format {format!r}: expected one of {', '.join(FORMATS)}")
