"""What is ended or emitted arrives: all of it, once, in order, in batches, by a thread of the processor."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import otlp_fast
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor
from tests.unit.exporter.scripted_receiver import Receiver
from tests.unit.processor.memory_exporter import PATIENCE, MemoryLogExporter, MemorySpanExporter

MakeProcessor = Callable[..., BatchSpanProcessor]
MakeLogProcessor = Callable[..., BatchLogRecordProcessor]
MakeSpans = Callable[..., list[ReadableSpan]]


def names(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def test_burst_arrives_whole_over_http_with_default_settings(receiver: Receiver) -> None:
    exporter = OTLPSpanExporter(receiver.url)
    processor = BatchSpanProcessor(exporter)
    provider = TracerProvider(resource=Resource({"service.name": "burst"}))
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("tests")
    for number in range(30_000):
        with tracer.start_as_current_span(str(number)):
            pass
    assert provider.force_flush()
    provider.shutdown()
    received = Counter(
        span.name
        for request in receiver.requests
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )
    assert received == Counter(names(30_000))
    assert exporter.stats()["exported"] == processor.stats()["handed_to_exporter"] == 30_000


def test_requests_are_those_of_the_encoder(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    spans = make_spans(5)
    processor = make_processor()
    for span in spans:
        processor.on_end(span)
    assert processor.force_flush()
    assert exporter.requests == [(otlp_fast.encode_spans(spans), 5)]


def test_full_batch_is_sent_without_waiting_for_the_delay(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(schedule_delay_millis=10**9, max_export_batch_size=4)
    for span in make_spans(10):
        processor.on_end(span)
    for _ in range(2):
        assert exporter.arrived.acquire(timeout=PATIENCE)
    assert processor.stats()["queued_items"] == 2
    assert processor.force_flush()
    assert exporter.item_counts == [4, 4, 2]
    assert exporter.names == names(10)


def test_delay_sends_a_batch_that_is_not_full(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(schedule_delay_millis=50)
    for number, span in enumerate(make_spans(3)):
        processor.on_end(span)
        assert exporter.arrived.acquire(timeout=PATIENCE), number
    assert processor.stats()["accepted"] == 3


def test_large_spans_make_small_batches(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor()
    for span in make_spans(10, size=1024 * 1024):
        processor.on_end(span)
    assert processor.force_flush()
    assert exporter.item_counts == [3, 3, 3, 1]
    assert all(len(request) < 4 * 1024 * 1024 for request, _ in exporter.requests)


def test_only_sampled_spans_are_sent(make_processor: MakeProcessor, exporter: MemorySpanExporter) -> None:
    processor = make_processor()
    unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("tests").start_span("unsampled")
    span = ReadableSpan("recorded only", unsampled.get_span_context())
    processor.on_end(span)
    assert processor.force_flush()
    assert exporter.requests == []
    assert processor.stats() == dict.fromkeys(processor.stats(), 0)


def test_worker_exports_with_instrumentation_suppressed(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppressed = []
    export = exporter.export_request

    def record(*arguments: Any, **keywords: Any) -> bool:
        suppressed.append(context.get_value("suppress_instrumentation"))
        return export(*arguments, **keywords)

    monkeypatch.setattr(exporter, "export_request", record)
    processor = make_processor()
    processor.on_end(make_spans(1)[0])
    assert processor.force_flush()
    assert suppressed == [True]
    (thread,) = exporter.threads
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_export_timeout_is_handed_to_the_exporter(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(export_timeout_millis=1234)
    processor.on_end(make_spans(1)[0])
    assert processor.force_flush()
    assert exporter.timeouts == [1.234]


def test_threads_that_add_at_once_lose_nothing(
    make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(max_export_batch_size=7, schedule_delay_millis=1)
    batches = [make_spans(2000, first=thread * 2000) for thread in range(4)]

    def add(spans: list[ReadableSpan]) -> None:
        for number, span in enumerate(spans):
            processor.on_end(span)
            if number % 500 == 0:
                assert processor.force_flush()

    threads = [threading.Thread(target=add, args=(spans,)) for spans in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert processor.force_flush()
    assert Counter(exporter.names) == Counter(names(8000))
    for first in range(0, 8000, 2000):
        own = [int(name) for name in exporter.names if first <= int(name) < first + 2000]
        assert own == sorted(own)
    assert sum(exporter.item_counts) == processor.stats()["handed_to_exporter"] == 8000


def test_subclass_that_overrides_on_end_is_called(exporter: MemorySpanExporter) -> None:
    class Renaming(BatchSpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            seen.append(span.name)
            super().on_end(span)

    class Other(BatchSpanProcessor):
        pass

    seen: list[str] = []
    for kind in (Renaming, Other):
        processor = kind(exporter)
        provider = TracerProvider()
        provider.add_span_processor(processor)
        provider.get_tracer("tests").start_span(kind.__name__).end()
        provider.shutdown()
    assert seen == ["Renaming"]
    assert exporter.names == ["Renaming", "Other"]


def test_the_sdk_calls_the_queue_itself(make_processor: MakeProcessor, make_log_processor: MakeLogProcessor) -> None:
    spans, logs = make_processor(), make_log_processor()
    assert spans.on_end == spans._worker.queue.add
    assert logs.on_emit == logs.emit == logs._worker.queue.add


def test_exporter_can_be_reached(make_processor: MakeProcessor, exporter: MemorySpanExporter) -> None:
    assert make_processor().span_exporter is exporter


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_log_records_arrive_as_they_are_emitted(
    make_log_processor: MakeLogProcessor, log_exporter: MemoryLogExporter
) -> None:
    from opentelemetry.sdk._logs import LoggingHandler

    provider = LoggerProvider()
    provider.add_log_record_processor(make_log_processor())
    logger = logging.getLogger("tests.processor")
    handler = LoggingHandler(logger_provider=provider)
    logger.addHandler(handler)
    try:
        for number in range(1000):
            logger.warning("message %d", number)
    finally:
        logger.removeHandler(handler)
    assert provider.force_flush()
    assert log_exporter.bodies == [f"message {number}" for number in range(1000)]
    assert log_exporter.item_counts == [512, 488]


def test_record_is_encoded_before_others_change_it(
    make_log_processor: MakeLogProcessor, log_exporter: MemoryLogExporter
) -> None:
    processor = make_log_processor()
    provider = LoggerProvider()
    provider.add_log_record_processor(processor)
    emitted: list[Any] = []
    own = processor.on_emit
    processor.on_emit = lambda record: (own(record), emitted.append(record))  # type: ignore
    provider.get_logger("tests").emit(body="as emitted")
    emitted[0].log_record.body = "changed"
    assert provider.force_flush()
    assert log_exporter.bodies == ["as emitted"]


def test_log_records_can_be_given_by_either_name(
    make_log_processor: MakeLogProcessor, log_exporter: MemoryLogExporter
) -> None:
    class Counting(BatchLogRecordProcessor):
        calls = 0

        def on_emit(self, log_record: Any) -> None:
            self.calls += 1
            super().on_emit(log_record)

    record: list[Any] = []
    processor = make_log_processor()
    provider = LoggerProvider()
    provider.add_log_record_processor(processor)
    processor.on_emit = record.append  # type: ignore
    provider.get_logger("tests").emit(body="body")

    plain, counting = make_log_processor(), Counting(log_exporter)
    for each in (plain, counting):
        each.emit(record[0])
        each.on_emit(record[0])
        assert each.force_flush()
    counting.shutdown()
    assert counting.calls == 2
    assert log_exporter.bodies == ["body"] * 4
