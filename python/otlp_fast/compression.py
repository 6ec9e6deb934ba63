"""gzip, zstd and lz4 for request bodies, without the GIL and without a time stamp in the bytes.

>>> from otlp_fast import compression
>>> body = compression.compress(b"telemetry " * 1000, "zstd")
>>> len(body) < 100
True
>>> compression.decompress(body, "zstd", max_size=10_000) == b"telemetry " * 1000
True

Needs no other package: the encodings are part of the native module.
"""

from otlp_fast._core import compress, decompress
from otlp_fast.errors import CompressionError, LimitError

ENCODINGS = ("none", "gzip", "zstd", "lz4")
"""The names that `compress` and `decompress` take: those of HTTP's `Content-Encoding`, and "none"."""

__all__ = ["ENCODINGS", "CompressionError", "LimitError", "compress", "decompress"]
