"""The rivals: each takes telemetry of one signal and gives an export request as bytes.

An engine that is not installed is left out by name, never replaced. fastotel is not here: it has no entry that only
encodes, and is compared as a whole process (processors.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeAlias

from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

import otlp_fast
from benchmarks.workloads.workload import Signal
from otlp_fast import reference

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


OFFICIAL_ENCODERS: dict[Signal, Callable[[Any], Any]] = {
    "traces": encode_spans,
    "logs": encode_logs,
    "metrics": encode_metrics,
}


def official(signal: Signal) -> Engine:
    """Give the encoder of opentelemetry-exporter-otlp-proto-common, with protobuf's serialising."""
    to_message = OFFICIAL_ENCODERS[signal]

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


def otlp_fast_add(signal: Signal) -> Engine:
    """Give `add` for each item and one `finish`, with an encoder that is kept, as a processor does.

    Metrics come from the SDK all at once: there `add` takes them all.
    """
    if signal == "metrics":
        metric_encoder = otlp_fast.MetricEncoder()

        def encode_collected(content: Any) -> otlp_fast.Buffer:
            metric_encoder.add(content)
            return metric_encoder.finish()

        return Engine("otlp_fast_add", otlp_fast.__version__, encode_collected)

    encoder = otlp_fast.SpanEncoder() if signal == "traces" else otlp_fast.LogEncoder()

    def encode(content: Any) -> otlp_fast.Buffer:
        add = encoder.add
        for item in content:
            add(item)
        return encoder.finish()

    return Engine("otlp_fast_add", otlp_fast.__version__, encode)


def reference_encoder(signal: Signal) -> Engine:
    """Give `otlp_fast.reference`: pure Python without protobuf, written to be read, not to be fast."""
    encoders: dict[Signal, Callable[[Any], bytes]] = {
        "traces": reference.encode_spans,
        "logs": reference.encode_logs,
        "metrics": reference.encode_metrics,
    }
    return Engine("reference", otlp_fast.__version__, encoders[signal])


def engines(signal: Signal) -> list[Engine]:
    """Give the engines, the official one first."""
    return [official(signal), otlp_fast_batch(signal), otlp_fast_add(signal), reference_encoder(signal)]
