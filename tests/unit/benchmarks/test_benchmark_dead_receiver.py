"""The memory script: it runs, it sees a queue that overflows, and it finds what is not as it must be."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.dead_receiver import ENVELOPES, faults
from benchmarks.environment import ROOT

QUEUE_BYTES = 2_000_000
QUEUE_ITEMS = 100_000

MEASURED: dict[str, Any] = {
    "made": 100,
    "resident_bytes_before": 50_000_000,
    "samples": {
        "resident_bytes": [51_000_000, 60_000_000],
        "queued_bytes": [1_000, int(QUEUE_BYTES * ENVELOPES)],
        "queued_spans": [10, QUEUE_ITEMS],
    },
    "processor": {"dropped_queue_full": 40, "dropped_at_shutdown": 20},
    "exporter": {"exported": 0, "failed": 40},
}


def test_short_run_against_a_dead_receiver_keeps_its_limits_and_counts_every_span(tmp_path: Path) -> None:
    arguments = ["--seconds", "20", "--per-second", "2000", "--queue-bytes", str(QUEUE_BYTES), "--record"]
    finished = subprocess.run(
        [sys.executable, "benchmarks/dead_receiver.py", *arguments, "--records", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    [path] = tmp_path.iterdir()
    record = json.loads(path.read_text())
    assert record["faults"] == []
    assert record["made"] == 40_001
    assert len(record["samples"]["resident_bytes"]) == 20
    assert record["processor"]["dropped_queue_full"] > 0
    assert max(record["samples"]["queued_bytes"]) > QUEUE_BYTES * 0.9


def test_nothing_is_found_where_everything_is_within_its_limits() -> None:
    assert faults(MEASURED, QUEUE_BYTES, QUEUE_ITEMS) == []


@pytest.mark.parametrize(
    ("place", "figure", "fault"),
    [
        (("samples", "resident_bytes", 1), 200_000_000, "the process grew by 150,000,000 bytes"),
        (("samples", "queued_bytes", 0), QUEUE_BYTES * 2, "4,000,000 bytes were queued"),
        (("samples", "queued_spans", 0), QUEUE_ITEMS + 1, "100,001 spans were queued"),
        (("exporter", "failed"), 39, "100 spans made, 60 dropped, in the exporter"),
        (("processor", "dropped_at_shutdown"), 21, "100 spans made, 61 dropped, in the exporter"),
    ],
)
def test_what_is_not_as_it_must_be_is_found(place: tuple[Any, ...], figure: int, fault: str) -> None:
    measured = copy.deepcopy(MEASURED)
    within = measured
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = figure
    [found] = faults(measured, QUEUE_BYTES, QUEUE_ITEMS)
    assert found.startswith(fault)
