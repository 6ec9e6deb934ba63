"""The load test's parts: what is missing, twice or wrong is seen, percentiles are right, the page shows the record."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otlp_fast
from benchmarks.environment import ROOT
from benchmarks.load.__main__ import main
from benchmarks.load.chain import COLLECTOR, GATEWAY, RECEIVER, Chain, Plan, collector_version
from benchmarks.load.latencies import PER_DOUBLING, Latencies, names
from benchmarks.load.plot import draw
from benchmarks.load.publish import KEPT, PAGE, PLOT
from benchmarks.load.receiver import NUMBERS_PER_SENDER, WINDOW_SECONDS, Receiver
from benchmarks.load.run import SECONDS_TO_ARRIVE, watch
from benchmarks.load.sender import Sender
from benchmarks.load.summary import summary
from benchmarks.load.table import BEGIN, END, markdown
from benchmarks.load.verdict import faults, memory_of
from benchmarks.record import newest_record
from benchmarks.table import with_table
from benchmarks.web_service import WebService
from otlp_fast.demo.errors import DemoError
from tests.interop import build
from tests.interop.peer import Collector

SECOND = 10**9
PLAN = Plan(seconds=1_200, rate=20_000, processes=2, compression="tracezip")


def request_of(first_number: int, spans: int) -> bytes:
    """The request of a service's spans with consecutive numbers."""
    kept = InMemorySpanExporter()
    WebService(SimpleSpanProcessor(kept), first_number).handle(spans)
    return otlp_fast.encode_spans(kept.get_finished_spans())


def last_end(request: bytes) -> int:
    """When the last span of a request ended."""
    return int(otlp_fast.decode_traces(request).end_time_unix_nano.max())


def altered(request: bytes, place: int, **fields: Any) -> bytes:
    """The request with other fields in one of its spans."""
    message = ExportTraceServiceRequest.FromString(request)
    span = message.resource_spans[0].scope_spans[0].spans[place]
    for name, value in fields.items():
        setattr(span, name, value)
    return message.SerializeToString()


def test_receiver_tells_what_came_once_and_what_twice() -> None:
    receiver = Receiver(senders=2, spans=100, windows=1)
    first, second = request_of(0, 60), request_of(NUMBERS_PER_SENDER, 100)
    for body in (first, second, first):
        receiver.take(body, last_end(second) + SECOND)
    assert receiver.figures() == {"spans": 220, "requests": 3}
    result = receiver.result()
    assert (result["distinct"], result["repeated"], result["wrong"]) == ([60, 100], 60, 0)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (altered(request_of(0, 50), 7, name="GET /nowhere"), 1),
        (altered(request_of(0, 50), 0, kind=3), 1),
        (request_of(95, 50), 45),
        (request_of(NUMBERS_PER_SENDER, 50), 50),
    ],
    ids=["name", "first span", "number never made", "sender unknown"],
)
def test_receiver_does_not_count_what_was_not_made(body: bytes, wrong: int) -> None:
    receiver = Receiver(senders=1, spans=100, windows=1)
    receiver.take(body, last_end(body) + SECOND)
    result = receiver.result()
    assert (result["wrong"], result["distinct"], result["repeated"]) == (wrong, [50 - wrong], 0)


def test_latency_is_that_from_the_end_of_a_span_in_the_window_of_its_end() -> None:
    receiver = Receiver(senders=1, spans=1, windows=4)
    body = request_of(0, 1)
    begin = last_end(body)
    receiver.take(body, begin + SECOND)
    later = altered(body, 0, end_time_unix_nano=begin + 2 * WINDOW_SECONDS * SECOND)
    receiver.take(later, begin + 2 * WINDOW_SECONDS * SECOND + 13 * SECOND)
    windows = receiver.result()["latency"]["windows"]
    assert (windows["window"], windows["longest"]) == ([0, 2], [1_000.0, 13_000.0])


def test_percentiles_are_those_of_all_latencies_within_the_width_of_a_bucket() -> None:
    random = np.random.default_rng(0)
    nanoseconds = random.lognormal(17, 1.5, 49_994).astype(np.int64)
    halves = np.split(nanoseconds, 2)
    latencies, other = Latencies(), Latencies()
    latencies.add(halves[0], np.zeros(len(halves[0]), dtype=np.int64))
    for one in halves[1][:10].tolist():
        other.add_one(one)
    other.add(halves[1][10:], np.zeros(len(halves[1]) - 10, dtype=np.int64))
    latencies.merge(json.loads(json.dumps(other.export())))
    found = latencies.whole()
    for name in names()[:-1]:
        exact = np.percentile(nanoseconds, float(name), method="inverted_cdf") / 1e6
        assert exact * 0.999 <= found[name] <= exact * 2 ** (1 / PER_DOUBLING) * 1.001
    assert found["longest"] == pytest.approx(nanoseconds.max() / 1e6, rel=1e-3)


def test_longest_latencies_and_late_windows_are_in_the_last() -> None:
    latencies = Latencies(windows=2)
    latencies.add(np.array([0, 2**50, 5 * SECOND]), np.array([-1, 7, 1]))
    windows = latencies.by_window()
    assert windows["window"] == [0, 1]
    assert windows["longest"] == [1e-6, pytest.approx(2**50 / 1e6, rel=1e-3)]


def run_that_keeps_everything() -> dict[str, Any]:
    """What is measured in a run in which memory moves as far as it may, and nothing is lost."""
    seconds = [float(second) for second in range(1, 1_201)]
    sender = {
        "made": 12_000_000,
        "taken_seconds": 1_213.0,
        "most_behind_seconds": 0.25,
        "processor": {"accepted": 12_000_000, "dropped_queue_full": 0},
        "exporter": {"exported": 12_000_000, "failed": 0},
    }
    processes = {"sender 0": 50, "sender 1": 60, GATEWAY: 55, COLLECTOR: 45, RECEIVER: 80}
    percentiles = {"50": 12.5, "90": 25.0, "99": 1_234.5, "99.9": 2_000.0, "longest": 2_500.0}
    return {
        "samples": {
            "seconds": seconds,
            "made": [20_000 * second for second in seconds],
            "received": [20_000 * second for second in seconds],
            "behind_seconds": [0.0] * 1_200,
            "queued": [512] * 1_200,
            # Tables fill in the first quarter.
            "resident_kib": {name: [mib * 1024 // 2] * 300 + [mib * 1024] * 900 for name, mib in processes.items()},
        },
        "cores": dict.fromkeys(processes, 0.25),
        "senders": [sender, copy.deepcopy(sender)],
        "round_trips": dict(percentiles),
        "gateway": {"requests": {"delivered": 46_876}, "wire_bytes": 600_000_000, "otlp_bytes": 9_600_000_000},
        "receiver": {
            "requests": 24_000,
            "spans": 24_000_000,
            "wrong": 0,
            "distinct": [12_000_000, 12_000_000],
            "repeated": 0,
            "latency": {
                "whole": percentiles,
                "windows": {"window": [0, 1]} | {name: [figure] * 2 for name, figure in percentiles.items()},
            },
        },
    }


def record_that_keeps_everything() -> dict[str, Any]:
    """The record of that run."""
    return {
        "format": 2,
        "date": "2026-11-22T00:00:00+00:00",
        "machine": {"cpu": "AMD EPYC", "cores": 2, "python": "CPython 3.11.7"},
        "versions": {"otlp-fast": "0.1.0", "opentelemetry-sdk": "1.45.1", "Collector": "0.160.0"},
        "method": {"seconds": 1_200, "rate": 20_000, "processes": 2, "compression": "tracezip"},
        **run_that_keeps_everything(),
        "faults": [],
    }


def test_run_that_keeps_everything_has_no_faults() -> None:
    assert faults(PLAN, run_that_keeps_everything()) == []


@pytest.mark.parametrize(
    ("place", "figure", "fault"),
    [
        (("senders", 1, "exporter", "exported"), 11_999_488, "sender 1 made 12,000,000 spans; its exporter says"),
        (("senders", 0, "taken_seconds"), 1_213.5, "sender 0 took 1213.5 s for the spans of 1200 s"),
        (("receiver", "distinct", 1), 11_999_999, "of 12,000,000 spans of sender 1, 11,999,999 arrived"),
        (("receiver", "repeated"), 512, "512 spans came more than once"),
        (("receiver", "wrong"), 1, "1 spans were not what was made"),
        (("samples", "resident_kib", "sender 1", 1_000), 65 * 1024, "sender 1 had 65.0 MiB in the last quarter"),
        (("samples", "resident_kib", COLLECTOR, 1_000), 78 * 1024, "Collector had 78.0 MiB in the last quarter"),
    ],
)
def test_what_is_not_as_it_must_be_is_found(place: tuple[Any, ...], figure: float, fault: str) -> None:
    measured = run_that_keeps_everything()
    within: Any = measured
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = figure
    [found] = faults(PLAN, measured)
    assert found.startswith(fault)


def test_sender_that_made_too_little_is_found() -> None:
    measured = run_that_keeps_everything()
    measured["senders"][0] |= {"made": 11_000_000, "exporter": {"exported": 11_000_000}}
    measured["receiver"]["distinct"][0] = 11_000_000
    assert faults(PLAN, measured) == ["sender 0 made 11,000,000 spans and not 12,000,000"]


@pytest.mark.parametrize(
    ("name", "flat", "climbing"), [("gateway", 1.9, 2.1), (COLLECTOR, 15.9, 16.1), (RECEIVER, 15.9, 16.1)]
)
def test_memory_that_climbs_steadily_is_found_in_a_run_long_enough(name: str, flat: float, climbing: float) -> None:
    measured = run_that_keeps_everything()
    before = measured["samples"]["resident_kib"][name]
    for mib, expected in ((flat, 0), (climbing, 1)):
        rise = [before[place] + 1024 * mib * max(0, place - 600) / 600 for place in range(1_200)]
        measured["samples"]["resident_kib"][name] = rise
        assert memory_of(measured)[name].climb == pytest.approx(mib, rel=0.01)
        assert len(faults(PLAN, measured)) == expected
    assert faults(Plan(59, PLAN.rate, 2, "tracezip"), measured | {"senders": [], "receiver": nothing_arrived()}) == []


@pytest.mark.parametrize("samples", [1, 2])
def test_run_of_a_second_or_two_has_memory_though_no_quarters(samples: int) -> None:
    measured = run_that_keeps_everything()
    seen = measured["samples"]
    seen["seconds"] = seen["seconds"][:samples]
    seen["resident_kib"] = {name: [1_024.0, 2_048.0][:samples] for name in seen["resident_kib"]}
    assert memory_of(measured)[GATEWAY].second_quarter == samples
    assert memory_of(measured)[GATEWAY].climb == 0.0
    assert summary(record_that_keeps_everything() | measured)


class StuckChain:
    """Processes that answer, and a service that makes no more spans."""

    def __init__(self) -> None:
        self.senders = [self, self]
        self.receiver = self

    def ask(self, command: str) -> dict[str, Any]:
        """Say how far it is."""
        assert command == "figures"
        return {"made": 7, "spans": 7, "behind_seconds": 0.5, "queued": 0}


def test_run_that_gets_nowhere_is_given_up() -> None:
    plan = Plan(seconds=10, rate=100, processes=2, compression="tracezip")
    looks = count()

    def tell(seen: dict[str, float]) -> None:
        assert next(looks) <= 2 * plan.seconds + SECONDS_TO_ARRIVE

    # So long ago that no look is waited for.
    begin = time.monotonic() - 1_000
    with pytest.raises(DemoError, match="after 81 s, 14 of 1,000 spans are made: it is given up"):
        watch(plan, cast(Chain, StuckChain()), {}, begin, tell)


def test_sender_whose_thread_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender("http://127.0.0.1:9/v1/traces", "gzip", 0, 1_000, 1_000.0)

    def fail(spans: int) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(sender._service, "handle", fail)
    sender.begin()
    sender._thread.join()
    with pytest.raises(RuntimeError, match=r"no more spans are made: MemoryError\('no room'\)"):
        sender.figures()
    sender._service.provider.shutdown()


@pytest.mark.parametrize(
    ("log", "said"), [("", "it wrote nothing"), ("first\nError: no such port\n", "Error: no such port")]
)
def test_collector_that_does_not_start_is_one_line(log: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(collector: Collector) -> None:
        raise AssertionError(f"the Collector ended:\n{log}")

    monkeypatch.setattr(Collector, "start", fail)
    result = run("--seconds", "1", "--rate", "1", "--processes", "1")
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == f"Error: the Collector ended: {said}"


def test_process_that_ends_is_named_and_ends_the_run() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        watched = {GATEWAY: psutil.Process(process.pid)}
        assert process.stdin is not None
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(DemoError, match="the gateway process ended in the middle of the run"):
            watch(PLAN, cast(Chain, None), watched, time.monotonic() - 1, lambda seen: None)


def nothing_arrived() -> dict[str, Any]:
    """The receiver's figures of a run without senders."""
    return {"distinct": [], "repeated": 0, "wrong": 0}


def test_table_and_summary_hold_the_figures_of_the_record() -> None:
    record = record_that_keeps_everything()
    record["samples"]["resident_kib"]["sender 1"][-1] += 1024
    table = markdown(record, "load-test.svg")
    for line in (
        "| from the end of a span to behind the Collector | 12.5 | 25 | 1,234 | 2,000 | 2,500 |",
        "| a service, of 2 the one that climbed most | 60.0 | 61.0 | +0.01 | 0.25 |",
        "| the Collector | 45.0 | 45.0 | +0.00 | 0.25 |",
        "![Latency and memory over time](load-test.svg)",
    ):
        assert line in table.splitlines()
    for fact in ("24,000,000 arrived", "0 of them twice", "for 20 minutes", "0.160.0", "2026-11-22", "0.25 s behind"):
        assert fact in table
    text = summary(record)
    for fact in ("24,000,000 spans made, 24,000,000 exported, 24,000,000 arrived", "25.0 bytes per span on the wire"):
        assert fact in text


def test_table_names_what_a_run_did_not_keep() -> None:
    record = record_that_keeps_everything() | {"faults": ["gateway climbed by 9.0 MiB"]}
    assert "did not keep everything: gateway climbed by 9.0 MiB" in markdown(record, "load-test.svg")


def test_plot_has_every_line_and_names_its_record_and_is_the_same_again(tmp_path: Path) -> None:
    record = record_that_keeps_everything()
    draw(record, tmp_path / "one.svg")
    draw(record, tmp_path / "two.svg")
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert f"record of {record['date']}" in text
    for word in ("50 %", "99.9 %", "longest", "each of 2 services", GATEWAY, COLLECTOR, RECEIVER, "resident MiB"):
        assert text.count(f">{word}<") == 1
    record["samples"]["resident_kib"][GATEWAY][700] += 20_000
    draw(record, tmp_path / "two.svg")
    assert text != (tmp_path / "two.svg").read_text(encoding="utf-8")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_page_is_rewritten_from_the_newest_record(tmp_path: Path) -> None:
    page, plot, records = tmp_path / "page.md", tmp_path / "drawn.svg", tmp_path / "records"
    files = ["--page", "--page-file", str(page), "--plot-file", str(plot), "--records", str(records)]
    records.mkdir()
    result = run(*files)
    assert result.exit_code == 1
    assert "no record in" in result.output

    record = record_that_keeps_everything()
    (records / "record.json").write_text(json.dumps(record), encoding="utf-8")
    page.write_text("no place\n", encoding="utf-8")
    assert run(*files).exit_code == 1
    assert not plot.exists()

    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    assert run(*files).exit_code == 0
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{markdown(record, plot.name)}\n{END}\nafter\n"
    assert f"record of {record['date']}" in plot.read_text(encoding="utf-8")


def test_number_that_cannot_be_is_a_usage_error() -> None:
    for option in ("--seconds", "--rate", "--processes"):
        assert run(option, "0").exit_code == 2


def test_run_that_cannot_begin_says_why_and_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PROGRAMS", tmp_path / "programs")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    result = run("--seconds", "1", "--record", "--records", str(tmp_path / "records"))
    assert result.exit_code == 1
    assert "building the Collector needs Go" in result.output
    assert not (tmp_path / "records").exists()


def test_it_runs_as_a_module_and_as_a_script() -> None:
    for command in (["-m", "benchmarks.load"], ["benchmarks/load"]):
        finished = subprocess.run(
            [sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert (finished.returncode, finished.stderr) == (0, "")
        assert "--processes" in finished.stdout


def test_version_is_that_of_the_collector_that_is_built() -> None:
    assert collector_version().count(".") == 2


def test_page_and_plot_show_the_newest_record_of_a_whole_run() -> None:
    record = newest_record(KEPT)
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, markdown(record, PLOT.name), BEGIN, END) == page
    assert f"record of {record['date']}" in PLOT.read_text(encoding="utf-8")
    assert (record["method"]["seconds"], record["method"]["rate"]) == (1_200, 20_000)
    assert record["faults"] == []
