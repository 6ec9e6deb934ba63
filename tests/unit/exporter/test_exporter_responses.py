"""Response bodies: partial success, error messages, and the ones that mean harm."""

from __future__ import annotations

import gzip
import logging
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_receiver import LOGGER, Raw, Receiver, Reply

MakeExporter = Callable[..., OTLPSpanExporter]
Spans = list[ReadableSpan]

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def partial_success(rejected: int, message: str = "") -> bytes:
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def own_records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == LOGGER]


@pytest.mark.parametrize("headers", [{}, PROTOBUF, {"Content-Type": "application/x-protobuf; charset=utf-8"}])
def test_partial_success_is_counted_logged_and_not_retried(
    receiver: Receiver,
    exporter: OTLPSpanExporter,
    spans: Spans,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver.script(Reply(200, partial_success(2, "too old"), headers))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 1
    assert exporter.stats()["exported"] == 1
    assert exporter.stats()["rejected_by_receiver"] == 2
    (record,) = own_records(caplog)
    assert "Failed to export 2 of 3 spans" in record.getMessage()
    assert "2 rejected by the receiver: too old" in record.getMessage()


def test_message_without_rejection_is_a_warning_and_a_success(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(Reply(200, partial_success(0, "use the new endpoint"), PROTOBUF))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    (record,) = own_records(caplog)
    assert record.levelno == logging.WARNING
    assert "use the new endpoint" in record.getMessage()


@pytest.mark.parametrize(("rejected", "lost"), [(1000, 3), (-5, 0)])
def test_impossible_number_of_rejected_spans_is_bounded(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, rejected: int, lost: int
) -> None:
    receiver.script(Reply(200, partial_success(rejected), PROTOBUF))
    exporter.export(spans)
    assert exporter.stats()["rejected_by_receiver"] == lost
    assert exporter.stats()["exported"] == 3 - lost


def test_compressed_partial_success_is_read(receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans) -> None:
    body = partial_success(1)
    for encoded, encoding in ((gzip.compress(body), "gzip"), (zlib.compress(body), "deflate")):
        receiver.script(Reply(200, encoded, {**PROTOBUF, "Content-Encoding": encoding}))
        assert exporter.export(spans) is SpanExportResult.FAILURE
    assert exporter.stats()["rejected_by_receiver"] == 2


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(200, b"\xff\xff", PROTOBUF), "is not an export response"),
        (Reply(200, b"x", {**PROTOBUF, "Content-Encoding": "br"}), "in unknown encoding br"),
        (Reply(200, b"not gzip", {**PROTOBUF, "Content-Encoding": "gzip"}), "is not valid gzip"),
        (Reply(200, gzip.compress(b"x" * 99)[:-4], {**PROTOBUF, "Content-Encoding": "gzip"}), "is truncated gzip"),
        (Reply(200, bytes(5 * 1024 * 1024), PROTOBUF), "over 4 MiB"),
        (Reply(200, gzip.compress(bytes(64 * 1024 * 1024)), {"Content-Encoding": "gzip"}), "4 MiB after decompression"),
        (Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"]), "broken off"),
        (Raw([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]), "broken off"),
    ],
)
def test_unreadable_body_of_a_success_is_one_warning(
    receiver: Receiver,
    exporter: OTLPSpanExporter,
    spans: Spans,
    reply: Reply | Raw,
    problem: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver.always(reply)
    for _ in range(2):
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    (record,) = own_records(caplog)
    assert record.levelno == logging.WARNING
    assert problem in record.getMessage()
    assert exporter.stats()["exported"] == 6


def test_body_of_another_type_is_not_read_as_protobuf(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(Reply(200, partial_success(3), {"Content-Type": "application/json"}))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert not own_records(caplog)


def test_endless_body_is_not_read_further_and_the_connection_dropped(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    megabyte = bytes(1024 * 1024)
    receiver.script(Raw([b"HTTP/1.1 400 Bad Request\r\n\r\n", *[megabyte] * 100]), Reply(200))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert "400 Bad Request: response body over 4 MiB (1 attempt" in caplog.text
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert receiver.requests[1].connection == 1


def test_gzip_bomb_does_not_hide_a_retryable_status(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans
) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    receiver.script(Reply(503, bomb, {"Content-Encoding": "gzip"}), Reply(200))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert len(receiver.requests) == 2


def test_gzip_bomb_is_not_expanded_in_memory(receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans) -> None:
    receiver.script(Reply(200, gzip.compress(bytes(64 * 1024 * 1024)), {"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        assert exporter.export(spans) is SpanExportResult.SUCCESS
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * 1024 * 1024


def test_error_body_is_read_as_a_status_message(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    body = Status(code=3, message="bad trace id\nin span 1").SerializeToString()
    receiver.script(Reply(400, body, PROTOBUF))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert "400 Bad Request: bad trace id in span 1 (1 attempt" in caplog.text


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"<h1>no\tway</h1>\n", {"Content-Type": "text/html"}), (b"<h1>no\tway</h1>\n", PROTOBUF)],
)
def test_other_error_body_is_shown_as_text(
    receiver: Receiver,
    exporter: OTLPSpanExporter,
    spans: Spans,
    body: bytes,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver.script(Reply(400, body, headers))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert "400 Bad Request: <h1>no way</h1> (1 attempt" in caplog.text


def test_long_error_body_is_cut_to_200_printable_characters(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script(Reply(400, "é".encode() * 5000, {"Content-Type": "text/plain"}))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert f"400 Bad Request: {'é' * 200} (1 attempt" in caplog.text
