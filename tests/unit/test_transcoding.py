"""`transcode`: every format and encoding into every other."""

from __future__ import annotations

import doctest
import itertools

import pytest

import otlp_fast
from otlp_fast import compression, transcoding
from tests.compat.spans import make_span

REQUEST = bytes(otlp_fast.encode_spans([make_span() for _ in range(20)]))
FORMS = {"protobuf": REQUEST, "json": otlp_fast.to_json(REQUEST, "traces")}
ENDS = list(itertools.product(FORMS, compression.ENCODINGS))


@pytest.mark.parametrize(("from_format", "from_encoding"), ENDS)
@pytest.mark.parametrize(("to_format", "to_encoding"), ENDS)
def test_every_form_becomes_every_other(from_format: str, from_encoding: str, to_format: str, to_encoding: str) -> None:
    result = otlp_fast.transcode(
        compression.compress(FORMS[from_format], from_encoding),
        "traces",
        from_format=from_format,
        to_format=to_format,
        from_encoding=from_encoding,
        to_encoding=to_encoding,
    )
    assert compression.decompress(result, to_encoding) == FORMS[to_format]


def test_request_whose_format_stays_is_not_looked_into() -> None:
    assert otlp_fast.transcode(b"<html>", "traces") == b"<html>"
    compressed = otlp_fast.transcode(b"<html>", "traces", to_encoding="zstd")
    assert compression.decompress(compressed, "zstd") == b"<html>"


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(otlp_fast.DecodeError):
        otlp_fast.transcode(b"<html>", "traces", to_format="json")
    with pytest.raises(otlp_fast.DecodeError, match="offset 0"):
        otlp_fast.transcode(b"<html>", "traces", from_format="json")
    with pytest.raises(compression.CompressionError):
        otlp_fast.transcode(b"<html>", "traces", from_encoding="gzip")
    with pytest.raises(compression.CompressionError, match="max_size"):
        otlp_fast.transcode(REQUEST, "traces", to_format="json", max_size=len(REQUEST) - 1)
    for wrong in ({"from_format": "xml"}, {"to_format": "ndjson"}, {"from_encoding": "br"}, {"to_encoding": ""}):
        with pytest.raises(ValueError, match=r"unknown (format|encoding)"):
            otlp_fast.transcode(REQUEST, "traces", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown signal 'spans'"):
        otlp_fast.transcode(REQUEST, "spans")


def test_example_of_the_docstring_holds() -> None:
    results = doctest.testmod(transcoding)
    assert (results.attempted, results.failed) == (2, 0)
