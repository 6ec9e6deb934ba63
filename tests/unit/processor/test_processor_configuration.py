"""What a processor reads from arguments and variables, and what it refuses."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk._logs import export as sdk_logs
from opentelemetry.sdk.trace import export as sdk_trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otlp_fast.exporter.http import OTLPLogExporter, OTLPSpanExporter
from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor, configuration
from otlp_fast.processor.configuration import BatchSettings
from tests.unit.processor.memory_exporter import MemoryLogExporter, MemorySpanExporter

MakeProcessor = Callable[..., BatchSpanProcessor]
MakeLogProcessor = Callable[..., BatchLogRecordProcessor]

MiB = 1024 * 1024


def settings(processor: BatchSpanProcessor | BatchLogRecordProcessor) -> BatchSettings:
    return processor._worker._settings


def test_defaults_are_those_of_the_specification_but_for_the_queue(
    make_processor: MakeProcessor, make_log_processor: MakeLogProcessor
) -> None:
    common = {"max_queue_size": 131072, "max_queue_bytes": 64 * MiB, "max_export_batch_size": 512, "export_timeout": 30}
    assert settings(make_processor()) == BatchSettings(schedule_delay=5, **common)  # type: ignore[arg-type]
    assert settings(make_log_processor()) == BatchSettings(schedule_delay=1, **common)  # type: ignore[arg-type]


@pytest.mark.parametrize(("prefix", "maker"), [("OTEL_BSP", "make_processor"), ("OTEL_BLRP", "make_log_processor")])
def test_variables_are_read(
    prefix: str, maker: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    make = request.getfixturevalue(maker)
    values = {
        "MAX_QUEUE_SIZE": "2048",
        "SCHEDULE_DELAY": "250",
        "MAX_EXPORT_BATCH_SIZE": "64",
        "EXPORT_TIMEOUT": "1500",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"{prefix}_{name}", value)
    assert settings(make()) == BatchSettings(2048, 64 * MiB, 64, 0.25, 1.5)
    arguments = {"max_queue_size": 100, "schedule_delay_millis": 1, "max_export_batch_size": 50}
    assert settings(make(**arguments, export_timeout_millis=2.5, max_queue_bytes=MiB)) == BatchSettings(
        100, MiB, 50, 0.001, 0.0025
    )
    for name in values:
        monkeypatch.setenv(f"{prefix}_{name}", " ")
    assert settings(make()).max_queue_size == 131072


def test_export_timeout_of_zero_is_no_limit(make_processor: MakeProcessor) -> None:
    assert settings(make_processor(export_timeout_millis=0)).export_timeout == math.inf


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        ({"max_queue_size": 0}, {}, ["argument max_queue_size", "0"]),
        ({"max_queue_size": -1}, {}, ["argument max_queue_size", "-1"]),
        ({"max_queue_size": 2.5}, {}, ["argument max_queue_size", "2.5"]),
        ({"max_queue_size": "100"}, {}, ["argument max_queue_size", "'100'"]),
        ({"schedule_delay_millis": True}, {}, ["argument schedule_delay_millis", "True"]),
        ({"max_queue_size": sys.maxsize + 1}, {}, ["argument max_queue_size", str(sys.maxsize + 1)]),
        ({"max_queue_bytes": 0}, {}, ["argument max_queue_bytes", "0"]),
        ({"schedule_delay_millis": 0}, {}, ["argument schedule_delay_millis", "0"]),
        ({"schedule_delay_millis": math.nan}, {}, ["argument schedule_delay_millis", "nan"]),
        ({"schedule_delay_millis": math.inf}, {}, ["argument schedule_delay_millis", "inf"]),
        ({"export_timeout_millis": -1}, {}, ["argument export_timeout_millis", "-1"]),
        ({"max_export_batch_size": 0}, {}, ["argument max_export_batch_size", "0"]),
        (
            {"max_queue_size": 100, "max_export_batch_size": 101},
            {},
            ["argument max_export_batch_size", "101", "100", "argument max_queue_size"],
        ),
        ({}, {"MAX_QUEUE_SIZE": "100"}, ["argument max_export_batch_size", "512", "100", "OTEL_BSP_MAX_QUEUE_SIZE"]),
        ({}, {"MAX_QUEUE_SIZE": "many"}, ["OTEL_BSP_MAX_QUEUE_SIZE", "'many'"]),
        ({}, {"MAX_QUEUE_SIZE": "1.5"}, ["OTEL_BSP_MAX_QUEUE_SIZE", "1.5"]),
        ({}, {"SCHEDULE_DELAY": "-5"}, ["OTEL_BSP_SCHEDULE_DELAY", "-5"]),
        ({}, {"SCHEDULE_DELAY": "5s"}, ["OTEL_BSP_SCHEDULE_DELAY", "'5s'"]),
        ({}, {"MAX_EXPORT_BATCH_SIZE": "0"}, ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"]),
        ({}, {"EXPORT_TIMEOUT": "1e99"}, ["OTEL_BSP_EXPORT_TIMEOUT", "1e+99"]),
    ],
)
def test_what_cannot_be_right_is_named(
    arguments: dict[str, Any],
    variables: dict[str, str],
    named: list[str],
    exporter: MemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"OTEL_BSP_{name}", value)
    with pytest.raises(ValueError) as raised:
        BatchSpanProcessor(exporter, **arguments)
    for part in named:
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        (BatchSpanProcessor, sdk_trace.BatchSpanProcessor),
        (BatchLogRecordProcessor, sdk_logs.BatchLogRecordProcessor),
    ],
)
def test_constructor_takes_what_the_official_one_takes(ours: type, official: type) -> None:
    own = list(inspect.signature(ours).parameters.values())
    for position, parameter in enumerate(inspect.signature(official).parameters.values()):
        assert (own[position].name, own[position].kind, own[position].default) == (
            parameter.name,
            parameter.kind,
            parameter.default,
        )


def test_exporters_without_requests_are_sent_to_the_sdks_processor(log_exporter: MemoryLogExporter) -> None:
    for exporter in (InMemorySpanExporter(), None, MemorySpanExporter):
        with pytest.raises(TypeError, match=r"argument span_exporter: .*batch processor of opentelemetry\.sdk"):
            BatchSpanProcessor(exporter)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"argument exporter: .*batch processor of opentelemetry\.sdk"):
        BatchLogRecordProcessor(sdk_logs.ConsoleLogRecordExporter())


def test_exporters_of_another_signal_are_refused() -> None:
    spans, logs = OTLPSpanExporter(), OTLPLogExporter()
    with pytest.raises(TypeError, match="OTLPLogExporter is not a SpanExporter"):
        BatchSpanProcessor(logs)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="OTLPSpanExporter is not a LogRecordExporter"):
        BatchLogRecordProcessor(spans)  # type: ignore[arg-type]
    for exporter in (spans, logs):
        exporter.shutdown()


def test_longest_times_can_be_waited_for(make_processor: MakeProcessor, exporter: MemorySpanExporter) -> None:
    longest = configuration._MAX_MILLIS
    processor = make_processor(schedule_delay_millis=longest, export_timeout_millis=longest)
    assert processor.force_flush(timeout_millis=10**30)
    processor.shutdown(timeout_millis=10**30)
    assert exporter.calls == ["force_flush", "shutdown"]
