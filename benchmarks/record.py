"""Records: a whole measurement as one JSON file under records/, kept in the repository as data.

A record holds where it was made, what was measured how, the summary that tables are made from, and the figure of every
single round, so that the summary can be checked and read again in another way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import import_time, on_end, whole_process
from benchmarks.environment import environment
from benchmarks.processors import FASTOTEL, OFFICIAL, Configuration
from otlp_fast.bench.batch import ITEM, ITEMS, Signal
from otlp_fast.bench.engines import Engine
from otlp_fast.bench.measure import ROUNDS, SAMPLE_SECONDS, Comparison, compare
from otlp_fast.bench.record import as_text, series, spread
from otlp_fast.bench.workloads.by_name import WORKLOADS

RECORDS = Path(__file__).resolve().parent / "records"

FORMAT = 2
"""1 held spans only, and no processes."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Effort:
    """How much is measured: what is published by default."""

    rounds: int = ROUNDS
    rounds_without_gc: int = 10
    import_rounds: int = import_time.ROUNDS
    items: int = ITEMS
    sample_seconds: float = SAMPLE_SECONDS
    process_rounds: int = whole_process.ROUNDS
    process_seconds: float = whole_process.SECONDS
    burst_rounds: int = whole_process.BURST_ROUNDS
    burst_spans: int = whole_process.BURST_SPANS
    on_end_rounds: int = on_end.ROUNDS
    on_end_spans: int = on_end.SPANS

    def steps(self, configurations: int) -> int:
        """How often `make_record` calls `on_step`, with so many configurations."""
        return (
            (self.rounds + self.rounds_without_gc) * len(WORKLOADS)
            + self.import_rounds
            + self.process_rounds * configurations
            + self.burst_rounds * (configurations - 1)
            + self.on_end_rounds
            + 1  # the round of on_end that warms up
        )


QUICK = Effort(
    rounds=2,
    rounds_without_gc=1,
    import_rounds=2,
    items=64,
    sample_seconds=0.001,
    process_rounds=1,
    process_seconds=0.2,
    burst_rounds=1,
    burst_spans=1_000,
    on_end_rounds=2,
    on_end_spans=64,
)
"""Enough to see that everything runs."""


def make_record(
    engines: Callable[[Signal], Sequence[Engine]],
    configurations: Sequence[Configuration],
    effort: Effort,
    on_step: Callable[[str], None] = lambda doing: None,
) -> Record:
    """Measure all workloads, the imports, and the configurations as processes.

    Raises:
        WrongAnswerError: an engine gave other bytes than the official one, and nothing of that workload was timed; or a
            span arrived otherwise than it was made.
    """
    # Before anything is measured: what others do to the tree in the meantime is not what was loaded.
    surroundings = environment()
    return {
        "format": FORMAT,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **surroundings,
        "method": {
            "unit": "microseconds per item; imports: ms above an empty interpreter",
            **asdict(effort),
            "ratio": "official CPU time / engine CPU time, within a round; median and quartiles over the rounds",
            "share": "net CPU time of the configuration / that of its rival, within a round",
        },
        "engines": {engine.name: engine.version for engine in engines("traces")},
        "configurations": {
            configuration.name: {
                "description": configuration.description,
                "version": version(configuration.distribution),
            }
            for configuration in configurations
        },
        "workloads": {name: encoding(name, engines, effort, on_step) for name in WORKLOADS},
        "imports": {
            name: {clock: series(values) for clock, values in clocks.items()}
            for name, clocks in import_time.measure_imports(effort.import_rounds, lambda: on_step("imports")).items()
        },
        "whole_process": steady_processes(configurations, effort, lambda: on_step("process")),
        "burst": burst_processes(configurations, effort, lambda: on_step("burst")),
        "on_end": request_thread(configurations, effort, lambda: on_step("on_end")),
    }


def encoding(
    name: str,
    engines: Callable[[Signal], Sequence[Engine]],
    effort: Effort,
    on_step: Callable[[str], None],
) -> dict[str, Any]:
    """Measure the engines on one workload, with the garbage collector and without."""
    workload = WORKLOADS[name]
    rivals, batches = engines(workload.signal), workload.build_batches(effort.items)
    with_gc, without_gc = (
        compare(
            rivals,
            batches,
            rounds=rounds,
            gc_enabled=gc_enabled,
            sample_seconds=effort.sample_seconds,
            on_round=lambda: on_step(name),
        )
        for gc_enabled, rounds in ((True, effort.rounds), (False, effort.rounds_without_gc))
    )
    return {
        "signal": workload.signal,
        "item": ITEM[workload.signal],
        "description": workload.description,
        "batches": workload.batches,
        "items": with_gc.items,
        "bytes": with_gc.encoded_bytes,
        # `compare` times nothing unless all engines gave these bytes.
        "identical": True,
        "gc_on": summary(with_gc),
        "gc_off": summary(without_gc),
    }


def steady_processes(
    configurations: Sequence[Configuration], effort: Effort, on_run: Callable[[], None]
) -> dict[str, Any]:
    """Measure the CPU time of whole processes."""
    runs = whole_process.measure_steady(
        configurations, rounds=effort.process_rounds, seconds=effort.process_seconds, on_run=on_run
    )
    net = {name: whole_process.net_cpu(runs, name) for name in runs}
    return {
        name: {
            "cpu": series([run.cpu_us for run in of_configuration]),
            "net": series(net[name]),
            "share_of": {
                rival: series(whole_process.shares(net[name], net[rival]))
                for rival in (OFFICIAL, FASTOTEL)
                if rival in net
            },
            "spans_per_second": series([run.per_second for run in of_configuration]),
            "made": [run.made for run in of_configuration],
            "delivered": [run.delivered for run in of_configuration],
            "request_bytes": [run.request_bytes for run in of_configuration],
        }
        for name, of_configuration in runs.items()
    }


def burst_processes(
    configurations: Sequence[Configuration], effort: Effort, on_run: Callable[[], None]
) -> dict[str, Any]:
    """Measure what is delivered of a burst."""
    runs = whole_process.measure_burst(
        configurations, rounds=effort.burst_rounds, spans=effort.burst_spans, on_run=on_run
    )
    return {
        name: {
            "share": series([run.delivered / run.made for run in of_configuration]),
            "spans_per_second": series([run.per_second for run in of_configuration]),
            "made": [run.made for run in of_configuration],
            "delivered": [run.delivered for run in of_configuration],
        }
        for name, of_configuration in runs.items()
    }


def request_thread(
    configurations: Sequence[Configuration], effort: Effort, on_round: Callable[[], None]
) -> dict[str, Any]:
    """Measure what a processor costs the thread that ends a span."""
    measured = on_end.measure_on_end(
        configurations, rounds=effort.on_end_rounds, spans=effort.on_end_spans, on_round=on_round
    )
    return {
        name: {"thread_cpu": series(values), "added": series(on_end.added(measured, name))}
        for name, values in measured.items()
    }


def summary(comparison: Comparison) -> dict[str, Any]:
    """Summarise a comparison, engine by engine, with the figures of all rounds."""
    return {
        engine: {
            "repetitions": comparison.repetitions[engine],
            "cpu": series(samples.cpu),
            "wall": series(samples.wall),
            "ratio": spread(comparison.ratios(engine)),
        }
        for engine, samples in comparison.samples.items()
    }


def write_record(record: Record, directory: Path = RECORDS) -> Path:
    """Write a record under its name; one of the same day, processor and version is replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / file_name(record)
    path.write_text(as_text(record), encoding="utf-8")
    return path


def file_name(record: Record) -> str:
    """Give the name of a record's file: date, processor, version of otlp-fast."""
    processor = re.sub(r"[^a-z0-9]+", "-", record["machine"]["cpu"].lower()).strip("-")
    return f"{record['date'][:10]}-{processor}-{record['versions']['otlp-fast']}.json"


def newest_record(directory: Path = RECORDS) -> Record:
    """Read the record with the latest date, of those in the form of today; some have only ever had one, and name none.

    Raises:
        FileNotFoundError: there is none.
    """
    found = [json.loads(path.read_text(encoding="utf-8")) for path in directory.glob("*.json")]
    records = [record for record in found if record.get("format", FORMAT) == FORMAT]
    if not records:
        raise FileNotFoundError(f"no record in {directory}: make one with --record")
    newest: Record = max(records, key=lambda record: datetime.fromisoformat(record["date"]))
    return newest
