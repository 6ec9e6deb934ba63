"""Makes the SDK's objects of captured requests again: by the real SDK, as a service would have made them.

A tracer starts and ends each span with the captured ids, times and content, and a logger emits each record. So their
inner layout is the SDK's own, and an encoder takes the way that it takes in a service.

The SDK cannot hold everything that OTLP can. What it does not is found by the result, not by a list of what is known:
each object is encoded, read back, and compared field by field with what it was made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Protocol

import otlp_fast
from otlp_fast.bench.batch import Signal
from otlp_fast.bench.errors import made_for_newer_sdk
from otlp_fast.bench.telemetry import Stream


class Rebuilder(Protocol):
    """Makes objects of the SDK; what one of them made shares resources and scopes, as in a process."""

    def rebuild(self, request: bytes) -> list[Any]:
        """Make the objects of a request, in its order."""


def rebuilder(signal: Signal) -> Rebuilder | None:
    """Give what makes the objects of a signal; None for metrics, which the SDK aggregates itself and does not take.

    Raises:
        OldSdkError: the SDK that is installed has not what is needed for this signal.
    """
    with made_for_newer_sdk():
        if signal == "traces":
            from otlp_fast.bench.rebuilt_spans import SpanRebuilder

            return SpanRebuilder()
        if signal == "logs":
            from otlp_fast.bench.rebuilt_logs import LogRebuilder

            return LogRebuilder()
    return None


_OF_ALL = {
    "attributes": attrgetter("attributes"),
    "counts of dropped attributes": attrgetter("dropped_attributes"),
    "resources": attrgetter("resource"),
    "scopes": attrgetter("instrumentation_scope"),
}
_FIELDS: Mapping[Signal, Mapping[str, Callable[[Any], object]]] = {
    "traces": _OF_ALL
    | {
        "ids": lambda span: (span.context.trace_id, span.context.span_id, span.parent and span.parent.span_id),
        "W3C flags": lambda span: span.context.trace_flags,
        "trace states": lambda span: span.context.trace_state,
        "knowledge of remote parents": lambda span: span.parent and span.parent.is_remote,
        "names": attrgetter("name"),
        "kinds": attrgetter("kind"),
        "times": attrgetter("start_time", "end_time"),
        "status": attrgetter("status"),
        "events": attrgetter("events"),
        "links": attrgetter("links"),
        "counts of dropped events and links": attrgetter("dropped_events", "dropped_links"),
    },
    "logs": _OF_ALL
    | {
        "ids": attrgetter("trace_id", "span_id"),
        "W3C flags": attrgetter("trace_flags"),
        "times": attrgetter("timestamp", "observed_timestamp"),
        "severities": attrgetter("severity_number", "severity_text"),
        "bodies": attrgetter("body"),
        "event names": attrgetter("event_name"),
    },
}

_BOTH_WAYS: Mapping[Signal, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "traces": (otlp_fast.encode_spans, otlp_fast.decode_traces),
    "logs": (otlp_fast.encode_logs, otlp_fast.decode_logs),
}


def lost_in(stream: Stream, rebuilder: Rebuilder) -> list[str]:
    """Say what of a stream its rebuilt objects do not hold: a line for each field, with how many items it concerns."""
    encode, decode = _BOTH_WAYS[stream.signal]
    lost: Counter[str] = Counter()
    for request in stream.requests:
        captured = decode(request)
        pairs = zip(captured.scope.rows.tolist(), captured, rebuilder.rebuild(request), strict=True)
        # By the scope, since an encoder joins those that are equal, and then the order would be another.
        for _, group in groupby(pairs, key=itemgetter(0)):
            _, items, rebuilt = zip(*group, strict=True)
            for item, again in zip(items, decode(encode(rebuilt)), strict=True):
                for name, field in _FIELDS[stream.signal].items():
                    # As text: a NaN is equal to nothing.
                    lost[name] += repr(field(item)) != repr(field(again))
    return [
        f"of {count:,} {stream.item}s the SDK or its encoding does not keep the {name}"
        for name, count in lost.items()
        if count
    ]
