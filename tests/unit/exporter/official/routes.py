"""The six exporters beside the six official ones, over the same receivers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from scripted_grpc_receiver import GRPCReceiver
from scripted_receiver import Receiver
from telemetry import make_log_records, make_metrics, make_spans

_CLASSES = {"traces": "OTLPSpanExporter", "logs": "OTLPLogExporter", "metrics": "OTLPMetricExporter"}
_OFFICIAL_MODULES = {"traces": "trace_exporter", "logs": "_log_exporter", "metrics": "metric_exporter"}
_MAKERS: dict[str, Any] = {"traces": make_spans, "logs": make_log_records, "metrics": make_metrics}

ROUTES = [(transport, signal) for transport in ("http", "grpc") for signal in _CLASSES]


@dataclass
class Route:
    """One signal over one transport."""

    transport: str
    signal: str

    @property
    def ours(self) -> Any:
        return getattr(import_module(f"otlp_fast.exporter.{self.transport}"), _CLASSES[self.signal])

    @property
    def official(self) -> Any:
        module = f"opentelemetry.exporter.otlp.proto.{self.transport}.{_OFFICIAL_MODULES[self.signal]}"
        return getattr(import_module(module), _CLASSES[self.signal])

    def receiver(self) -> Any:
        return Receiver() if self.transport == "http" else GRPCReceiver()

    def base(self, receiver: Any) -> str:
        """Give what OTEL_EXPORTER_OTLP_ENDPOINT would be."""
        return str(receiver.base if self.transport == "http" else receiver.url)

    def endpoint(self, receiver: Any) -> str:
        """Give what the variable of the signal, or the argument, would be."""
        path = f"/v1/{self.signal}" if self.transport == "http" else ""
        return self.base(receiver) + path

    def data(self, count: int = 1, size: int = 10) -> Any:
        return _MAKERS[self.signal](count, size)
