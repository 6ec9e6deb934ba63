"""The queue is bounded in items and in bytes; what does not fit is dropped, counted, and logged without flooding."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.exporter import log_lines
from otlp_fast.processor import BatchSpanProcessor
from tests.unit.processor.memory_exporter import PATIENCE, MemorySpanExporter
from tests.unit.processor.observations import LOGGER, assert_nothing_is_missing, hold_worker, lines

MakeProcessor = Callable[..., BatchSpanProcessor]
MakeSpans = Callable[..., list[ReadableSpan]]


def test_queue_is_bounded_in_items(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_queue_size=100, max_export_batch_size=10, schedule_delay_millis=10**9)
    hold_worker(processor, exporter, make_spans(10))
    for span in make_spans(150, first=10):
        processor.on_end(span)
    stats = processor.stats()
    assert (stats["queued_items"], stats["dropped_queue_full"]) == (100, 50)
    assert_nothing_is_missing(processor, 160)
    exporter.open.set()
    assert processor.force_flush()
    # The oldest are kept: they were promised a place before the others came.
    assert exporter.names == [str(number) for number in range(110)]
    assert_nothing_is_missing(processor, 160)


def test_queue_is_bounded_in_bytes(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    limit = 50_000
    processor = make_processor(max_queue_bytes=limit, max_export_batch_size=10, schedule_delay_millis=10**9)
    hold_worker(processor, exporter, make_spans(10))
    for span in make_spans(1000, size=1000):
        processor.on_end(span)
        assert processor.stats()["queued_bytes"] < limit + 2000
    stats = processor.stats()
    assert 40 <= stats["queued_items"] < 50
    assert stats["dropped_queue_full"] == 1000 - stats["queued_items"]
    exporter.open.set()
    assert processor.force_flush()
    assert processor.stats()["queued_bytes"] == 0
    assert_nothing_is_missing(processor, 1010)


def test_queue_smaller_than_a_batch_in_bytes_is_emptied_without_waiting(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_queue_bytes=5000, schedule_delay_millis=10**9)
    for span in make_spans(10, size=1000):
        processor.on_end(span)
    assert exporter.arrived.acquire(timeout=PATIENCE)


def test_what_is_no_span_is_counted(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    caplog: pytest.LogCaptureFixture,
) -> None:
    processor = make_processor()
    processor.on_end("not a span")  # type: ignore[arg-type]
    processor.on_end(make_spans(1)[0])
    assert processor.force_flush()
    assert processor.stats()["refused_by_encoder"] == 1
    assert_nothing_is_missing(processor, 2)
    assert exporter.names == ["0"]
    processor.shutdown()
    (line,) = lines(caplog)
    assert line.startswith("Dropped 1 spans: 1 refused by the encoder (")


def test_drops_are_logged_once_a_minute_by_the_worker(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    processor = make_processor(max_queue_size=10, max_export_batch_size=10, schedule_delay_millis=10**9)
    for _ in range(3):
        hold_worker(processor, exporter, make_spans(10))
        for span in make_spans(15):
            processor.on_end(span)
        exporter.open.set()
        assert processor.force_flush()
    assert processor.stats()["dropped_queue_full"] == 15
    assert lines(caplog) == [
        "Dropped 5 spans: 5 because the queue was full (at most 10 items and 67108864 bytes are kept)",
    ]
    assert {record.threadName for record in caplog.records} == {"otlp-fast spans"}

    # A minute later.
    processor._worker._drops._next_line_at -= log_lines.LOSS_LINE_SECONDS
    processor.on_end(make_spans(1)[0])
    assert processor.force_flush()
    assert lines(caplog)[1:] == [
        "Dropped 10 spans: 10 because the queue was full (at most 10 items and 67108864 bytes are kept)",
    ]


def test_drops_are_logged_while_requests_wait(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    processor = make_processor(max_queue_size=10, max_export_batch_size=1, schedule_delay_millis=10**9)
    hold_worker(processor, exporter, make_spans(1))
    for span in make_spans(10):
        processor.on_end(span)
    export = exporter.export_request
    lines_at_export: list[int] = []

    def drop_at_the_first(*arguments: Any, **keywords: Any) -> bool:
        if not lines_at_export:
            for span in make_spans(2):
                processor.on_end(span)
        lines_at_export.append(len(lines(caplog)))
        return export(*arguments, **keywords)

    monkeypatch.setattr(exporter, "export_request", drop_at_the_first)
    exporter.open.set()
    assert processor.force_flush()
    # With a receiver that hangs, the ten take a hundred seconds: the line does not wait for their end.
    assert lines_at_export == [0] + [1] * 10


def test_drops_are_logged_where_nothing_is_sent(make_processor: MakeProcessor) -> None:
    class Noticing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.set()

    logged = threading.Event()
    handler = Noticing()
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        make_processor(schedule_delay_millis=10).on_end("not a span")  # type: ignore[arg-type]
        assert logged.wait(PATIENCE)
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)


def test_shutdown_logs_the_drops_since_the_last_line(
    make_processor: MakeProcessor, caplog: pytest.LogCaptureFixture
) -> None:
    processor = make_processor()
    for total in (1, 2):
        processor.on_end("not a span")  # type: ignore[arg-type]
        assert processor.force_flush()
        assert processor.stats()["refused_by_encoder"] == total
    assert len(lines(caplog)) == 1
    processor.shutdown()
    assert len(lines(caplog)) == 2


def test_nothing_dropped_is_nothing_logged(
    make_processor: MakeProcessor, make_spans: MakeSpans, caplog: pytest.LogCaptureFixture
) -> None:
    processor = make_processor()
    processor.on_end(make_spans(1)[0])
    with caplog.at_level(logging.DEBUG):
        processor.shutdown()
    assert lines(caplog) == []
