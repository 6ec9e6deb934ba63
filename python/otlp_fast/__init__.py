"""otlp-fast: OpenTelemetry SDK objects to OTLP bytes, byte-identical to the official encoder and many times faster.

    >>> import otlp_fast
    >>> data = otlp_fast.encode_spans(spans)                                        # doctest: +SKIP

or, without a line of code: `OTEL_TRACES_EXPORTER=otlp_fast_http opentelemetry-instrument python app.py`, and the same
for logs and metrics.

Here are the encoders and what works on their bytes. `otlp_fast.exporter.http` and `.grpc` hold exporters,
`otlp_fast.processor` batch processors, `otlp_fast.compat` the way into the official exporters, `otlp_fast.compression`
gzip, zstd and lz4. Importing this package imports none of them, and neither opentelemetry nor protobuf nor numpy.
"""

from otlp_fast import _core
from otlp_fast._core import Buffer, build_info, from_json, merge, pool_stats, split, to_json
from otlp_fast._core import count_items as count
from otlp_fast._decode import decode_logs, decode_metrics, decode_traces
from otlp_fast._diagnostics import encode_stats
from otlp_fast._sdk import LogEncoder, MetricEncoder, SpanEncoder, encode_logs, encode_metrics, encode_spans
from otlp_fast.errors import DecodeError, EncodeError, OtlpError
from otlp_fast.transcoding import transcode

__version__: str = _core.__version__

__all__ = [
    "Buffer",
    "DecodeError",
    "EncodeError",
    "LogEncoder",
    "MetricEncoder",
    "OtlpError",
    "SpanEncoder",
    "__version__",
    "build_info",
    "count",
    "decode_logs",
    "decode_metrics",
    "decode_traces",
    "encode_logs",
    "encode_metrics",
    "encode_spans",
    "encode_stats",
    "from_json",
    "merge",
    "pool_stats",
    "split",
    "to_json",
    "transcode",
]
