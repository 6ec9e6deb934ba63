"""What `import otlp_fast` costs, beside the official encoder, and whether it stays within what was promised."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.import_time import OTLP_FAST, STATEMENTS, importtime_detail, measure_imports
from benchmarks.promises import IMPORT_MS
from otlp_fast.bench.measure import Spread


@pytest.mark.benchmark(group="whole comparisons: what they found is printed below")
def test_import(benchmark: BenchmarkFixture, verdicts: list[str]) -> None:
    """Compare the imports; that of otlp_fast is as cheap as promised."""
    measured = benchmark.pedantic(measure_imports)  # type: ignore[no-untyped-call]
    for name, clocks in measured.items():
        cpu, wall = Spread.of(clocks["cpu"]), Spread.of(clocks["wall"])
        quartiles = f"({cpu.lower_quartile:.1f}, {cpu.upper_quartile:.1f})"
        benchmark.extra_info[name] = cpu.median
        verdicts.append(f"{name:26} {cpu.median:7.1f} ms {quartiles}; wall {wall.median:.1f} ms")
    detail = importtime_detail(STATEMENTS[OTLP_FAST])
    benchmark.extra_info["detail"] = detail
    slowest = ", ".join(f"{module} {ms:.1f} ms" for module, ms in detail[:6])
    assert Spread.of(measured[OTLP_FAST]["cpu"]).median <= IMPORT_MS, f"slowest by -X importtime: {slowest}"
