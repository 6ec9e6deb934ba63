"""Run by test_processor_sdk_versions.py under another opentelemetry-sdk: its providers with our processors.

Prints the version, the spans and the log records that arrived, and the two books.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from importlib.metadata import version

from memory_exporter import MemoryLogExporter, MemorySpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk.trace import TracerProvider

from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor


def main() -> None:
    warnings.simplefilter("ignore", DeprecationWarning)
    spans, logs = MemorySpanExporter(), MemoryLogExporter()
    span_processor, log_processor = BatchSpanProcessor(spans), BatchLogRecordProcessor(logs)
    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(span_processor)
    loggers.add_log_record_processor(log_processor)
    logger = logging.getLogger("app")
    logger.addHandler(LoggingHandler(logger_provider=loggers))
    for number in range(1000):
        with tracers.get_tracer("app").start_as_current_span(f"span {number}"):
            logger.error("record %d", number)
    assert tracers.force_flush()
    assert loggers.force_flush()
    tracers.shutdown()
    loggers.shutdown()
    json.dump(
        {
            "version": version("opentelemetry-sdk"),
            "spans": sum(name == f"span {number}" for number, name in enumerate(spans.names)),
            "log_records": sum(body == f"record {number}" for number, body in enumerate(logs.bodies)),
            "stats": [span_processor.stats(), log_processor.stats()],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
