"""Each workload through each engine, under pytest-benchmark: for the absolute figure, and to compare two commits.

pytest-benchmark finishes one engine before it begins the next, so two rows of one table were not measured at the same
time. `--benchmark-compare` between two builds is what these rows are for; the ratios come from test_compare.py.
"""

from __future__ import annotations

import time
from functools import lru_cache

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.engines import Engine, engines, official
from benchmarks.measure import checked_answer
from benchmarks.workloads import WORKLOADS


@lru_cache(maxsize=1)
def spans_of(workload: str) -> list[ReadableSpan]:
    """Build a workload once for all its engines, and give it up when the next one comes."""
    return WORKLOADS[workload].build()


@pytest.mark.benchmark(timer=time.process_time)
@pytest.mark.parametrize("engine", engines(), ids=lambda engine: engine.name)
@pytest.mark.parametrize("workload", [name for name, workload in WORKLOADS.items() if workload.batches == 1])
def test_encode(benchmark: BenchmarkFixture, workload: str, engine: Engine) -> None:
    """Encode one batch."""
    spans = spans_of(workload)
    expected = checked_answer([official(), engine], spans)
    benchmark.group = f"{workload}: CPU time of {len(spans)} spans, one engine after the other"
    benchmark.extra_info.update(spans=len(spans), bytes=len(expected), version=engine.version)
    benchmark(engine.encode, spans)
