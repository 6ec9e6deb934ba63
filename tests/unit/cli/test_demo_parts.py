"""Parts of the demo that a good run does not show: what it says when something is wrong, and the receiver's answers."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otlp_fast
from otlp_fast.cli.group import group
from otlp_fast.demo import comparison, run
from otlp_fast.demo.child import Child
from otlp_fast.demo.comparison import Comparison, describe_difference
from otlp_fast.demo.digest import digest_of_all, digest_of_request
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.measured_export import MeasuredExport
from otlp_fast.demo.result import (
    DemoResult,
    Encoding,
    ExporterRun,
    FramedSignal,
    Received,
    SignalRun,
    TracezipRun,
    WholeRun,
    quartiles,
    ratio,
    summarize_encoding,
)
from otlp_fast.demo.telemetry import ITEMS, count_items
from otlp_fast.demo.traffic import Traffic, plan_requests

_RECEIVED = Received(100, 1, 30_000, "digest")
_SIGNAL = SignalRun(100, 100, _RECEIVED, 10.0)
_RUN = ExporterRun(dict.fromkeys(ITEMS, _SIGNAL), None)
_ENCODING = Encoding(
    items=200,
    batches=2,
    bytes={"official": 60_000, "otlp_fast": 60_000},
    first_difference=None,
    cpu_us_per_item={"official": 40.0, "otlp_fast": 2.0},
    cpu_us_per_item_again={"official": 40.0, "otlp_fast": 1.0},
)
_WHOLE = WholeRun({"traces": 100, "logs": 100}, {"traces": 100, "logs": 100}, [40.0, 50.0, 60.0], 30, 30, 1.0, None)
_COSTLY = replace(_WHOLE, cpu_us_per_request=[400.0, 500.0, 600.0])
_FRAMED = FramedSignal(
    made=100,
    received=_RECEIVED,
    requests=2,
    digest="digest",
    bytes={"otlp": 60_000, "gzip_6": 12_000, "zstd_3": 11_000, "zstd_3_stream": 9_000, "tracezip": 5_000},
    resets=1,
    fallbacks=0,
)
_TRACEZIP = TracezipRun(dict.fromkeys(ITEMS, _FRAMED), None)
_GOOD = DemoResult(
    http_requests=40,
    burst_spans=30,
    endpoint="http://x",
    compression="none",
    exporters={"official": _RUN, "otlp_fast": _RUN},
    encoding=dict.fromkeys(ITEMS, _ENCODING),
    whole={"official": _COSTLY, "otlp_fast": _WHOLE},
    bare_differences=[-10.0, 5.0, 10.0],
    tracezip=_TRACEZIP,
    tracezip_left_out=None,
    failures=[],
    versions={},
    seconds=1.0,
)
_DIFFERENCE = {"batch": 3, "offset": 17, "official": "0a", "otlp_fast": "0b"}


def _with_signal(signal: str, part: SignalRun, first_message: str | None = None) -> DemoResult:
    ours = ExporterRun({**_RUN.signals, signal: part}, first_message)
    return replace(_GOOD, exporters={"official": _RUN, "otlp_fast": ours})


def _with_whole(ours: WholeRun, official: WholeRun = _COSTLY) -> DemoResult:
    return replace(_GOOD, whole={"official": official, "otlp_fast": ours})


def _with_framed(signal: str, framed: FramedSignal, first_message: str | None = None) -> DemoResult:
    return replace(_GOOD, tracezip=TracezipRun({**_TRACEZIP.signals, signal: framed}, first_message))


@pytest.fixture
def telemetry() -> Mapping[str, Any]:
    """A batch of each signal: three spans, two log records, and metrics with four data points."""
    spans, records, reader = InMemorySpanExporter(), InMemoryLogRecordExporter(), InMemoryMetricReader()
    tracers, loggers, meters = TracerProvider(), LoggerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
    for number in range(3):
        with tracers.get_tracer("tests").start_as_current_span("work", attributes={"number": number}):
            pass
    for number in range(2):
        loggers.get_logger("tests").emit(body="done", attributes={"number": number})
    counter = meters.get_meter("tests").create_counter("done")
    histogram = meters.get_meter("tests").create_histogram("took")
    for number in range(3):
        counter.add(1, {"number": number})
        histogram.record(number)
    batches = {
        "traces": list(spans.get_finished_spans()),
        "logs": list(records.get_finished_logs()),
        "metrics": reader.get_metrics_data(),
    }
    for provider in (tracers, loggers, meters):
        provider.shutdown()
    return batches


@pytest.fixture
def receiver() -> Iterator[Child]:
    with Child("receiver", "otlp_fast.demo.receiver", {}, os.environ) as running:
        yield running


def _post(receiver: Child, body: bytes, path: str = "/v1/traces", **headers: str) -> int:
    url = f"http://127.0.0.1:{receiver.greeting['port']}{path}"
    with urllib3.PoolManager() as connections:
        return connections.request("POST", url, body=body, headers=headers, retries=False).status


def test_good_result_has_no_problems() -> None:
    assert _GOOD.problems == []
    result = _GOOD.as_json()
    assert result["ok"] is True
    assert [result["encoding"][signal]["ratio"] for signal in ITEMS] == [20.0, 20.0, 20.0]
    assert result["export_cpu_ratio"] == dict.fromkeys(ITEMS, 1.0)
    assert result["whole_cpu_ratio"] == 10.0
    assert {signal: framed["identical"] for signal, framed in result["tracezip"]["signals"].items()} == dict.fromkeys(
        ITEMS, True
    )


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (
            _with_signal("traces", replace(_SIGNAL, received=replace(_RECEIVED, items=90)), "Queue full"),
            "otlp-fast exporter: 100 spans made, 90 received; first message logged: Queue full",
        ),
        (
            _with_signal("logs", replace(_SIGNAL, received=None, delivered=0)),
            "otlp-fast exporter: 100 log records made, 0 accepted",
        ),
        (
            _with_signal("metrics", replace(_SIGNAL, received=replace(_RECEIVED, items=101))),
            "otlp-fast exporter: 100 data points made, 101 received",
        ),
        (
            _with_signal("logs", replace(_SIGNAL, made=99, received=replace(_RECEIVED, items=99))),
            "the two services did not make the same number of log records: [99, 100]",
        ),
        (
            replace(_GOOD, encoding={**_GOOD.encoding, "logs": replace(_ENCODING, first_difference=_DIFFERENCE)}),
            "the encoders of log records differ: batch 3, first at byte 17: official 0a, otlp-fast 0b",
        ),
        (
            _with_whole(_WHOLE, replace(_COSTLY, received={"traces": 100, "logs": 7}, first_message="Queue full")),
            "official processor: 100 log records made, 7 received; first message logged: Queue full",
        ),
        (
            _with_whole(replace(_WHOLE, burst_received=29)),
            "otlp-fast processor, burst: 30 spans made, 29 received",
        ),
        (
            replace(_GOOD, whole={"otlp_fast": _WHOLE}, failures=["official processors: the service: no"]),
            "official processors: the service: no",
        ),
        (
            replace(_GOOD, exporters={"official": _RUN}, failures=["otlp-fast exporters: the service: no"]),
            "otlp-fast exporters: the service: no",
        ),
        (
            replace(_GOOD, whole={}, bare_differences=[], failures=["service without exporters: no"]),
            "service without exporters: no",
        ),
        (
            _with_framed("logs", replace(_FRAMED, received=replace(_RECEIVED, items=99, digest="else")), "Queue full"),
            "tracezip and the gateway: 100 log records made, 99 received; first message logged: Queue full",
        ),
        (
            _with_framed("metrics", replace(_FRAMED, received=replace(_RECEIVED, digest="else"))),
            "tracezip and the gateway: the requests of data points that arrived differ from those that were encoded",
        ),
        (
            _with_framed("traces", replace(_FRAMED, fallbacks=1), "does not take tracezip"),
            "tracezip and the gateway: 1 of 2 requests of spans were not sent as frames; first message logged: "
            "does not take tracezip",
        ),
        (
            replace(_GOOD, tracezip=None, failures=["tracezip and the gateway: the gateway process: no"]),
            "tracezip and the gateway: the gateway process: no",
        ),
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_problem_is_a_line_on_stderr_and_exit_status_1(
    monkeypatch: pytest.MonkeyPatch, result: DemoResult, problem: str, options: list[str]
) -> None:
    monkeypatch.setattr(run, "run_demo", lambda *arguments: result)
    outcome = CliRunner().invoke(group, ["demo", *options])
    assert outcome.exit_code == 1
    assert f"FAILED: {problem}\n" in outcome.stderr
    assert ("DIFFERENT" in outcome.stdout) is (not options and ("differ" in problem or "99 received" in problem))
    assert ("failed" in outcome.stdout) is (not options and bool(result.failures))
    assert "In your own service" not in outcome.stdout


def test_spans_that_the_official_processor_drops_of_the_burst_are_told_and_no_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = _with_whole(_WHOLE, replace(_COSTLY, burst_received=17))
    monkeypatch.setattr(run, "run_demo", lambda *arguments: result)
    outcome = CliRunner().invoke(group, ["demo"])
    assert outcome.exit_code == 0
    (row,) = (line.split() for line in outcome.stdout.splitlines() if "burst of 30:" in line)
    assert row[-2:] == ["17", "30"]


@pytest.mark.parametrize(
    ("ours", "bare_differences"),
    [([-1.0], [0.0]), ([50.0], [-51.0]), ([50.0], [51.0]), ([50.0], [-160.0, -80.0, 0.0, 80.0, 160.0])],
    ids=["below nothing", "equal services are apart", "the other way", "or by chance are not"],
)
def test_cost_of_the_whole_process_in_the_noise_has_no_ratio(
    monkeypatch: pytest.MonkeyPatch, ours: list[float], bare_differences: list[float]
) -> None:
    result = replace(_with_whole(replace(_WHOLE, cpu_us_per_request=ours)), bare_differences=bare_differences)
    assert result.whole_cpu_ratio() is None
    monkeypatch.setattr(run, "run_demo", lambda *arguments: result)
    outcome = CliRunner().invoke(group, ["demo"])
    assert [line.endswith("in the noise") for line in map(str.rstrip, outcome.stdout.splitlines())].count(True) == 1


def test_no_cell_of_the_table_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    large = replace(_SIGNAL, made=123_456_789, received=Received(123_456_789, 1, 9_876_543_210, ""))
    wide = replace(_COSTLY, cpu_us_per_request=[-1234.0, 1234.0, 5678.0])
    result = replace(
        _with_whole(_WHOLE, wide),
        exporters=dict.fromkeys(_GOOD.exporters, ExporterRun(dict.fromkeys(ITEMS, large), None)),
        tracezip=TracezipRun(
            dict.fromkeys(ITEMS, replace(_FRAMED, bytes=dict.fromkeys(_FRAMED.bytes, 9_876_543_210))), None
        ),
    )
    monkeypatch.setattr(run, "run_demo", lambda *arguments: result)
    outcome = CliRunner().invoke(group, ["demo"], env={"COLUMNS": "40"})
    assert "\N{HORIZONTAL ELLIPSIS}" not in outcome.stdout
    assert outcome.stdout.count("9,876,543,210") == 6 + 3 * len(_FRAMED.bytes)


def test_tracezip_is_left_out_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    result = replace(_GOOD, tracezip=None, tracezip_left_out="the module uvicorn: pip install 'otlp-fast[gateway]'")
    monkeypatch.setattr(run, "run_demo", lambda *arguments: result)
    outcome = CliRunner().invoke(group, ["demo"])
    assert outcome.exit_code == 0
    needed = "the module uvicorn: pip install 'otlp-fast[gateway]'"
    assert f"tracezip and the gateway: left out, as it needs {needed}\n" in outcome.stdout
    assert "COMPRESSION=tracezip" not in outcome.stdout


def test_ratio_needs_both_figures() -> None:
    assert ratio({"official": 10.0, "otlp_fast": 4.0}) == 2.5
    assert ratio({"official": 10.0}) is None
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)
    assert quartiles([7.0]) == (7.0, 7.0)


def test_comparison_finds_equal_bytes_and_times_both(telemetry: Mapping[str, Any]) -> None:
    compared = Comparison({signal: [batch, batch] for signal, batch in telemetry.items()})
    check, rounds = compared.check(), [compared.measure(), compared.measure()]
    encoders = {
        "traces": otlp_fast.encode_spans,
        "logs": otlp_fast.encode_logs,
        "metrics": otlp_fast.encode_metrics,
    }
    for signal, items in (("traces", 3), ("logs", 2), ("metrics", 4)):
        byte_count = 2 * len(encoders[signal](telemetry[signal]))
        assert byte_count > 100
        assert check[signal] == {
            "items": 2 * items,
            "batches": 2,
            "bytes": {"official": byte_count, "otlp_fast": byte_count},
            "first_difference": None,
        }
        encoding = summarize_encoding([check[signal]] * 2, [each[signal] for each in rounds])
        assert encoding.items == 4 * items
        assert min(*encoding.cpu_us_per_item.values(), *encoding.cpu_us_per_item_again.values()) > 0


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_comparison_finds_a_different_byte(
    telemetry: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, signal: str
) -> None:
    official, (name, good) = comparison._ENCODERS[signal]
    calls: list[Any] = []

    def encode(batch: Any) -> bytes:
        calls.append(batch)
        encoded = good(batch)
        return encoded if len(calls) == 1 else encoded[:-1] + bytes([encoded[-1] ^ 0xFF])

    monkeypatch.setattr(comparison, "_ENCODERS", {**comparison._ENCODERS, signal: (official, (name, encode))})
    checks = Comparison({each: [batch] * 3 for each, batch in telemetry.items()}).check()
    difference = checks[signal]["first_difference"]
    assert difference["batch"] == 1
    assert difference["offset"] == len(good(telemetry[signal])) - 1
    assert difference["official"] != difference["otlp_fast"]
    assert all(check["first_difference"] is None for other, check in checks.items() if other != signal)


@pytest.mark.parametrize(
    ("official", "ours", "offset", "shown"),
    [(b"abc", b"abx", 2, ("63", "78")), (b"abc", b"ab", 2, ("63", "")), (b"", b"a", 0, ("", "61"))],
)
def test_describe_difference_gives_the_first_offset(
    official: bytes, ours: bytes, offset: int, shown: tuple[str, str]
) -> None:
    assert describe_difference(7, official, ours) == {
        "batch": 7,
        "offset": offset,
        "official": shown[0],
        "otlp_fast": shown[1],
    }


_NOTHING = {"items": 0, "requests": 0, "bytes": 0, "digest": digest_of_all([])}


def test_receiver_counts_items_requests_and_bytes_of_each_signal(receiver: Child, telemetry: Mapping[str, Any]) -> None:
    expected = {}
    for signal, encode, items in (
        ("traces", otlp_fast.encode_spans, 3),
        ("logs", otlp_fast.encode_logs, 2),
        ("metrics", otlp_fast.encode_metrics, 4),
    ):
        body = encode(telemetry[signal])
        compressed = gzip.compress(body)
        assert _post(receiver, body, f"/v1/{signal}") == 200
        assert _post(receiver, compressed, f"/v1/{signal}", **{"Content-Encoding": "gzip"}) == 200
        digest = digest_of_all([digest_of_request(body)] * 2)
        byte_count = len(body) + len(compressed)
        expected[signal] = {"items": 2 * items, "requests": 2, "bytes": byte_count, "digest": digest}
    assert receiver.ask("take") == expected
    assert receiver.ask("take") == dict.fromkeys(ITEMS, _NOTHING)


def test_receiver_refuses_what_is_not_an_export_request(receiver: Child) -> None:
    empty = ExportTraceServiceRequest().SerializeToString()
    for signal in ITEMS:
        assert _post(receiver, b"\xff\xff", f"/v1/{signal}") == 400
    assert _post(receiver, b"not gzip", **{"Content-Encoding": "gzip"}) == 400
    assert _post(receiver, gzip.compress(b"abc")[:-5], **{"Content-Encoding": "gzip"}) == 400
    assert _post(receiver, empty, **{"Content-Encoding": "zstd"}) == 400
    assert _post(receiver, empty, "/v1/profiles") == 404
    assert receiver.ask("take") == dict.fromkeys(ITEMS, _NOTHING)


def test_a_child_that_ends_is_one_line_with_its_last_words() -> None:
    with pytest.raises(DemoError, match=r"the receiver process ended unexpectedly with status 1: .*no_such_module"):
        Child("receiver", "otlp_fast.demo.no_such_module", {}, os.environ)


def test_planned_requests_are_the_same_every_time_and_have_every_kind() -> None:
    planned = plan_requests(40)
    assert plan_requests(100)[:40] == planned
    assert Counter(request.status.value for request in planned) == {200: 30, 201: 4, 404: 4, 409: 1, 500: 1}
    assert any("%" in request.path for request in planned)
    assert 0 < sum("traceparent" in request.headers for request in planned) < 40
    script = "from otlp_fast.demo.traffic import plan_requests; print(plan_requests(40))"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.strip() == str(planned)


def test_traffic_reports_an_answer_that_was_not_planned(receiver: Child) -> None:
    with pytest.raises(DemoError, match=r"the demo's service failed: .* was answered with 40\d, not with \d\d\d"):
        Traffic(receiver.greeting["port"], plan_requests(10)).send_all(lambda answered: None)


class _Result(Enum):
    SUCCESS = 0
    FAILURE = 1


class _BusyExporter:
    result = _Result.SUCCESS

    def export(self, batch: Sequence[int], timeout_millis: float = 0) -> _Result:
        self.given = batch, timeout_millis
        sum(range(100_000))
        return self.result


def test_measured_export_counts_keeps_and_forwards() -> None:
    exporter = _BusyExporter()
    measured = MeasuredExport(exporter, len)
    assert exporter.export([1, 2, 3], timeout_millis=7) is _Result.SUCCESS
    assert exporter.given == ([1, 2, 3], 7)
    exporter.result = _Result.FAILURE
    assert exporter.export([4, 5]) is _Result.FAILURE
    assert (measured.exported, measured.delivered, measured.batches) == (5, 3, [[1, 2, 3], [4, 5]])
    assert measured.cpu_ns > 100_000


def test_items_of_a_batch_are_spans_log_records_and_data_points(telemetry: Mapping[str, Any]) -> None:
    assert {signal: count_items(signal, batch) for signal, batch in telemetry.items()} == {
        "traces": 3,
        "logs": 2,
        "metrics": 4,
    }
