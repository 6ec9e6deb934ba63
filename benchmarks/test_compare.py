"""The engines side by side, and whether the promised ratios are kept.

One row of pytest-benchmark is one whole interleaved comparison (see measure.py), so the time of the row means nothing.
What was found is in its `extra_info`, and so in the file of `--benchmark-json`, and at the end of the run.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.engines import engines
from benchmarks.promises import TIMES_FASTER
from benchmarks.record import summary
from otlp_fast.bench.batch import ITEM
from otlp_fast.bench.engines import OFFICIAL, OTLP_FAST
from otlp_fast.bench.measure import Spread, compare
from otlp_fast.bench.workloads.by_name import WORKLOADS

ROUNDS = 15


@pytest.mark.benchmark(group="whole comparisons: what they found is printed below")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_compare(benchmark: BenchmarkFixture, verdicts: list[str], workload: str) -> None:
    """Compare all engines; the ratio of otlp_fast is as promised, where one is."""
    batches = WORKLOADS[workload].build_batches()
    rivals = engines(WORKLOADS[workload].signal)
    comparison = benchmark.pedantic(compare, args=(rivals, batches), kwargs={"rounds": ROUNDS})  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(summary(comparison))
    for engine in rivals:
        own, ratio = Spread.of(comparison.samples[engine.name].cpu), Spread.of(comparison.ratios(engine.name))
        quartiles = f"({ratio.lower_quartile:.1f}, {ratio.upper_quartile:.1f})"
        faster = "" if engine.name == OFFICIAL else f"{ratio.median:7.1f} times faster {quartiles}"
        verdicts.append(
            f"{workload:11} {engine.name:14} {own.median:8.3f} µs/{ITEM[WORKLOADS[workload].signal]} {faster}".rstrip()
        )
    assert Spread.of(comparison.ratios(OTLP_FAST)).median >= TIMES_FASTER.get(workload, 1.0)
