"""The encoders, and what works on their bytes without NumPy."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from typing_extensions import reveal_type

import otlp_fast


def encoders(spans: Sequence[ReadableSpan]) -> None:
    reveal_type(otlp_fast.encode_spans(spans))  # bytes
    reveal_type(otlp_fast.encode_logs([]))  # bytes
    reveal_type(otlp_fast.encode_metrics(None))  # bytes
    encoder = otlp_fast.SpanEncoder()
    reveal_type(encoder)  # otlp_fast._sdk.SpanEncoder
    reveal_type(encoder.add(spans[0]))  # None
    reveal_type(encoder.item_count)  # int
    reveal_type(encoder.byte_count)  # int
    reveal_type(encoder.finish())  # otlp_fast._core.Buffer
    reveal_type(otlp_fast.LogEncoder().finish())  # otlp_fast._core.Buffer
    reveal_type(otlp_fast.MetricEncoder().finish())  # otlp_fast._core.Buffer


def buffers(buffer: otlp_fast.Buffer) -> None:
    reveal_type(bytes(buffer))  # bytes
    reveal_type(len(buffer))  # int
    reveal_type(memoryview(buffer))  # memoryview[int]
    reveal_type(buffer.release())  # None
    with buffer as same:
        reveal_type(same)  # otlp_fast._core.Buffer


def requests(data: bytes | bytearray | memoryview | otlp_fast.Buffer) -> None:
    reveal_type(otlp_fast.to_json(data, "traces"))  # bytes
    reveal_type(otlp_fast.from_json("{}", "traces"))  # bytes
    reveal_type(otlp_fast.from_json(data, "traces"))  # bytes
    reveal_type(otlp_fast.transcode(data, "traces", to_format="json", to_encoding="gzip"))  # bytes
    reveal_type(otlp_fast.split(data, "traces", max_bytes=1 << 20))  # list[bytes]
    reveal_type(otlp_fast.merge([data, data], "traces"))  # bytes
    reveal_type(otlp_fast.count(data, "traces"))  # int


def the_package_itself() -> None:
    reveal_type(otlp_fast.build_info())  # dict[str, Any]
    reveal_type(otlp_fast.pool_stats())  # dict[str, int]
    reveal_type(otlp_fast.encode_stats())  # dict[str, int]
    reveal_type(otlp_fast.__version__)  # str


def errors(error: otlp_fast.EncodeError, other: otlp_fast.DecodeError) -> None:
    reveal_type(error.path)  # str
    reveal_type(other.path)  # str
    reveal_type(other.offset)  # int
    both: list[otlp_fast.OtlpError] = [error, other]
    reveal_type(both[0].args)  # tuple[Any, ...]
