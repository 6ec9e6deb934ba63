"""What a gRPC receiver gets, which of its answers are tried again, and how calls end."""

from __future__ import annotations

import logging
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

import otlp_fast
from otlp_fast.exporter import retry
from otlp_fast.exporter.grpc import OTLPSpanExporter
from scripted_grpc_receiver import GRPC_LOGGER, Answer, GRPCReceiver, retry_info
from scripted_receiver import Stopwatch
from telemetry import make_spans

MakeExporter = Callable[..., OTLPSpanExporter]
Spans = list[ReadableSpan]

RETRYABLE = ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"]


def failure_line(caplog: pytest.LogCaptureFixture) -> str:
    """Give the only error line of the exporter."""
    (record,) = [r for r in caplog.records if r.name == GRPC_LOGGER and r.levelno == logging.ERROR]
    return record.getMessage()


def test_metadata_holds_configured_headers_and_the_user_agent(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans
) -> None:
    exporter = make_grpc_exporter(headers={"X-Scope": "7", "Authorization": "Bearer token"})
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    (call,) = grpc_receiver.requests
    assert call.metadata["x-scope"] == "7"
    assert call.metadata["authorization"] == "Bearer token"
    assert call.metadata["user-agent"].startswith(f"OTel-OTLP-Exporter-Python-otlp-fast/{otlp_fast.__version__} ")
    assert call.body == otlp_fast.encode_spans(spans)


def test_user_agent_header_becomes_the_user_agent(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans
) -> None:
    make_grpc_exporter(headers=(("User-Agent", "mine"),)).export(spans)
    assert grpc_receiver.requests[0].metadata["user-agent"].startswith("mine ")


def test_span_that_ends_last_is_delivered_when_the_process_exits(grpc_receiver: GRPCReceiver) -> None:
    # The provider shuts down in an atexit handler. CPython 3.12 starts no thread there, which grpcio's `future` would.
    script = f"""
from opentelemetry.sdk.trace import TracerProvider
from otlp_fast.exporter.grpc import OTLPSpanExporter
from otlp_fast.processor import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter("{grpc_receiver.url}")))
provider.get_tracer("app").start_span("last").end()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert len(grpc_receiver.requests) == 1


@pytest.mark.parametrize(("compression", "smaller"), [("gzip", True), ("none", False)])
def test_gzip_makes_the_message_smaller_on_the_wire(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, compression: str, smaller: bool
) -> None:
    spans = make_spans(1, size=1_000_000)
    with CountingProxy(grpc_receiver.port) as proxy:
        exporter = make_grpc_exporter(endpoint=f"http://127.0.0.1:{proxy.port}", compression=compression)
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        exporter.shutdown()
    assert grpc_receiver.requests[0].body == otlp_fast.encode_spans(spans)
    assert (proxy.bytes_sent < 100_000) is smaller


class CountingProxy:
    """Passes one connection on to a port of this machine and counts what the client sends."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._target = port
        self.bytes_sent = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            other = {client: server, server: client}
            while True:
                for source in select.select(list(other), [], [])[0]:
                    piece = source.recv(65536)
                    if not piece:
                        return
                    self.bytes_sent += len(piece) if source is client else 0
                    other[source].sendall(piece)

    def __enter__(self) -> CountingProxy:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._thread.join(10)
        self._listener.close()


@pytest.mark.parametrize("code", RETRYABLE)
def test_retryable_status_is_retried_with_the_same_bytes(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, code: str
) -> None:
    grpc_receiver.script(*[Answer(grpc.StatusCode[code], "again")] * 2)
    exporter = make_grpc_exporter()
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert [call.body for call in grpc_receiver.requests] == [otlp_fast.encode_spans(spans)] * 3
    assert exporter.stats()["exported"] == 3


@pytest.mark.parametrize(
    "code", [code.name for code in grpc.StatusCode if code.name not in {*RETRYABLE, "OK", "RESOURCE_EXHAUSTED"}]
)
def test_other_status_is_a_failure_at_once(
    grpc_receiver: GRPCReceiver,
    make_grpc_exporter: MakeExporter,
    spans: Spans,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    grpc_receiver.always(Answer(grpc.StatusCode[code], "no\tway"))
    exporter = make_grpc_exporter()
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(grpc_receiver.requests) == 1
    assert exporter.stats()["failed"] == 3
    assert f"127.0.0.1:{grpc_receiver.port}: 3 not delivered: {code}: no way (1 attempt, " in failure_line(caplog)


def test_resource_exhausted_without_retry_info_is_a_failure_at_once(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans
) -> None:
    grpc_receiver.always(Answer(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota exceeded"))
    exporter = make_grpc_exporter()
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(grpc_receiver.requests) == 1
    assert exporter.stats()["failed"] == 3


@pytest.mark.parametrize("code", ["RESOURCE_EXHAUSTED", "UNAVAILABLE"])
def test_retry_info_comes_before_the_backoff(
    grpc_receiver: GRPCReceiver,
    make_grpc_exporter: MakeExporter,
    spans: Spans,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    grpc_receiver.script(Answer(grpc.StatusCode[code], "slow down", status_details=retry_info(0.4)))
    with Stopwatch() as watch:
        assert make_grpc_exporter().export(spans) is SpanExportResult.SUCCESS
    assert 0.4 <= watch.seconds < 8
    assert len(grpc_receiver.requests) == 2


def test_retry_info_past_the_deadline_is_a_failure_at_once(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    grpc_receiver.always(Answer(grpc.StatusCode.UNAVAILABLE, "later", status_details=retry_info(3600)))
    with Stopwatch() as watch:
        assert make_grpc_exporter().export(spans) is SpanExportResult.FAILURE
    assert watch.seconds < 5
    assert "a wait of 3600.0 s would pass the deadline" in failure_line(caplog)


@pytest.mark.parametrize("status_details", [b"\xff\xff", b"", Status(code=8, message="no info").SerializeToString()])
def test_status_without_retry_info_changes_nothing(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, status_details: bytes
) -> None:
    grpc_receiver.script(Answer(grpc.StatusCode.UNAVAILABLE, "x", status_details=status_details))
    assert make_grpc_exporter().export(spans) is SpanExportResult.SUCCESS
    grpc_receiver.script(Answer(grpc.StatusCode.RESOURCE_EXHAUSTED, "x", status_details=status_details))
    assert make_grpc_exporter().export(spans) is SpanExportResult.FAILURE


@pytest.mark.parametrize(
    ("code", "details"),
    [
        ("RESOURCE_EXHAUSTED", "SERVER: Received message larger than max (5000000 vs. 4194304)"),
        ("RESOURCE_EXHAUSTED", "grpc: received message larger than max (5000000 vs. 4194304)"),
        ("RESOURCE_EXHAUSTED", "grpc: received message after decompression larger than max 4194304"),
        ("RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4194304: 5000000"),
        ("OUT_OF_RANGE", "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes"),
    ],
)
def test_size_refusal_of_every_implementation_is_understood(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, code: str, details: str
) -> None:
    grpc_receiver.script(Answer(grpc.StatusCode[code], details))
    exporter = make_grpc_exporter()
    assert exporter.export(make_spans(4)) is SpanExportResult.SUCCESS
    assert len(grpc_receiver.requests) == 3
    assert exporter.stats()["exported"] == 4


def test_limit_of_a_real_receiver_is_met_by_halves() -> None:
    receiver = GRPCReceiver(options=[("grpc.max_receive_message_length", 1000)])
    exporter = OTLPSpanExporter(receiver.url)
    spans = [*make_spans(7, size=300), *make_spans(1, size=2000)]
    assert exporter.export(spans) is SpanExportResult.FAILURE
    exporter.shutdown()
    receiver.close()
    assert exporter.stats()["exported"] == 7
    assert exporter.stats()["too_large"] == 1


def test_default_limit_is_that_of_receivers(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_grpc_exporter()
    assert exporter.export(make_spans(6, size=1_000_000)) is SpanExportResult.SUCCESS
    assert len(grpc_receiver.requests) == 2
    assert not caplog.records


def test_own_limit_for_sending_is_met_by_halves(grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter) -> None:
    exporter = make_grpc_exporter(channel_options=(("grpc.max_send_message_length", 1000),))
    assert exporter.export(make_spans(4, size=300)) is SpanExportResult.SUCCESS
    assert len(grpc_receiver.requests) == 2


@pytest.mark.parametrize(
    ("response", "problem"), [(bytes(5 * 1024 * 1024), "response over 4 MiB"), (b"\xff", "is not an export response")]
)
def test_unreadable_response_of_a_success_is_one_warning(
    grpc_receiver: GRPCReceiver,
    make_grpc_exporter: MakeExporter,
    spans: Spans,
    response: bytes,
    problem: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    grpc_receiver.always(Answer(response=response))
    exporter = make_grpc_exporter()
    for _ in range(2):
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert len(grpc_receiver.requests) == 2
    (record,) = [record for record in caplog.records if record.name == GRPC_LOGGER]
    assert record.levelno == logging.WARNING
    assert problem in record.getMessage()


def test_codes_of_the_user_replace_those_of_the_specification(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans
) -> None:
    exporter = make_grpc_exporter(retryable_error_codes=[grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED])
    grpc_receiver.script(
        Answer(grpc.StatusCode.INTERNAL), Answer(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota"), Answer()
    )
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    grpc_receiver.script(Answer(grpc.StatusCode.UNAVAILABLE))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(grpc_receiver.requests) == 4


def test_retries_end_after_six_rounds(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    grpc_receiver.always(Answer(grpc.StatusCode.UNAVAILABLE, "busy", status_details=retry_info(0)))
    assert make_grpc_exporter().export(spans) is SpanExportResult.FAILURE
    assert len(grpc_receiver.requests) == 6
    assert "UNAVAILABLE: busy (6 attempts, " in failure_line(caplog)


def test_silent_receiver_is_left_at_the_deadline(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    grpc_receiver.always(Answer(delay=60))
    with Stopwatch() as watch:
        assert make_grpc_exporter(timeout=0.4).export(spans) is SpanExportResult.FAILURE
    assert 0.3 <= watch.seconds < 5
    assert "DEADLINE_EXCEEDED" in failure_line(caplog)


def test_closed_port_is_a_failure_that_says_so(
    closed_port: int, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_grpc_exporter(endpoint=f"http://127.0.0.1:{closed_port}", timeout=2)
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert "UNAVAILABLE: " in failure_line(caplog)
    assert exporter.stats()["failed"] == 3


def test_receiver_that_comes_back_within_the_deadline_gets_the_batch(
    closed_port: int, make_grpc_exporter: MakeExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.2)
    exporter = make_grpc_exporter(endpoint=f"http://127.0.0.1:{closed_port}", timeout=20)
    back: list[GRPCReceiver] = []
    timer = threading.Timer(0.5, lambda: back.append(GRPCReceiver(closed_port)))
    timer.start()
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    timer.join()
    assert len(back[0].requests) == 1
    back[0].close()


def test_receiver_that_restarts_between_batches_costs_nothing(
    closed_port: int, make_grpc_exporter: MakeExporter, spans: Spans
) -> None:
    exporter = make_grpc_exporter(endpoint=f"http://127.0.0.1:{closed_port}")
    for _ in range(3):
        receiver = GRPCReceiver(closed_port)
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        receiver.close()
    assert exporter.stats()["exported"] == 9


def test_shutdown_wakes_a_waiting_retry(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    grpc_receiver.always(Answer(grpc.StatusCode.UNAVAILABLE, "later", status_details=retry_info(25)))
    exporter = make_grpc_exporter(timeout=30)
    thread, results = _exporting(exporter, spans)
    with Stopwatch() as watch:
        while not any("Transient error" in record.getMessage() for record in list(caplog.records)):
            time.sleep(0.01)
        exporter.shutdown()
        thread.join(20)
    assert results == [SpanExportResult.FAILURE]
    assert watch.seconds < 15
    assert "the exporter was shut down during the wait" in failure_line(caplog)


def test_shutdown_lets_a_call_under_way_end(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans
) -> None:
    grpc_receiver.always(Answer(delay=0.5))
    exporter = make_grpc_exporter()
    thread, results = _exporting(exporter, spans)
    while not grpc_receiver.requests:
        time.sleep(0.01)
    exporter.shutdown(timeout_millis=20_000)
    thread.join(10)
    assert results == [SpanExportResult.SUCCESS]


def test_shutdown_cancels_a_call_that_outlives_it(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    grpc_receiver.always(Answer(delay=60))
    exporter = make_grpc_exporter(timeout=50)
    thread, results = _exporting(exporter, spans)
    while not grpc_receiver.requests:
        time.sleep(0.01)
    with Stopwatch() as watch:
        exporter.shutdown(timeout_millis=200)
        thread.join(20)
    assert results == [SpanExportResult.FAILURE]
    assert watch.seconds < 15
    assert exporter.stats()["failed"] == 3
    assert "the exporter was shut down" in failure_line(caplog)


def _exporting(exporter: OTLPSpanExporter, spans: Spans) -> tuple[threading.Thread, list[SpanExportResult]]:
    results: list[SpanExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(spans)))
    thread.start()
    return thread, results


def test_concurrent_exports_all_arrive(grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter) -> None:
    exporter = make_grpc_exporter()
    batches = [make_spans(5) for _ in range(8)]
    results: list[SpanExportResult] = []

    def work(batch: Spans) -> None:
        results.extend(exporter.export(batch) for _ in range(5))

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [SpanExportResult.SUCCESS] * 40
    assert exporter.stats()["exported"] == 200
    expected = sorted(otlp_fast.encode_spans(batch) for batch in batches for _ in range(5))
    assert sorted(call.body for call in grpc_receiver.requests) == expected


def test_secrets_stay_out_of_log_lines(
    grpc_receiver: GRPCReceiver, make_grpc_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=GRPC_LOGGER)
    grpc_receiver.script(Answer(grpc.StatusCode.UNAVAILABLE), Answer(grpc.StatusCode.INTERNAL))
    url = grpc_receiver.url.replace("http://", "http://user:hidden@")
    assert make_grpc_exporter(endpoint=url, headers="x-key=hidden").export(spans) is SpanExportResult.FAILURE
    own = [record.getMessage() for record in caplog.records if record.name == GRPC_LOGGER]
    assert len(own) == 2
    assert not any("hidden" in line for line in own)
    assert grpc_receiver.requests[0].metadata["authorization"] == "Basic dXNlcjpoaWRkZW4="


def test_instrumented_grpc_sees_no_call_of_the_exporter(
    grpc_receiver: GRPCReceiver, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.grpc")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    instrumentor: Any = instrumentation.GrpcInstrumentorClient()
    # It hands the tracer provider that it is given to nobody, and takes the global one.
    interceptor = instrumentation.client_interceptor
    monkeypatch.setattr(
        instrumentation, "client_interceptor", lambda **given: interceptor(**{**given, "tracer_provider": provider})
    )
    instrumentor.instrument()
    try:
        exporter = OTLPSpanExporter(grpc_receiver.url)
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        exporter.shutdown()
        assert memory.get_finished_spans() == ()
        assert "traceparent" not in grpc_receiver.requests[0].metadata
        # A call without an exporter around it is traced: the instrumentation is at work.
        channel = grpc.insecure_channel(f"127.0.0.1:{grpc_receiver.port}")
        channel.unary_unary("/other.Service/Call")(b"", timeout=10)
        channel.close()
        assert len(memory.get_finished_spans()) == 1
    finally:
        instrumentor.uninstrument()
