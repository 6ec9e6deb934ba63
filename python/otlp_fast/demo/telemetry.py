"""The three signals as the demo sees them: names, paths, and how many items there are in a batch of the SDK's.

Apart from what needs the SDK, so that the parent need not import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ITEMS: Mapping[str, str] = {"traces": "spans", "logs": "log records", "metrics": "data points"}
"""What the items of each signal are called."""

ITEM: Mapping[str, str] = {"traces": "span", "logs": "log record", "metrics": "data point"}
"""The same for one of them."""


def path_of(signal: str) -> str:
    """Give the path at which an OTLP/HTTP receiver takes `signal`."""
    return f"/v1/{signal}"


def count_items(signal: str, batch: Any) -> int:
    """Count the items of a batch: a sequence of spans or of log records, or `MetricsData`."""
    if signal != "metrics":
        return len(batch)
    return sum(
        len(metric.data.data_points)
        for resource in batch.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    )
