"""The command line of the load test."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

# Run as a script, Python puts benchmarks/load on the path, not the folder that holds benchmarks.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.environment import environment
from benchmarks.load.chain import Plan, collector_version
from benchmarks.load.publish import KEPT, PAGE, PLOT, publish
from benchmarks.load.run import Seen, measure
from benchmarks.load.summary import summary
from benchmarks.load.verdict import faults
from benchmarks.record import write_record
from benchmarks.table import NoPlaceError
from otlp_fast.cli.interruption import interruptible
from otlp_fast.demo.errors import DemoError
from tests.interop.build import CollectorBuildError

COMPRESSIONS = ("tracezip", "zstd", "lz4", "gzip", "none")


def make_record(plan: Plan, console: Console) -> dict[str, Any]:
    """Run the chain with progress, and give the record.

    Raises:
        CollectorBuildError: the Collector is not built, and cannot be.
        DemoError: one of the processes did not start, or ended.
    """
    surroundings = environment()
    surroundings["versions"]["Collector"] = collector_version()
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting the Collector", total=plan.spans_per_sender * plan.processes)

        def tell(seen: Seen) -> None:
            late = f", {seen['behind_seconds']:.1f} s late" if seen["behind_seconds"] > 0.5 else ""
            description = f"{seen['made']:,} spans made, {seen['received']:,} received{late}"
            progress.update(task, completed=seen["made"], description=description)

        measured = measure(plan, tell)
    method = {
        **asdict(plan),
        "span": "a server span of 8 attributes by the SDK (benchmarks.web_service), its number in url.path",
        "chain": "tracer, BatchSpanProcessor, OTLPSpanExporter; gateway, gzip to the Collector; otlp receiver, "
        "memory_limiter, batch (50 ms), otlphttp exporter, uncompressed; counting receiver; default settings otherwise",
        "latency": "ms from the end time of a span to its arrival behind the Collector: waiting for its request to "
        "fill is in it (512 spans, or the schedule delay of 5 s), and the Collector's batch; in windows of 10 s in "
        "which spans ended",
        "round_trips": "ms of an exporter's request until the Collector took it: compression, gateway, retries",
        "cores": "CPU time by time, while spans were made",
    }
    return {
        "format": 2,
        "date": date,
        **surroundings,
        "method": method,
        **measured,
        "faults": faults(plan, measured),
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", type=click.IntRange(1), default=1_200, show_default=True, help="How long spans are made.")
@click.option("--rate", type=click.IntRange(1), default=20_000, show_default=True, help="Spans per second, in all.")
@click.option("--processes", type=click.IntRange(1), default=4, show_default=True, help="How many services send.")
@click.option(
    "--compression", type=click.Choice(COMPRESSIONS), default="tracezip", show_default=True, help="Of the exporters."
)
@click.option("--record", "keep", is_flag=True, help="Run, and write a record.")
@click.option("--page", "rewrite", is_flag=True, help="Rewrite table and plot in docs/ from the newest record.")
@click.option("--page-file", type=click.Path(path_type=Path, dir_okay=False), default=PAGE, help="Another page.")
@click.option("--plot-file", type=click.Path(path_type=Path, dir_okay=False), default=PLOT, help="Another plot.")
@click.option(
    "--records", "directory", type=click.Path(path_type=Path, file_okay=False), default=KEPT, help="Other records."
)
def main(
    *,
    seconds: int,
    rate: int,
    processes: int,
    compression: str,
    keep: bool,
    rewrite: bool,
    page_file: Path,
    plot_file: Path,
    directory: Path,
) -> None:
    """Send spans from several services through the gateway and a real Collector, and account for each of them.

    \b
    python -m benchmarks.load                        twenty minutes at 20,000 spans/s
    python -m benchmarks.load --seconds 60           a minute of it
    python -m benchmarks.load --record --page        the whole, keep it, publish it (make load-test)
    python -m benchmarks.load --page                 publish the newest record again

    Needs Go the first time, to build the Collector (tests/interop), about two cores, and next to no disk. The exit
    status is 1 where a span was lost, came twice or changed, where the rate was not kept, or where the memory of a
    process was not flat (benchmarks/load/verdict.py says what that means; runs below a minute are too short to say);
    the record is written all the same. Ctrl-C ends all processes and keeps nothing.
    """  # noqa: D301 (click looks for the character itself)
    console = Console()
    found: list[str] = []
    try:
        if keep or not rewrite:
            with interruptible("load test interrupted: all processes are ended, nothing is kept"):
                record = make_record(Plan(seconds, rate, processes, compression), console)
            console.print(summary(record), highlight=False, soft_wrap=True)
            found = record["faults"]
            if keep:
                console.print(f"record: {write_record(record, directory)}", soft_wrap=True)
        if rewrite:
            publish(directory, page_file, plot_file)
    except (CollectorBuildError, DemoError, FileNotFoundError, NoPlaceError) as error:
        raise click.ClickException(str(error)) from error
    if found:
        raise click.ClickException("; ".join(found))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.load")
