"""What arrives at the receiver, and what the exporter makes of a batch."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Callable

import lz4.frame
import pytest
import urllib3
import zstandard
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import otlp_fast
from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_receiver import LOGGER, Receiver, Reply

MakeExporter = Callable[..., OTLPSpanExporter]
MakeSpans = Callable[..., list[ReadableSpan]]

NOTHING = {
    "exported": 0,
    "refused_by_encoder": 0,
    "too_large": 0,
    "rejected_by_receiver": 0,
    "failed": 0,
    "spool_full": 0,
    "spool_failed": 0,
    "after_shutdown": 0,
    "spooled": 0,
    "sent_from_spool": 0,
    "lost_from_spool": 0,
}


def test_exporter_is_an_sdk_span_exporter(exporter: OTLPSpanExporter) -> None:
    assert isinstance(exporter, SpanExporter)


def test_request_is_a_post_of_the_encoded_spans(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    (request,) = receiver.requests
    assert (request.method, request.path) == ("POST", "/v1/traces")
    assert request.body == otlp_fast.encode_spans(spans)
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["user-agent"] == f"OTel-OTLP-Exporter-Python-otlp-fast/{otlp_fast.__version__}"
    assert request.headers["content-length"] == str(len(request.body))
    assert "content-encoding" not in request.headers
    assert exporter.stats() == {**NOTHING, "exported": 3}
    assert not [record for record in caplog.records if record.name == LOGGER]


def test_configured_headers_and_query_are_sent(
    receiver: Receiver, make_exporter: MakeExporter, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20token,user-agent=mine")
    exporter = make_exporter(endpoint=f"{receiver.base}/custom/path?tenant=1", headers={"X-Scope": "7"})
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    (request,) = receiver.requests
    assert request.path == "/custom/path?tenant=1"
    assert request.headers["authorization"] == "Bearer token"
    assert request.headers["user-agent"] == "mine"
    assert request.headers["x-scope"] == "7"


def test_variables_alone_configure_an_exporter_for_a_receiver(
    receiver: Receiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.base)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    exporter = OTLPSpanExporter()
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()
    assert receiver.requests[0].path == "/v1/traces"
    assert gzip.decompress(receiver.requests[0].body) == otlp_fast.encode_spans(spans)


def test_gzip_body_is_smaller_and_expands_to_the_same_bytes(
    receiver: Receiver, make_exporter: MakeExporter, make_spans: MakeSpans
) -> None:
    spans = make_spans(50)
    assert make_exporter(compression="gzip").export(spans) is SpanExportResult.SUCCESS
    (request,) = receiver.requests
    assert request.headers["content-encoding"] == "gzip"
    assert len(request.body) < len(otlp_fast.encode_spans(spans))
    assert gzip.decompress(request.body) == otlp_fast.encode_spans(spans)


@pytest.mark.parametrize(
    ("encoding", "expand"),
    [
        ("gzip", gzip.decompress),
        ("zstd", lambda body: zstandard.ZstdDecompressor().decompress(body, max_output_size=2**26)),
        ("lz4", lz4.frame.decompress),
    ],
)
def test_every_encoding_is_read_by_others(
    receiver: Receiver,
    make_exporter: MakeExporter,
    spans: list[ReadableSpan],
    encoding: str,
    expand: Callable[[bytes], bytes],
) -> None:
    exporter = make_exporter(compression=encoding)
    request = otlp_fast.encode_spans(spans)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert exporter.export_request(request, 3) is True
    receiver.script(Reply(503))
    assert exporter.export_request(request, 3) is True
    assert {sent.headers["content-encoding"] for sent in receiver.requests} == {encoding}
    assert [expand(sent.body) for sent in receiver.requests] == [request] * 4


def test_empty_batch_is_a_success_without_a_request(receiver: Receiver, exporter: OTLPSpanExporter) -> None:
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert receiver.requests == []
    assert exporter.stats() == NOTHING


def test_connection_is_kept_between_exports(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan]
) -> None:
    receiver.always(Reply(200, b"\x0a\x00", {"Content-Type": "application/x-protobuf"}))
    for _ in range(3):
        assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert [request.connection for request in receiver.requests] == [0, 0, 0]


def test_items_that_are_not_spans_cost_only_themselves(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    batch = [spans[0], "not a span", spans[1], None, spans[2]]
    assert exporter.export(batch) is SpanExportResult.FAILURE  # type: ignore[arg-type]
    assert receiver.requests[0].body == otlp_fast.encode_spans(spans)
    assert exporter.stats() == {**NOTHING, "exported": 3, "refused_by_encoder": 2}
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert "Failed to export 2 of 5 spans" in record.getMessage()
    assert "2 refused by the encoder: spans[1]" in record.getMessage()


def test_batch_without_any_span_is_a_failure_without_a_request(
    receiver: Receiver, exporter: OTLPSpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    assert exporter.export([object(), "x"]) is SpanExportResult.FAILURE  # type: ignore[list-item]
    assert receiver.requests == []
    assert exporter.stats() == {**NOTHING, "refused_by_encoder": 2}
    assert "Failed to export 2 of 2 spans" in caplog.text


def test_unexpected_error_is_logged_once_with_traceback_and_counted(
    exporter: OTLPSpanExporter,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(exporter._client, "send", broken)
    assert exporter.export(spans) is SpanExportResult.FAILURE
    (record,) = caplog.records
    assert "Failed to export 3 of 3 spans" in record.getMessage()
    assert record.exc_info is not None
    assert "a bug" in caplog.text
    assert exporter.stats() == {**NOTHING, "failed": 3}


@pytest.mark.parametrize("batch", [None, 7])
def test_batch_that_is_not_a_sequence_raises_nothing(exporter: OTLPSpanExporter, batch: object) -> None:
    assert exporter.export(batch) is SpanExportResult.FAILURE  # type: ignore[arg-type]


def sent_names(receiver: Receiver, spans: list[ReadableSpan]) -> list[list[int]]:
    """Give the indices of the spans in each request: by their names, which the bytes hold."""
    return [
        [index for index, span in enumerate(spans) if span.name.encode() in request.body]
        for request in receiver.requests
    ]


def test_oversized_batch_is_cut_into_as_few_requests_as_hold_it(
    receiver: Receiver, make_exporter: MakeExporter, make_spans: MakeSpans
) -> None:
    spans = make_spans(8, size=1000)
    limit = len(otlp_fast.encode_spans(spans[:3]))
    exporter = make_exporter(max_request_size=limit)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert [request.body for request in receiver.requests] == [
        otlp_fast.encode_spans(spans[start : start + 3]) for start in (0, 3, 6)
    ]
    assert exporter.stats() == {**NOTHING, "exported": 8}


def test_request_of_exactly_the_limit_is_not_split(
    receiver: Receiver, make_exporter: MakeExporter, spans: list[ReadableSpan]
) -> None:
    size = len(otlp_fast.encode_spans(spans))
    assert make_exporter(max_request_size=size).export(spans) is SpanExportResult.SUCCESS
    assert len(receiver.requests) == 1
    assert make_exporter(max_request_size=size - 1).export(spans) is SpanExportResult.SUCCESS
    assert len(receiver.requests) == 3


def test_limit_of_zero_sends_any_size(
    receiver: Receiver, make_exporter: MakeExporter, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otlp_fast.exporter.http.configuration.DEFAULT_MAX_REQUEST_SIZE", 1)
    assert make_exporter(max_request_size=0).export(spans) is SpanExportResult.SUCCESS
    assert make_exporter().export(spans) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 1


def test_single_oversized_span_is_dropped_and_the_others_sent(
    receiver: Receiver, make_exporter: MakeExporter, make_spans: MakeSpans, caplog: pytest.LogCaptureFixture
) -> None:
    spans = [*make_spans(2), *make_spans(1, size=5000), *make_spans(2)]
    exporter = make_exporter(max_request_size=2000)
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert exporter.stats() == {**NOTHING, "exported": 4, "too_large": 1}
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert "Failed to export 1 of 5 spans" in record.getMessage()
    assert "exceed max_request_size 2000" in record.getMessage()


def test_413_is_halved_down_to_the_refused_span(
    receiver: Receiver, exporter: OTLPSpanExporter, make_spans: MakeSpans, caplog: pytest.LogCaptureFixture
) -> None:
    spans = make_spans(4)
    receiver.script(Reply(413), Reply(200), Reply(413), Reply(413, b"too big"), Reply(200))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert sent_names(receiver, spans) == [[0, 1, 2, 3], [0, 1], [2, 3], [2], [3]]
    assert exporter.stats() == {**NOTHING, "exported": 3, "too_large": 1}
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert "1 too large: 413 " in record.getMessage()


def test_400_for_the_size_as_collectors_say_it_is_halved_too(
    receiver: Receiver, exporter: OTLPSpanExporter, make_spans: MakeSpans, caplog: pytest.LogCaptureFixture
) -> None:
    spans = make_spans(2)
    refusal = Reply(400, b"\x08\x03\x12\x1chttp: request body too large", {"Content-Type": "application/x-protobuf"})
    receiver.script(refusal, refusal, Reply(200))
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert sent_names(receiver, spans) == [[0, 1], [0], [1]]
    assert exporter.stats() == {**NOTHING, "exported": 1, "too_large": 1}
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert "1 too large: 400 Bad Request: http: request body too large" in record.getMessage()


def test_413_before_the_body_was_read_is_understood(
    receiver: Receiver, exporter: OTLPSpanExporter, make_spans: MakeSpans
) -> None:
    # What proxies do: refuse by Content-Length, close, and reset what is still being sent.
    receiver.refuse_bodies_over(3_000_000)
    spans = make_spans(4, size=1_000_000)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert sent_names(receiver, spans) == [[0, 1], [2, 3]]
    assert exporter.stats() == {**NOTHING, "exported": 4}


def test_413_is_a_success_where_the_halves_arrive(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan]
) -> None:
    receiver.script(Reply(413))
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    assert exporter.stats() == {**NOTHING, "exported": 3}


def test_refusal_of_one_half_does_not_cost_the_other(
    receiver: Receiver, exporter: OTLPSpanExporter, make_spans: MakeSpans
) -> None:
    receiver.script(Reply(413), Reply(400), Reply(200))
    assert exporter.export(make_spans(4)) is SpanExportResult.FAILURE
    assert exporter.stats() == {**NOTHING, "exported": 2, "failed": 2}


def test_split_batch_is_given_up_as_one_when_the_receiver_is_away(
    receiver: Receiver, make_exporter: MakeExporter, make_spans: MakeSpans
) -> None:
    receiver.script(Reply(413))
    receiver.always(Reply(503, headers={"Retry-After": "60"}))
    exporter = make_exporter()
    assert exporter.export(make_spans(4)) is SpanExportResult.FAILURE
    assert len(receiver.requests) == 2
    assert exporter.stats() == {**NOTHING, "failed": 4}


def test_shutdown_refuses_later_batches_and_is_idempotent(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    exporter.shutdown()
    assert caplog.text == ""
    exporter.shutdown()
    assert exporter.export(spans) is SpanExportResult.FAILURE
    assert [record.getMessage() for record in caplog.records] == [
        "Exporter already shutdown, ignoring call",
        "Exporter already shutdown, ignoring batch",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert receiver.requests == []
    assert exporter.stats() == {**NOTHING, "after_shutdown": 3}


def test_force_flush_has_nothing_to_do(exporter: OTLPSpanExporter) -> None:
    assert exporter.force_flush() is True
    assert exporter.force_flush(timeout_millis=1) is True


def test_concurrent_exports_all_arrive(receiver: Receiver, exporter: OTLPSpanExporter, make_spans: MakeSpans) -> None:
    batches = [make_spans(5) for _ in range(8)]
    results: list[SpanExportResult] = []

    def work(batch: list[ReadableSpan]) -> None:
        results.extend(exporter.export(batch) for _ in range(5))

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [SpanExportResult.SUCCESS] * 40
    assert exporter.stats() == {**NOTHING, "exported": 200}
    expected = sorted(otlp_fast.encode_spans(batch) for batch in batches for _ in range(5))
    assert sorted(request.body for request in receiver.requests) == expected


def test_batch_processor_delivers_through_the_exporter(receiver: Receiver, make_exporter: MakeExporter) -> None:
    exporter = make_exporter()
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    for number in range(10):
        provider.get_tracer("t").start_span(f"span {number}").end()
    provider.shutdown()
    assert exporter.stats() == {**NOTHING, "exported": 10}


def test_session_is_used_with_its_headers_and_left_open(receiver: Receiver, spans: list[ReadableSpan]) -> None:
    session = urllib3.PoolManager(headers={"Authorization": "Bearer session", "User-Agent": "session"})
    exporter = OTLPSpanExporter(receiver.url, session=session)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    (request,) = receiver.requests
    assert request.headers["authorization"] == "Bearer session"
    assert request.headers["user-agent"].startswith("OTel-OTLP-Exporter-Python-otlp-fast/")
    assert len(session.pools) == 1
    exporter.shutdown()
    assert len(session.pools) == 1
    session.clear()


def test_proxy_of_the_environment_takes_the_requests(
    receiver: Receiver, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{receiver.port}")
    exporter = OTLPSpanExporter("http://collector.invalid:4318/v1/traces")
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()
    (request,) = receiver.requests
    assert request.path == "http://collector.invalid:4318/v1/traces"
    assert request.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"


def test_import_brings_in_no_other_exporter_nor_its_dependencies() -> None:
    program = (
        "import sys, otlp_fast.exporter.http;"
        "print([name for name in ('google.protobuf', 'requests', 'numpy', 'grpc', 'opentelemetry.proto',"
        " 'opentelemetry.exporter') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
