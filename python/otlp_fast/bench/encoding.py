"""Part "encode": the SDK's objects to bytes, beside the official encoder, once the bytes are the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from otlp_fast.bench.batch import ITEM
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.engines import OFFICIAL, OTLP_FAST, official, otlp_fast_batch
from otlp_fast.bench.errors import asked_of
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import WrongAnswerError, compare
from otlp_fast.bench.steps import OnRound, Step
from otlp_fast.bench.telemetry import Encodable, Telemetry

PART = "encode"
RIVAL = "official encoder"


def encoding_steps(telemetry: Telemetry, effort: Effort) -> Iterator[Step]:
    """Give a step for each kind of telemetry."""
    for encodable in telemetry.encodable:
        yield Step(PART, f"encode {encodable.name}", partial(_measure, encodable, effort))


def _measure(encodable: Encodable, effort: Effort, on_round: OnRound) -> list[Pair | Encodings]:
    batches = encodable.build()
    rival = official(encodable.signal)
    with asked_of(f"the {RIVAL} {rival.version}"):
        for batch in batches:
            rival.encode(batch.content)
    try:
        comparison = compare(
            [rival, otlp_fast_batch(encodable.signal)],
            batches,
            rounds=effort.rounds,
            seconds=effort.seconds,
            sample_seconds=effort.sample_seconds,
            on_round=on_round,
        )
    except WrongAnswerError as error:
        # Its bytes changed with its releases; those of the newest are what otlp-fast writes under all of them.
        raise WrongAnswerError(f"{error} (beside the {RIVAL} {rival.version}; is that the newest?)") from None
    item = ITEM[encodable.signal]
    return [Pair.of(comparison, OTLP_FAST, OFFICIAL, part=PART, name=encodable.name, item=item, rival=RIVAL)]
