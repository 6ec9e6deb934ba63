"""The Rust core beside prost, buffa and Go's pdata, without Python in the way.

    python benchmarks/rivals.py [--record] [--page]

The rivals are in benchmarks/rust and benchmarks/go: programs that hold the requests of a captured corpus in memory and
go through all of them when they are told to. Here they are built, their answers are compared, and rounds are dealt out:
in each, every engine takes its turn in an order shuffled anew. A ratio is formed within a round, and the figure is the
median over the rounds. What counts is the CPU time of the engine's process, all threads.

Where a figure is promised (PROMISES), one that is not kept makes the exit status 1; the record is written all the same.
"""

from __future__ import annotations

import argparse
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from random import Random
from typing import Any

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import otlp_fast
from benchmarks.environment import ROOT, environment
from benchmarks.record import RECORDS, newest_record, write_record
from benchmarks.rival_process import RivalError, Rivals, packed
from benchmarks.table import NoPlaceError, with_table
from otlp_fast.bench.measure import WrongAnswerError, require
from otlp_fast.bench.record import series
from otlp_fast.cli.interruption import interruptible
from tests.corpora import CORPORA, FOLDER, missing_corpora, read_requests

RUST, GO = ROOT / "benchmarks" / "rust", ROOT / "benchmarks" / "go"
ROUNDS = 15
SAMPLE_SECONDS = 0.05
"""CPU time that a sample takes at least, in seconds; going through a corpus once may take longer."""

MESSAGES: dict[str, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}

CONTESTS = {
    "encode": ("encode otlp-fast", ("encode prost", "encode prost, one buffer", "encode buffa", "encode pdata (Go)")),
    "decode": (
        "decode otlp-fast views",
        ("decode prost", "decode buffa", "decode buffa views", "decode pdata (Go)", "decode otlp-fast columns"),
    ),
    "decode and sum": ("sum otlp-fast views", ("sum prost",)),
}
"""Of each contest ours, and what it is measured against."""

PROMISES = {"encode": 1.5, "decode": 3.0}
"""How many times less CPU time than prost in its fastest way, in every corpus."""

READERS = {"decode otlp-fast views", "decode otlp-fast columns", "sum prost", "sum otlp-fast views"}
"""What gives nothing back: the sums say that views read what prost does; what columns read is held to it by tests."""

PAGE = ROOT / "docs" / "performance.md"
KEPT = RECORDS / "rivals"
BEGIN, END = "<!-- rivals:begin -->", "<!-- rivals:end -->"


def build() -> tuple[dict[str, list[str]], list[str]]:
    """Build the programs; give the command of each, and the names of those that cannot be built here.

    Raises:
        RivalError: there is no cargo, or a build has failed.
    """
    if not shutil.which("cargo"):
        raise RivalError("building needs Rust 1.88 or newer (https://rustup.rs): cargo was not found")
    made = run_build(["cargo", "build", "--release", "--locked"], RUST)
    if not made:
        raise RivalError(f"cargo build has failed in {RUST}")
    commands = {"rust": [str(RUST / "target" / "release" / "otlp-rivals")]}
    if shutil.which("go") and run_build(["go", "build", "-o", "target/otlp-rivals", "."], GO):
        return commands | {"go": [str(GO / "target" / "otlp-rivals")]}, []
    print("pdata is left out: building it needs Go (https://go.dev/dl) and its modules", file=sys.stderr)
    return commands, ["pdata (Go)"]


def run_build(command: list[str], folder: Path) -> bool:
    """Run a build, whose own words go to the terminal."""
    print(f"{' '.join(command)} in {folder}", flush=True)
    return subprocess.run(command, cwd=folder).returncode == 0


def canonical(request: bytes, signal: str) -> bytes:
    """Give the form of a request that all equal ones have."""
    return MESSAGES[signal].FromString(request).SerializeToString(deterministic=True)


def check(programs: Sequence[Rivals], requests: Sequence[bytes], signal: str, folder: Path) -> None:
    """Compare what all engines make of the requests.

    Raises:
        WrongAnswerError: one has lost or changed something, or ours gives other bytes than prost.
    """
    by_messages, by_views = programs[0].ask("sums").split()
    require(by_messages == by_views, f"sums: {by_messages} by messages of prost, {by_views} by views")
    expected = [canonical(request, signal) for request in requests]
    encoded = {name: rivals.answer(name, folder) for rivals in programs for name in rivals.engines()}
    require(encoded["encode otlp-fast"] == encoded["encode prost"], "otlp-fast gives other bytes than prost")
    for name, answer in encoded.items():
        if name not in READERS:
            require([canonical(request, signal) for request in answer] == expected, name)


def measure(
    programs: Sequence[Rivals], rounds: int, random: Random, on_round: Callable[[], None] = lambda: None
) -> dict[str, list[float]]:
    """Give the CPU seconds of each engine for the corpus, round by round."""
    owners = {name: rivals for rivals in programs for name in rivals.engines()}
    repetitions = {
        name: max(1, math.ceil(SAMPLE_SECONDS / max(owner.cpu_seconds(name, 1), 1e-6)))
        for name, owner in owners.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in owners}
    order = list(owners)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            taken[name].append(owners[name].cpu_seconds(name, repetitions[name]))
        on_round()
    return taken


def summary(taken: dict[str, list[float]], items: int) -> dict[str, Any]:
    """Give microseconds per item of each engine, and in each contest how many times ours it takes."""
    return {
        "us_per_item": {name: series([1e6 * seconds / items for seconds in times]) for name, times in taken.items()},
        "times": {
            contest: {
                rival: series([theirs / own for theirs, own in zip(taken[rival], taken[mine], strict=True)])
                for rival in rivals
                if rival in taken
            }
            for contest, (mine, rivals) in CONTESTS.items()
        },
    }


def measure_corpora(commands: dict[str, list[str]], rounds: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Check and measure each corpus, telling what was found."""
    random = Random(0)
    for corpus, signal in CORPORA.items():
        requests = list(read_requests(corpus))
        items = sum(otlp_fast.count(request, signal) for request in requests)
        with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
            folder = Path(name)
            (folder / "requests").write_bytes(packed(requests))
            programs = [
                stack.enter_context(Rivals([*command, str(folder / "requests"), signal]))
                for command in commands.values()
            ]
            check(programs, requests, signal, folder)
            print(f"{corpus}: {len(requests)} requests, {items} items, all answers right", end="", flush=True)
            taken = measure(programs, rounds, random, lambda: print(".", end="", flush=True))
        figures = summary(taken, items)
        print()
        for name, figure in figures["us_per_item"].items():
            print(f"  {name:28} {figure['median']:8.4f} us per item")
        for contest, times in figures["times"].items():
            print(f"  {contest}:", ", ".join(f"{rival} {figure['median']:.3g}" for rival, figure in times.items()))
        head = {"signal": signal, "requests": len(requests), "items": items, "bytes": sum(map(len, requests))}
        yield corpus, head | figures


def against_prost(figures: dict[str, Any], contest: str) -> dict[str, float]:
    """Give the spread of a contest against prost, in the way of prost that is the faster one."""
    found = [figure for rival, figure in figures["times"][contest].items() if "prost" in rival]
    least: dict[str, float] = min(found, key=lambda figure: float(figure["median"]))
    return least


def broken_promises(corpora: dict[str, Any]) -> list[str]:
    """Give the figures that are not what was promised."""
    return [
        f"{contest} of {corpus}: at least {promise:g} ({median:.3g})"
        for corpus, figures in corpora.items()
        for contest, promise in PROMISES.items()
        if (median := against_prost(figures, contest)["median"]) < promise
    ]


def versions() -> dict[str, str]:
    """Give the versions of the rivals, as they are locked."""
    locked = (RUST / "Cargo.lock").read_text(encoding="utf-8")
    found = dict(re.findall(r'^name = "(prost|buffa|opentelemetry-proto)"\nversion = "(.+)"$', locked, re.MULTILINE))
    pdata = re.search(r"collector/pdata v(\S+)", (GO / "go.mod").read_text(encoding="utf-8"))
    return found | ({"pdata": pdata[1]} if pdata else {})


def markdown(record: dict[str, Any]) -> str:
    """Give the page's table of a record."""
    lines = [
        "| | corpus | prost | buffa | pdata (Go) | otlp-fast | times less than prost |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for contest, (mine, rivals) in CONTESTS.items():
        for corpus, figures in record["corpora"].items():
            us = {name: figure["median"] for name, figure in figures["us_per_item"].items()}
            cells = [
                f"{min(found):.3f}" if (found := [us[name] for name in rivals if family in name and name in us]) else ""
                for family in ("prost", "buffa", "pdata")
            ]
            ratio = against_prost(figures, contest)
            spread = f"{ratio['lower_quartile']:.3g} to {ratio['upper_quartile']:.3g}"
            times = f"**{ratio['median']:.3g}** ({spread})"
            lines.append(f"| {contest} | {corpus} | {' | '.join(cells)} | {us[mine]:.3f} | {times} |")
    names = ", ".join(f"{name} {version}" for name, version in record["rivals"].items())
    missing = f"; left out: {', '.join(record['left_out'])}" if record["left_out"] else ""
    lines += [
        "",
        "Microseconds of CPU time per span, log record or data point of a metric: medians of "
        f"{record['rounds']} interleaved rounds, in brackets the quartiles of the ratio. Of prost and buffa it is the "
        "fastest way: prost into a new vector or into one that is used again, buffa as messages or as its own views. "
        f"Measured {record['date'][:10]} on {record['machine']['cpu']}, {names}{missing}. How, and where it misleads: "
        "[benchmarks/README.md](../benchmarks/README.md#rivals-in-other-languages).",
    ]
    return "\n".join(lines)


def run(rounds: int, *, keeps: bool, publishes: bool) -> list[str]:
    """Measure where that is asked for, or nothing is; give the promises that are not kept.

    Raises:
        FileNotFoundError: a corpus is not there, or no record.
        NoPlaceError: the page has no place for the table.
        RivalError: a program cannot be built, or does not answer.
        WrongAnswerError: an engine has lost or changed something.
    """
    broken: list[str] = []
    if keeps or not publishes:
        if missing := ", ".join(missing_corpora()):
            raise FileNotFoundError(f"{missing}: not in {FOLDER}; OTLP_FAST_CORPORA names another folder")
        # Before anything is measured: what others do to the tree in the meantime is not what was built.
        surroundings = environment()
        commands, left_out = build()
        corpora = dict(measure_corpora(commands, rounds))
        broken = broken_promises(corpora)
        if keeps:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            measured = {"rivals": versions(), "rounds": rounds, "left_out": left_out, "corpora": corpora}
            print(f"record: {write_record({'date': now, **surroundings, **measured}, KEPT)}")
    if publishes:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_table(text, markdown(newest_record(KEPT)), BEGIN, END), encoding="utf-8")
    return broken


def main() -> None:
    """Read the command line, and say what went wrong in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write a record to benchmarks/records/rivals")
    parser.add_argument("--page", action="store_true", help="rewrite the table of docs/performance.md from the newest")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds for each corpus (default {ROUNDS})")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("argument --rounds: at least 1")
    try:
        with interruptible("otlp-fast: interrupted, nothing is kept"):
            broken = run(arguments.rounds, keeps=arguments.record, publishes=arguments.page)
    except WrongAnswerError as error:
        sys.exit(f"otlp-fast: wrong answer: {error}")
    except (FileNotFoundError, NoPlaceError, RivalError) as error:
        sys.exit(f"otlp-fast: {error}")
    if broken:
        sys.exit(f"promises not kept: {', '.join(broken)}")


if __name__ == "__main__":
    main()
