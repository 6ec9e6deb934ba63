"""`force_flush` and `shutdown`: complete, within their deadlines, and never on the thread of the caller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.processor import BatchSpanProcessor, worker
from tests.unit.exporter.scripted_receiver import Receiver, Reply, Stopwatch
from tests.unit.processor.memory_exporter import PATIENCE, MemorySpanExporter
from tests.unit.processor.observations import assert_nothing_is_missing, hold_worker, lines

MakeProcessor = Callable[..., BatchSpanProcessor]
MakeSpans = Callable[..., list[ReadableSpan]]

# What a call may take beyond its deadline before a test fails: the machine is a busy one.
TOLERANCE = 5.0


def test_flush_is_done_by_the_worker_and_empties_the_spool(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor()
    for span in make_spans(3):
        processor.on_end(span)
    assert processor.force_flush(timeout_millis=None)
    assert exporter.item_counts == [3]
    assert exporter.calls == ["force_flush"]
    assert threading.current_thread() not in exporter.threads
    exporter.spool_is_empty = False
    assert not processor.force_flush()


def test_flush_ends_at_its_deadline(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_export_batch_size=1)
    hold_worker(processor, exporter, make_spans(1))
    with Stopwatch() as watch:
        assert not processor.force_flush(timeout_millis=50)
        assert not processor.force_flush(timeout_millis=0)
    assert watch.seconds < TOLERANCE
    exporter.open.set()
    assert processor.force_flush()


def test_flushes_at_once_all_end(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_export_batch_size=1)
    hold_worker(processor, exporter, make_spans(1))
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(processor.force_flush())) for _ in range(5)]
    for thread in threads:
        thread.start()
    exporter.open.set()
    for thread in threads:
        thread.join()
    assert results == [True] * 5


def test_flush_ends_although_more_comes_all_the_time(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = make_processor(max_export_batch_size=1)
    span = make_spans(1)[0]
    export = exporter.export_request

    def export_while_the_next_one_comes(*arguments: object, **keywords: object) -> bool:
        if not stopped.is_set():
            processor.on_end(span)
        return export(*arguments, **keywords)  # type: ignore[arg-type]

    stopped = threading.Event()
    monkeypatch.setattr(exporter, "export_request", export_while_the_next_one_comes)
    processor.on_end(span)
    try:
        assert processor.force_flush()
    finally:
        stopped.set()


def test_shutdown_sends_what_is_left_and_ends_the_worker(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_export_batch_size=4)
    for span in make_spans(10):
        processor.on_end(span)
    processor.shutdown()
    processor.shutdown()
    assert exporter.names == [str(number) for number in range(10)]
    assert exporter.calls == ["shutdown"]
    (given,) = exporter.shutdown_timeouts
    assert 0 < given <= 30_000
    (worker,) = exporter.threads
    assert not worker.is_alive()
    assert_nothing_is_missing(processor, 10)


def test_items_after_shutdown_are_counted(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor()
    processor.shutdown()
    for span in make_spans(3):
        processor.on_end(span)
    with Stopwatch() as watch:
        assert not processor.force_flush()
    assert watch.seconds < TOLERANCE
    assert exporter.requests == []
    assert processor.stats()["after_shutdown"] == 3
    assert_nothing_is_missing(processor, 3)


def test_shutdown_drops_and_reports_what_it_cannot_send_in_time(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    caplog: pytest.LogCaptureFixture,
) -> None:
    processor = make_processor(max_export_batch_size=2)
    hold_worker(processor, exporter, make_spans(2))
    for span in make_spans(5):
        processor.on_end(span)
    with Stopwatch() as watch:
        processor.shutdown(timeout_millis=100)
    assert 0.1 <= watch.seconds < TOLERANCE
    assert exporter.shutdown_timeouts == [0]
    stats = processor.stats()
    assert (stats["handed_to_exporter"], stats["dropped_at_shutdown"], stats["queued_items"]) == (2, 5, 0)
    assert_nothing_is_missing(processor, 7)
    (line,) = lines(caplog)
    assert line.startswith("Dropped 5 spans: 5 not sent before the deadline of shutdown (")

    exporter.open.set()
    (worker,) = exporter.threads
    worker.join(PATIENCE)
    assert not worker.is_alive()
    assert exporter.item_counts == [2]


def test_shutdown_shortens_the_timeout_of_its_requests(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(export_timeout_millis=10**6)
    processor.on_end(make_spans(1)[0])
    processor.shutdown(timeout_millis=PATIENCE * 1000)
    (timeout,) = exporter.timeouts
    assert timeout is not None
    assert 0 < timeout <= PATIENCE


def test_shutdown_ends_waiting_flushes(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_export_batch_size=1)
    hold_worker(processor, exporter, make_spans(1))
    # As one that comes after the worker has begun its last round.
    processor._worker._stop_at = time.monotonic() + PATIENCE
    flush = threading.Thread(target=processor.force_flush, args=(10**6,))
    flush.start()
    while processor._worker._messages.empty():
        time.sleep(0.001)
    exporter.open.set()
    flush.join(PATIENCE)
    assert not flush.is_alive()


def test_shutdown_ends_in_time_where_the_receiver_hangs(receiver: Receiver, make_spans: MakeSpans) -> None:
    receiver.always(Reply(delay=4 * TOLERANCE))
    exporter = OTLPSpanExporter(receiver.url, timeout=2 * TOLERANCE)
    processor = BatchSpanProcessor(exporter, max_export_batch_size=2)
    for span in make_spans(6):
        processor.on_end(span)
    while not receiver.requests:
        time.sleep(0.001)
    with Stopwatch() as watch:
        assert not processor.force_flush(timeout_millis=100)
        processor.shutdown(timeout_millis=200)
    assert watch.seconds < TOLERANCE
    assert processor.stats()["dropped_at_shutdown"] == 4
    assert_nothing_is_missing(processor, 6)
    # The request under way is the exporter's, which cuts it off.
    processor._worker._thread.join(PATIENCE)
    assert exporter.stats()["failed"] == 2


def test_shutdown_keeps_in_the_spool_what_it_cannot_send(
    receiver: Receiver, make_spans: MakeSpans, tmp_path: Path
) -> None:
    receiver.always(Reply(delay=4 * TOLERANCE))
    exporter = OTLPSpanExporter(receiver.url, timeout=2 * TOLERANCE, spool_dir=tmp_path)
    processor = BatchSpanProcessor(exporter, max_export_batch_size=2)
    for span in make_spans(6):
        processor.on_end(span)
    while not receiver.requests:
        time.sleep(0.001)
    with Stopwatch() as watch:
        processor.shutdown(timeout_millis=200)
    assert watch.seconds < TOLERANCE
    stats = processor.stats()
    assert (stats["handed_to_exporter"], stats["dropped_at_shutdown"]) == (6, 0)
    processor._worker._thread.join(PATIENCE)
    assert exporter.stats()["spooled"] == 6

    receiver.always(Reply())
    receiver.requests.clear()
    successor = OTLPSpanExporter(receiver.url, spool_dir=tmp_path)
    assert successor.force_flush()
    successor.shutdown()
    received = [
        span.name
        for request in receiver.requests
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    # The request under way is cut off last.
    assert received == ["2", "3", "4", "5", "0", "1"]


def test_idle_worker_drains_the_spool(make_processor: MakeProcessor, exporter: MemorySpanExporter) -> None:
    make_processor(schedule_delay_millis=10)
    assert exporter.drained.acquire(timeout=PATIENCE)


def test_idle_worker_drains_a_full_spool_until_something_comes(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[str] = []

    def drain_a_part(timeout: float | None = None) -> bool:
        calls.append("drain")
        if len(calls) == 3:
            processor.on_end(make_spans(1)[0])
        if len(calls) == 4:
            finished.set()
        return len(calls) >= 4

    def export(*arguments: object, **keywords: object) -> bool:
        calls.append("export")
        finished.set()
        return True

    finished = threading.Event()
    monkeypatch.setattr(worker, "_BRIEF_DRAIN_SECONDS", 0.0)
    monkeypatch.setattr(exporter, "drain_spool", drain_a_part)
    monkeypatch.setattr(exporter, "export_request", export)
    processor = make_processor(max_export_batch_size=1, schedule_delay_millis=5000)
    processor._worker._next_seal = 0.0
    processor._worker._wake()
    assert finished.wait(PATIENCE)
    assert calls == ["drain", "drain", "drain", "export"]


def test_worker_does_not_ask_again_where_draining_stopped_at_once(
    make_processor: MakeProcessor, exporter: MemorySpanExporter
) -> None:
    exporter.spool_is_empty = False
    with Stopwatch() as watch:
        make_processor(schedule_delay_millis=100)
        for _ in range(3):
            assert exporter.drained.acquire(timeout=PATIENCE)
    assert watch.seconds > 0.2
