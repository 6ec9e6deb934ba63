"""The encoding in pure Python: the executable specification that the native code is tested against.

Written to be read, not to be fast: no protobuf, no caches, every message built from the inside out. Where the native
code and this package differ, one of them has a bug. Nothing here imports opentelemetry; spans are read through the
public properties of `opentelemetry.sdk.trace.ReadableSpan`.

| module | holds |
|---|---|
| `wire` | protobuf: varints, tags, fields |
| `common` | AnyValue, attributes, resources, scopes |
| `trace` | spans, and `encode_spans` |
"""

from otlp_fast.reference.trace import encode_spans

__all__ = ["encode_spans"]
