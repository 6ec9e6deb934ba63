"""What the requests of a service take on the wire under the encodings that tracezip stands beside.

gzip and zstd compress each request by itself, as exporters send them today. The zstd stream is all requests in one
frame, so it knows what came before, as tracezip does: that is what tracezip has to beat. It is never flushed between
requests, which nobody could send, and which only makes it smaller.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import otlp_fast
from otlp_fast import compression
from otlp_fast._core import Compressor
from otlp_fast.demo.digest import digest_of_all, digest_of_request

_GZIP_LEVEL = 6
_ZSTD_LEVEL = 3

_ENCODE: Mapping[str, Callable[[Any], bytes]] = {
    "traces": otlp_fast.encode_spans,
    "logs": otlp_fast.encode_logs,
    "metrics": otlp_fast.encode_metrics,
}


def describe_requests(signal: str, batches: Sequence[Any]) -> dict[str, Any]:
    """Encode the batches of a signal as its exporter did; give the number of requests, their digest and their bytes."""
    requests = [_ENCODE[signal](batch) for batch in batches]
    stream = Compressor("zstd", level=_ZSTD_LEVEL)
    streamed = sum(len(stream.compress(request)) for request in requests) + len(stream.finish())
    return {
        "requests": len(requests),
        "digest": digest_of_all(map(digest_of_request, requests)),
        "bytes": {
            "otlp": sum(map(len, requests)),
            "gzip_6": sum(len(gzip.compress(request, _GZIP_LEVEL)) for request in requests),
            "zstd_3": sum(len(compression.compress(request, "zstd", level=_ZSTD_LEVEL)) for request in requests),
            "zstd_3_stream": streamed,
        },
    }
