"""Archives that are cut off, damaged, or made to harm: what is given is right, and nothing costs more than it may."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
from binascii import crc32
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otlp_fast import tracezip
from otlp_fast.errors import CompressionError, FileError
from otlp_fast.tracezip import archive
from otlp_fast.tracezip.archive import layout
from tests.captured import BY_HAND, archive_of, logs, metrics, traces

DATA = [traces(), logs(), metrics(), b"", logs(5), b"<html>", traces(2)]
SIGNALS = ["traces", "logs", "metrics", None, "logs", None, "traces"]


def archive_with(records_per_restart: int = 3) -> bytes:
    file = io.BytesIO()
    with archive.Writer(file, records_per_restart=records_per_restart) as writer:
        writer.write_all(zip(DATA, SIGNALS, strict=True))
    return file.getvalue()


WHOLE = archive_with()
POINTS = archive.Reader(io.BytesIO(WHOLE)).restart_points
ENTRIES = [*POINTS, archive.RestartPoint(WHOLE.rindex(b"\1" + struct.pack("<QQQ", 9, 0, 0)), 7, 16)]


def streamed(content: bytes) -> tuple[list[bytes], str | None]:
    """What is read from the front, and the error behind it."""
    found: list[bytes] = []
    try:
        for record in archive.read_stream(io.BytesIO(content).read, max_record_size=1 << 20):
            found.append(record.data)
    except CompressionError as error:
        return found, str(error)
    return found, None


def indexed(content: bytes, jobs: int = 1) -> tuple[list[bytes], str | None]:
    """What is read by the index, and the error behind it."""
    found: list[bytes] = []
    try:
        for record in archive.Reader(io.BytesIO(content), max_record_size=1 << 20).read_from(0, jobs=jobs):
            found.append(record)
    except FileError as error:
        return found, str(error)
    return found, None


def test_index_is_what_the_tests_take_it_for() -> None:
    assert WHOLE[ENTRIES[-1].offset :] == layout.write_index(ENTRIES)
    assert [point.record for point in ENTRIES] == [0, 3, 6, 7]
    assert streamed(WHOLE) == indexed(WHOLE) == indexed(WHOLE, jobs=2) == (DATA, None)


def test_archive_that_ends_anywhere_is_read_up_to_there() -> None:
    ends = [record.offset for record in archive.read_stream(io.BytesIO(WHOLE).read)][1:]
    for cut in range(len(WHOLE)):
        found, error = streamed(WHOLE[:cut])
        assert error is not None
        assert found == DATA[: len(found)]
        # Behind the last record of a segment stands the mark of the next, which is 9 bytes long.
        assert len(found) >= sum(end <= cut for end in ends)
        assert indexed(WHOLE[:cut])[0] == []
        with pytest.raises(FileError):
            archive.Reader(io.BytesIO(WHOLE[:cut]))
    # A second archive that is cut off costs nothing of the first.
    for cut in range(len(WHOLE) + 1, 2 * len(WHOLE)):
        found, error = streamed((WHOLE * 2)[:cut])
        assert found[:7] == DATA
        assert error is not None


@pytest.mark.parametrize("bit", range(8))
def test_flipped_bit_is_found_wherever_it_is(bit: int) -> None:
    for place in range(len(WHOLE)):
        damaged = bytearray(WHOLE)
        damaged[place] ^= 1 << bit
        for found, error in (streamed(bytes(damaged)), indexed(bytes(damaged))):
            assert found == DATA[: len(found)]
            assert error is not None


def test_header_of_a_second_archive_is_looked_at() -> None:
    for place in range(len(layout.HEADER)):
        damaged = bytearray(WHOLE * 2)
        damaged[len(WHOLE) + place] ^= 1
        found, error = streamed(bytes(damaged))
        assert found == DATA
        assert error is not None
        with pytest.raises(FileError, match="tracezip archive"):
            archive.Reader(io.BytesIO(damaged))


def test_damage_costs_its_segment_only() -> None:
    damaged = bytearray(WHOLE)
    damaged[ENTRIES[2].offset - 1] ^= 1
    reader = archive.Reader(io.BytesIO(damaged), name="capture")
    assert list(reader.read_from(0, 5)) == DATA[:5]
    assert list(reader.read_from(6)) == DATA[6:]
    for read in (lambda: reader[5], lambda: list(reader), lambda: list(reader.read_from(3, jobs=2))):
        with pytest.raises(FileError, match="capture: record 6 at byte") as caught:
            read()
        assert (caught.value.name, caught.value.record) == ("capture", 6)
        assert ENTRIES[1].offset < caught.value.offset < ENTRIES[2].offset


def parts() -> tuple[bytes, list[bytes], bytes]:
    places = [entry.offset for entry in ENTRIES]
    segments = [WHOLE[start:end] for start, end in pairwise(places)]
    return WHOLE[: places[0]], segments, WHOLE[places[-1] :]


@pytest.mark.parametrize("order", [[0, 2, 1], [1, 0, 2], [0, 2], [1, 2], [0, 0, 1, 2], [0, 1, 1, 2], [0, 1], []])
def test_segment_that_is_lost_doubled_or_in_another_place_is_found(order: list[int]) -> None:
    head, segments, index = parts()
    content = head + b"".join(segments[place] for place in order) + index
    found, error = streamed(content)
    assert found == DATA[: len(found)]
    assert error is not None
    found, error = indexed(content)
    assert found == DATA[: len(found)]
    assert error is not None


def with_entries(entries: list[tuple[int, int, int]], checksum: int | None = None, count: int | None = None) -> bytes:
    """An archive whose index says something else."""
    content = b"\1" + b"".join(struct.pack("<QQQ", *entry) for entry in entries)
    checksum = crc32(content) if checksum is None else checksum
    count = len(entries) if count is None else count
    return WHOLE[: ENTRIES[-1].offset] + content + struct.pack("<II", count, checksum) + b"TZAindex"


FIRST, SECOND, THIRD, END = ENTRIES
HUGE = 2**64 - 1


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([FIRST, SECOND, THIRD, (END[0] + 1, 7, 16)], "this is no tracezip archive|places outside the file"),
        ([FIRST, SECOND, THIRD, (HUGE, 7, 16)], "places outside the file"),
        ([FIRST, (HUGE, 3, 9), (HUGE, 6, 14), END], "restart points overlap"),
        ([FIRST, SECOND, SECOND, END], "0 records between two restart points"),
        ([FIRST, (SECOND[0], 6, 9), (THIRD[0], 3, 14), END], "-3 records between two restart points"),
        ([FIRST, THIRD, (SECOND[0], 6, 14), END], "0 records between two restart points|overlap"),
        ([FIRST, (THIRD[0], 3, 9), (SECOND[0], 6, 14), END], "restart points overlap"),
        ([FIRST, (FIRST[0] + 9 + 3 * 49 - 1, 3, 9), THIRD, END], "restart points overlap"),
        ([FIRST, SECOND, THIRD, (END[0], HUGE, 16)], "records between two restart points"),
        ([FIRST, SECOND, THIRD, (END[0], 6 + 65_537, 16)], "65,537 records between two restart points"),
        ([FIRST, SECOND, (THIRD[0], 6, 8), END], "3 records between two restart points"),
        ([(10, 0, 0), SECOND, THIRD, END], "does not begin with the first record"),
        ([SECOND, THIRD, END], "does not begin with the first record"),
        ([], "0 entries"),
    ],
)
def test_index_that_cannot_be_is_refused(entries: list[tuple[int, int, int]], message: str) -> None:
    with pytest.raises(FileError, match=message):
        archive.Reader(io.BytesIO(with_entries(entries)))
    found, error = streamed(with_entries(entries))
    assert found == DATA
    assert error is not None


@pytest.mark.parametrize(
    "entries",
    [
        [FIRST, (SECOND[0] + 1, 3, 9), THIRD, END],
        [FIRST, (SECOND[0], 4, 9), THIRD, END],
        [FIRST, THIRD, END],
        [FIRST, SECOND, END],
        [FIRST, SECOND, (END[0], 6, 16)],
        [FIRST, SECOND, THIRD, (END[0], 8, 16)],
        [FIRST, (SECOND[0], 2, 9), THIRD, END],
    ],
)
def test_index_that_is_not_that_of_its_segments_is_found(entries: list[tuple[int, int, int]]) -> None:
    for jobs in (1, 3):
        found, error = indexed(with_entries(entries), jobs)
        assert found == DATA[: len(found)]
        assert error is not None


def test_checksum_and_count_of_the_index_are_checked() -> None:
    with pytest.raises(FileError, match="its checksum is another"):
        archive.Reader(io.BytesIO(with_entries(ENTRIES, checksum=1)))
    for count, message in (
        (2**32 - 1, "4,294,967,295 entries, of at most 2,097,153"),
        (2_097_153, "longer than the file"),
        (5, "its checksum is another"),
        (3, "its checksum is another"),
    ):
        with pytest.raises(FileError, match=message):
            archive.Reader(io.BytesIO(with_entries(ENTRIES, count=count)))


def test_lengths_that_lie_cost_nothing() -> None:
    head = layout.HEADER + b"\0" + bytes(8)
    for content, message in (
        (
            head + layout.varint((1 << 20) + (1 << 16) + 1),
            "a frame of 1,114,113 bytes, for records of at most 1,048,576",
        ),
        (head + layout.varint(HUGE), "a frame of 18,446,744,073,709,551,615 bytes"),
        (head + layout.varint(1 << 20) + b"abc", "the file ends inside a frame, 3 of 1,048,576 bytes"),
        (head + b"\xff" * 20, "longer than need be"),
        (head + b"\x80\0", "longer than need be"),
        (head + b"\0" + bytes(8), "a segment without records"),
        (head + layout.write_index(ENTRIES[:1]), "a segment without records"),
        (layout.HEADER + b"\0" + bytes(7) + b"\1", "a restart point for record 72,057,594,037,927,936, behind 0"),
        (layout.HEADER + b"\x30" + bytes(48), "a record in front of the first restart point"),
        (head + b"\x02TZ", "damaged|cut off|no frame|ends"),
        (b"", "this is no tracezip archive"),
        (layout.MAGIC, "this is no tracezip archive"),
        (layout.MAGIC + b"\2", "version 2 of tracezip archives is unknown"),
        (archive_of([data for _, data in BY_HAND]), "this is no tracezip archive"),
    ):
        tracemalloc.start()
        try:
            found, error = streamed(content)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert found == []
        assert error is not None
        with pytest.raises(CompressionError, match=message):
            list(archive.read_stream(io.BytesIO(content).read, max_record_size=1 << 20))
        assert peak < 3 << 20
        with pytest.raises(FileError):
            archive.Reader(io.BytesIO(content))


def test_length_that_lies_costs_nothing_by_the_index_either() -> None:
    content = layout.HEADER + b"\0" + bytes(8) + layout.varint(1 << 28) + bytes(100)
    content += layout.write_index([archive.RestartPoint(9, 0, 0), archive.RestartPoint(len(content), 1, 0)])
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="a frame of 268,435,456 bytes reaches past the end of its segment"):
            list(archive.Reader(io.BytesIO(content)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_bomb_is_refused_by_its_announcement() -> None:
    bomb = io.BytesIO()
    with archive.Writer(bomb) as writer:
        # No frame is smaller than a thousandth of its request.
        noise = random.Random(1)
        writer.write(b"".join(bytes(4000) + noise.randbytes(8) for _ in range(4000)), "traces")
    assert len(bomb.getvalue()) < 1 << 18
    tracemalloc.start()
    try:
        found, error = streamed(bomb.getvalue())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == []
    assert "max_decoded_len" in str(error)
    assert peak < 1 << 20


def test_frames_without_state_and_of_strange_streams_are_no_way_around_the_limits() -> None:
    frames = [tracezip.Encoder("logs", stateless=True).encode(bytes([number])) for number in range(3)]
    content = layout.HEADER + b"\0" + bytes(8) + b"".join(layout.varint(len(frame)) + frame for frame in frames)
    end = archive.RestartPoint(len(content), 3, 0)
    content += layout.write_index([archive.RestartPoint(9, 0, 0), end])
    assert streamed(content) == indexed(content) == ([b"\0", b"\1", b"\2"], None)
    # A frame that builds on one that is not there.
    encoder = tracezip.Encoder("logs")
    with encoder:
        lost, second = (encoder.encode(data) for data in (b"a", b"b"))
    assert lost != second
    found, error = streamed(layout.HEADER + b"\0" + bytes(8) + layout.varint(len(second)) + second)
    assert found == []
    assert error is not None


@given(st.data())
def test_any_bytes_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([WHOLE, archive_with(1), WHOLE + WHOLE])))
    original = bytes(content)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    for found, error in (streamed(bytes(content)), indexed(bytes(content))):
        assert found == (DATA * 2)[: len(found)]
        assert error is not None or original == content or len(found) in (0, 7, 14)
