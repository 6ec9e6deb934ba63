"""Which form a file has, by its content and by its name."""

from __future__ import annotations

import io

import pytest

import otlp_fast
from otlp_fast.files.content import Content
from otlp_fast.files.formats import FormatError, detect_format, format_of_name
from tests.captured import BY_HAND, archive_of, traces

JSON = otlp_fast.to_json(traces(), "traces")


def detected(data: bytes) -> str:
    content = Content(io.BytesIO(data))
    found = detect_format(content, 1 << 28)
    assert content.offset == 0
    return found


@pytest.mark.parametrize("data", [data for _, data in BY_HAND])
def test_requests_are_told_by_their_first_bytes(data: bytes) -> None:
    assert detected(data) == "protobuf"
    assert detected(archive_of([data])) == "archive"
    assert detected(archive_of([b"", data])) == "archive"


@pytest.mark.parametrize(
    ("text", "format"),
    [
        (JSON, "ndjson"),
        (JSON + b"\n" + JSON, "ndjson"),
        (JSON + b"\r\n\r\n" + JSON, "ndjson"),
        (b"\xef\xbb\xbf" + JSON, "ndjson"),
        (b"\n" + JSON, "json"),
        (b'{\n  "resourceSpans": []\n}\n', "json"),
        (b'  {"resourceSpans": [\n]}', "json"),
        (b"{", "json"),
        (b"{}", "ndjson"),
    ],
)
def test_json_is_told_from_lines_of_json(text: bytes, format: str) -> None:
    assert detected(text) == format


def test_long_first_line_is_looked_at_whole() -> None:
    assert detected(b'{"x": "' + b"y" * 1_000_000 + b'"}\n{}') == "ndjson"


def test_request_that_looks_like_a_line_feed_and_a_brace_is_protobuf() -> None:
    request = b"\x0a\x7b\x0a\x00" + b"\x78\x01" * 60 + b"\x1a\x00"[:1]
    assert request[:2] == b"\n{"
    assert detected(request) == "protobuf"


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"PAR1\0\0", "parquet"),
        (b"ARROW1\0\0", "arrow"),
        (b"\x89TZA\r\n\x1a\n\1", "tracezip"),
        (b"\xff\xff\xff\xff\0\0\0\0", "arrow"),
        (b"", "archive"),
        (b"\0\0", "archive"),
    ],
)
def test_other_forms_are_told_by_their_marks(head: bytes, format: str) -> None:
    assert detected(head) == format


@pytest.mark.parametrize("data", [b"<html></html>", b"hello, world", b"\x10\0\0\1", b"PK\3\4", b"[1, 2]"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="this is none of"):
        detected(data)


@pytest.mark.parametrize(
    ("name", "format", "encoding"),
    [
        ("a.otlp", "archive", "none"),
        ("a.b.otlp.zst", "archive", "zstd"),
        ("/tmp/x.gz/a.BIN.GZ", "archive", "gzip"),
        ("a.pb.lz4", "protobuf", "lz4"),
        ("a.json", "json", "none"),
        ("a.jsonl", "ndjson", "none"),
        ("a.feather", "arrow", "none"),
        ("a.otlp.tz", "tracezip", "none"),
        ("a.parquet", "parquet", "none"),
        ("a.zst", None, "zstd"),
        ("otlp", None, "none"),
        ("-", None, "none"),
    ],
)
def test_names_say_how_a_file_is_written(name: str, format: str | None, encoding: str) -> None:
    assert format_of_name(name) == (format, encoding)
