"""What the programs of these tests have in common: providers with our processors, and a fork that cannot hang."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.trace import TracerProvider

from otlp_fast.exporter.http import OTLPLogExporter, OTLPSpanExporter
from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor

__all__ = [
    "BatchSpanProcessor",
    "OTLPSpanExporter",
    "TracerProvider",
    "emit",
    "exporter",
    "fork",
    "loggers",
    "os",
    "processor",
    "show",
    "sys",
    "threading",
    "time",
    "tracers",
    "wait",
]

# Python 3.12 and later warn of what these tests are about: a fork in a process with threads.
warnings.simplefilter("ignore", DeprecationWarning)

# Nothing is sent by itself: the delay is longer than a test.
DELAY_MILLIS = 10**9

# Longer than anything that is waited for here, on a busy machine too.
TIMEOUT_SECONDS = 60

exporter = OTLPSpanExporter(f"{sys.argv[1]}/v1/traces", timeout=TIMEOUT_SECONDS)
processor = BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MILLIS)
tracers = TracerProvider()
tracers.add_span_processor(processor)

loggers = LoggerProvider()
loggers.add_log_record_processor(
    BatchLogRecordProcessor(
        OTLPLogExporter(f"{sys.argv[1]}/v1/logs", timeout=TIMEOUT_SECONDS), schedule_delay_millis=DELAY_MILLIS
    )
)


def emit(who: str, count: int = 1) -> None:
    """End spans and emit log records: `<who> 0`, `<who> 1` and so on."""
    for number in range(count):
        tracers.get_tracer("app").start_span(f"{who} {number}").end()
        loggers.get_logger("app").emit(body=f"{who} {number}")


def fork(run: Callable[[], object]) -> int:
    """Start a child that runs `run` and ends as those of multiprocessing do, or is killed after a minute."""
    child = os.fork()
    if child:
        return child
    signal.alarm(60)
    try:
        run()
        os._exit(0)
    finally:
        os._exit(1)


def wait(child: int) -> None:
    """Wait for a child, which must have ended well."""
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def show(*what: object) -> None:
    """Print at once, so that a child does not print it again."""
    print(*what, flush=True)
