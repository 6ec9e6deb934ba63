"""What is sent again, when, and what is said about what is not."""

from __future__ import annotations

import email.utils
import gzip
import logging
import socket
import threading
import time
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from otlp_fast.exporter import retry
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.exporter.http.retry_after import retry_after_seconds
from scripted_receiver import LOGGER, Raw, Receiver, Reply, Stopwatch, reset

MakeExporter = Callable[..., OTLPSpanExporter]
Spans = list[ReadableSpan]


def failure_line(caplog: pytest.LogCaptureFixture) -> str:
    """Give the only error line of the exporter."""
    (record,) = [r for r in caplog.records if r.name == LOGGER and r.levelno == logging.ERROR]
    return record.getMessage()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_retryable_status_is_retried_with_the_same_bytes(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, status: int, compression: str
) -> None:
    receiver.script(Reply(status), Reply(status), Reply(200))
    assert make_exporter(compression=compression).export(spans) is SpanExportResult.SUCCESS
    assert len(receiver.requests) == 3
    assert len({request.body for request in receiver.requests}) == 1
    assert len({tuple(request.headers.items()) for request in receiver.requests}) == 1
    assert receiver.requests[0].connection == receiver.requests[2].connection


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 408, 500, 501])
def test_other_status_is_a_failure_at_once(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(Reply(status, b"" if status == 304 else b"no\x00t  this\n way"))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 1
    assert exporter.stats()["failed"] == 3
    line = failure_line(caplog)
    assert line.startswith(f"Failed to export 3 of 3 spans to {receiver.url}: 3 not delivered: {status} ")
    assert "(1 attempt, " in line
    if status != 304:
        assert ": no t this way" in line


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_success(receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, status: int) -> None:
    receiver.script(Reply(status))
    assert exporter.export(spans) is SpanExportResult.SUCCESS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_a_failure_that_names_the_location(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(Reply(status, headers={"Location": f"{receiver.base}/elsewhere"}))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 1
    assert f"redirects are not followed, Location: {receiver.base}/elsewhere" in failure_line(caplog)


def test_retries_end_after_six_rounds(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(Reply(503, headers={"Retry-After": "0"}))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 6
    assert "503 Service Unavailable (6 attempts, " in failure_line(caplog)


def test_backoff_doubles_with_twenty_percent_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 1.0)
    for number in range(6):
        waits = [retry.backoff_seconds(number) for _ in range(200)]
        assert 0.8 * 2**number <= min(waits) < max(waits) <= 1.2 * 2**number


def test_wait_past_the_deadline_is_not_begun(
    receiver: Receiver,
    make_exporter: MakeExporter,
    spans: Spans,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    receiver.always(Reply(503))
    with Stopwatch() as watch:
        assert make_exporter(timeout=20).export(spans) is SpanExportResult.FAILURE
    assert watch.seconds < 10
    assert len(receiver.requests) == 1
    assert "s would pass the deadline)" in failure_line(caplog)


def test_retry_after_seconds_come_before_the_backoff(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    receiver.script(Reply(503, headers={"Retry-After": "0.3"}))
    with Stopwatch() as watch:
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert 0.3 <= watch.seconds < 8
    assert len(receiver.requests) == 2


def test_retry_after_date_comes_before_the_backoff(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    receiver.script(Reply(429, headers={"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)}))
    with Stopwatch() as watch:
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert 0.9 <= watch.seconds < 8


def test_retry_after_past_the_deadline_is_a_failure_at_once(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(Reply(503, b"", {"Retry-After": "3600"}))
    with Stopwatch() as watch:
        assert exporter.export(spans) is SpanExportResult.FAILURE
    assert watch.seconds < 5
    assert "a wait of 3600.0 s would pass the deadline" in failure_line(caplog)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("5", 5.0), (" 1.5 ", 1.5), ("-3", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float) -> None:
    assert retry_after_seconds(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "soon", "nan", "inf", "1e999", "5, 5"),
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 2015 99999999999999999999:28:00 GMT",
    ],
)
def test_unusable_retry_after_is_ignored(value: str | None) -> None:
    assert retry_after_seconds(value) is None


def test_future_retry_after_date_is_the_time_until_then() -> None:
    value = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert 90 < (retry_after_seconds(value) or 0) <= 100


def test_closed_port_is_retried_then_a_failure(
    make_exporter: MakeExporter, closed_port: int, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_exporter(endpoint=f"http://127.0.0.1:{closed_port}/v1/traces")
    assert exporter.export(spans) is SpanExportResult.FAILURE
    line = failure_line(caplog)
    assert "Failed to export 3 of 3 spans" in line
    assert "Connection refused (6 attempts" in line
    assert "NewConnectionError: Failed to establish" in line


def test_receiver_that_comes_back_within_the_deadline_gets_the_batch(
    make_exporter: MakeExporter, closed_port: int, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.1)
    exporter = make_exporter(endpoint=f"http://127.0.0.1:{closed_port}/v1/traces")
    back: list[Receiver] = []
    timer = threading.Timer(0.3, lambda: back.append(Receiver(closed_port)))
    timer.start()
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    timer.join()
    assert len(back[0].requests) == 1
    back[0].close()


def test_reset_connection_is_retried_at_once_and_then_with_backoff(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(reset, reset, Reply(200))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert len({request.body for request in receiver.requests}) == 1
    assert len(receiver.requests) == 3
    warnings = [record for record in caplog.records if record.name == LOGGER]
    assert len(warnings) == 1
    assert "Transient error while exporting traces" in warnings[0].getMessage()


def test_stale_kept_connection_is_replaced_without_a_wait(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    # The receiver closes when the request has arrived: what a keep-alive timeout at the wrong moment looks like.
    receiver.script(Raw([]), Reply(200))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert [request.connection for request in receiver.requests] == [0, 0, 1]


def test_connection_closed_between_exports_costs_nothing(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    receiver.end_connections()
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert exporter.stats()["exported"] == 6


@pytest.mark.parametrize("nonsense", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff\x01" * 50, b"HTTP/1.1 abc\r\n\r\n"])
def test_nonsense_instead_of_http_is_retried_then_a_failure(
    receiver: Receiver,
    exporter: OTLPSpanExporter,
    spans: Spans,
    nonsense: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver.always(Raw([nonsense]))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 6
    assert "ProtocolError" in failure_line(caplog)
    assert failure_line(caplog).isprintable()


def test_silent_receiver_is_left_at_the_deadline(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(Reply(200, delay=60))
    with Stopwatch() as watch:
        assert make_exporter(timeout=0.4).export(spans) is SpanExportResult.FAILURE
    assert 0.4 <= watch.seconds < 5
    assert len(receiver.requests) == 1
    assert "ReadTimeoutError" in failure_line(caplog)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 503 Slow\r\nX-Slow: ", b"HTTP/1.1 503 Slow\r\nContent-Length: 9999\r\n\r\n"]
)
def test_receiver_that_drips_bytes_is_left_at_the_deadline(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, head: bytes
) -> None:
    receiver.always(Raw([head, *[b"x"] * 300], pause=0.1))
    with Stopwatch() as watch:
        assert make_exporter(timeout=0.5).export(spans) is SpanExportResult.FAILURE
    assert 0.4 <= watch.seconds < 5


def test_slow_receiver_within_the_timeout_is_a_success(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans
) -> None:
    receiver.script(Reply(200, delay=0.3))
    assert exporter.export(spans) is SpanExportResult.SUCCESS


def test_receiver_that_never_accepts_is_left_at_the_deadline(
    make_exporter: MakeExporter, full_backlog: int, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = make_exporter(endpoint=f"http://127.0.0.1:{full_backlog}/", timeout=0.4)
    with Stopwatch() as watch:
        assert exporter.export(spans) is SpanExportResult.FAILURE
    assert 0.3 <= watch.seconds < 5
    assert "ConnectTimeoutError" in failure_line(caplog)


def test_all_addresses_of_a_host_share_one_deadline(
    make_exporter: MakeExporter, full_backlog: int, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, *[full_backlog] * 20)
    with Stopwatch() as watch:
        assert make_exporter(timeout=0.5).export(spans) is SpanExportResult.FAILURE
    assert 0.4 <= watch.seconds < 5


def test_next_address_is_tried_where_one_refuses(
    receiver: Receiver, exporter: OTLPSpanExporter, closed_port: int, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, closed_port, receiver.port, closed_port)
    assert exporter.export(spans) is SpanExportResult.SUCCESS


def resolve_to(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Have every name stand for these ports of this machine."""
    tcp = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(*tcp, ("127.0.0.1", port)) for port in ports])


def test_shutdown_wakes_a_waiting_retry(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(Reply(503, headers={"Retry-After": "25"}))
    exporter = make_exporter(timeout=30)
    results: list[SpanExportResult] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(spans)))
    with Stopwatch() as watch:
        thread.start()
        while not any("Transient error" in record.getMessage() for record in list(caplog.records)):
            time.sleep(0.01)
        exporter.shutdown()
        thread.join(20)
    assert results == [SpanExportResult.FAILURE]
    assert watch.seconds < 15
    assert "the exporter was shut down during the wait" in failure_line(caplog)


def test_repeated_transient_error_is_one_warning(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    receiver.script(*[Reply(503)] * 3, Reply(200), Reply(503), Reply(200))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    transient = [record.levelname for record in caplog.records if "Transient error" in record.getMessage()]
    assert transient == ["WARNING", "DEBUG", "DEBUG"]
    caplog.clear()
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    transient = [record.levelname for record in caplog.records if "Transient error" in record.getMessage()]
    assert transient == ["WARNING"]


def test_secrets_stay_out_of_log_lines(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    receiver.script(Reply(503), Reply(400))
    url = receiver.url.replace("http://", "http://user:hidden@") + "?key=hidden"
    exporter = make_exporter(endpoint=url, headers={"X-Key": "hidden"})
    assert exporter.export(spans) is SpanExportResult.FAILURE
    own = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert len(own) == 2
    assert not any("hidden" in line for line in own)


def test_gzip_is_compressed_once_per_request(
    receiver: Receiver, make_exporter: MakeExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otlp_fast.exporter import compressing

    calls = []
    compress = compressing.compress
    monkeypatch.setattr(compressing, "compress", lambda *arguments: calls.append(1) or compress(*arguments))
    receiver.script(Reply(503), Reply(503))
    assert make_exporter(compression="gzip").export(spans) is SpanExportResult.SUCCESS
    assert len(receiver.requests) == 3
    assert len(calls) == 1
    assert gzip.decompress(receiver.requests[2].body)
