"""The load test, a few seconds of it: nothing is lost between the tracer and what is behind a real Collector.

No figure is judged here: the machine of a test run is busy. The record of twenty minutes is benchmarks/records/load.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.environment import ROOT
from benchmarks.load.chain import COLLECTOR, GATEWAY, RECEIVER, Plan
from benchmarks.load.latencies import names
from benchmarks.load.verdict import lost
from tests.interop.build import GoIsMissingError, collector_program

SECONDS, RATE, PROCESSES = 6, 2_000, 2


@pytest.fixture(scope="module")
def collector_is_built() -> None:
    """The program of the Collector is there; where CI is set, it has to be."""
    try:
        collector_program()
    except GoIsMissingError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))


def test_every_span_of_several_services_comes_out_behind_the_collector(
    tmp_path: Path, collector_is_built: None
) -> None:
    arguments = ["--seconds", SECONDS, "--rate", RATE, "--processes", PROCESSES]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *map(str, arguments), "--record", "--records", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    [path] = tmp_path.iterdir()
    record = json.loads(path.read_text(encoding="utf-8"))

    assert list(lost(Plan(SECONDS, RATE, PROCESSES, "tracezip"), record)) == []
    assert record["method"]["compression"] == "tracezip"
    assert [sender["made"] for sender in record["senders"]] == [SECONDS * RATE // PROCESSES] * PROCESSES
    assert record["receiver"]["spans"] == SECONDS * RATE
    assert record["gateway"]["requests"]["delivered"] >= PROCESSES
    # Where the machine was too busy for the rate, that is what the run says, and it says nothing else.
    assert all("took" in fault for fault in record["faults"]), record["faults"]
    assert finished.returncode == bool(record["faults"]), finished.stderr

    processes = {"sender 0", "sender 1", GATEWAY, COLLECTOR, RECEIVER}
    assert set(record["samples"]["resident_kib"]) == set(record["cores"]) == processes
    for series in record["samples"]["resident_kib"].values():
        assert len(series) == len(record["samples"]["seconds"]) >= SECONDS
        assert min(series) > 0
    for percentiles in (record["receiver"]["latency"]["whole"], record["round_trips"]):
        figures = [percentiles[name] for name in names()]
        assert figures[0] > 0
        assert figures == sorted(figures)
    for line in ("12,000 spans made, 12,000 exported, 12,000 arrived; 0 twice, 0 wrong", "end to end: 50 %"):
        assert line in finished.stdout
