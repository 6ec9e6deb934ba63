"""Types of the walker. Users take these names from `otlp_fast`.

The spans are `opentelemetry.sdk.trace.ReadableSpan` or look like it; the core does not depend on opentelemetry, so
its types cannot say so.
"""

from collections.abc import Iterable
from typing import Any, final

from otlp_fast._core import Buffer

def encode_spans(spans: Iterable[Any]) -> bytes: ...

@final
class SpanEncoder:
    def __init__(self) -> None: ...
    def add(self, span: Any) -> None: ...
    @property
    def item_count(self) -> int: ...
    @property
    def byte_count(self) -> int: ...
    def finish(self) -> Buffer: ...
