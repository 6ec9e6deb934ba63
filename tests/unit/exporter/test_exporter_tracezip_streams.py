"""The streams of compression="tracezip": which frame is of which, in threads, forked children, shutdowns and spools."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan

import otlp_fast
from otlp_fast.exporter import pause
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.exporter.pause import GrowingPause
from otlp_fast.exporter.spool import Spool
from otlp_fast.processor import BatchSpanProcessor
from otlp_fast.tracezip import Encoder, FrameHeader, read_header
from scripted_receiver import LOGGER, Handler, Receiver, Reply, Request
from telemetry import make_spans
from tracezip_receiver import TracezipReceiver

MakeExporter = Callable[..., OTLPSpanExporter]

PATIENCE = 20
GONE = Reply(503, headers={"Retry-After": "60"})


@pytest.fixture
def exporter(make_exporter: MakeExporter) -> OTLPSpanExporter:
    return make_exporter(compression="tracezip")


def frames(receiver: Receiver) -> list[FrameHeader]:
    return [read_header(request.body) for request in receiver.requests]


class Meeting:
    """Answers as `peer`, once `count` requests are there at the same time."""

    def __init__(self, peer: TracezipReceiver, count: int) -> None:
        self._peer = peer
        self._all_are_there = threading.Barrier(count)

    def __call__(self, handler: Handler, request: Request) -> None:
        self._all_are_there.wait(PATIENCE)
        self._peer(handler, request)


def export_at_once(exporter: OTLPSpanExporter, batches: list[list[ReadableSpan]]) -> list[str]:
    """Export each batch in a thread of its own, and give the results."""
    results: list[str] = []
    threads = [threading.Thread(target=lambda b=batch: results.append(exporter.export(b).name)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def test_requests_at_the_same_time_take_a_stream_each_and_a_frame_without_one_beyond_four(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter
) -> None:
    batches = [make_spans(count) for count in range(1, 7)]
    receiver.script(*[Meeting(peer, 6)] * 6)
    assert export_at_once(exporter, batches) == ["SUCCESS"] * 6
    assert sorted(peer.taken) == sorted(map(otlp_fast.encode_spans, batches))
    assert sum(frame.is_stateless for frame in frames(receiver)) == 2
    assert len({frame.stream_id for frame in frames(receiver)}) == 4 + 1
    assert exporter.stats()["tracezip_stateless_frames"] == 2
    assert exporter.stats()["tracezip_resets"] == 4


def test_streams_of_threads_go_on_afterwards(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter
) -> None:
    batches = [make_spans(count) for count in (1, 2)]
    receiver.script(*[Meeting(peer, 2)] * 2, *[Meeting(peer, 2)] * 2)
    export_at_once(exporter, batches)
    export_at_once(exporter, batches)
    assert exporter.export(batches[0]).name == "SUCCESS"
    assert len(peer.taken) == 5
    assert len({frame.stream_id for frame in frames(receiver)}) == 2
    assert sorted(frame.seq for frame in frames(receiver)) == [0, 0, 1, 1, 2]


def test_processor_sends_one_stream(receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter) -> None:
    processor = BatchSpanProcessor(exporter, max_export_batch_size=10)
    spans = make_spans(50)
    for span in spans:
        processor.on_end(span)
    processor.shutdown()
    assert peer.taken == [otlp_fast.encode_spans(spans[start : start + 10]) for start in range(0, 50, 10)]
    assert [frame.seq for frame in frames(receiver)] == [0, 1, 2, 3, 4]


def test_threads_lose_nothing_whatever_happens_to_their_frames(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter
) -> None:
    batches = [make_spans(1 + number % 5, size=number) for number in range(60)]
    receiver.script(*[peer, peer.but_answers(Reply(503)), Reply(503), peer] * 10)

    def work(own: list[list[ReadableSpan]]) -> None:
        for batch in own:
            exporter.export(batch)
            if len(batch) == 3:
                peer.restart()

    threads = [threading.Thread(target=work, args=(batches[number::6],)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert exporter.stats()["exported"] == sum(map(len, batches))
    assert {*map(otlp_fast.encode_spans, batches)} == {*peer.taken}


def test_request_cut_off_by_shutdown_is_counted(
    receiver: Receiver, peer: TracezipReceiver, make_exporter: MakeExporter, spans: list[ReadableSpan]
) -> None:
    exporter = make_exporter(compression="tracezip", timeout=50)
    assert exporter.export(spans).name == "SUCCESS"
    receiver.script(peer.but_answers(Reply(200, delay=60)))
    thread = threading.Thread(target=exporter.export, args=(spans,))
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while len(receiver.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    exporter.shutdown(timeout_millis=100)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert exporter.stats()["failed"] == exporter.stats()["exported"] == 3
    assert exporter.stats()["tracezip_frames"] == 2


def test_spool_keeps_plain_requests_which_are_sent_in_the_heirs_streams(
    receiver: Receiver, peer: TracezipReceiver, make_exporter: MakeExporter, tmp_path: Path
) -> None:
    batches = [make_spans(count) for count in (1, 2, 3)]
    requests = [otlp_fast.encode_spans(batch) for batch in batches]
    receiver.script(peer, GONE)
    exporter = make_exporter(compression="tracezip", spool_dir=tmp_path)
    assert [exporter.export(batch).name for batch in batches] == ["SUCCESS"] * 3
    receiver.script(GONE)
    exporter.shutdown()
    spool = Spool(tmp_path, f"traces {receiver.url}", 1 << 20)
    record = spool.claim()
    assert record is not None
    assert record.request == requests[1]
    spool.release(record)
    spool.close()

    heir = make_exporter(compression="tracezip", spool_dir=tmp_path)
    assert heir.force_flush()
    heir.shutdown()
    assert heir.stats()["sent_from_spool"] == 5
    assert peer.taken == requests
    assert [frame.seq for frame in frames(receiver)[-2:]] == [0, 1]
    assert len({frame.stream_id for frame in frames(receiver)}) == 2


def test_error_in_the_codec_costs_its_request_and_its_stream(
    receiver: Receiver,
    peer: TracezipReceiver,
    exporter: OTLPSpanExporter,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert exporter.export(spans).name == "SUCCESS"
    for _ in range(6):
        with monkeypatch.context() as broken:
            broken.setattr(Encoder, "encode", lambda *_: 1 / 0)
            assert exporter.export(spans).name == "FAILURE"
    assert exporter.export(spans).name == "SUCCESS"
    assert exporter.stats()["failed"] == 18
    assert [(frame.is_reset, frame.is_stateless) for frame in frames(receiver)] == [(True, False)] * 2
    assert len({frame.stream_id for frame in frames(receiver)}) == 2


def test_receiver_that_always_loses_states_gets_frames_that_need_none(
    receiver: Receiver,
    peer: TracezipReceiver,
    exporter: OTLPSpanExporter,
    spans: list[ReadableSpan],
    caplog: pytest.LogCaptureFixture,
) -> None:
    others = [peer, TracezipReceiver(), TracezipReceiver()]
    receiver.script(*(others[number % 3] for number in range(60)))
    for _ in range(20):
        exporter.export(spans)
    assert [request for other in others for request in other.taken] == [otlp_fast.encode_spans(spans)] * 20
    # The first, and those that came next, twice each.
    assert [frame.is_stateless for frame in frames(receiver)] == [False] * 9 + [True] * 15
    assert exporter.stats()["tracezip_stateless_frames"] == 15
    (record,) = [record for record in caplog.records if record.name == LOGGER]
    assert record.levelno == logging.WARNING
    assert "often lost the state of tracezip streams" in record.getMessage()


def test_states_that_are_lost_now_and_then_are_no_reason_against_streams(
    receiver: Receiver, peer: TracezipReceiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan]
) -> None:
    for _ in range(20):
        peer.restart()
        for _ in range(4):
            exporter.export(spans)
    assert len(peer.taken) == 80
    assert exporter.stats()["tracezip_resets"] == 20
    assert exporter.stats()["tracezip_stateless_frames"] == 0


def test_pause_doubles_up_to_an_hour_until_it_is_forgotten() -> None:
    pause_of_tracezip = GrowingPause()
    assert not pause_of_tracezip.is_on
    assert [pause_of_tracezip.begin() / 60 for _ in range(6)] == [5, 10, 20, 40, 60, 60]
    assert pause_of_tracezip.is_on
    pause_of_tracezip.forget()
    assert pause_of_tracezip.begin() / 60 == 5


def test_pause_is_bounded_however_often_it_begins() -> None:
    pause_of_tracezip = GrowingPause()
    pause_of_tracezip.count = 100_000
    assert pause_of_tracezip.begin() == pause.LONGEST_PAUSE_SECONDS
