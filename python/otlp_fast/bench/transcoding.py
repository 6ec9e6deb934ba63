"""Part "json": requests to OTLP/JSON and back, beside protobuf's json_format, once both say the same."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from functools import partial
from typing import Any

import otlp_fast
from otlp_fast.bench.batch import Batch
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.errors import asked_of
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import require
from otlp_fast.bench.protobuf import message_type
from otlp_fast.bench.steps import OURS, THEIRS, OnRound, Step, measured_pair
from otlp_fast.bench.telemetry import Stream, Telemetry

PART = "json"
RIVAL = "json_format"

_IDS = {"traceId", "spanId", "parentSpanId"}


def json_steps(telemetry: Telemetry, effort: Effort) -> Iterator[Step]:
    """Give the steps for each stream."""
    for stream in telemetry.streams:
        some = stream.some(effort.json_items)
        yield Step(PART, f"{stream.name} to JSON", partial(_measure_writing, some, effort))
        yield Step(PART, f"{stream.name} from JSON", partial(_measure_reading, some, effort))


def _measure_writing(stream: Stream, effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    to_text = _their_writer()
    batches = []
    for batch in stream.batches():
        with asked_of(RIVAL):
            message = message_type(stream.signal).FromString(batch.content)
            theirs = to_text(message)
        same = json.loads(otlp_fast.to_json(batch.content, stream.signal)) == _with_hex_ids(json.loads(theirs))
        require(same, f"{stream.name}: the JSON is not that of json_format")
        # Each side begins with what it has: bytes, and a message that was parsed before.
        batches.append(Batch((batch.content, message), batch.items))
    works = {
        OURS: lambda both: otlp_fast.to_json(both[0], stream.signal),
        THEIRS: lambda both: to_text(both[1]),
    }
    return [_pair(works, batches, stream, f"{stream.name} to JSON", effort, on_round)]


def _measure_reading(stream: Stream, effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    # Here, since protobuf takes long to import, and is not there for everyone.
    from google.protobuf import json_format

    to_text, message = _their_writer(), message_type(stream.signal)
    batches = []
    for batch in stream.batches():
        with asked_of(RIVAL):
            parsed = message.FromString(batch.content)
            theirs = to_text(parsed)
            right = json_format.Parse(theirs, message()).SerializeToString(deterministic=True)
        ours = otlp_fast.to_json(batch.content, stream.signal)
        read = message.FromString(otlp_fast.from_json(ours, stream.signal))
        require(read.SerializeToString(deterministic=True) == right, f"{stream.name}: read from JSON")
        # The two texts differ in ids only, which json_format has in base64.
        batches.append(Batch((ours, theirs), batch.items))
    works = {
        OURS: lambda both: otlp_fast.from_json(both[0], stream.signal),
        THEIRS: lambda both: json_format.Parse(both[1], message()),
    }
    return [_pair(works, batches, stream, f"{stream.name} from JSON", effort, on_round)]


def _pair(works: Any, batches: list[Batch], stream: Stream, name: str, effort: Effort, on_round: OnRound) -> Pair:
    return measured_pair(works, batches, effort, on_round, part=PART, name=name, item=stream.item, rival=RIVAL)


def _their_writer() -> Any:
    from google.protobuf import json_format

    return partial(json_format.MessageToJson, indent=None, use_integers_for_enums=True)


def _with_hex_ids(value: Any) -> Any:
    """Write the ids of a document in hex, as OTLP/JSON does and json_format does not."""
    if isinstance(value, list):
        return [_with_hex_ids(element) for element in value]
    if not isinstance(value, dict):
        return value
    return {key: b64decode(content).hex() if key in _IDS else _with_hex_ids(content) for key, content in value.items()}
