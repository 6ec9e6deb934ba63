"""Requests that are under way when an exporter is shut down: they get the time that is left, and are accounted for."""

from __future__ import annotations

import logging
import queue
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from certificates import make_certificate, openssl
from otlp_fast.exporter import pipeline
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.exporter.http.connection import _KeptConnections
from otlp_fast.exporter.spool import SpooledRequest
from scripted_receiver import LOGGER, Raw, Receiver, Reply, Stopwatch
from telemetry import make_spans

MakeExporter = Callable[..., OTLPSpanExporter]
Spans = list[ReadableSpan]

PATIENCE = 20


@pytest.fixture(autouse=True)
def patient_accounting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second may not be enough where the machine is busy. Nothing here takes all of this."""
    monkeypatch.setattr(pipeline, "ACCOUNTING_SECONDS", PATIENCE)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which connections are accepted by the kernel, and nobody reads."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def exporting(exporter: OTLPSpanExporter, spans: Spans) -> tuple[threading.Thread, list[SpanExportResult]]:
    """Export in a thread, and give it once it uses a connection."""
    results: list[SpanExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(spans)))
    thread.start()
    wait_until(lambda: exporter._client._transport._requests._connections)
    # Now it is about to wait there.
    time.sleep(0.1)
    return thread, results


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def assert_cut_off(exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture) -> None:
    """Shut down while `spans` are exported: when that returns they are counted, and the line is written."""
    thread, results = exporting(exporter, spans)
    with Stopwatch() as watch:
        exporter.shutdown(timeout_millis=200)
    assert 0.2 <= watch.seconds < PATIENCE / 2
    assert exporter.stats()["failed"] == len(spans)
    (record,) = [r for r in caplog.records if r.name == LOGGER and r.levelno == logging.ERROR]
    assert "no answer before the end of shutdown (1 attempt, " in record.getMessage()
    assert record.getMessage().endswith(" s, the exporter was shut down)")
    thread.join(PATIENCE)
    assert results == [SpanExportResult.FAILURE]


def test_request_under_way_gets_the_time_that_is_left(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans
) -> None:
    receiver.script(Reply(200, delay=0.5))
    thread, results = exporting(exporter, spans)
    exporter.shutdown(timeout_millis=PATIENCE * 1000)
    assert exporter.stats()["exported"] == 3
    thread.join(PATIENCE)
    assert results == [SpanExportResult.SUCCESS]


def test_all_parts_of_a_request_get_the_time_that_is_left(receiver: Receiver, make_exporter: MakeExporter) -> None:
    receiver.script(Reply(200, delay=0.5))
    exporter = make_exporter(max_request_size=2000)
    exporting(exporter, make_spans(4, size=1000))
    exporter.shutdown(timeout_millis=PATIENCE * 1000)
    assert exporter.stats()["exported"] == 4
    assert len(receiver.requests) > 1


@pytest.mark.parametrize("answer", [Reply(200, delay=60), Raw([b"HTTP/1.1 "] * 600, pause=0.1)])
@pytest.mark.parametrize("is_kept", [False, True])
def test_request_is_cut_off_in_its_answer(
    receiver: Receiver,
    make_exporter: MakeExporter,
    spans: Spans,
    is_kept: bool,
    answer: Reply | Raw,
    caplog: pytest.LogCaptureFixture,
) -> None:
    exporter = make_exporter(timeout=50)
    if is_kept:
        exporter.export(spans)
    receiver.script(answer)
    assert_cut_off(exporter, spans, caplog)
    assert {request.connection for request in receiver.requests} == {0}


def test_request_is_cut_off_while_it_connects(
    make_exporter: MakeExporter, full_backlog: int, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_exporter(endpoint=f"http://127.0.0.1:{full_backlog}/", timeout=50)
    assert_cut_off(exporter, spans, caplog)


def test_request_is_cut_off_while_it_is_sent(
    make_exporter: MakeExporter, silent_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_exporter(endpoint=f"http://127.0.0.1:{silent_port}/", timeout=50, compression="none")
    assert_cut_off(exporter, make_spans(3, size=10_000_000), caplog)


def test_request_is_cut_off_in_the_handshake(
    make_exporter: MakeExporter, silent_port: int, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_exporter(endpoint=f"https://127.0.0.1:{silent_port}/", timeout=50)
    assert_cut_off(exporter, spans, caplog)


def test_request_is_cut_off_in_its_answer_over_tls(
    make_exporter: MakeExporter, spans: Spans, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if openssl is None:
        pytest.skip("needs the openssl command to make certificates")
    certificate, key = make_certificate(tmp_path, "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    receiver = Receiver(tls=tls)
    receiver.always(Reply(200, delay=60))
    exporter = make_exporter(endpoint=receiver.url, certificate_file=str(certificate), timeout=50)
    assert_cut_off(exporter, spans, caplog)
    assert len(receiver.requests) == 1
    receiver.close()


def test_requests_of_all_threads_are_cut_off(receiver: Receiver, make_exporter: MakeExporter) -> None:
    receiver.always(Reply(200, delay=60))
    exporter = make_exporter(timeout=50)
    for _ in range(5):
        exporting(exporter, make_spans(2))
    wait_until(lambda: len(receiver.requests) == 5)
    exporter.shutdown(timeout_millis=0)
    assert exporter.stats()["failed"] == 10


def test_request_that_is_cut_off_is_in_the_spool_before_that_is_closed(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, tmp_path: Path
) -> None:
    receiver.script(Reply(200, delay=60))
    exporter = make_exporter(timeout=50, spool_dir=tmp_path)
    exporting(exporter, spans)
    exporter.shutdown(timeout_millis=100)
    assert exporter.stats()["spooled"] == 3
    assert exporter._spooled is not None
    assert exporter._spooled._spool._connection is None
    heir = make_exporter(spool_dir=tmp_path)
    assert heir.force_flush()
    heir.shutdown()
    assert heir.stats()["sent_from_spool"] == 3


def test_spooled_request_that_is_cut_off_is_given_back_to_the_spool(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.script(Reply(503, headers={"Retry-After": "3600"}), Reply(200, delay=60))
    exporter = make_exporter(timeout=50, spool_dir=tmp_path)
    exporter.export(spans)
    assert exporter._spooled is not None
    spool = exporter._spooled._spool
    release, released = spool.release, []

    def release_late(record: SpooledRequest) -> None:
        time.sleep(0.3)
        release(record)
        released.append(record.item_count)

    monkeypatch.setattr(spool, "release", release_late)
    thread = threading.Thread(target=exporter.force_flush, args=(50_000,))
    thread.start()
    wait_until(lambda: len(receiver.requests) == 2)
    exporter.shutdown(timeout_millis=100)
    assert released == [3]
    assert exporter.stats()["sent_from_spool"] == 0
    heir = make_exporter(spool_dir=tmp_path)
    assert heir.force_flush()
    heir.shutdown()
    assert heir.stats()["sent_from_spool"] == 3
    thread.join(PATIENCE)


def test_request_over_a_session_is_waited_for_and_said_to_be_under_way(
    receiver: Receiver,
    make_exporter: MakeExporter,
    spans: Spans,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pipeline, "ACCOUNTING_SECONDS", 0.1)
    receiver.script(Reply(200, delay=60))
    exporter = make_exporter(timeout=50, session=urllib3.PoolManager())
    thread = threading.Thread(target=exporter.export, args=(spans,))
    thread.start()
    wait_until(lambda: receiver.requests)
    with Stopwatch() as watch:
        exporter.shutdown(timeout_millis=200)
    assert 0.3 <= watch.seconds < PATIENCE
    assert f"requests to {receiver.url} with 3 spans are under way" in caplog.text
    assert exporter.stats()["failed"] == 0
    receiver.end_connections()
    thread.join(PATIENCE)
    assert sum(exporter.stats().values()) == 3


def test_signal_handler_may_shut_down_the_call_that_it_interrupts(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans
) -> None:
    receiver.script(Reply(200, delay=60))
    exporter = make_exporter(timeout=50)
    main = threading.get_ident()

    def interrupt() -> None:
        wait_until(lambda: receiver.requests)
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: exporter.shutdown(timeout_millis=PATIENCE * 1000))
    try:
        threading.Thread(target=interrupt).start()
        with Stopwatch() as watch:
            assert exporter.export(spans) is SpanExportResult.FAILURE
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert watch.seconds < PATIENCE / 2
    assert exporter.stats()["failed"] == 3


def test_signal_handler_may_shut_down_the_drain_that_it_interrupts(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, tmp_path: Path
) -> None:
    receiver.script(Reply(503, headers={"Retry-After": "3600"}), Reply(200, delay=60))
    exporter = make_exporter(timeout=50, spool_dir=tmp_path)
    exporter.export(spans)
    main = threading.get_ident()

    def interrupt() -> None:
        wait_until(lambda: len(receiver.requests) == 2)
        signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: exporter.shutdown(timeout_millis=PATIENCE * 1000))
    try:
        threading.Thread(target=interrupt).start()
        with Stopwatch() as watch:
            assert not exporter.force_flush(timeout_millis=50_000)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert watch.seconds < PATIENCE / 2
    assert exporter._spooled is not None
    assert len(exporter._spooled._spool) == 1
    exporter._spooled.close()


def test_signal_handler_may_export_where_it_interrupts_an_export(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans
) -> None:
    """The locks that an export takes are held, as they are by the call below the handler on the same thread."""
    kept = exporter._client._transport._connections.connection_from_url(receiver.url).pool
    receiver.script(Reply(200), Reply(400))

    def handle() -> None:
        with exporter._stats_lock, exporter._losses._lock, kept.mutex:
            results.extend(exporter.export(spans) for _ in range(2))
            exporter.stats()

    results: list[SpanExportResult] = []
    thread = threading.Thread(target=handle, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert results == [SpanExportResult.SUCCESS, SpanExportResult.FAILURE]


def test_handler_that_takes_the_last_kept_connection_leaves_none() -> None:
    kept = _KeptConnections(1)
    kept.put("connection")
    kept._qsize = lambda: 1  # type: ignore[method-assign]
    assert kept.get(block=False) == "connection"
    with pytest.raises(queue.Empty):
        kept.get(block=False)


def test_encoding_of_host_names_is_looked_up_before_threads_need_it() -> None:
    program = "import sys; from otlp_fast.exporter.http import OTLPSpanExporter; print('encodings.idna' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
