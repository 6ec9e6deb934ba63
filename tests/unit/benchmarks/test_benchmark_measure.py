"""The measurement: a wrong answer is never timed, rivals take turns, ratios are formed within a round."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import import_time
from otlp_fast.bench.batch import Batch
from otlp_fast.bench.engines import Engine, official, otlp_fast_batch
from otlp_fast.bench.measure import Comparison, Samples, Spread, WrongAnswerError, compare, sample
from otlp_fast.bench.workloads.by_name import WORKLOADS

TINY = WORKLOADS["tiny"].build(8)
OFFICIAL = official("traces")


class Diary:
    """An engine that gives the right answer and writes down when it was asked."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self.engine = Engine(name, "1", self.encode)
        self.collecting: set[bool] = set()
        self._calls = calls
        self._answer = bytes(OFFICIAL.encode(TINY.content))

    def encode(self, content: Any) -> bytes:
        self._calls.append(self.engine.name)
        self.collecting.add(gc.isenabled())
        return self._answer


def test_wrong_answer_ends_the_run_before_anything_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **options: object) -> tuple[float, float]:
        raise AssertionError("timed")

    monkeypatch.setattr("otlp_fast.bench.measure.sample", never)
    monkeypatch.setattr("otlp_fast.bench.measure.repetitions_for", never)
    wrong = Engine("wrong", "1", lambda content: bytes(OFFICIAL.encode(content))[:-1] + b"\xff")
    with pytest.raises(WrongAnswerError, match=r"wrong, first call: .* different from offset"):
        compare([OFFICIAL, wrong], [TINY])


def test_wrong_second_answer_is_found() -> None:
    answers = [bytes(OFFICIAL.encode(TINY.content)), b""]
    wrong = Engine("stale", "1", lambda content: answers.pop(0))
    with pytest.raises(WrongAnswerError, match="stale, second call: 0 bytes"):
        compare([OFFICIAL, wrong], [TINY])


def test_rivals_take_turns_in_an_order_that_changes() -> None:
    calls: list[str] = []
    rivals = [OFFICIAL, Diary("one", calls).engine, Diary("two", calls).engine]
    comparison = compare(rivals, [TINY], rounds=8, sample_seconds=1e-6)
    # Leave out the checks and the calibration, which come before the first round.
    rounds = calls[-8 * sum(comparison.repetitions[name] + 1 for name in ("one", "two")) :]
    turns = [name for index, name in enumerate(rounds) if index == 0 or rounds[index - 1] != name]
    assert turns.count("one") + turns.count("two") > 4
    assert all(len(samples.cpu) == len(samples.wall) == 8 for samples in comparison.samples.values())


@pytest.mark.parametrize("gc_enabled", [True, False])
def test_collector_is_as_asked_while_timing_and_restored_afterwards(gc_enabled: bool) -> None:
    diary = Diary("one", [])
    before = gc.isenabled()
    sample(diary.encode, [TINY], 3, gc_enabled=gc_enabled)
    assert diary.collecting == {gc_enabled}
    assert gc.isenabled() == before


def test_ratio_is_formed_within_each_round() -> None:
    # The second round was disturbed for both: the ratio of the rounds is steady where that of the sums is not.
    comparison = Comparison(
        items=1,
        encoded_bytes=1,
        gc_enabled=True,
        repetitions={},
        samples={"official": Samples(cpu=[10.0, 40.0, 10.0]), "own": Samples(cpu=[1.0, 4.0, 1.0])},
    )
    assert comparison.ratios("own") == [10.0, 10.0, 10.0]


def test_wrong_answer_on_a_later_batch_is_found() -> None:
    later = WORKLOADS["web"].build(4)
    wrong = Engine("half", "1", lambda content: b"" if content is later.content else OFFICIAL.encode(content))
    with pytest.raises(WrongAnswerError, match="half, first call"):
        compare([OFFICIAL, wrong], [TINY, later])


def test_time_is_given_per_item_of_all_batches_and_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0]

    def encode(content: Any) -> bytes:
        clock[0] += 2_500 * len(content)
        return b""

    monkeypatch.setattr("time.process_time_ns", lambda: clock[0])
    monkeypatch.setattr("time.perf_counter_ns", lambda: 2 * clock[0])
    cpu, wall = sample(encode, [TINY, Batch(TINY.content[:3], 3), TINY], 7, gc_enabled=True)
    assert (cpu, wall) == (2.5, 5.0)


def test_spread_is_median_quartiles_and_least() -> None:
    assert Spread.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Spread(3.0, 2.0, 4.0, 1.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0, 7.0)


def test_slower_engine_measures_slower() -> None:
    fast = otlp_fast_batch("traces")
    slow = replace(fast, name="thrice", encode=lambda content: [fast.encode(content) for _ in range(3)][-1])
    comparison = compare([OFFICIAL, fast, slow], [WORKLOADS["web"].build(64)], rounds=5, sample_seconds=0.004)
    ratios = [Spread.of(comparison.ratios(name)).median for name in ("otlp_fast", "thrice")]
    assert ratios[0] > 1.5 * ratios[1]
    assert comparison.repetitions["otlp_fast"] > 1


def test_import_time_is_above_the_empty_interpreter_of_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_time, "STATEMENTS", {import_time.EMPTY: "pass", "asyncio": "import asyncio"})
    measured = import_time.measure_imports(rounds=3)
    assert Spread.of(measured["asyncio"]["cpu"]).median > 1
    assert Spread.of(measured[import_time.EMPTY]["wall"]).median > 1


@pytest.mark.usefixtures("unmeasured_children")
def test_import_detail_names_modules_and_their_own_time() -> None:
    detail = import_time.importtime_detail("import json", rows=1000)
    modules = {module for module, _ in detail}
    assert {"json", "json.decoder"} <= modules
    assert "site" not in modules
    assert detail == sorted(detail, key=lambda module: -module[1])
