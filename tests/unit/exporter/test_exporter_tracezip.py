"""compression="tracezip": what is sent, and what becomes of a request whatever the receiver answers to its frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

import otlp_fast
from otlp_fast._core import split_request
from otlp_fast.exporter import framing, grpc, http, pause
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.tracezip import FrameHeader, read_header
from scripted_receiver import LOGGER, Receiver, Reply, Request
from telemetry import make_log_records, make_metrics, make_spans
from tracezip_receiver import STATE_LOST, TracezipReceiver

MakeExporter = Callable[..., OTLPSpanExporter]

SIGNALS: dict[str, tuple[str, Callable[[int], Any], Callable[[Any], bytes]]] = {
    "traces": ("OTLPSpanExporter", make_spans, otlp_fast.encode_spans),
    "logs": ("OTLPLogExporter", make_log_records, otlp_fast.encode_logs),
    "metrics": ("OTLPMetricExporter", make_metrics, otlp_fast.encode_metrics),
}


@pytest.fixture
def exporter(make_exporter: MakeExporter) -> OTLPSpanExporter:
    return make_exporter(compression="tracezip")


@pytest.fixture
def requests() -> list[bytes]:
    """Four requests of different lengths, with 1, 2, 3 and 4 spans."""
    return [otlp_fast.encode_spans(make_spans(count)) for count in range(1, 5)]


def export(exporter: OTLPSpanExporter, requests: list[bytes]) -> list[bool]:
    return [exporter.export_request(request, number) for number, request in enumerate(requests, start=1)]


def encodings(receiver: Receiver) -> list[str]:
    return [request.headers["content-encoding"] for request in receiver.requests]


def frames(receiver: Receiver) -> list[FrameHeader]:
    return [read_header(sent.body) for sent in receiver.requests if sent.headers["content-encoding"] == "tracezip"]


def counted(exporter: Any) -> dict[str, int]:
    """Give the statistics that are not 0, without bytes and how the codec writes."""
    left_out = ("tracezip_bytes_in", "tracezip_bytes_out", "tracezip_raw_frames")
    return {name: count for name, count in exporter.stats().items() if count and name not in left_out}


def own_lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records if record.name == LOGGER]


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_arrives_byte_for_byte_in_one_stream(
    receiver: Receiver, peer: TracezipReceiver, signal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.base)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "tracezip")
    name, make, encode = SIGNALS[signal]
    exporter = getattr(http, name)()
    batches = [make(count) for count in (3, 1, 20)]
    assert [exporter.export(batch).name for batch in batches] == ["SUCCESS"] * 3
    exporter.shutdown()
    assert peer.taken == [encode(batch) for batch in batches]
    assert [(frame.signal, frame.is_reset, frame.seq) for frame in frames(receiver)] == [
        (signal, True, 0),
        (signal, False, 1),
        (signal, False, 2),
    ]
    assert len({frame.stream_id for frame in frames(receiver)}) == 1
    assert {request.headers["content-type"] for request in receiver.requests} == {"application/x-protobuf"}
    stats = exporter.stats()
    assert counted(exporter) == {"exported": 24, "tracezip_frames": 3, "tracezip_resets": 1}
    assert stats["tracezip_bytes_in"] == sum(map(len, peer.taken))
    assert stats["tracezip_bytes_out"] == sum(len(request.body) for request in receiver.requests)


def test_variable_of_the_signal_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "Tracezip")
    assert "tracezip_frames" in http.OTLPLogExporter().stats()
    assert "tracezip_frames" not in http.OTLPSpanExporter().stats()


@pytest.mark.parametrize("name", ["OTLPSpanExporter", "OTLPLogExporter", "OTLPMetricExporter"])
def test_grpc_says_that_it_has_no_tracezip(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="argument compression: 'tracezip' is not supported, expected one of 'none'"):
        getattr(grpc, name)(compression="tracezip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "tracezip")
    with pytest.raises(ValueError, match="OTEL_EXPORTER_OTLP_COMPRESSION: 'tracezip' is not supported"):
        getattr(grpc, name)()


def test_receiver_that_restarts_gets_the_same_request_again(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    assert export(exporter, requests[:2]) == [True, True]
    peer.restart()
    assert export(exporter, requests[2:]) == [True, True]
    assert peer.taken == requests
    assert [(frame.epoch, frame.seq) for frame in frames(receiver)] == [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]
    assert counted(exporter) == {"exported": 3 + 3, "tracezip_frames": 5, "tracezip_resets": 2}


def test_frame_that_arrives_damaged_is_sent_anew_and_not_lost(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(peer, lambda handler, request: peer(handler, Request(**{**vars(request), "body": b"TZ damaged"})))
    assert export(exporter, requests) == [True] * 4
    assert peer.taken == requests
    assert [frame.is_reset for frame in frames(receiver)] == [True, False, True, False, False]


def test_state_lost_a_second_time_sends_the_request_without_tracezip(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(peer, STATE_LOST, STATE_LOST)
    assert export(exporter, requests) == [True] * 4
    assert peer.taken == requests
    assert encodings(receiver) == ["tracezip"] * 3 + ["zstd"] * 3


def test_receiver_that_never_has_the_state_gets_a_request_three_times(
    receiver: Receiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.always(STATE_LOST)
    assert export(exporter, requests[:2]) == [False, False]
    assert encodings(receiver) == ["tracezip", "tracezip", "zstd"] * 2


def test_conflict_that_names_no_state_is_a_failure(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(Reply(409))
    assert export(exporter, requests) == [False, True, True, True]
    assert encodings(receiver) == ["tracezip"] * 4


@pytest.mark.parametrize("status", [400, 415])
def test_receiver_that_does_not_know_tracezip_gets_zstd_until_it_does(
    receiver: Receiver, exporter: OTLPSpanExporter, requests: list[bytes], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=LOGGER)
    peer = TracezipReceiver(("zstd", "gzip"), status)
    receiver.always(peer)
    assert export(exporter, requests) == [True] * 4
    assert peer.taken == requests
    assert encodings(receiver) == ["tracezip", "zstd", "zstd", "zstd", "zstd"]
    assert counted(exporter) == {
        "exported": 10,
        "tracezip_frames": 1,
        "tracezip_resets": 1,
        "tracezip_fallbacks": 4,
    }
    ((level, line),) = own_lines(caplog)
    assert level == logging.WARNING
    assert line.startswith(f"{receiver.url} does not take tracezip for traces: {status} ")
    assert line.endswith("; sending zstd, and trying again in 5 minutes")

    peer.encodings = ("tracezip",)
    exporter._sender._refusal._ends_at = 0.0  # type: ignore[attr-defined]
    assert export(exporter, requests) == [True] * 4
    assert peer.taken == requests * 2
    assert encodings(receiver)[5:] == ["tracezip"] * 4
    assert frames(receiver)[1].is_reset
    assert frames(receiver)[1].stream_id != frames(receiver)[0].stream_id
    assert own_lines(caplog)[1:] == [(logging.INFO, f"{receiver.url} takes tracezip for traces again")]


def test_receiver_that_never_learns_is_asked_ever_less_and_named_once(
    receiver: Receiver,
    exporter: OTLPSpanExporter,
    requests: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pause, "FIRST_PAUSE_SECONDS", 0.0)
    receiver.always(TracezipReceiver(("zstd",)))
    assert export(exporter, requests) == [True] * 4
    assert encodings(receiver) == ["tracezip", "zstd"] * 4
    assert exporter._sender._refusal.count == 4  # type: ignore[attr-defined]
    assert len([level for level, _ in own_lines(caplog) if level >= logging.INFO]) == 1


def test_receiver_that_knows_only_gzip_gets_that(
    receiver: Receiver, exporter: OTLPSpanExporter, requests: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    peer = TracezipReceiver(("gzip",))
    receiver.always(peer)
    assert export(exporter, requests) == [True] * 4
    assert peer.taken == requests
    assert encodings(receiver) == ["tracezip", "zstd", "gzip", "gzip", "gzip", "gzip"]
    assert "; sending gzip, and trying again in " in own_lines(caplog)[0][1]


def test_request_that_is_refused_in_every_encoding_is_to_blame_itself(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(peer, Reply(400), Reply(400), Reply(400))
    assert export(exporter, requests) == [True, False, True, True]
    assert encodings(receiver) == ["tracezip", "tracezip", "zstd", "gzip", "tracezip", "tracezip"]
    assert peer.taken == [requests[0], *requests[2:]]
    assert [frame.is_reset for frame in frames(receiver)] == [True, False, False, False]
    assert exporter.stats()["failed"] == 2


def test_refusal_that_is_not_about_the_frame_is_a_failure_at_once(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(
        Reply(400, headers={"Tracezip-State": "understood"}), Reply(400, headers={"Tracezip-State": "refused"})
    )
    assert export(exporter, requests) == [False, True, True, True]
    assert encodings(receiver) == ["tracezip", "tracezip", "zstd", "zstd", "zstd"]
    assert peer.taken == requests[1:]


def test_request_longer_than_a_frame_may_be_goes_without_one(
    receiver: Receiver,
    peer: TracezipReceiver,
    exporter: OTLPSpanExporter,
    requests: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert framing.MAX_REQUEST_SIZE == 20 << 20
    monkeypatch.setattr(framing, "MAX_REQUEST_SIZE", len(requests[2]))
    assert export(exporter, [*requests, requests[0]]) == [True] * 5
    assert peer.taken == [*requests, requests[0]]
    assert encodings(receiver) == ["tracezip", "tracezip", "tracezip", "zstd", "tracezip"]
    assert own_lines(caplog) == []


@pytest.mark.parametrize("refusal", [Reply(413), Reply(400, b"http: request body too large")], ids=["413", "400"])
def test_request_refused_for_its_size_is_halved_into_frames(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes], refusal: Reply
) -> None:
    receiver.script(peer, refusal)
    assert exporter.export_request(requests[0], 1)
    assert exporter.export_request(requests[3], 4)
    halves = [bytes(piece) for piece, _ in split_request(requests[3], "traces", max_items=2)]
    assert peer.taken == [requests[0], *halves]
    assert [(frame.epoch, frame.seq) for frame in frames(receiver)] == [(1, 0), (1, 1), (1, 1), (1, 2)]


def test_request_over_the_exporters_own_limit_is_cut_into_frames(
    receiver: Receiver, peer: TracezipReceiver, make_exporter: MakeExporter, requests: list[bytes]
) -> None:
    exporter = make_exporter(compression="tracezip", max_request_size=len(requests[1]))
    assert exporter.export_request(requests[3], 4)
    assert len(peer.taken) > 1
    assert b"".join(peer.taken) == b"".join(
        piece for piece, _ in split_request(requests[3], "traces", max_bytes=len(requests[1]))
    )
    assert [frame.seq for frame in frames(receiver)] == list(range(len(peer.taken)))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_retry_sends_the_same_frame(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes], status: int
) -> None:
    receiver.script(peer, Reply(status), Reply(status))
    assert export(exporter, requests[:2]) == [True, True]
    assert len({request.body for request in receiver.requests[1:]}) == 1
    assert peer.taken == requests[:2]
    assert exporter.stats()["tracezip_frames"] == 2


def test_request_whose_answer_is_lost_is_delivered_once(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(peer, peer.but_answers(), peer.but_answers(Reply(503)))
    assert export(exporter, requests) == [True] * 4
    assert peer.taken == requests
    assert len(receiver.requests) == 6
    assert exporter.stats()["tracezip_resets"] == 1


def test_frame_given_up_after_it_was_taken_costs_a_reset(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(peer, peer.but_answers(Reply(500)))
    assert export(exporter, requests) == [True, False, True, True]
    assert peer.taken == requests
    assert [(frame.epoch, frame.seq) for frame in frames(receiver)] == [(1, 0), (1, 1), (1, 1), (2, 0), (2, 1)]


def test_frame_given_up_before_it_was_taken_costs_nothing(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    receiver.script(peer, Reply(503, headers={"Retry-After": "60"}))
    assert export(exporter, requests) == [True, False, True, True]
    assert peer.taken == [requests[0], *requests[2:]]
    assert [frame.seq for frame in frames(receiver)] == [0, 1, 1, 2]


def test_partial_success_counts_as_taken(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, requests: list[bytes]
) -> None:
    partly = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1))
    peer.reply = Reply(200, partly.SerializeToString())
    assert export(exporter, requests) == [False] * 4
    assert peer.taken == requests
    assert exporter.stats()["rejected_by_receiver"] == 4
    assert [frame.seq for frame in frames(receiver)] == [0, 1, 2, 3]
