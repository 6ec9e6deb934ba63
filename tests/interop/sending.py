"""Telemetry with everything that the SDK can say, through each way that leads out of a process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import urllib3
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

import otlp_fast
from otlp_fast import compression, processor
from otlp_fast.exporter import grpc, http
from tests.faults.conftest import EXPORTERS
from tests.interop.peer import Collector
from tests.interop.telemetry import emit_log_records, emit_spans, record_metrics
from tests.unit.gateway.gateway_process import GatewayProcess

JSON = "application/json"

EMITTERS: dict[str, Callable[..., list[bytes]]] = {
    "traces": emit_spans,
    "logs": emit_log_records,
    "metrics": record_metrics,
}

PROCESSORS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("traces", "ours"): processor.BatchSpanProcessor,
    ("traces", "SDK's batch"): BatchSpanProcessor,
    ("traces", "SDK's simple"): SimpleSpanProcessor,
    ("logs", "ours"): processor.BatchLogRecordProcessor,
    ("logs", "SDK's batch"): BatchLogRecordProcessor,
    ("logs", "SDK's simple"): SimpleLogRecordProcessor,
}


def exporter_to(receiver: Collector | GatewayProcess, transport: str, signal: str, **arguments: Any) -> Any:
    """One of our exporters, to a Collector or to a gateway."""
    if transport == "grpc":
        assert isinstance(receiver, Collector)
        return getattr(grpc, EXPORTERS[signal])(endpoint=f"http://{receiver.grpc}", **arguments)
    url = receiver.http if isinstance(receiver, Collector) else receiver.url
    return getattr(http, EXPORTERS[signal])(endpoint=f"{url}/v1/{signal}", **arguments)


def post_json(url: str, signal: str, request: bytes, encoding: str = "none") -> urllib3.BaseHTTPResponse:
    """Send a request to the base URL of a receiver as our JSON."""
    headers = {"Content-Type": JSON, **({} if encoding == "none" else {"Content-Encoding": encoding})}
    body = compression.compress(otlp_fast.to_json(request, signal), encoding)
    return urllib3.request("POST", f"{url}/v1/{signal}", body=body, headers=headers)


def send_everything(signal: str, exporter: Any, way: str = "ours") -> list[bytes]:
    """Send telemetry with all that the SDK can say, and give it as requests; the exporter is shut down then."""
    if signal == "metrics":
        return record_metrics(exporter)
    through = PROCESSORS[signal, way](exporter)
    sent = EMITTERS[signal](through)
    through.force_flush()
    through.shutdown()
    return sent


@cache
def everything(signal: str) -> list[bytes]:
    """The same telemetry, not sent anywhere."""
    return EMITTERS[signal]()
