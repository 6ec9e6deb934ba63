"""Metrics about the processor: the names and attributes of the official one, from counts that are kept anyway."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import metrics as metrics_api
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor, self_metrics
from tests.unit.processor.memory_exporter import MemorySpanExporter
from tests.unit.processor.observations import hold_worker

MakeProcessor = Callable[..., BatchSpanProcessor]
MakeLogProcessor = Callable[..., BatchLogRecordProcessor]
MakeSpans = Callable[..., list[ReadableSpan]]

ENABLED = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
PROCESSED = "otel.sdk.processor.span.processed"
SIZE = "otel.sdk.processor.span.queue.size"
CAPACITY = "otel.sdk.processor.span.queue.capacity"


class Meters:
    """A meter provider whose metrics about processors can be read."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])

    def metrics(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name.startswith("otel.sdk.processor.")
        }

    def values(self) -> dict[str, dict[str, float]]:
        """Give the values of each metric, by their error.type."""
        return {
            name: {point.attributes.get("error.type", ""): point.value for point in metric.data.data_points}
            for name, metric in self.metrics().items()
        }


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    monkeypatch.setenv(ENABLED, "true")
    return Meters()


def test_metrics_are_off_by_default(
    meters: Meters, make_processor: MakeProcessor, make_spans: MakeSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ENABLED)
    make_processor(meter_provider=meters.provider).on_end(make_spans(1)[0])
    assert meters.metrics() == {}


def test_global_meter_provider_is_the_default(
    meters: Meters, make_processor: MakeProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_metrics, "get_meter_provider", lambda: meters.provider)
    assert self_metrics.MeterProvider is metrics_api.MeterProvider
    make_processor()
    assert meters.values() == {SIZE: {"": 0}, CAPACITY: {"": 131072}}


def test_everything_given_is_processed_or_in_the_queue(
    meters: Meters, make_processor: MakeProcessor, exporter: MemorySpanExporter, make_spans: MakeSpans
) -> None:
    processor = make_processor(meter_provider=meters.provider, max_queue_size=10, max_export_batch_size=4)
    hold_worker(processor, exporter, make_spans(4))
    processor.on_end("not a span")  # type: ignore[arg-type]
    for span in make_spans(13):
        processor.on_end(span)
    assert meters.values() == {
        PROCESSED: {"": 4, "queue_full": 3, "EncodeError": 1},
        SIZE: {"": 10},
        CAPACITY: {"": 10},
    }
    processor.shutdown(timeout_millis=0)
    processor.on_end(make_spans(1)[0])
    assert meters.values() == {
        PROCESSED: {"": 4, "queue_full": 3, "EncodeError": 1, "already_shutdown": 1, "shutdown": 10},
        SIZE: {"": 0},
        CAPACITY: {"": 10},
    }


def test_processors_of_one_meter_provider_are_all_observed_while_they_live(
    meters: Meters, exporter: MemorySpanExporter, make_spans: MakeSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_metrics, "_components", self_metrics.Counter())
    processors = [BatchSpanProcessor(exporter, meter_provider=meters.provider) for _ in range(2)]
    for processor, count in zip(processors, (1, 2), strict=True):
        for span in make_spans(count):
            processor.on_end(span)
        processor.shutdown()

    def counts() -> dict[str, float]:
        points = meters.metrics()[PROCESSED].data.data_points
        assert {point.attributes["otel.component.type"] for point in points} == {"batching_span_processor"}
        return {point.attributes["otel.component.name"]: point.value for point in points}

    assert counts() == {"batching_span_processor/0": 1, "batching_span_processor/1": 2}
    registered = next(iter(self_metrics._observed[meters.provider].values()))
    assert len(registered) == 2
    del processor, processors[0]
    gc.collect()
    assert len(registered) == 1


def described(meters: Meters) -> dict[str, Any]:
    return {
        name: (
            metric.unit,
            metric.description.lower(),
            type(metric.data),
            metric.data.is_monotonic,
            metric.data.aggregation_temporality,
            {(point.value, tuple(sorted(point.attributes.items()))) for point in metric.data.data_points},
        )
        for name, metric in meters.metrics().items()
    }


def test_span_metrics_equal_those_of_the_official_processor(
    meters: Meters, make_processor: MakeProcessor, make_spans: MakeSpans, monkeypatch: pytest.MonkeyPatch
) -> None:
    official_metrics = pytest.importorskip("opentelemetry.sdk._shared_internal._processor_metrics")
    from opentelemetry.sdk.trace.export import BatchSpanProcessor as Official
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    monkeypatch.setattr(self_metrics, "_components", self_metrics.Counter())
    monkeypatch.setattr(official_metrics, "_component_counter", self_metrics.Counter())
    theirs = Meters()
    ours = make_processor(meter_provider=meters.provider, max_queue_size=1000)
    official = Official(InMemorySpanExporter(), max_queue_size=1000, meter_provider=theirs.provider)
    for span in make_spans(3):
        ours.on_end(span)
        official.on_end(span)
    assert ours.force_flush()
    assert official.force_flush()
    official.shutdown()
    assert described(meters) == described(theirs)


def test_log_metrics_have_the_names_of_the_official_processor(
    meters: Meters, make_log_processor: MakeLogProcessor
) -> None:
    pytest.importorskip("opentelemetry.sdk._shared_internal._processor_metrics")
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor as Official
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter

    theirs = Meters()
    for provided in (
        make_log_processor(meter_provider=meters.provider),
        Official(InMemoryLogRecordExporter(), meter_provider=theirs.provider),
    ):
        provider = LoggerProvider(shutdown_on_exit=False)
        provider.add_log_record_processor(provided)
        provider.get_logger("tests").emit(body="body")
        assert provider.force_flush()
        provider.shutdown()
    own, official = meters.metrics(), theirs.metrics()
    assert set(own) == set(official)
    for name in own:
        # The official queue.size is in {log}, which its other metrics and the conventions call {log_record}.
        assert own[name].unit == "{log_record}"
        (point,) = own[name].data.data_points
        (their_point,) = official[name].data.data_points
        assert set(point.attributes) == set(their_point.attributes)
        assert point.attributes["otel.component.type"] == their_point.attributes["otel.component.type"]
