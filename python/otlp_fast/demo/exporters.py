"""Makes the exporters that are compared: the official ones and those of otlp-fast, with the same arguments.

Everything that is not an argument is at its default. A process imports only what it uses.
"""

from __future__ import annotations

from typing import Any

from otlp_fast.demo.telemetry import path_of


def create_exporter(name: str, signal: str, endpoint: str, compression: str) -> Any:
    """Make the exporter of `official` or `otlp_fast` for a signal; `endpoint` is without the signal's path."""
    url = endpoint + path_of(signal)
    if name == "official":
        from opentelemetry.exporter.otlp.proto.http import Compression

        return _official_class(signal)(endpoint=url, compression=Compression(compression))
    return _our_class(signal)(endpoint=url, compression=compression)


def _official_class(signal: str) -> Any:
    if signal == "traces":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter
    if signal == "logs":
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

        return OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter


def _our_class(signal: str) -> Any:
    from otlp_fast.exporter import http

    return {"traces": http.OTLPSpanExporter, "logs": http.OTLPLogExporter, "metrics": http.OTLPMetricExporter}[signal]
