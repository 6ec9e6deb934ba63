"""What a program that has the OpenTelemetry SDK plugs in; the SDK's own signatures take each of them."""

from collections.abc import Sequence

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from typing_extensions import reveal_type

from otlp_fast import compat, reference
from otlp_fast.exporter import grpc, http
from otlp_fast.gateway import Settings, application
from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor


def of_exporters(spans: Sequence[ReadableSpan]) -> None:
    exporter = http.OTLPSpanExporter(compression=http.Compression.Zstd, timeout=2.5, headers={"authorization": "x"})
    reveal_type(exporter)  # otlp_fast.exporter.http.traces.OTLPSpanExporter
    reveal_type(exporter.export(spans))  # opentelemetry.sdk.trace.export.SpanExportResult
    reveal_type(exporter.export_request(b"", 0, timeout=1.0))  # bool
    reveal_type(exporter.force_flush())  # bool
    reveal_type(exporter.drain_spool())  # bool
    reveal_type(exporter.stats())  # dict[str, int]
    reveal_type(exporter.shutdown())  # None
    reveal_type(http.OTLPLogExporter())  # otlp_fast.exporter.http.logs.OTLPLogExporter
    reveal_type(http.OTLPMetricExporter())  # otlp_fast.exporter.http.metrics.OTLPMetricExporter
    reveal_type(grpc.OTLPSpanExporter(insecure=True))  # otlp_fast.exporter.grpc.traces.OTLPSpanExporter
    reveal_type(grpc.OTLPLogExporter())  # otlp_fast.exporter.grpc.logs.OTLPLogExporter
    reveal_type(grpc.OTLPMetricExporter())  # otlp_fast.exporter.grpc.metrics.OTLPMetricExporter


def of_providers(traces: TracerProvider, logs: LoggerProvider) -> None:
    span_processor = BatchSpanProcessor(http.OTLPSpanExporter(), max_queue_bytes=1 << 20)
    traces.add_span_processor(span_processor)
    reveal_type(span_processor)  # otlp_fast.processor.BatchSpanProcessor
    reveal_type(span_processor.force_flush())  # bool
    reveal_type(span_processor.stats())  # dict[str, int]
    log_processor = BatchLogRecordProcessor(grpc.OTLPLogExporter())
    logs.add_log_record_processor(log_processor)
    reveal_type(log_processor)  # otlp_fast.processor.BatchLogRecordProcessor
    reveal_type(log_processor.shutdown())  # None
    MeterProvider([PeriodicExportingMetricReader(http.OTLPMetricExporter())])


def of_the_rest(spans: Sequence[ReadableSpan], metrics: MetricsData) -> None:
    with compat.use_in_official_exporters() as swapped:
        reveal_type(swapped)  # otlp_fast.compat.OfficialExporters
        reveal_type(swapped.signals)  # tuple[str, ...]
    reveal_type(application(Settings(forward="http://collector:4318")))  # starlette.applications.Starlette
    reveal_type(reference.encode_spans(spans))  # bytes
    reveal_type(reference.encode_logs([]))  # bytes
    reveal_type(reference.encode_metrics(metrics))  # bytes
