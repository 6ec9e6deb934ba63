"""The encoding in pure Python: the executable specification that the native code is tested against.

Written to be read, not to be fast: no protobuf, no caches, every message built from the inside out. Where the native
code and this package differ, one of them has a bug. Nothing here imports opentelemetry; its objects are read through
their public properties.

| module | holds |
|---|---|
| `wire` | protobuf: varints, tags, fields |
| `fields` | single fields, and what becomes of a value that does not fit |
| `common` | AnyValue, attributes, resources, scopes |
| `request` | grouping, and the outline of a request |
| `trace` | spans, and `encode_spans` |
| `logs` | log records, and `encode_logs` |
| `metrics` | metrics of the four kinds, their data points and exemplars, and `encode_metrics` |
"""

from otlp_fast.reference.logs import encode_logs
from otlp_fast.reference.metrics import encode_metrics
from otlp_fast.reference.trace import encode_spans

__all__ = ["encode_logs", "encode_metrics", "encode_spans"]
