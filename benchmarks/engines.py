"""All that take part in the project's own benchmarks of encoding: the two of `otlp-fast bench`, and two more of ours.

An engine that is not installed is left out by name, never replaced. fastotel is not here: it has no entry that only
encodes, and is compared as a whole process (processors.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import otlp_fast
from otlp_fast import reference
from otlp_fast.bench.batch import Signal
from otlp_fast.bench.engines import Engine, official, otlp_fast_batch


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
