"""What a Collector writes otherwise than it was sent. All else that OTLP has comes out as it went in, bit by bit.

1. A message that is absent is written as an empty one (`resource`, `scope`, `status`, `body`, a value, buckets):
   the Collector does not keep which of the two it was.
2. An id of nothing but zeros is written as no id.
3. Fields that it does not know are left out.
4. A request without items is acknowledged, and goes no further; that includes its resources and scopes.
5. JSON has one NaN, which it reads as Go's: 0x7ff8000000000001, where Python, C and Rust have 0x7ff8000000000000.

`tests/interop/test_collector_differences.py` shows each of them.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from otlp_fast._core import count_items
from tests.request_items import MESSAGES

IDS = ("trace_id", "span_id", "parent_span_id")

_NAN = struct.pack("<d", math.nan)
_NAN_OF_GO = struct.pack("<Q", 0x7FF8000000000001)


def as_the_collector_writes(signal: str, request: bytes) -> list[bytes]:
    """A request as a Collector that was sent it writes it, if it writes any."""
    if not count_items(request, signal):
        return []
    message = MESSAGES[signal][0].FromString(request)
    message.DiscardUnknownFields()
    _change(message)
    return [message.SerializeToString()]


def as_read_from_json(request: bytes) -> bytes:
    """A request that came to a Collector as JSON, as it writes it."""
    return request.replace(_NAN, _NAN_OF_GO)


def _change(message: Any) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.name in IDS and not any(getattr(message, field.name)):
            message.ClearField(field.name)
        elif field.message_type is None:
            continue
        elif field.is_repeated:
            for element in getattr(message, field.name):
                _change(element)
        else:
            if field.containing_oneof is None:
                getattr(message, field.name).SetInParent()
            if message.HasField(field.name):
                _change(getattr(message, field.name))
