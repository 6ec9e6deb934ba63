"""The telemetry of an invented shop: the same for everyone who has the same versions."""

from __future__ import annotations

from dataclasses import replace

from otlp_fast.bench.batch import ITEM
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.engines import otlp_fast_batch
from otlp_fast.bench.telemetry import Encodable, Stream, Telemetry
from otlp_fast.bench.workloads import WORKLOADS
from otlp_fast.bench.workloads.workload import Workload

_STREAMS = ("web", "requests", "histograms")


def made_up_telemetry(effort: Effort) -> Telemetry:
    """Make the telemetry."""
    chosen = [WORKLOADS[name] for name in effort.workloads]
    web = WORKLOADS["web"]
    return Telemetry(
        source={"kind": "made up", "workloads": list(effort.workloads), "streams": list(_STREAMS)},
        encodable=[
            Encodable(f"{workload.name} {ITEM[workload.signal]}s", workload.signal, workload.build_batches)
            for workload in chosen
        ],
        streams=[_stream(WORKLOADS[name], effort.requests) for name in _STREAMS],
        processed=replace(web, batches=2).build_batches,
        notes=[f"{workload.name}: {workload.description}" for workload in chosen],
    )


def _stream(workload: Workload, requests: int) -> Stream:
    # A meter provider collects everything at once: its data points are one request.
    number = 1 if workload.signal == "metrics" else requests
    encode = otlp_fast_batch(workload.signal).encode
    batches = replace(workload, batches=number).build_batches()
    name = f"{workload.name} {ITEM[workload.signal]}s"
    return Stream(name, workload.signal, [bytes(encode(batch.content)) for batch in batches])
