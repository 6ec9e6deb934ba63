"""Runs the kernel benchmarks and keeps what they found: `python benchmarks/kernels/record.py`, or those that are named
behind it (`text`, `packed`, `records`), in a record of their own.

Criterion measures one path after the other; each figure is the median of its samples, divided by the number of strings,
arrays or records of a set. A path stands in the code only where this record shows it faster than scalar on some set of
real data; where it is slower, the thresholds of native/wire/src/simd/mod.rs keep it out of the way.
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
from otlp_fast.cli.interruption import interruptible

KERNELS = Path(__file__).resolve().parent
RECORDS = KERNELS.parent / "records" / "kernels"
BENCHES = ["text", "packed", "records"]
PER_SET = {"records": 8192}
"""Items of a set, by what its name begins with; 512 of all others."""


def measure(benches: list[str]) -> None:
    """Run criterion; its progress goes to the terminal."""
    chosen = [word for bench in benches for word in ("--bench", bench)]
    subprocess.run(["cargo", "bench", "--quiet", *chosen], cwd=KERNELS, check=True)


def collect(since: datetime) -> dict[str, dict[str, float]]:
    """Give ns per item by set and path, out of what criterion has written since then."""
    found: dict[str, dict[str, float]] = {}
    for estimates in sorted((KERNELS / "target" / "criterion").glob("*/*/new/estimates.json")):
        if estimates.stat().st_mtime < since.timestamp():
            continue
        benchmark = json.loads((estimates.parent / "benchmark.json").read_text())
        median = json.loads(estimates.read_text())["median"]["point_estimate"]
        per_set = PER_SET.get(benchmark["group_id"].split("/")[0], 512)
        found.setdefault(benchmark["group_id"], {})[benchmark["function_id"]] = round(median / per_set, 2)
    return found


def show(figures: dict[str, dict[str, float]]) -> None:
    """Print ns per item, and in brackets the times faster than scalar."""
    for name, paths in figures.items():
        cells = [f"{path} {ns:.2f} ({paths['scalar'] / ns:.2f})" for path, ns in paths.items()]
        print(f"{name:36}", "  ".join(cells))


def run() -> None:
    """Measure, show and keep.

    Raises:
        OSError: there is no cargo.
        CalledProcessError: it has failed, and said why.
    """
    now, surroundings = datetime.now(timezone.utc), environment()
    measure(sys.argv[1:] or BENCHES)
    figures = collect(now)
    show(figures)
    record: dict[str, Any] = {"date": now.isoformat(timespec="seconds"), **surroundings, "ns_per_item": figures}
    cpu = re.sub(r"[^a-z0-9]+", "-", record["machine"]["cpu"].lower()).strip("-")
    RECORDS.mkdir(parents=True, exist_ok=True)
    path = RECORDS / f"{'-'.join([f'{now:%Y-%m-%d}', cpu, *sys.argv[1:]])}.json"
    path.write_text(json.dumps(record, indent=2) + "\n")
    print("record:", path)


def main() -> None:
    """Run, and say what went wrong in one line."""
    try:
        with interruptible("otlp-fast: interrupted, nothing is kept"):
            run()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"otlp-fast: {error}")


if __name__ == "__main__":
    main()
