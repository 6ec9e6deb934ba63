"""`otlp_fast.compression` against the standard library's gzip and the PyPI packages zstandard and lz4, both ways."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import threading
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import otlp_fast
from otlp_fast import _core, compression
from otlp_fast.compression import CompressionError, LimitError
from tests.compat.spans import make_span
from tests.corpora import CORPORA, read_requests

ENCODINGS = [name for name in compression.ENCODINGS if name != "none"]

FOREIGN_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}
FOREIGN_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": zstandard.ZstdDecompressor().decompress,
    "lz4": lz4.frame.decompress,
}
# Frames of streams do not say how long their content is.
FOREIGN_DECOMPRESS_STREAM = FOREIGN_DECOMPRESS | {
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)
}

# Random bytes, and bytes that repeat, at lengths around those of blocks and windows.
bodies = st.one_of(
    st.binary(max_size=2000),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=300), st.integers(0, 1000)),
)


def web_request() -> bytes:
    return otlp_fast.encode_spans([make_span() for _ in range(100)])


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(bodies)
def test_others_read_what_we_write_and_we_read_what_they_write(encoding: str, data: bytes) -> None:
    ours = compression.compress(data, encoding)
    assert FOREIGN_DECOMPRESS[encoding](ours) == data
    assert compression.decompress(ours, encoding, max_size=len(data)) == data
    theirs = FOREIGN_COMPRESS[encoding](data)
    assert compression.decompress(theirs, encoding, max_size=len(data)) == data


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_captured_requests_are_read_by_others(encoding: str, name: str) -> None:
    for _, data in zip(range(10), read_requests(name), strict=False):
        ours = compression.compress(data, encoding)
        assert len(ours) < len(data) / 2
        assert FOREIGN_DECOMPRESS[encoding](ours) == data
        assert compression.decompress(ours, encoding) == data


@given(bodies, st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.sampled_from([0, 4, 5, 6, 7]))
def test_every_form_of_lz4_frame_is_read(
    data: bytes, linked: bool, block_checksum: bool, content_checksum: bool, store_size: bool, block_size: int
) -> None:
    theirs = lz4.frame.compress(
        data,
        block_linked=linked,
        block_checksum=block_checksum,
        content_checksum=content_checksum,
        store_size=store_size,
        block_size=block_size,
    )
    assert compression.decompress(theirs, "lz4", max_size=len(data)) == data


def test_lz4_block_checksum_is_checked() -> None:
    theirs = lz4.frame.compress(os.urandom(1000), block_checksum=True, content_checksum=False)
    head = 4 + 2 + 8 + 1 + 4
    for at in range(head, len(theirs) - 4):
        damaged = bytearray(theirs)
        damaged[at] ^= 1
        with pytest.raises(CompressionError, match="lz4: the compressed data is corrupt"):
            compression.decompress(damaged, "lz4")


@pytest.mark.parametrize("linked", [True, False])
def test_lz4_frame_of_many_blocks_is_read(linked: bool) -> None:
    data = b"".join(b"%d telemetry " % (number * number) for number in range(60_000))
    theirs = lz4.frame.compress(data, block_linked=linked, block_size=lz4.frame.BLOCKSIZE_MAX64KB)
    assert compression.decompress(theirs, "lz4") == data


def test_every_form_of_zstd_frame_is_read() -> None:
    data = web_request()
    for level in (1, 3, 19):
        for checksum in (True, False):
            for size in (True, False):
                compressor = zstandard.ZstdCompressor(level, write_checksum=checksum, write_content_size=size)
                assert compression.decompress(compressor.compress(data), "zstd") == data


def test_zstd_frame_with_a_large_window_is_refused() -> None:
    data = os.urandom(1000)
    for window_log, is_read in ((23, True), (24, False)):
        parameters = zstandard.ZstdCompressionParameters(window_log=window_log, write_content_size=False)
        stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        theirs = stream.compress(data) + stream.flush()
        if is_read:
            assert compression.decompress(theirs, "zstd") == data
        else:
            with pytest.raises(CompressionError, match="zstd"):
                compression.decompress(theirs, "zstd")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_members_and_frames_of_several_writers_are_read_as_one(encoding: str) -> None:
    theirs = FOREIGN_COMPRESS[encoding]
    compressed = theirs(b"one,") + compression.compress(b"two,", encoding) + theirs(b"") + theirs(b"three")
    assert compression.decompress(compressed, encoding) == b"one,two,three"


def test_gzip_header_with_every_optional_field_is_read() -> None:
    plain = gzip.compress(b"telemetry", mtime=1)
    flags = bytes([0x1F, 0x8B, 8, 0b0001_1100]) + plain[4:10]
    optional = b"\x03\x00abc" + b"a name\x00" + b"a comment\x00"
    assert compression.decompress(flags + optional + plain[10:], "gzip") == b"telemetry"


def test_written_forms_carry_length_and_checksum_and_nothing_of_their_maker() -> None:
    data = web_request()
    written = compression.compress(data, "gzip")
    assert written[:8] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0]), "no name, no time"
    parameters = zstandard.get_frame_parameters(compression.compress(data, "zstd"))
    assert (parameters.content_size, parameters.has_checksum, parameters.dict_id) == (len(data), True, 0)
    info = lz4.frame.get_frame_info(compression.compress(data, "lz4"))
    assert (info["content_size"], info["content_checksum"], info["block_checksum"]) == (len(data), True, False)
    assert (info["block_linked"], info["skippable"]) == (False, False)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_equal_input_gives_equal_bytes(encoding: str) -> None:
    data = web_request()
    first = compression.compress(data, encoding)
    for other in (b"", data[:100], os.urandom(100_000), data * 20):
        compression.compress(other, encoding)
        assert compression.compress(data, encoding) == first


@pytest.mark.parametrize("encoding", compression.ENCODINGS)
def test_limit_is_exact(encoding: str) -> None:
    data = web_request()
    compressed = compression.compress(data, encoding)
    assert compression.decompress(compressed, encoding, max_size=len(data)) == data
    with pytest.raises(LimitError, match=rf"{encoding}: .* max_size, {len(data) - 1} bytes"):
        compression.decompress(compressed, encoding, max_size=len(data) - 1)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bomb_ends_at_the_limit(encoding: str) -> None:
    bomb = FOREIGN_COMPRESS[encoding](bytes(65 << 20))
    assert len(bomb) < 1 << 20
    with pytest.raises(LimitError, match="max_size, 67108864 bytes"):
        compression.decompress(bomb, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_damaged_data_is_refused(encoding: str) -> None:
    compressed = compression.compress(web_request(), encoding)
    for cut in (0, 1, 5, len(compressed) // 2, len(compressed) - 1):
        with pytest.raises(CompressionError, match=rf"{encoding}: the compressed data is cut off"):
            compression.decompress(compressed[:cut], encoding)
    changed = bytearray(compressed)
    changed[len(changed) // 2] ^= 0x55
    for damaged in (bytes(changed), compressed + b"\0" * 20, b"<html>" * 20, b"telemetry"):
        with pytest.raises(CompressionError, match=encoding):
            compression.decompress(damaged, encoding)


@given(st.sampled_from(ENCODINGS), st.binary(max_size=200))
def test_garbage_is_read_or_refused(encoding: str, garbage: bytes) -> None:
    head = compression.compress(b"", encoding)[:6]
    for data in (garbage, head + garbage):
        with contextlib.suppress(CompressionError):
            assert len(compression.decompress(data, encoding, max_size=5000)) <= 5000


def test_levels_trade_time_for_bytes_and_others_are_refused() -> None:
    data = b"".join(b"%d telemetry " % (number * number) for number in range(5000))
    for encoding, least, most, default in [("gzip", 1, 9, 6), ("zstd", 1, 19, 3)]:
        sizes = {level: len(compression.compress(data, encoding, level=level)) for level in range(least, most + 1)}
        assert sizes[most] < sizes[least]
        assert compression.compress(data, encoding) == compression.compress(data, encoding, level=default)
        for level in (least - 1, most + 1, -(2**31)):
            with pytest.raises(ValueError, match=f"{encoding} has the levels {least} to {most}, not {level}"):
                compression.compress(data, encoding, level=level)
    with pytest.raises(ValueError, match="lz4 has the levels 1 to 1, not 9"):
        compression.compress(data, "lz4", level=9)
    with pytest.raises(ValueError, match="none"):
        compression.compress(data, "none", level=1)


@pytest.mark.parametrize("encoding", ["", "GZIP", "deflate", "zstd ", "br"])
def test_unknown_encoding_is_refused_with_the_known_ones(encoding: str) -> None:
    for call in (compression.compress, compression.decompress):
        with pytest.raises(ValueError, match=r"unknown encoding .*none.*gzip.*zstd.*lz4"):
            call(b"", encoding)


def test_none_passes_the_bytes_through() -> None:
    data = web_request()
    assert compression.compress(data, "none") is data
    assert compression.decompress(data, "none") is data
    assert compression.compress(bytearray(b"abc"), "none") == b"abc"


def test_every_bytes_like_object_is_taken() -> None:
    encoder = otlp_fast.SpanEncoder()
    encoder.add(make_span())
    buffer = encoder.finish()
    for encoding in compression.ENCODINGS:
        compressed = compression.compress(buffer, encoding)
        for form in (bytes(buffer), bytearray(bytes(buffer)), memoryview(buffer)):
            assert compression.compress(form, encoding) == compressed
        assert compression.decompress(memoryview(compressed), encoding) == bytes(buffer)
    for wrong in ("text", None, 5, [1]):
        with pytest.raises(TypeError):
            compression.compress(wrong, "gzip")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        compression.compress(b"", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_threads_share_the_contexts(encoding: str) -> None:
    # More threads than contexts are kept.
    bodies = [web_request() * (number + 1) for number in range(12)]
    expected = [compression.compress(body, encoding) for body in bodies]
    wrong: list[int] = []
    start = threading.Barrier(len(bodies))

    def work(number: int) -> None:
        start.wait()
        for _ in range(20):
            compressed = compression.compress(bodies[number], encoding)
            if compressed != expected[number] or compression.decompress(compressed, encoding) != bodies[number]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # what this test is about
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_child_of_a_fork_compresses_while_the_parents_threads_did(encoding: str) -> None:
    data = web_request()
    expected = compression.compress(data, encoding)
    large = os.urandom(1000) * 2000
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            compression.decompress(compression.compress(large, encoding), encoding)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(60)  # a child that waits for a lock for ever is ended, and fails
                same = compression.compress(data, encoding) == expected
                os._exit(0 if same and compression.decompress(expected, encoding) == data else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def written_in_pieces(encoding: str, data: bytes, length: int) -> bytes:
    compressor = _core.Compressor(encoding)
    pieces = [compressor.compress(data[start : start + length]) for start in range(0, len(data), length)]
    return b"".join([*pieces, compressor.finish()])


def read_in_pieces(encoding: str, data: bytes, length: int, max_size: int) -> bytes:
    decompressor = _core.Decompressor(encoding)
    read = []
    for start in range(0, len(data), length):
        read.append(decompressor.decompress(data[start : start + length], max_size))
        while not decompressor.needs_input:
            assert len(read[-1]) <= max_size
            read.append(decompressor.decompress(b"", max_size))
    decompressor.finish()
    return b"".join(read)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(bodies, st.integers(1, 5000), st.integers(1, 5000))
def test_streams_are_those_of_others(encoding: str, data: bytes, length: int, max_size: int) -> None:
    ours = written_in_pieces(encoding, data, length * 10)
    assert FOREIGN_DECOMPRESS_STREAM[encoding](ours) == data
    assert read_in_pieces(encoding, ours, length, max_size) == data
    assert read_in_pieces(encoding, FOREIGN_COMPRESS[encoding](data), length, max_size) == data


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_stream_takes_more_input_than_it_has_used(encoding: str) -> None:
    data = b"telemetry " * 10_000
    compressed = compression.compress(data, encoding)
    decompressor = _core.Decompressor(encoding)
    # All but a checksum.
    read = [decompressor.decompress(compressed[:-4], 1)]
    assert not decompressor.needs_input
    read += [decompressor.decompress(compressed[-4:-2], 1), decompressor.decompress(compressed[-2:], 1 << 20)]
    assert b"".join(read) == data
    assert decompressor.needs_input
    decompressor.finish()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_stream_that_is_cut_off_or_damaged_is_told(encoding: str) -> None:
    compressed = compression.compress(b"telemetry", encoding)
    decompressor = _core.Decompressor(encoding)
    with pytest.raises(CompressionError, match=f"{encoding}: the compressed data is cut off"):
        decompressor.finish()
    assert decompressor.decompress(bytearray(compressed[:-1]), 100) in (b"telemetry", b"")
    with pytest.raises(CompressionError, match="cut off"):
        decompressor.finish()
    damaged = bytes([compressed[-1] ^ 1]) + b"<html>"
    with pytest.raises(CompressionError, match=f"{encoding}: the compressed data is corrupt"):
        read_in_pieces(encoding, compressed[:-1] + damaged, 1000, 100)


def test_streams_refuse_what_makes_no_sense() -> None:
    for make in (_core.Compressor, _core.Decompressor):
        with pytest.raises(ValueError, match='unknown encoding "brotli"'):
            make("brotli")
        with pytest.raises(ValueError, match='encoding "none"'):
            make("none")
    with pytest.raises(ValueError, match="gzip has the levels 1 to 9, not 10"):
        _core.Compressor("gzip", level=10)
    with pytest.raises(ValueError, match="max_size must be at least 1"):
        _core.Decompressor("gzip").decompress(b"", 0)
    for max_size in (2**62, 2**63):
        with pytest.raises(MemoryError, match="gzip: no memory"):
            _core.Decompressor("gzip").decompress(b"", max_size)
    compressor = _core.Compressor("zstd", level=19)
    assert compression.decompress(compressor.finish(), "zstd") == b""
    for use in (lambda: compressor.compress(b"x"), compressor.finish):
        with pytest.raises(ValueError, match="this stream is finished"):
            use()
