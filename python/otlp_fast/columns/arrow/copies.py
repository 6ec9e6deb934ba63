"""How long it gets when resources, scopes and metrics are copied to each of their items.

A request has each of them once, however long: a hundred kilobytes can be gigabytes as a table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from otlp_fast.columns.attributes import Attributes
from otlp_fast.columns.metrics import Metrics
from otlp_fast.columns.request import Request
from otlp_fast.columns.text import TextColumn
from otlp_fast.errors import EncodeError

FREE_BYTES = 256 * 1024 * 1024
MAX_GROWTH = 64
"""Copies may pass `FREE_BYTES` where they have at most this many bytes for each byte of the request: small items of a
resource with forty attributes do."""

_ATTRIBUTE_BYTES = 32
"""An attribute in Arrow, without strings and bytes: codes of key and text, offset, type, integer, double, bitmaps."""

Sizes = npt.NDArray[np.int64]


def check_copies(request: Request[Any]) -> None:
    """Refuse a request that is out of proportion as a table.

    Raises:
        EncodeError: its copies would pass the limits above.
    """
    total = int(copied_sizes(request, has_text=False).sum())
    if total > FREE_BYTES and total > MAX_GROWTH * len(request.to_bytes()):
        raise EncodeError(
            f"resources and scopes would take {total:,} bytes when each of {len(request):,} items has its own copy of "
            f"them: more than {FREE_BYTES:,} and {MAX_GROWTH} times the length of the request; cut it first"
        )


def copied_sizes(request: Request[Any], *, has_text: bool) -> Sizes:
    """The bytes that each item gets of what encloses it; `has_text` where strings are copied, instead of codes."""
    resources, scopes = request.resources, request.scopes
    sizes = attribute_sizes(resources.attributes, has_text)
    if has_text:
        sizes += text_sizes(resources.schema_url)
    found: Sizes = sizes[request.resource.rows]
    sizes = attribute_sizes(scopes.attributes, has_text)
    if has_text:
        sizes += text_sizes(scopes.name) + text_sizes(scopes.version) + text_sizes(scopes.schema_url)
    found += sizes[request.scope.rows]
    if isinstance(request, Metrics):
        metrics = request.metrics
        sizes = attribute_sizes(metrics.metadata, has_text)
        if has_text:
            sizes += text_sizes(metrics.name) + text_sizes(metrics.description) + text_sizes(metrics.unit)
        found += sizes[request.metric.rows]
    return found


def attribute_sizes(attributes: Attributes, has_text: bool) -> Sizes:
    """The bytes of each row's attributes."""
    table, offsets = attributes.table, attributes.offsets.astype(np.int64)
    sizes: Sizes = np.diff(offsets) * _ATTRIBUTE_BYTES + np.diff(table.bytes.offsets.astype(np.int64)[offsets])
    if has_text:
        ends = np.zeros(len(table.key) + 1, dtype=np.int64)
        np.cumsum(text_sizes(table.key) + text_sizes(table.text), out=ends[1:])
        sizes += np.diff(ends[offsets])
    return sizes


def text_sizes(column: TextColumn) -> Sizes:
    """The bytes of each string."""
    ends: Sizes = column.strings.offsets.astype(np.int64)
    return (ends[1:] - ends[:-1])[column.codes]
