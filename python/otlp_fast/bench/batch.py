"""Telemetry of one signal, as much as is encoded or read at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Signal: TypeAlias = Literal["traces", "logs", "metrics"]

ITEM: dict[Signal, str] = {"traces": "span", "logs": "log record", "metrics": "data point"}
"""What is counted: times are given per item."""

ITEMS = 512
"""Items per batch: the default of the SDK's batch processors."""


@dataclass(frozen=True)
class Batch:
    """What an encoder is given at once."""

    content: Any
    """A list of `ReadableSpan` or of `ReadableLogRecord`, or a `MetricsData`; where requests are read, such."""
    items: int
