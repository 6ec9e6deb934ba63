"""Runs the kernel benchmarks and keeps what they found: `python benchmarks/kernels/record.py`.

Criterion measures one path after the other; each figure is the median of its samples, divided by the 512 strings (or
arrays) of a set. A path stands in the code only where this record shows it faster than scalar on some set of real text;
where it is slower, the thresholds of native/wire/src/simd/mod.rs keep it out of the way.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.environment import environment

KERNELS = Path(__file__).resolve().parent
RECORDS = KERNELS.parent / "records" / "kernels"
STRINGS_PER_SET = 512


def measure() -> None:
    """Run criterion; its progress goes to the terminal."""
    subprocess.run(["cargo", "bench", "--quiet", "--bench", "text", "--bench", "packed"], cwd=KERNELS, check=True)


def collect() -> dict[str, dict[str, float]]:
    """Give ns per string by set and path, out of what criterion wrote."""
    found: dict[str, dict[str, float]] = {}
    for estimates in sorted((KERNELS / "target" / "criterion").glob("*/*/new/estimates.json")):
        benchmark = json.loads((estimates.parent / "benchmark.json").read_text())
        median = json.loads(estimates.read_text())["median"]["point_estimate"]
        found.setdefault(benchmark["group_id"], {})[benchmark["function_id"]] = round(median / STRINGS_PER_SET, 2)
    return found


def show(figures: dict[str, dict[str, float]]) -> None:
    """Print ns per string, and in brackets the times faster than scalar."""
    for name, paths in figures.items():
        cells = [f"{path} {ns:.1f} ({paths['scalar'] / ns:.2f})" for path, ns in paths.items()]
        print(f"{name:32}", "  ".join(cells))


def main() -> None:
    """Measure, show and keep."""
    measure()
    figures = collect()
    show(figures)
    now = datetime.now(timezone.utc)
    record: dict[str, Any] = {"date": now.isoformat(timespec="seconds"), **environment(), "ns_per_string": figures}
    cpu = re.sub(r"[^a-z0-9]+", "-", record["machine"]["cpu"].lower()).strip("-")
    RECORDS.mkdir(parents=True, exist_ok=True)
    path = RECORDS / f"{now:%Y-%m-%d}-{cpu}.json"
    path.write_text(json.dumps(record, indent=2) + "\n")
    print("record:", path)


if __name__ == "__main__":
    main()
