"""Whole bodies, streams of frames, and files of them."""

from pathlib import Path

from typing_extensions import reveal_type

from otlp_fast import compression, files, tracezip
from otlp_fast.tracezip import archive


def of_bodies(data: bytes) -> None:
    reveal_type(compression.compress(data, "zstd", level=3))  # bytes
    reveal_type(compression.decompress(data, "zstd", max_size=10_000))  # bytes
    reveal_type(compression.ENCODINGS)  # tuple[str, str, str, str]


def of_frames(data: bytes) -> None:
    encoder = tracezip.Encoder("traces", stateless=False, limits=tracezip.Limits(max_state=1 << 20))
    reveal_type(encoder.encode(data))  # bytes
    reveal_type(encoder.commit())  # None
    reveal_type(encoder.rollback())  # None
    reveal_type(encoder.state_hash)  # int
    reveal_type(encoder.stats())  # otlp_fast.tracezip.stream.EncoderStats
    reveal_type(encoder.stats().bytes_out)  # int
    with encoder as same:
        reveal_type(same)  # otlp_fast.tracezip.stream.Encoder
    decoder = tracezip.Decoder()
    reveal_type(decoder.decode(data))  # bytes
    reveal_type(decoder.stats().states_lost)  # int
    with decoder as other:
        reveal_type(other)  # otlp_fast.tracezip.stream.Decoder
    header = tracezip.read_header(data)
    reveal_type(header)  # otlp_fast.tracezip.header.FrameHeader
    reveal_type(header.stream_id)  # bytes
    reveal_type(tracezip.Limits().max_state)  # int


def of_archives(path: Path) -> None:
    with archive.Writer(path) as writer:
        reveal_type(writer)  # otlp_fast.tracezip.archive.writer.Writer
        reveal_type(writer.write(b"", "traces"))  # None
    with archive.Reader(path) as reader:
        reveal_type(reader)  # otlp_fast.tracezip.archive.reader.Reader
        reveal_type(len(reader))  # int
        reveal_type(reader[0])  # bytes


def of_files(path: Path) -> None:
    with files.open_reader(path) as reader:
        reveal_type(reader)  # otlp_fast.files.reader.RequestReader
        for request in reader:
            reveal_type(request)  # otlp_fast.files.reader.Request
            reveal_type(request.signal)  # str | None
            reveal_type(request.data)  # bytes
