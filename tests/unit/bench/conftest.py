"""What the tests of `otlp_fast.bench` share: an effort that takes no time, and a run that shows nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otlp_fast.bench.effort import Effort
from otlp_fast.bench.made_up import made_up_telemetry
from otlp_fast.bench.run import BenchResult, run_bench

LITTLE = Effort(
    rounds=3,
    seconds=0.0,
    workloads=("web", "requests", "histograms"),
    requests=2,
    items=16,
    file_items=600,
    sample_seconds=1e-6,
    json_items=8,
)

RunPart = Callable[..., BenchResult]


@pytest.fixture(autouse=True)
def _no_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full collection of all that pytest holds takes longer than what it is made before, here."""
    monkeypatch.setattr("gc.collect", lambda: 0)


@pytest.fixture
def run_part() -> RunPart:
    """Run one part on made-up telemetry."""

    def run(part: str, missing: dict[str, str] | None = None) -> BenchResult:
        return run_bench(lambda: made_up_telemetry(LITTLE), [part], missing or {}, LITTLE)

    return run
