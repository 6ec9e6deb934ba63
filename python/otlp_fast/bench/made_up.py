"""The telemetry of an invented shop: the same for everyone who has the same versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module

from otlp_fast.bench.batch import ITEM
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.engines import otlp_fast_batch
from otlp_fast.bench.errors import BenchError, OldSdkError, made_for_newer_sdk
from otlp_fast.bench.telemetry import Encodable, Stream, Telemetry
from otlp_fast.bench.workloads.workload import Workload

_MODULES = {"spans": "traces", "logs": "logs", "metrics": "metrics"}
_STREAMS = ("web", "requests", "histograms")


def made_up_telemetry(effort: Effort) -> Telemetry:
    """Make the telemetry, of all signals that the installed SDK can make.

    Raises:
        BenchError: it can make none.
    """
    workloads: dict[str, Workload] = {}
    notes = []
    for module, signal in _MODULES.items():
        try:
            workloads |= _workloads(module)
        except OldSdkError as error:
            notes.append(f"no {signal}: {error}")
    if not workloads:
        raise BenchError(notes[0])
    chosen = [workloads[name] for name in effort.workloads if name in workloads]
    web = workloads.get("web")
    return Telemetry(
        source={"kind": "made up", "workloads": [workload.name for workload in chosen]},
        encodable=[
            Encodable(_title(workload), workload.signal, partial(workload.build_batches, effort.items))
            for workload in chosen
        ],
        streams=[_stream(workloads[name], effort) for name in _STREAMS if name in workloads],
        processed=None if web is None else partial(replace(web, batches=2).build_batches, effort.items),
        notes=[*(f"{_title(workload)}: {workload.description}" for workload in chosen), *notes],
    )


def _workloads(module: str) -> Mapping[str, Workload]:
    with made_for_newer_sdk():
        found: tuple[Workload, ...] = import_module(f"otlp_fast.bench.workloads.{module}").WORKLOADS
    return {workload.name: workload for workload in found}


def _title(workload: Workload) -> str:
    return f"{workload.name} {ITEM[workload.signal]}s"


def _stream(workload: Workload, effort: Effort) -> Stream:
    # A meter provider collects everything at once: its data points are one request.
    number = 1 if workload.signal == "metrics" else effort.requests
    encode = otlp_fast_batch(workload.signal).encode
    batches = replace(workload, batches=number).build_batches(effort.items)
    return Stream(_title(workload), workload.signal, [bytes(encode(batch.content)) for batch in batches])
