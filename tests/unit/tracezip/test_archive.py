"""Archives there and back: whole, from the middle, in parallel, of several signals, one behind the other."""

from __future__ import annotations

import io
import random
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import otlp_fast
from otlp_fast import files
from otlp_fast.errors import CompressionError, FileError
from otlp_fast.tracezip import FrameHeader, archive, read_header
from otlp_fast.tracezip.archive import layout
from otlp_fast.tracezip.archive.ordered import in_order
from otlp_fast.tracezip.archive.source import Source
from tests.captured import BY_HAND, captured, logs, metrics, traces
from tests.corpora import CORPORA, read_requests

Records = list[tuple[bytes, "str | None"]]
MIXED: Records = [
    (make(1 + number, *service), signal)
    for number in range(10)
    for signal, make, service in (("traces", traces, ["shop"]), ("logs", logs, ["till"]), ("metrics", metrics, []))
]


def archive_of(records: Records, records_per_restart: int = 4) -> bytes:
    file = io.BytesIO()
    with archive.Writer(file, records_per_restart=records_per_restart) as writer:
        for data, signal in records:
            writer.write(data, signal)
    assert writer.file_size == len(file.getvalue())
    return file.getvalue()


def reader_of(content: bytes, **options: int) -> archive.Reader:
    return archive.Reader(io.BytesIO(content), **options)


def streamed(content: bytes, **options: int) -> list[bytes]:
    return [record.data for record in archive.read_stream(io.BytesIO(content).read, **options)]


@pytest.mark.parametrize("name", CORPORA)
def test_corpora_come_back_from_the_front_by_index_and_in_parallel(name: str) -> None:
    data = list(read_requests(name))
    for jobs, spacing in ((1, 256), (3, 50)):
        file = io.BytesIO()
        with archive.Writer(file, records_per_restart=spacing) as writer:
            writer.write_all(((request, CORPORA[name]) for request in data), jobs=jobs)
        reader = archive.Reader(file)
        assert list(reader.read_from(0, jobs=jobs)) == data
        assert streamed(file.getvalue()) == data
        assert (len(reader), reader.items, writer.count) == (len(data), writer.items, len(data))
        assert sum(map(len, data)) == writer.content_size
        assert len(reader.restart_points) >= -(-len(data) // spacing)
        for first in random.Random(name).sample(range(len(data)), min(5, len(data))):
            assert reader[first] == data[first]
            assert list(reader.read_from(first, 60, jobs=jobs)) == data[first : first + 60]


def headers(content: bytes) -> list[FrameHeader]:
    """What the frames of an archive say of themselves."""
    found = []
    for record in archive.read_stream(io.BytesIO(content).read):
        file = io.BytesIO(content[record.offset :])
        length = Source(file.read).take_varint("a length")
        found.append(read_header(file.read(length)))
    return found


def test_several_signals_are_a_stream_each() -> None:
    content = archive_of(MIXED)
    assert list(reader_of(content)) == streamed(content) == [data for data, _ in MIXED]
    frames = headers(content)
    assert [frame.signal for frame in frames] == [signal for _, signal in MIXED]
    # In a segment of four, one signal comes twice: its second frame builds on the first.
    assert [frame.is_reset for frame in frames[:8]] == [True, True, True, False] * 2
    assert [int.from_bytes(frame.stream_id, "big") for frame in frames[:9]] == [0] * 4 + [4] * 4 + [8]


def test_jobs_change_no_byte() -> None:
    expected = archive_of(MIXED)
    for jobs in (1, 2, 5):
        file = io.BytesIO()
        with archive.Writer(file, records_per_restart=4) as writer:
            writer.write_all(iter(MIXED), jobs=jobs)
        assert file.getvalue() == expected


def test_records_can_be_added_one_by_one_and_many_at_a_time() -> None:
    file = io.BytesIO()
    with archive.Writer(file, records_per_restart=4) as writer:
        writer.write(*MIXED[0])
        writer.write_all(MIXED[1:7], jobs=2)
        writer.write_all([], jobs=2)
        for record in MIXED[7:]:
            writer.write(*record)
    reader = archive.Reader(file)
    assert list(reader) == [data for data, _ in MIXED]
    assert [point.record for point in reader.restart_points][:5] == [0, 1, 5, 9, 13]


def test_anything_is_kept_and_what_nobody_knows_goes_with_the_record_before() -> None:
    records: Records = [(b"", None), (b"{}", "logs"), (b"\xff" * 100, None), (bytes(300), "metrics"), (b"TZ\1", None)]
    content = archive_of(records)
    assert list(reader_of(content)) == streamed(content) == [data for data, _ in records]
    assert reader_of(content).items == 0
    assert [frame.signal for frame in headers(content)] == ["traces", "logs", "logs", "metrics", "traces"]
    with pytest.raises(ValueError, match="spans"):
        archive.Writer(io.BytesIO()).write(b"", "spans")


def test_empty_archive_and_one_of_a_single_record() -> None:
    empty = archive_of([])
    assert len(empty) == 9 + 1 + 24 + 16
    assert list(reader_of(empty)) == streamed(empty) == reader_of(empty).restart_points == []
    with pytest.raises(IndexError, match="record 0 of an archive with 0"):
        reader_of(empty)[0]
    one = reader_of(archive_of([(traces(7), "traces")]))
    assert [one[0], one[-1]] == [traces(7)] * 2
    assert (len(one), one.items, one.restart_points) == (1, 7, [archive.RestartPoint(9, 0, 0)])


@given(st.integers(0, 35), st.one_of(st.none(), st.integers(0, 35)), st.integers(1, 9), st.integers(1, 3))
def test_any_range_is_read(first: int, count: int | None, spacing: int, jobs: int) -> None:
    reader = reader_of(archive_of(MIXED, spacing))
    data = [data for data, _ in MIXED]
    assert list(reader.read_from(first, count, jobs=jobs)) == data[first:][:count]
    points = reader.restart_points
    assert [point.record for point in points] == list(range(0, 30, spacing))
    assert [point.items for point in points] == [
        sum(otlp_fast.count(data, str(signal)) for data, signal in MIXED[: point.record]) for point in points
    ]


def test_places_outside_are_refused() -> None:
    reader = reader_of(archive_of(MIXED))
    for number in (30, -31):
        with pytest.raises(IndexError, match=f"record {number} of an archive with 30"):
            reader[number]
    for place in ((-1, None), (0, -1)):
        with pytest.raises(ValueError, match="must not be negative"):
            list(reader.read_from(*place))
    assert list(reader.read_from(30)) == list(reader.read_from(0, 0)) == []
    for spacing in (0, 65_537):
        with pytest.raises(ValueError, match="records_per_restart must be 1 to 65,536"):
            archive.Writer(io.BytesIO(), records_per_restart=spacing)


class SharedFile(io.BytesIO):
    """A file that lets another thread run between a seek and what is read there."""

    def seek(self, *place: int) -> int:
        result = super().seek(*place)
        time.sleep(0.001)
        return result


def test_threads_read_with_one_reader() -> None:
    reader = archive.Reader(SharedFile(archive_of(MIXED)))
    found: dict[int, list[bytes]] = {}

    def read(record: int) -> None:
        found[record] = list(reader.read_from(record, 4))

    threads = [threading.Thread(target=read, args=[point.record]) for point in reader.restart_points]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [data for record in sorted(found) for data in found[record]] == [data for data, _ in MIXED]


def test_archives_one_behind_the_other_are_one() -> None:
    parts = [MIXED[:5], [], MIXED[5:6], MIXED[6:]]
    content = b"".join(map(archive_of, parts))
    reader = reader_of(content)
    data = [data for data, _ in MIXED]
    assert list(reader.read_from(0, jobs=2)) == list(reader) == streamed(content) == data
    assert [reader[number] for number in range(30)] == data
    assert reader.items == reader_of(archive_of(MIXED)).items
    assert [point.record for point in reader.restart_points][:4] == [0, 4, 5, 6]
    assert [point.items for point in reader.restart_points][:3] == [0, 5, 7]
    assert content.startswith(b"\x89TZA", [point.offset for point in reader.restart_points][2] - 9)


def test_archive_is_added_to_by_writing_another_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp.tz"
    for part in (MIXED[:5], MIXED[5:]):
        with path.open("ab") as file, archive.Writer(file) as writer:
            writer.write_all(part)
    with archive.Reader(path) as reader:
        assert list(reader) == [data for data, _ in MIXED]


signals = st.sampled_from(["traces", "logs", "metrics", None])
contents = st.one_of(st.binary(max_size=300), st.sampled_from([data for data, _ in MIXED]))


@given(st.lists(st.tuples(contents, signals), max_size=20), st.integers(1, 5), st.integers(1, 2))
def test_any_bytes_of_any_signal_come_back(records: Records, spacing: int, jobs: int) -> None:
    content = archive_of(records, spacing)
    file = io.BytesIO()
    with archive.Writer(file, records_per_restart=spacing) as writer:
        writer.write_all(records, jobs=jobs)
    assert file.getvalue() == content
    assert streamed(content) == list(reader_of(content).read_from(0, jobs=jobs)) == [data for data, _ in records]


def test_segment_ends_where_its_bytes_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_SEGMENT_BYTES", 1000)
    sizes = [400, 600, 1, 2000, 0, 999, 1001, 1]
    records: Records = [(bytes([number]) * size, "logs") for number, size in enumerate(sizes)]
    content = archive_of(records, 100)
    assert [point.record for point in reader_of(content).restart_points] == [0, 2, 3, 4, 6, 7]
    file = io.BytesIO()
    with archive.Writer(file, records_per_restart=100) as writer:
        writer.write_all(records)
    assert file.getvalue() == content
    assert streamed(content) == [data for data, _ in records]
    # Whoever reads allows no longer ones.
    monkeypatch.setattr(layout, "MAX_SEGMENT_BYTES", 999)
    with pytest.raises(CompressionError, match="more records without a restart point"):
        streamed(content)
    with pytest.raises(FileError, match=r"record 2 at byte .*: more records without a restart point"):
        list(reader_of(content))


def test_archive_takes_no_more_restart_points_than_its_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MAX_SEGMENTS", 3)
    assert len(reader_of(archive_of(MIXED[:3], 1))) == 3
    with pytest.raises(CompressionError, match="at most 3 restart points: choose a larger records_per_restart"):
        archive_of(MIXED[:4], 1)
    with pytest.raises(FileError, match="more than 3 restart points"):
        reader_of(archive_of(MIXED[:2], 1) * 3)


def test_record_is_written_and_read_up_to_the_limit() -> None:
    file = io.BytesIO()
    writer = archive.Writer(file, max_record_size=100)
    writer.write(bytes(100), "logs")
    with pytest.raises(CompressionError, match="max_decoded_len"):
        writer.write(bytes(101), "logs")
    writer.write(bytes(1), "logs")
    writer.close()
    assert streamed(file.getvalue(), max_record_size=100) == [bytes(100), bytes(1)]
    with pytest.raises(CompressionError, match="max_decoded_len"):
        streamed(file.getvalue(), max_record_size=99)
    with pytest.raises(FileError, match=r"the archive: record 1 at byte 18: .*max_decoded_len"):
        list(reader_of(file.getvalue(), max_record_size=99))


def test_paths_are_opened_and_closed_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp.tz"
    with archive.Writer(path) as writer:
        writer.write(traces(), "traces")
    with pytest.raises(FileExistsError):
        archive.Writer(path)
    with archive.Reader(str(path)) as reader:
        assert reader[0] == traces()
        assert (reader.name, reader.file_size) == (str(path), path.stat().st_size)
        records = reader.read_from(0)
    with pytest.raises(ValueError, match="closed file"):
        next(records)
    with path.open("rb") as file:
        with archive.Reader(file) as reader:
            assert list(reader) == [traces()]
        assert not file.closed


def write_and_fail(path: Path) -> None:
    with archive.Writer(path) as writer:
        writer.write(traces(), "traces")
        raise ZeroDivisionError


def test_archive_whose_writer_failed_has_no_end(tmp_path: Path) -> None:
    path = tmp_path / "a.otlp.tz"
    with pytest.raises(ZeroDivisionError):
        write_and_fail(path)
    with pytest.raises(FileError, match="the archive has no index: its writer was interrupted, or the file is cut off"):
        archive.Reader(path)
    with path.open("rb") as file:
        records = archive.read_stream(file.read)
        assert next(records).data == traces()
        with pytest.raises(CompressionError, match="the file ends inside the archive, in front of its index"):
            next(records)


def test_memory_is_bounded_in_parallel() -> None:
    def requests() -> Records:
        return ((traces(50, f"service {number}"), "traces") for number in range(1500))

    file = io.BytesIO()
    with archive.Writer(file, records_per_restart=10) as writer:
        writer.write_all(requests(), jobs=2)
    assert writer.content_size > 5 << 20
    reader = archive.Reader(file)
    tracemalloc.start()
    try:
        assert sum(map(len, reader.read_from(0, jobs=2))) == writer.content_size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20


def test_work_is_begun_ahead_but_not_far() -> None:
    begun: list[int] = []

    def tasks() -> object:
        for task in range(100):
            begun.append(task)
            yield task

    results = in_order(lambda task: task * 2, tasks(), 3)
    for expected in range(10):
        assert next(results) == expected * 2
        assert len(begun) <= expected + 4
    results.close()
    assert len(begun) <= 14
    assert list(in_order(str, range(5), 4)) == ["0", "1", "2", "3", "4"]
    together = threading.Barrier(3)
    assert sorted(in_order(lambda _: together.wait(timeout=60), range(3), 3)) == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda task: 1 // task, [1, 0, 1], 2))


@pytest.mark.parametrize("name", CORPORA)
def test_files_read_and_write_archives_as_any_other_form(tmp_path: Path, name: str) -> None:
    requests = captured(name, 5)
    path = tmp_path / "a.otlp.tz"
    with files.open_writer(path) as writer:
        assert (writer.format, writer.encoding) == ("tracezip", "none")
        for signal, data in requests:
            writer.write(data, signal)
    assert path.stat().st_size == writer.file_size < sum(len(data) for _, data in requests)
    with files.open_reader(path) as reader:
        assert (reader.format, reader.encoding) == ("tracezip", "none")
        assert [(request.signal, request.data) for request in reader] == requests
        assert reader.bytes_read == path.stat().st_size
    with files.open_reader(path, signal="logs") as reader:
        assert len(list(reader)) == (len(requests) if CORPORA[name] == "logs" else 0)


def test_files_keep_what_is_no_request_only_when_asked() -> None:
    content = archive_of([*((data, signal) for signal, data in BY_HAND), (b"<html>", None), (traces(), "traces")])
    plain = b"".join(len(data).to_bytes(4, "big") + data for data in streamed(content))
    for form in (content, plain):
        with pytest.raises(FileError, match="record 4 at byte"):
            list(files.RequestReader(io.BytesIO(form), "a"))
        kept = list(files.RequestReader(io.BytesIO(form), "a", keep_unknown=True))
        assert [(request.signal, request.data) for request in kept[2:]] == [
            ("metrics", metrics()),
            ("metrics", b"<html>"),
            ("traces", traces()),
        ]
    with pytest.raises(FileError, match="record 1"):
        list(files.RequestReader(io.BytesIO(b"{1}"), "a", format="ndjson", keep_unknown=True))
