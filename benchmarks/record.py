"""Records: a whole measurement as one JSON file under records/, kept in the repository as data.

A record holds where it was made, what was measured how, the summary that tables are made from, and the figure of every
single round, so that the summary can be checked and read again in another way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.engines import Engine
from benchmarks.environment import environment
from benchmarks.import_time import measure_imports
from benchmarks.measure import SAMPLE_SECONDS, Comparison, Spread, compare
from benchmarks.workloads import SPANS, WORKLOADS

RECORDS = Path(__file__).resolve().parent / "records"

Record = dict[str, Any]


def steps(rounds: int, import_rounds: int) -> int:
    """How often `make_record` calls `on_step`."""
    return 2 * rounds * len(WORKLOADS) + import_rounds


def make_record(
    engines: Sequence[Engine],
    *,
    rounds: int,
    import_rounds: int,
    spans: int = SPANS,
    sample_seconds: float = SAMPLE_SECONDS,
    on_step: Callable[[str], None] = lambda doing: None,
) -> Record:
    """Measure all workloads and the imports.

    Raises:
        WrongAnswerError: an engine gave other bytes than the official one; nothing of that workload was timed.
    """
    # Before anything is measured: what others do to the tree in the meantime is not what was loaded.
    surroundings = environment()
    workloads = {}
    for name, workload in WORKLOADS.items():
        batches = workload.build_batches(spans)
        measured = {
            gc_enabled: compare(
                engines,
                batches,
                rounds=rounds,
                gc_enabled=gc_enabled,
                sample_seconds=sample_seconds,
                on_round=lambda name=name: on_step(name),  # type: ignore[misc]
            )
            for gc_enabled in (True, False)
        }
        workloads[name] = {
            "description": workload.description,
            "batches": workload.batches,
            "spans": measured[True].spans,
            "bytes": measured[True].encoded_bytes,
            # `compare` times nothing unless all engines gave these bytes.
            "identical": True,
            "gc_on": summary(measured[True]),
            "gc_off": summary(measured[False]),
        }
    imports = measure_imports(import_rounds, lambda: on_step("imports"))
    return {
        "format": 1,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **surroundings,
        "method": {
            "unit": "microseconds per span; imports: ms above an empty interpreter",
            "rounds": rounds,
            "import_rounds": import_rounds,
            "sample_seconds": sample_seconds,
            "ratio": "official CPU time / engine CPU time, within a round; median and quartiles over the rounds",
        },
        "engines": {engine.name: engine.version for engine in engines},
        "workloads": workloads,
        "imports": {
            name: {clock: {**spread(values), "rounds": rounded(values)} for clock, values in clocks.items()}
            for name, clocks in imports.items()
        },
    }


def summary(comparison: Comparison) -> dict[str, Any]:
    """Summarise a comparison, engine by engine, with the figures of all rounds."""
    return {
        engine: {
            "repetitions": comparison.repetitions[engine],
            "cpu": {**spread(samples.cpu), "rounds": rounded(samples.cpu)},
            "wall": {**spread(samples.wall), "rounds": rounded(samples.wall)},
            "ratio": spread(comparison.ratios(engine)),
        }
        for engine, samples in comparison.samples.items()
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Give median, quartiles and the least value, rounded for the file."""
    return {name: significant(value) for name, value in asdict(Spread.of(values)).items()}


def rounded(values: Sequence[float]) -> list[float]:
    """Round a series for the file."""
    return [significant(value) for value in values]


def significant(value: float) -> float:
    """Keep five significant digits: more than any of these figures has."""
    return float(f"{value:.5g}")


def write_record(record: Record, directory: Path = RECORDS) -> Path:
    """Write a record under its name; one of the same day, processor and version is replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / file_name(record)
    text = json.dumps(record, indent=1, ensure_ascii=False)
    # One line per series of rounds, not one per figure.
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda series: re.sub(r"\s+", " ", series[0]), text)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def file_name(record: Record) -> str:
    """Give the name of a record's file: date, processor, version of otlp-fast."""
    processor = re.sub(r"[^a-z0-9]+", "-", record["machine"]["cpu"].lower()).strip("-")
    return f"{record['date'][:10]}-{processor}-{record['versions']['otlp-fast']}.json"


def newest_record(directory: Path = RECORDS) -> Record:
    """Read the record with the latest date.

    Raises:
        FileNotFoundError: there is none.
    """
    records = [json.loads(path.read_text(encoding="utf-8")) for path in directory.glob("*.json")]
    if not records:
        raise FileNotFoundError(f"no record in {directory}: make one with `python benchmarks/report.py --record`")
    newest: Record = max(records, key=lambda record: datetime.fromisoformat(record["date"]))
    return newest
