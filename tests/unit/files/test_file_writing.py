"""Writing requests into files of every form, replacing files, batches."""

from __future__ import annotations

import gc
import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import otlp_fast
from otlp_fast import _core, compression, files
from otlp_fast.files import FileError, Request
from otlp_fast.files.batches import Batches
from otlp_fast.reference import common, wire
from tests.captured import BY_HAND, MESSAGES, archive_of, canonical, captured, logs, metrics, traces
from tests.corpora import CORPORA

FORMS = ["protobuf", "archive", "tracezip", "json", "ndjson"]


def write(path: Path, requests: list[tuple[str, bytes]], **options: str | None) -> bytes:
    with files.open_writer(path, overwrite=True, **options) as writer:
        for signal, data in requests:
            writer.write(data, signal)
    assert writer.count == len(requests)
    content = path.read_bytes()
    assert writer.file_size == len(content)
    return content


def read(path: Path) -> list[tuple[str | None, bytes]]:
    with files.open_reader(path) as reader:
        return [(request.signal, request.data) for request in reader]


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("format", FORMS)
@pytest.mark.parametrize("encoding", compression.ENCODINGS)
def test_captured_requests_are_written_and_read_back(tmp_path: Path, name: str, format: str, encoding: str) -> None:
    requests = captured(name)
    content = write(tmp_path / "capture", requests, format=format, encoding=encoding)
    with files.open_reader(tmp_path / "capture") as reader:
        assert reader.encoding == encoding
        back = list(reader)
    assert {request.signal for request in back} == {CORPORA[name]}
    assert len(back) == (len(requests) if format in ("archive", "tracezip", "ndjson") else 1)
    read_back = canonical(CORPORA[name], (request.data for request in back))
    assert read_back == canonical(CORPORA[name], (data for _, data in requests))
    if encoding == "none" and format in ("archive", "protobuf"):
        data = [data for _, data in requests]
        assert content == (archive_of(data) if format == "archive" else b"".join(data))


def test_json_of_several_requests_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    requests = [("logs", logs(1, "a")), ("logs", b""), ("logs", logs(2, "b"))]
    document = json.loads(write(path, requests))
    expected = json.loads(otlp_fast.to_json(b"".join(data for _, data in requests), "logs"))
    assert document == expected
    assert len(document["resourceLogs"]) == 2
    for nothing in ([], [("logs", b"")]):
        assert write(path, nothing) == b"{}\n"


def test_lines_are_requests(tmp_path: Path) -> None:
    lines = write(tmp_path / "a.ndjson", [*BY_HAND, (None, b"")]).splitlines(keepends=True)
    assert lines == [otlp_fast.to_json(data, signal) + b"\n" for signal, data in BY_HAND]


@pytest.mark.parametrize("format", ["protobuf", "json"])
def test_second_signal_is_refused_where_there_is_room_for_one(tmp_path: Path, format: str) -> None:
    with pytest.raises(FileError, match="it has traces and cannot take logs, too"):
        write(tmp_path / "a", BY_HAND, format=format)
    assert list(tmp_path.iterdir()) == []


def test_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp"
    with files.open_writer(path) as writer:
        writer.write(traces(), "traces")
        (part,) = tmp_path.iterdir()
        assert part != path
    assert list(tmp_path.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def fail_while_writing(path: Path, error: type[BaseException], format: str = "archive") -> None:
    with files.open_writer(path, format=format, overwrite=True) as writer:
        writer.write(traces(), "traces")
        raise error


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.otlp"
    for before in (None, b"old"):
        if before is not None:
            path.write_bytes(before)
        with pytest.raises(error):
            fail_while_writing(path, error)
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [before] * (before is not None)


def test_existing_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link = tmp_path / "link.otlp"
    link.symlink_to(path)
    with pytest.raises(FileExistsError, match=r"link\.otlp: there is such a file"), files.open_writer(link):
        pass
    assert path.read_bytes() == b"old"
    content = write(link, BY_HAND)
    assert link.is_symlink()
    assert path.read_bytes() == content != b"old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_device_is_written_to_and_not_replaced() -> None:
    with files.open_writer("/dev/null", format="ndjson", encoding="gzip") as writer:
        writer.write(traces(), "traces")
    assert Path("/dev/null").is_char_device()


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    for name, options, error in (
        ("a.txt", {}, "its name does not say which format"),
        ("a.otlp", {"format": "xml"}, "unknown format 'xml'"),
        ("a.otlp", {"encoding": "brotli"}, "unknown encoding"),
        ("a.parquet.gz", {}, "Parquet is compressed inside, and gets no gzip around it"),
    ):
        with pytest.raises(ValueError, match=error), files.open_writer(tmp_path / name, **options):
            pass
    with pytest.raises(FileNotFoundError), files.open_writer(tmp_path / "no" / "a.otlp"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_request_that_is_none_is_refused_by_json(tmp_path: Path) -> None:
    with pytest.raises(otlp_fast.DecodeError), files.open_writer(tmp_path / "a.json") as writer:
        writer.write(b"\xff", "traces")


def requests_of(counts: list[tuple[str, int]]) -> list[tuple[Request, int]]:
    make = {"traces": traces, "logs": logs, "metrics": metrics}
    return [(Request(signal, make[signal](count), 1, 0), count) for signal, count in counts]


signals = st.sampled_from(["traces", "logs", "metrics"])


@given(st.lists(st.tuples(signals, st.integers(0, 20)), max_size=12), st.integers(1, 30))
def test_batches_have_as_many_items_as_were_asked_for(counts: list[tuple[str, int]], wanted: int) -> None:
    batches = Batches(wanted)
    requests = requests_of(counts)
    ready = [part for request, count in requests for part in batches.add(request, count)]
    ready += batches.finish()
    assert list(batches.finish()) == []
    sizes = [(part.signal, otlp_fast.count(part.data, part.signal)) for part in ready]
    # In a row of one signal, all but the last are full.
    for (signal, size), (following, _) in zip(sizes, [*sizes[1:], (None, 0)], strict=False):
        assert size == wanted or (size < wanted and signal != following)
    for signal in MESSAGES:
        assert len(items(signal, ready)) == sum(count for other, count in counts if other == signal)
        assert items(signal, ready) == items(signal, [request for request, _ in requests])


def items(signal: str, requests: list[Request]) -> list[bytes]:
    """The items of one signal, in their order, whatever groups they stand in."""
    data = b"".join(request.data for request in requests if request.signal == signal)
    message = MESSAGES[signal].FromString(data)
    if signal == "traces":
        found = [span for group in message.resource_spans for scope in group.scope_spans for span in scope.spans]
    elif signal == "logs":
        found = [log for group in message.resource_logs for scope in group.scope_logs for log in scope.log_records]
    else:
        groups = [scope.metrics for group in message.resource_metrics for scope in group.scope_metrics]
        found = [point for group in groups for metric in group for point in metric.gauge.data_points]
    return [item.SerializeToString() for item in found]


def test_batch_ends_where_its_bytes_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otlp_fast.files.batches._MAX_BYTES", 3 * len(traces(10)))
    batches = Batches(1000)
    ready = [part for request, count in requests_of([("traces", 10)] * 7) for part in batches.add(request, count)]
    assert [otlp_fast.count(part.data, "traces") for part in [*ready, *batches.finish()]] == [30, 30, 10]


def test_conversion_counts_and_salvages(tmp_path: Path) -> None:
    source, target = tmp_path / "a.otlp", tmp_path / "b.ndjson"
    source.write_bytes(archive_of([traces(3), logs(2), b""]) + b"\0\0\0\x09abc")
    told: list[int] = []
    with (
        pytest.raises(FileError, match="record 4"),
        files.open_reader(source) as reader,
        files.open_writer(target) as writer,
    ):
        files.convert(reader, writer, tell=told.append)
    assert told == [source.stat().st_size] * 3
    assert not target.exists()
    for batch, lines in ((None, 3), (2, 4), (100, 2)):
        with files.open_reader(source) as reader, files.open_writer(target, overwrite=True) as writer:
            done = files.convert(reader, writer, batch=batch, salvage=True)
        assert (done.requests, done.items) == (3, 5)
        assert done.damage is not None
        assert done.damage.record == 4
        assert len(read(target)) == lines
    # What cannot be written is no damage of the source.
    with (
        pytest.raises(FileError, match="it has traces"),
        files.open_reader(source) as reader,
        files.open_writer(tmp_path / "c.json") as writer,
    ):
        files.convert(reader, writer, salvage=True)


@pytest.mark.parametrize("target_format", ["protobuf", "json"])
def test_file_that_its_new_form_cannot_hold_is_kept(tmp_path: Path, target_format: str) -> None:
    path = tmp_path / "a.otlp"
    path.write_bytes(archive_of([traces(3), logs(2)]))
    with (
        pytest.raises(FileError, match="it has traces and cannot take logs"),
        files.open_reader(path) as reader,
        files.open_writer(path, format=target_format, overwrite=True) as writer,
    ):
        files.convert(reader, writer, salvage=True)
    assert path.read_bytes() == archive_of([traces(3), logs(2)])


@pytest.mark.parametrize("salvage", [False, True])
def test_request_that_cannot_be_cut_is_an_error_with_its_place(tmp_path: Path, salvage: bool) -> None:
    # 200 parts, each with a resource of 1 MiB.
    resource = wire.bytes_field(1, common.key_value("k", "x" * (1 << 20), 3))
    scope = wire.bytes_field(2, wire.bytes_field(2, b"") * 200)
    data = wire.bytes_field(1, wire.bytes_field(1, resource) + scope)
    path = tmp_path / "a.otlp"
    path.write_bytes(archive_of([traces(3), data]))
    with (
        pytest.raises(FileError, match="so often") as raised,
        files.open_reader(path) as reader,
        files.open_writer(path, overwrite=True) as writer,
    ):
        files.convert(reader, writer, batch=1, salvage=salvage)
    assert raised.value.record == 2


def rows_of(signal: str, requests: list[bytes]) -> list[str]:
    """The items with all that belongs to them; their order is that of their resources, which tables put together."""
    decode = {"traces": otlp_fast.decode_traces, "logs": otlp_fast.decode_logs, "metrics": otlp_fast.decode_metrics}
    return sorted(map(repr, decode[signal](b"".join(requests)).to_arrow().to_pylist()))


@pytest.mark.parametrize("format", ["arrow", "parquet"])
@pytest.mark.parametrize("name", CORPORA)
def test_tables_are_written_and_read_back(tmp_path: Path, name: str, format: str) -> None:
    pytest.importorskip("pyarrow")
    (signal, whole), *_ = captured(name, 1)
    requests = [(signal, part) for part, _ in _core.split_request(whole, signal, max_items=50)[:3]]
    for encoding in ("none", "zstd") if format == "arrow" else ("none",):
        path = tmp_path / f"capture.{encoding}"
        write(path, requests, format=format, encoding=encoding)
        with files.open_reader(path) as reader:
            assert reader.format == format
            back = [request.data for request in reader]
        assert rows_of(CORPORA[name], back) == rows_of(CORPORA[name], [data for _, data in requests])


def test_tables_that_failed_leave_no_half_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for format in ("arrow", "parquet"):
        with pytest.raises(ZeroDivisionError):
            fail_while_writing(tmp_path / "a", ZeroDivisionError, format)
        with pytest.raises(FileError, match="no request that would say"), files.open_writer(tmp_path / f"b.{format}"):
            pass
    # Writers of pyarrow that are not closed write when they go.
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_tables_in_pipes_and_streams_are_read(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    table = otlp_fast.decode_traces(traces(5)).to_arrow()
    with pa.OSFile(str(tmp_path / "stream"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    write(tmp_path / "whole", [("traces", traces(5))], format="parquet")
    for name, count in (("stream", 3), ("whole", 1)):
        for encoding in compression.ENCODINGS:
            path = tmp_path / f"{name}.{encoding}"
            path.write_bytes(compression.compress((tmp_path / name).read_bytes(), encoding))
            back = read(path)
            assert len(back) == count
            assert rows_of("traces", [data for _, data in back]) == rows_of("traces", [traces(5)])


@pytest.mark.parametrize("format", ["arrow", "parquet"])
def test_tables_are_cut_where_copies_of_a_resource_get_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("otlp_fast.files.tables._MAX_COPIED_BYTES", 350)
    wide = traces(10, "x" * 50)
    write(tmp_path / "a", [("traces", wide), ("traces", traces(2, "y" * 1000)), ("traces", b"")], format=format)
    batches = [otlp_fast.decode_traces(data) for _, data in read(tmp_path / "a")]
    if format == "arrow":
        # A service of 50 bytes with its key and what is around it takes about a hundred, for each span.
        assert [len(batch) for batch in batches] == [3, 3, 3, 1, 1, 1]
    names = [name for batch in batches for name in batch.resource["service.name"]]
    assert names == ["x" * 50] * 10 + ["y" * 1000] * 2


def test_damaged_tables_are_refused_with_their_place(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for format in ("arrow", "parquet"):
        content = write(tmp_path / "whole", [("traces", traces(50))] * 3, format=format)
        for cut in range(8, len(content), len(content) // 50):
            path = tmp_path / "cut"
            path.write_bytes(content[:cut])
            count, said = 0, ""
            try:
                count = len(read(path))
            except FileError as error:
                said = str(error)
            # A stream of Arrow may end in front of its table of contents.
            assert count == 3 or said.startswith(str(path))


def test_tables_that_point_out_of_their_memory_are_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "a"
    table = pa.table({"name": ["x" * 101] * 3, "parent_span_id": pa.nulls(3)})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)

    def offsets(*places: int) -> bytes:
        return b"".join(place.to_bytes(4, "little") for place in places)

    content = path.read_bytes()
    assert content.count(offsets(101, 202, 303)) == 1
    path.write_bytes(content.replace(offsets(101, 202, 303), offsets(101, 1 << 30, 303)))
    with pytest.raises(FileError, match=r"a: record 1 at byte \d+: .*offset"):
        read(tmp_path / "a")


def test_tables_tell_their_signal_by_their_columns(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    for signal, data in BY_HAND:
        write(tmp_path / "a", [(signal, data)], format="arrow")
        for other in MESSAGES:
            with files.open_reader(tmp_path / "a", signal=other) as reader:
                assert [request.signal for request in reader] == [signal] * (signal == other)
                assert reader.skipped == (signal != other)
    names = pa.table({"name": ["a"]})
    with pa.OSFile(str(tmp_path / "names"), "wb") as sink, pa.ipc.new_file(sink, names.schema) as file:
        file.write_table(names)
    with pytest.raises(FileError, match="these may be tables of traces or logs or metrics: say which"):
        files.open_reader(tmp_path / "names")
