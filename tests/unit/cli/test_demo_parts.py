"""Parts of the demo that a good run does not show: what it says when something is wrong, and the receiver's answers."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import urllib3
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otlp_fast
from otlp_fast.cli.group import group
from otlp_fast.demo import comparison, run
from otlp_fast.demo.child import Child
from otlp_fast.demo.comparison import Comparison, describe_difference
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.measured_exporter import MeasuredExporter
from otlp_fast.demo.result import DemoResult, Encoding, ExporterRun, Received, summarize_encoding
from otlp_fast.demo.traffic import Traffic, plan_requests

_RUN = ExporterRun(100, 100, Received(100, 1, 30_000), 10.0, 0.05, None)
_ENCODING = Encoding(200, 2, 60_000, None, {"official": 40.0, "otlp_fast": 2.0}, {"official": 40.0, "otlp_fast": 1.0})
_GOOD = DemoResult(40, "http://x/v1/traces", "none", {"official": _RUN, "otlp_fast": _RUN}, _ENCODING, {}, 1.0)
_DIFFERENCE = {"batch": 3, "offset": 17, "official": "0a", "otlp_fast": "0b"}


def _with_run(run: ExporterRun) -> DemoResult:
    return replace(_GOOD, runs={"official": _RUN, "otlp_fast": run})


@pytest.fixture
def spans() -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("tests")
    for number in range(3):
        with tracer.start_as_current_span("work", attributes={"number": number}):
            pass
    provider.shutdown()
    return list(memory.get_finished_spans())


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
    assert _GOOD.as_json()["ok"] is True
    assert _GOOD.as_json()["encoding"]["ratio"] == 20.0


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (
            _with_run(replace(_RUN, received=Received(90, 1, 1), first_message="Queue full")),
            "otlp-fast exporter: 100 spans created, 90 received; first message logged: Queue full",
        ),
        (
            _with_run(replace(_RUN, received=None, spans_delivered=0)),
            "otlp-fast exporter: 100 spans created, 0 accepted",
        ),
        (_with_run(replace(_RUN, received=Received(101, 1, 1))), "otlp-fast exporter: 100 spans created, 101 received"),
        (
            _with_run(replace(_RUN, spans_created=99, received=Received(99, 1, 1))),
            "the two services did not create the same number of spans: [99, 100]",
        ),
        (
            replace(_GOOD, encoding=replace(_ENCODING, first_difference=_DIFFERENCE)),
            "the encoders differ: batch 3, first at byte 17: official 0a, otlp-fast 0b",
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
    assert "gave the same bytes" not in outcome.stdout or result.encoding.identical
    assert "In your own service" not in outcome.stdout


def test_comparison_finds_equal_bytes_and_times_both(spans: list[ReadableSpan]) -> None:
    compared = Comparison(spans)
    check = compared.check()
    assert check == {"spans": 3, "batches": 1, "bytes": len(otlp_fast.encode_spans(spans)), "first_difference": None}
    encoding = summarize_encoding([check, check], [compared.measure(), compared.measure()])
    assert encoding.spans == 6
    assert min(*encoding.cpu_us_per_span.values(), *encoding.cpu_us_per_span_again.values()) > 0


def test_comparison_finds_a_different_byte(spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "BATCH_LENGTH", 2)
    good = otlp_fast.encode_spans

    def encode(batch: list[ReadableSpan]) -> bytes:
        encoded = good(batch)
        return encoded if len(batch) == 2 else encoded[:-1] + b"\xff"

    broken = (comparison._ENCODERS[0], ("otlp_fast", encode))
    monkeypatch.setattr(comparison, "_ENCODERS", broken)
    difference = Comparison(spans).check()["first_difference"]
    assert difference["batch"] == 1
    assert difference["offset"] == len(good(spans[2:])) - 1
    assert difference["otlp_fast"] == "ff"


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


def test_receiver_counts_spans_requests_and_bytes_as_they_arrive(receiver: Child, spans: list[ReadableSpan]) -> None:
    body = otlp_fast.encode_spans(spans)
    compressed = gzip.compress(body)
    assert _post(receiver, body) == 200
    assert _post(receiver, compressed, **{"Content-Encoding": "gzip"}) == 200
    assert receiver.ask("take") == {"spans": 6, "requests": 2, "bytes": len(body) + len(compressed)}
    assert receiver.ask("take") == {"spans": 0, "requests": 0, "bytes": 0}


def test_receiver_refuses_what_is_not_an_export_request(receiver: Child) -> None:
    empty = ExportTraceServiceRequest().SerializeToString()
    assert _post(receiver, b"\xff\xff") == 400
    assert _post(receiver, b"not gzip", **{"Content-Encoding": "gzip"}) == 400
    assert _post(receiver, gzip.compress(b"abc")[:-5], **{"Content-Encoding": "gzip"}) == 400
    assert _post(receiver, empty, **{"Content-Encoding": "zstd"}) == 400
    assert _post(receiver, empty, "/v1/logs") == 404
    assert receiver.ask("take") == {"spans": 0, "requests": 0, "bytes": 0}


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


class _BusyExporter(SpanExporter):
    def __init__(self, result: SpanExportResult) -> None:
        self.result = result
        self.shut_down = False

    def export(self, spans: object) -> SpanExportResult:
        sum(range(100_000))
        return self.result

    def shutdown(self) -> None:
        self.shut_down = True


def test_measured_exporter_counts_and_forwards(spans: list[ReadableSpan]) -> None:
    inner = _BusyExporter(SpanExportResult.SUCCESS)
    measured = MeasuredExporter(inner)
    assert measured.export(spans) is SpanExportResult.SUCCESS
    inner.result = SpanExportResult.FAILURE
    assert measured.export(spans) is SpanExportResult.FAILURE
    measured.shutdown()
    assert (measured.exported, measured.delivered, inner.shut_down) == (6, 3, True)
    assert measured.cpu_ns > 100_000
