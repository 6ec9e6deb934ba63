"""Reading requests out of files: every form, several signals, damage at every place."""

from __future__ import annotations

import io
import struct
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import otlp_fast
from otlp_fast import compression, files
from otlp_fast.files import FileError, RequestReader
from tests.captured import BY_HAND, archive_of, canonical, captured, logs, metrics, traces
from tests.corpora import CORPORA, FOLDER

DATA = [data for _, data in BY_HAND]
MIXED = archive_of(DATA)


def reader_of(data: bytes, **options: Any) -> RequestReader:
    return RequestReader(io.BytesIO(data), "capture", **options)


def read(data: bytes, **options: Any) -> list[tuple[str | None, bytes]]:
    return [(request.signal, request.data) for request in reader_of(data, **options)]


def read_up_to_damage(data: bytes, **options: Any) -> tuple[list[bytes], FileError]:
    requests: list[bytes] = []
    with pytest.raises(FileError) as caught:
        requests.extend(request.data for request in reader_of(data, **options))
    return requests, caught.value


@pytest.mark.parametrize("name", CORPORA)
def test_corpora_are_read_request_by_request(name: str) -> None:
    expected = captured(name, 5)
    with files.open_reader(FOLDER / f"{name}.otlp.zst") as reader:
        requests = [request for _, request in zip(expected, reader, strict=False)]
        assert (reader.format, reader.encoding) == ("archive", "zstd")
        assert reader.size == (FOLDER / f"{name}.otlp.zst").stat().st_size
    assert [(request.signal, request.data) for request in requests] == expected
    assert [request.number for request in requests] == list(range(1, len(expected) + 1))
    ends = [request.offset + 4 + len(request.data) for request in requests]
    assert [request.offset for request in requests] == [0, *ends[:-1]]


@pytest.mark.parametrize("path", sorted((FOLDER / "otlp-json").glob("*.json")), ids=lambda path: path.stem)
def test_examples_of_the_protocol_are_read(path: Path) -> None:
    with files.open_reader(path) as reader:
        (request,) = reader
    assert request.signal == {"trace": "traces", "metrics": "metrics"}.get(path.stem, "logs")
    assert request.data == otlp_fast.from_json(path.read_bytes(), request.signal)


@pytest.mark.parametrize(("signal", "data"), BY_HAND)
def test_each_form_gives_the_same_request(signal: str, data: bytes) -> None:
    text = otlp_fast.to_json(data, signal)
    pretty = text.replace(b"[", b"[\n").replace(b"{", b"{\n")
    for content in (data, archive_of([data]), text, pretty, text + b"\n", b"\xef\xbb\xbf" + text):
        for encoding in compression.ENCODINGS:
            ((read_signal, read_data),) = read(compression.compress(content, encoding))
            assert read_signal == signal
            assert canonical(signal, [read_data]) == canonical(signal, [data])


def test_records_that_the_collector_compressed_one_by_one_are_read() -> None:
    zstd = [compression.compress(data, "zstd") for data in DATA]
    assert read(archive_of(zstd)) == BY_HAND
    # With `format: json`, what it compresses is JSON.
    as_json = [compression.compress(otlp_fast.to_json(data, signal), "zstd") for signal, data in BY_HAND]
    assert [signal for signal, _ in read(archive_of(as_json))] == ["traces", "logs", "metrics"]
    requests, error = read_up_to_damage(archive_of([zstd[0], zstd[1][:-1]]))
    assert requests == DATA[:1]
    assert "record 2 at byte" in str(error)
    assert "cut off" in str(error)


def test_signals_stand_side_by_side_in_an_archive_and_in_lines() -> None:
    assert read(MIXED) == BY_HAND
    lines = b"\n".join(otlp_fast.to_json(data, signal) for signal, data in BY_HAND)
    assert [signal for signal, _ in read(lines)] == ["traces", "logs", "metrics"]
    for content in (MIXED, lines):
        reader = reader_of(content, signal="logs")
        assert [(request.signal, request.number) for request in reader] == [("logs", 2)]
        assert reader.skipped == 2


def test_request_without_items_is_of_the_signal_before_it() -> None:
    assert read(archive_of([b"", DATA[1], b""])) == [(None, b""), ("logs", DATA[1]), ("logs", b"")]
    assert read(archive_of([b""]), signal="metrics") == [("metrics", b"")]
    assert read(b"{}\n" + otlp_fast.to_json(DATA[1], "logs") + b"\n{}")[::2] == [(None, b""), ("logs", b"")]
    for nothing in (b"", b"\n", compression.compress(b"", "gzip")):
        assert read(nothing, format="ndjson") == []
    assert read(b"") == []


def test_request_that_may_be_of_several_signals_needs_a_word() -> None:
    # A name of sixteen letters and a description of eight: the ids of a span.
    item = b"\x0a\x10" + b"a" * 16 + b"\x12\x08" + b"b" * 8
    data = item
    for _ in range(2):
        data = b"\x12" + bytes([len(data)]) + data
    data = b"\x0a" + bytes([len(data)]) + data
    requests, error = read_up_to_damage(archive_of([data]))
    assert requests == []
    assert str(error) == (
        "capture: record 1 at byte 0: it may be a request of traces or metrics: say which signal it is"
    )
    for signal in ("traces", "metrics"):
        assert read(data, signal=signal) == [(signal, data)]
    # What stood before says which.
    assert read(archive_of([traces(), data]))[1] == ("traces", data)
    assert read(archive_of([metrics(), data]))[1] == ("metrics", data)


def test_archive_that_ends_anywhere_is_read_up_to_there() -> None:
    ends = [0]
    for data in DATA:
        ends.append(ends[-1] + 4 + len(data))
    for cut in range(len(MIXED)):
        whole = sum(end <= cut for end in ends[1:])
        if cut in ends:
            assert [data for _, data in read(MIXED[:cut])] == DATA[:whole]
            continue
        requests, error = read_up_to_damage(MIXED[:cut])
        assert requests == DATA[:whole]
        assert (error.name, error.record, error.offset) == ("capture", whole + 1, ends[whole])
        assert f"capture: record {whole + 1} at byte {ends[whole]:,}: the file ends inside" in str(error)


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
def test_compressed_archive_that_ends_anywhere_is_read_up_to_there(encoding: str) -> None:
    content = archive_of([logs(service=f"service {number}") for number in range(100)])
    whole = compression.compress(content, encoding)
    counts = set()
    for cut in range(4, len(whole), 3):
        requests, error = read_up_to_damage(whole[:cut])
        assert archive_of(requests) == content[: error.offset]
        assert error.record == len(requests) + 1
        assert "cut off" in str(error)
        counts.add(len(requests))
    # A block is given out as a whole, but for gzip, which has none.
    assert max(counts) == 100
    assert encoding != "gzip" or len(counts) > 10


def test_damage_is_told_with_its_place() -> None:
    good, offset = archive_of(DATA[:1]), len(DATA[0]) + 4
    cases = {
        archive_of([b"\x0a\x05\x12"]): "a length reaches past the end of its message at offset 1 in resource_spans[0]",
        archive_of([b"<html>"]): "the end of a group without its start at offset 0",
        b"\x7f\xff\xff\xff": "longer than max_record_size, 268,435,456 bytes",
        b"\0\0\0\x09abc": "the file ends inside the record, 3 of 9 bytes",
        b"\0\0": "the file ends inside the length of the record, 2 of 4 bytes",
        archive_of([b'{"resourceLogs": [}']): "at offset",
    }
    for damage, message in cases.items():
        requests, error = read_up_to_damage(good + damage)
        assert requests == DATA[:1]
        assert (error.record, error.offset) == (2, offset)
        assert str(error).startswith(f"capture: record 2 at byte {offset}: ")
        assert message in str(error)
    lines = otlp_fast.to_json(DATA[1], "logs") + b'\n\n{"resourceLogs": 1}\n'
    requests, error = read_up_to_damage(lines)
    assert (len(requests), error.record, error.offset) == (1, 2, lines.index(b"\n\n") + 2)


def test_record_is_read_up_to_the_limit() -> None:
    longest = max(map(len, DATA))
    assert len(read(MIXED, max_record_size=longest)) == 3
    lines = otlp_fast.to_json(DATA[0], "traces")
    assert len(read(lines, max_record_size=len(lines))) == 1
    bomb = compression.compress(bytes(1 << 20), "zstd")
    for content, limit in (
        (MIXED, longest - 1),
        (lines, len(lines) - 1),
        (DATA[0], len(DATA[0]) - 1),
        (archive_of([bomb]), 1 << 19),
    ):
        with pytest.raises(FileError, match=r"max_record_size|max_size"):
            read(content, max_record_size=limit)


def test_file_of_no_known_form_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "page.otlp"
    path.write_bytes(b"<html>")
    with pytest.raises(FileError, match=r"page\.otlp: this is none of") as caught:
        files.open_reader(path)
    assert (caught.value.name, caught.value.record) == (str(path), 0)


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(MIXED)
    with pytest.raises(ValueError, match="unknown signal 'spans'"):
        files.open_reader(path, signal="spans")
    with pytest.raises(ValueError, match="unknown format 'xml': expected one of protobuf, archive"):
        files.open_reader(path, format="xml")
    with pytest.raises(FileNotFoundError):
        files.open_reader(tmp_path / "b")
    # A form that is named is not looked for.
    with files.open_reader(path, format="protobuf") as reader, pytest.raises(FileError, match="record 1 at byte 0: "):
        list(reader)


def test_archive_longer_than_the_memory_for_it_is_read(tmp_path: Path) -> None:
    requests = 2000
    path = tmp_path / "long.otlp.lz4"
    path.write_bytes(compression.compress(archive_of([traces(50)]) * requests, "lz4"))
    tracemalloc.start()
    try:
        with files.open_reader(path) as reader:
            assert sum(1 for _ in reader) == requests
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20 < len(traces(50)) * requests


@given(st.data())
def test_any_bytes_are_read_or_refused(data: st.DataObject) -> None:
    sources = [MIXED, DATA[0], otlp_fast.to_json(DATA[1], "logs"), compression.compress(MIXED, "lz4")]
    content = bytearray(data.draw(st.one_of(st.sampled_from(sources), st.binary(max_size=100))))
    for _ in range(data.draw(st.integers(0, 3))):
        if content:
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    with suppress(FileError):
        for request in reader_of(bytes(content), max_record_size=1 << 20):
            assert request.offset <= len(MIXED) + 12
            assert request.signal is not None or request.data == b""


def test_length_that_lies_costs_nothing() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="the file ends inside the record, 3 of 268,435,456 bytes"):
            read(struct.pack(">I", 1 << 28) + b"abc")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
