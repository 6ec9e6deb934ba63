"""What takes part in encoding: each takes telemetry of one signal and gives an export request as bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeAlias

import otlp_fast
from otlp_fast.bench.batch import Signal

Encoded: TypeAlias = bytes | otlp_fast.Buffer
"""What an engine gives: bytes, or pooled memory with the buffer protocol, as an exporter would send it."""

OFFICIAL = "official"
"""The engine whose bytes are the right answer, and whose time is what others are compared with."""

OTLP_FAST = "otlp_fast"
"""The engine that the claims are about."""


@dataclass(frozen=True)
class Engine:
    """One way of encoding what a `Batch` holds."""

    name: str
    version: str
    encode: Callable[[Any], Encoded]


def official(signal: Signal) -> Engine:
    """Give the encoder of opentelemetry-exporter-otlp-proto-common, with protobuf's serialising."""
    # Here, since protobuf takes long to import, and is not there for everyone.
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    encoders: dict[Signal, Callable[[Any], Any]] = {
        "traces": encode_spans,
        "logs": encode_logs,
        "metrics": encode_metrics,
    }
    to_message = encoders[signal]

    def encode(content: Any) -> bytes:
        data: bytes = to_message(content).SerializeToString()
        return data

    return Engine(OFFICIAL, version("opentelemetry-exporter-otlp-proto-common"), encode)


def otlp_fast_batch(signal: Signal) -> Engine:
    """Give `otlp_fast.encode_spans` and its like."""
    encoders: dict[Signal, Callable[[Any], bytes]] = {
        "traces": otlp_fast.encode_spans,
        "logs": otlp_fast.encode_logs,
        "metrics": otlp_fast.encode_metrics,
    }
    return Engine(OTLP_FAST, otlp_fast.__version__, encoders[signal])
