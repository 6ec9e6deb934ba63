"""What a run of the load test has to keep, decided before the one that is published.

**Everything arrived once**: the numbers that were made are those that the exporters say were exported and those that
came out behind the Collector. **On time**: the rate is that of the plan. **Memory is flat**: in no process does the
straight line through the second half of the run climb by more than a few MiB, and none is larger in the last quarter of
the run than in the second by more than a few MiB. The first quarter is when tables, pools and heaps fill. Over the ten
minutes of the published run's second half, each of four senders makes three million spans: a byte kept of every span
would be seen. What is not promised has more room: the Collector, whose heap goes up and down between collections, and
the counting receiver, whose many threads leave theirs with holes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.load.chain import COLLECTOR, RECEIVER, Plan

LATE_SHARE, LATE_SECONDS = 0.01, 1.0
"""How much longer than planned the making of all spans may take."""

SECONDS_TO_JUDGE_MEMORY = 60
"""In a shorter run, what grows are tables and pools that are still filling."""


class Room(NamedTuple):
    """By how many MiB memory may move, and still be called flat."""

    climb: float
    """Of the straight line through the second half, from its beginning to its end."""
    peak: float
    """Of the last quarter above that of the second."""


OURS, OTHERS = Room(climb=2.0, peak=4.0), Room(climb=16.0, peak=32.0)


class Memory(NamedTuple):
    """What became of the memory of a process, in MiB."""

    second_quarter: float
    """Its most in the second quarter of the run."""
    last_quarter: float
    """Its most in the last."""
    climb: float
    """Of the straight line through the second half."""


def faults(plan: Plan, measured: dict[str, Any]) -> list[str]:
    """Say what is not as it must be."""
    return [*lost(plan, measured), *late(plan, measured), *growing(plan, measured)]


def lost(plan: Plan, measured: dict[str, Any]) -> Iterator[str]:
    """Say where spans went missing, came twice or changed."""
    receiver = measured["receiver"]
    for place, (sender, arrived) in enumerate(zip(measured["senders"], receiver["distinct"], strict=True)):
        made, exporter, processor = sender["made"], sender["exporter"], sender["processor"]
        if made != plan.spans_per_sender:
            yield f"sender {place} made {made:,} spans and not {plan.spans_per_sender:,}"
        if exporter["exported"] != made:
            yield f"sender {place} made {made:,} spans; its exporter says {exporter}, its processor {processor}"
        if arrived != made:
            yield f"of {made:,} spans of sender {place}, {arrived:,} arrived"
    if receiver["repeated"]:
        yield f"{receiver['repeated']:,} spans came more than once"
    if receiver["wrong"]:
        yield f"{receiver['wrong']:,} spans were not what was made"


def late(plan: Plan, measured: dict[str, Any]) -> Iterator[str]:
    """Say which sender could not keep its rate: the run was one at a lower rate."""
    allowed = plan.seconds * (1 + LATE_SHARE) + LATE_SECONDS
    for place, sender in enumerate(measured["senders"]):
        if sender["taken_seconds"] > allowed:
            yield f"sender {place} took {sender['taken_seconds']:.1f} s for the spans of {plan.seconds} s"


def growing(plan: Plan, measured: dict[str, Any]) -> Iterator[str]:
    """Say which process grew, where the run was long enough to say."""
    if not is_judged(plan):
        return
    for name, memory in memory_of(measured).items():
        room = OTHERS if name in (COLLECTOR, RECEIVER) else OURS
        if memory.climb > room.climb:
            yield f"{name} climbed by {memory.climb:.1f} MiB in the second half; {room.climb:.0f} are flat"
        if memory.last_quarter - memory.second_quarter > room.peak:
            yield (
                f"{name} had {memory.last_quarter:.1f} MiB in the last quarter and {memory.second_quarter:.1f} in the "
                f"second; {room.peak:.0f} more are flat"
            )


def is_judged(plan: Plan) -> bool:
    """Say whether a run is long enough to speak of its memory."""
    return plan.seconds >= SECONDS_TO_JUDGE_MEMORY


def memory_of(measured: dict[str, Any]) -> dict[str, Memory]:
    """Give what became of the memory of each process.

    A run of a second or two has no sample in some quarter: all of them stand for it. Nor has it a line.
    """
    seconds = np.array(measured["samples"]["seconds"])
    quarter = 4 * (seconds - seconds[0]) / max(float(seconds[-1] - seconds[0]), 1.0)
    second, last, half = (quarter >= 1) & (quarter <= 2), quarter >= 3, quarter >= 2
    found = {}
    for name, kib in measured["samples"]["resident_kib"].items():
        mib = np.array(kib) / 1024
        climb = 0.0
        if np.count_nonzero(half) > 1:
            climb = np.polyfit(seconds[half], mib[half], 1)[0] * (seconds[half][-1] - seconds[half][0])
        found[name] = Memory(most(mib, second), most(mib, last), float(climb))
    return found


def most(mib: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]) -> float:
    """Give the most of some samples, or of all where these are none."""
    return float((mib[chosen] if chosen.any() else mib).max())
