"""Part "decode": requests as columns, beside protobuf's objects, once both say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import otlp_fast
from otlp_fast.bench.batch import Batch, Signal
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.errors import asked_of
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import require
from otlp_fast.bench.protobuf import commonest_text, items_of, message_type, texts_by_loop
from otlp_fast.bench.steps import OURS, THEIRS, OnRound, Step, measured_pair
from otlp_fast.bench.telemetry import Stream, Telemetry

PART = "decode"

_DECODE: Mapping[Signal, Callable[[bytes], Any]] = {
    "traces": otlp_fast.decode_traces,
    "logs": otlp_fast.decode_logs,
    "metrics": otlp_fast.decode_metrics,
}
_FIRST_TIME: Mapping[Signal, str] = {
    "traces": "start_time_unix_nano",
    "logs": "time_unix_nano",
    "metrics": "time_unix_nano",
}


def decoding_steps(telemetry: Telemetry, effort: Effort) -> Iterator[Step]:
    """Give the steps for each stream."""
    for stream in telemetry.streams:
        yield Step(PART, f"decode {stream.name}", partial(_measure_decoding, stream, effort))
        yield Step(PART, f"one attribute of {stream.name}", partial(_measure_attribute, stream, effort))


def _measure_decoding(stream: Stream, effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    decode, message, times = _DECODE[stream.signal], message_type(stream.signal), _FIRST_TIME[stream.signal]
    for request in stream.requests:
        with asked_of("protobuf"):
            theirs = [getattr(item, times) for item in items_of(message.FromString(request), stream.signal)]
        require(getattr(decode(request), times).tolist() == theirs, f"{stream.name}: {times}")
    return [
        measured_pair(
            {OURS: decode, THEIRS: message.FromString},
            stream.batches(),
            effort,
            on_round,
            part=PART,
            name=stream.name,
            item=stream.item,
            rival="FromString",
        )
    ]


def _measure_attribute(stream: Stream, effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    decode, signal, joined = _DECODE[stream.signal], stream.signal, b"".join(stream.requests)
    message = message_type(signal)
    with asked_of("protobuf"):
        key = commonest_text(message.FromString(joined), signal)
    if key is None:
        return []

    def by_column(request: bytes) -> Any:
        return decode(request).attributes[key].values

    def by_loop(request: bytes) -> list[str | None]:
        return texts_by_loop(message.FromString(request), signal, key)

    with asked_of("protobuf"):
        expected = by_loop(joined)
    require(by_column(joined).tolist() == expected, f"{stream.name}: attribute {key}")
    return [
        measured_pair(
            {OURS: by_column, THEIRS: by_loop},
            [Batch(joined, stream.items)],
            effort,
            on_round,
            part=PART,
            name=f"{stream.name}: column {key}",
            item=stream.item,
            rival="FromString, loop",
        )
    ]
