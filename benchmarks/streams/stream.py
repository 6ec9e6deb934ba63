"""The streams of requests that encodings are measured on: as captured, and cut anew."""

from __future__ import annotations

from typing import cast

import otlp_fast
from otlp_fast import _core
from otlp_fast.bench.batch import Signal
from otlp_fast.bench.measure import require
from otlp_fast.bench.telemetry import Stream
from tests.corpora import CORPORA, read_requests


def captured(corpus: str, most: int | None = None) -> Stream:
    """Read a corpus as it was captured, or its first requests."""
    return Stream(corpus, cast(Signal, CORPORA[corpus]), list(read_requests(corpus))[:most])


def cut_anew(stream: Stream, items: int) -> Stream:
    """Put the requests one behind the other, and cut so many items at a time off them, in their order.

    Requests one behind the other are one request, with each resource and scope as often as before; a sender names them
    once in a request, so each part is merged in itself. That makes gzip and zstd smaller, by up to a sixth.
    """
    joined = b"".join(stream.requests)
    parts = _core.split_request(joined, stream.signal, max_items=items)
    require(sum(count for _, count in parts) == stream.items, f"{stream.name}, cut to {items}: items")
    require(all(count == items for _, count in parts[:-1]), f"{stream.name}, cut to {items}: items of a request")
    requests = [otlp_fast.merge([part], stream.signal) for part, _ in parts]
    return Stream(f"{stream.name}, {items:,} per request", stream.signal, requests)
