"""Export requests from one form and encoding to another: protobuf or JSON, compressed or not."""

from __future__ import annotations

from otlp_fast._core import compress, decompress, from_json, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would take several times as long as all of `import otlp_fast`
    from otlp_fast._core import Buffer

_FORMATS = ("protobuf", "json")
_SIGNALS = ("traces", "logs", "metrics")


def transcode(
    data: bytes | bytearray | memoryview | Buffer,
    signal: str,
    *,
    from_format: str = "protobuf",
    to_format: str = "protobuf",
    from_encoding: str = "none",
    to_encoding: str = "none",
    max_size: int = 64 << 20,
) -> bytes:
    r"""Turn an export request from one format and encoding into another.

    A request whose format stays is only decompressed and compressed, and not looked into.

    >>> from otlp_fast import transcode
    >>> transcode(b'{"resourceSpans": [{}]}', "traces", from_format="json")
    b'\n\x00'

    Args:
        data: the request, in any bytes-like object.
        signal: "traces", "logs" or "metrics".
        from_format: "protobuf" or "json", what `data` is.
        to_format: "protobuf" or "json", what the result is to be.
        from_encoding: "none", "gzip", "zstd" or "lz4", what `data` is compressed with.
        to_encoding: likewise, what the result is to be compressed with.
        max_size: the most bytes that `data` may have when it is decompressed; 64 MiB, the limit of an OTLP request.

    Raises:
        DecodeError: the request is not what `from_format` and `signal` say, see `to_json` and `from_json`.
        CompressionError: `data` is not compressed with `from_encoding`, or passes `max_size`.
        ValueError: a signal, format or encoding is unknown.
    """
    for name in (from_format, to_format):
        if name not in _FORMATS:
            raise ValueError(f'unknown format {name!r}: expected "protobuf" or "json"')
    if signal not in _SIGNALS:
        raise ValueError(f'unknown signal {signal!r}: expected "traces", "logs" or "metrics"')
    content = decompress(data, from_encoding, max_size=max_size)
    if from_format != to_format:
        content = to_json(content, signal) if to_format == "json" else from_json(content, signal)
    return compress(content, to_encoding)
