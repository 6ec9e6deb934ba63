"""Each workload through each engine, under pytest-benchmark: for the absolute figure, and to compare two commits.

pytest-benchmark finishes one engine before it begins the next, so two rows of one table were not measured at the same
time. `--benchmark-compare` between two builds is what these rows are for; the ratios come from test_compare.py.
"""

from __future__ import annotations

import time
from functools import lru_cache

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.engines import engines
from otlp_fast.bench.batch import ITEM, Batch
from otlp_fast.bench.engines import Engine, official
from otlp_fast.bench.measure import checked_answer
from otlp_fast.bench.workloads.by_name import WORKLOADS

CASES = [
    pytest.param(name, engine, id=f"{name}-{engine.name}")
    for name, workload in WORKLOADS.items()
    if workload.batches == 1
    for engine in engines(workload.signal)
]


@lru_cache(maxsize=1)
def batch_of(workload: str) -> Batch:
    """Build a workload once for all its engines, and give it up when the next one comes."""
    return WORKLOADS[workload].build()


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize(("workload", "engine"), CASES)
def test_encode(benchmark: BenchmarkFixture, workload: str, engine: Engine) -> None:
    """Encode one batch."""
    batch, signal = batch_of(workload), WORKLOADS[workload].signal
    expected = checked_answer([official(signal), engine], batch)
    benchmark.group = f"{workload}: CPU time of {batch.items} {ITEM[signal]}s, one engine after the other"
    benchmark.extra_info.update(items=batch.items, bytes=len(expected), version=engine.version)
    benchmark(engine.encode, batch.content)
