"""OTLP over HTTP: exporters with the constructors of the official ones, on urllib3.

Nothing here imports protobuf, requests or an official exporter. Select them with `OTEL_TRACES_EXPORTER`,
`OTEL_LOGS_EXPORTER` and `OTEL_METRICS_EXPORTER` set to `otlp_fast_http`, or by hand:

    from otlp_fast.exporter.http import OTLPSpanExporter
    from otlp_fast.processor import BatchSpanProcessor

    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from otlp_fast.exporter.configuration import Compression

if TYPE_CHECKING:
    from otlp_fast.exporter.http.logs import OTLPLogExporter
    from otlp_fast.exporter.http.metrics import OTLPMetricExporter
    from otlp_fast.exporter.http.traces import OTLPSpanExporter

__all__ = ["Compression", "OTLPLogExporter", "OTLPMetricExporter", "OTLPSpanExporter"]

_MODULES = {"OTLPLogExporter": "logs", "OTLPMetricExporter": "metrics", "OTLPSpanExporter": "traces"}


def __getattr__(name: str) -> Any:
    """Import an exporter when it is asked for: the SDK's part of each signal costs more than all of ours."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    exporter = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = exporter
    return exporter
