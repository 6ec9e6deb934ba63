"""`Content`: what is inside a compressed file, taken piece by piece, up to its damage."""

from __future__ import annotations

import io
import os
import threading
from functools import partial

import pytest

from otlp_fast import compression
from otlp_fast.errors import CompressionError
from otlp_fast.files.content import _CHUNK, Content, RecordTooLargeError, encoding_of

TEXT = b"".join(b"line %d of some telemetry\n" % number for number in range(50_000))


def packed(data: bytes, encoding: str) -> bytes:
    return compression.compress(data, encoding)


@pytest.mark.parametrize("encoding", compression.ENCODINGS)
def test_content_is_taken_in_pieces_of_any_length(encoding: str) -> None:
    content = Content(io.BytesIO(packed(TEXT, encoding)))
    assert content.encoding == encoding
    assert content.peek(10) == TEXT[:10]
    assert content.offset == 0
    taken = [content.take(length) for length in (1, 0, 1000, 700_000)]
    assert b"".join(taken) == TEXT[:701_001]
    assert content.offset == 701_001
    assert content.take_all(len(TEXT)) == TEXT[701_001:]
    assert (content.take(1), content.take_line(1), content.peek(1)) == (b"", b"", b"")
    assert content.bytes_read == len(packed(TEXT, encoding))


@pytest.mark.parametrize("encoding", compression.ENCODINGS)
def test_lines_are_taken_with_their_ends(encoding: str) -> None:
    content = Content(io.BytesIO(packed(TEXT + b"\nlast", encoding)))
    lines = iter(lambda: content.take_line(100), b"")
    assert list(lines) == [*TEXT.splitlines(keepends=True), b"\n", b"last"]


def test_too_much_at_once_is_refused() -> None:
    for take in (lambda content: content.take_line(25), lambda content: content.take_all(25)):
        with pytest.raises(RecordTooLargeError, match="longer than max_record_size, 25 bytes"):
            take(Content(io.BytesIO(b"x" * 26 + b"\n")))
    assert Content(io.BytesIO(b"x" * 25 + b"\n")).take_line(25) == b"x" * 25 + b"\n"
    assert Content(io.BytesIO(b"x" * 25)).take_all(25) == b"x" * 25


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
def test_bomb_is_held_no_further_than_its_limit(encoding: str) -> None:
    bomb = packed(bytes(64 << 20), encoding)
    content = Content(io.BytesIO(bomb))
    with pytest.raises(RecordTooLargeError):
        content.take_line(1 << 20)
    assert len(content._buffer) <= (1 << 20) + _CHUNK
    assert content.bytes_read <= len(bomb)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
def test_cut_off_file_is_read_up_to_the_cut(encoding: str) -> None:
    text = TEXT[:1500]
    whole = packed(text, encoding)
    for cut in range(4, len(whole)):
        content = Content(io.BytesIO(whole[:cut]))
        pieces: list[bytes] = []
        with pytest.raises(CompressionError, match=f"{encoding}: the compressed data is cut off"):
            pieces.extend(iter(partial(content.take, 1), b""))
        taken = b"".join(pieces)
        assert text.startswith(taken)
        # The end of the compressed data is a checksum, in front of which all is there.
        assert len(taken) == 1500 or cut < len(whole) - 4 or encoding == "zstd"


def test_line_that_may_go_on_behind_damage_is_not_taken() -> None:
    text = b"whole\ncut "
    content = Content(io.BytesIO(packed(text, "gzip")[:-1]))
    assert content.peek(100) == text
    assert content.take_line(100) == b"whole\n"
    for take in (lambda: content.take_line(100), lambda: content.take_all(100), lambda: content.take(100)):
        with pytest.raises(CompressionError):
            take()
    assert content.take(4) == b"cut "


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
def test_bytes_behind_the_end_are_damage(encoding: str) -> None:
    content = Content(io.BytesIO(packed(TEXT, encoding) + b"<html>"))
    assert content.take(len(TEXT)) == TEXT
    with pytest.raises(CompressionError, match="corrupt"):
        content.take(1)


def test_pipe_is_read_as_it_comes() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file, os.fdopen(writing, "wb", buffering=0) as source:
        # The magic number comes in two pieces.
        whole = packed(b"first", "zstd")
        threading.Timer(0.05, lambda: source.write(whole[2:])).start()
        source.write(whole[:2])
        give_up = threading.Timer(20, source.close)
        give_up.start()
        content = Content(file)
        assert content.encoding == "zstd"
        assert content.take(5) == b"first"
        give_up.cancel()
        # What came was given while more could have come.
        assert not source.closed


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"", "none"),
        (b"\x1f", "none"),
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x5a\x2a\x4d\x18", "zstd"),
        (b"\x6a\x2a\x4d\x18", "none"),
        (b"\x04\x22\x4d\x18", "lz4"),
        (b"\x0a\x22\x4d\x18", "none"),
    ],
)
def test_encoding_is_told_by_magic_numbers(head: bytes, encoding: str) -> None:
    assert encoding_of(head) == encoding
