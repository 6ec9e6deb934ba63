"""Whatever fails around it, the worker goes on, and user code never sees an exception of ours."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.processor import BatchSpanProcessor
from otlp_fast.processor.batching import DEFAULT_TIMEOUT_MILLIS
from tests.unit.exporter.scripted_receiver import Stopwatch
from tests.unit.processor.memory_exporter import MemorySpanExporter
from tests.unit.processor.observations import LOGGER, assert_nothing_is_missing, lines

MakeProcessor = Callable[..., BatchSpanProcessor]
MakeSpans = Callable[..., list[ReadableSpan]]


@pytest.mark.parametrize("error", [ValueError("broken"), MemoryError(), SystemExit(3), KeyboardInterrupt()])
def test_worker_survives_an_exporter_that_raises(
    error: BaseException,
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    caplog: pytest.LogCaptureFixture,
) -> None:
    exporter.errors = [error, error]
    processor = make_processor(max_export_batch_size=1, schedule_delay_millis=10**9)
    for span in make_spans(4):
        processor.on_end(span)
    assert processor.force_flush()
    assert exporter.names == ["2", "3"]
    assert_nothing_is_missing(processor, 4)
    assert lines(caplog) == ["Failed to export 1 spans"]
    assert caplog.records[0].exc_info


def test_worker_survives_a_logging_handler_that_exits(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    every_loss_line: None,
) -> None:
    class Exiting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            emitted.append(record)
            raise SystemExit(1)

    emitted: list[logging.LogRecord] = []
    handler = Exiting()
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        exporter.errors = [ValueError("broken")]
        processor = make_processor()
        processor.on_end(make_spans(1)[0])
        assert not processor.force_flush()
        processor.on_end(make_spans(1, first=1)[0])
        assert processor.force_flush()
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)
    assert exporter.names == ["1"]
    assert emitted


def test_worker_survives_an_exporter_whose_flush_and_drain_raise(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(timeout: float | None = None) -> bool:
        exporter.drained.release()
        raise RuntimeError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(exporter, "force_flush", fail)
        broken.setattr(exporter, "drain_spool", fail)
        processor = make_processor(schedule_delay_millis=1)
        with Stopwatch() as watch:
            assert not processor.force_flush()
        assert watch.seconds < DEFAULT_TIMEOUT_MILLIS / 1000 / 2
        for _ in range(3):
            assert exporter.drained.acquire(timeout=30)
    processor.on_end(make_spans(1)[0])
    assert processor.force_flush()
    assert exporter.names == ["0"]
    assert lines(caplog) == ["The worker of a processor failed, and goes on"]


def no_thread(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_processor_gets_its_thread_once_there_may_be_one(
    make_processor: MakeProcessor,
    exporter: MemorySpanExporter,
    make_spans: MakeSpans,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spans = make_spans(5)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_thread)
        by_flush, by_request = make_processor(), make_processor(max_export_batch_size=2)
        by_flush.on_end(spans[0])
        with Stopwatch() as watch:
            assert not by_flush.force_flush()
        assert watch.seconds < DEFAULT_TIMEOUT_MILLIS / 1000 / 2
        for span in spans[1:3]:
            by_request.on_end(span)
    assert set(lines(caplog)) == {"The worker of a processor cannot be started yet"}
    assert exporter.requests == []
    assert by_flush.force_flush()
    for span in spans[3:]:
        by_request.on_end(span)
    for _ in range(3):
        assert exporter.arrived.acquire(timeout=30)
    assert by_request.force_flush()
    assert exporter.names == ["0", "1", "2", "3", "4"]
    assert len(exporter.threads) == 2


def test_shutdown_without_a_thread_counts_what_is_dropped(
    make_processor: MakeProcessor, make_spans: MakeSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = make_spans(3)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    processor = make_processor()
    for span in spans:
        processor.on_end(span)
    processor.shutdown()
    assert processor.stats()["dropped_at_shutdown"] == 3
    assert_nothing_is_missing(processor, 3)


def test_interrupt_in_on_end_reaches_the_user(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    class Interrupted:
        def __str__(self) -> str:
            raise KeyboardInterrupt

    processor = make_processor()
    (span,) = make_spans(1)
    span._attributes = {"key": "value", Interrupted(): 1}  # type: ignore
    with pytest.raises(KeyboardInterrupt):
        processor.on_end(span)
    processor.on_end(make_spans(1)[0])
    assert processor.force_flush()
    assert exporter.names == ["0"]
    assert processor.stats()["refused_by_encoder"] == 1
    assert_nothing_is_missing(processor, 2)


def test_log_line_of_the_worker_can_be_a_log_record_of_the_same_processor(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans, every_loss_line: None
) -> None:
    """The handler stands for one that gives its records to the processor that the line came from."""

    class Feeding(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if len(fed) < 3:
                fed.append(record)
                processor.on_end(make_spans(1)[0])

    fed: list[logging.LogRecord] = []
    exporter.errors = [ValueError("broken")] * 3
    processor = make_processor(max_export_batch_size=1)
    handler = Feeding()
    logging.getLogger(LOGGER).addHandler(handler)
    try:
        processor.on_end(make_spans(1)[0])
        for _ in range(4):
            assert processor.force_flush()
    finally:
        logging.getLogger(LOGGER).removeHandler(handler)
    assert len(fed) == 3
    assert_nothing_is_missing(processor, 4)


@pytest.mark.usefixtures("unmeasured_children")
def test_import_loads_no_transport() -> None:
    script = "import sys; import otlp_fast.processor; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "opentelemetry" in loaded
    assert {"urllib3", "grpc", "google", "requests", "sqlite3", "numpy"}.isdisjoint(loaded)
