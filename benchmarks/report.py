"""The command line: measure, keep a record, put the table into the README, draw the plot of tracezip.

python benchmarks/report.py --record --readme
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import import_time, promises
from benchmarks.engines import engines
from benchmarks.environment import ROOT
from benchmarks.processors import NONE, installed
from benchmarks.record import QUICK, RECORDS, Effort, Record, make_record, newest_record, write_record
from benchmarks.streams.plot import PLOT, draw
from benchmarks.table import NoPlaceError, markdown, with_table
from otlp_fast.bench.engines import OTLP_FAST
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.demo.errors import DemoError

README = ROOT / "README.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--record", "keep", is_flag=True, help="Measure everything (about ten minutes) and write a record.")
@click.option(
    "--quick", is_flag=True, help="Measure a little of everything and print it: does it run? Nothing is kept."
)
@click.option("--readme", "rewrite", is_flag=True, help="Rewrite the README's table from the newest record.")
@click.option("--check", is_flag=True, help="Fail if the README's table is not that of the newest record.")
@click.option("--plot", is_flag=True, help="Draw the newest record of benchmarks/tracezip.py into docs/.")
@click.option("--readme-file", type=click.Path(path_type=Path, dir_okay=False), default=README, help="Another README.")
@click.option(
    "--records", "directory", type=click.Path(path_type=Path, file_okay=False), default=RECORDS, help="Other records."
)
def main(
    *, keep: bool, quick: bool, rewrite: bool, check: bool, plot: bool, readme_file: Path, directory: Path
) -> None:
    """Measure otlp-fast beside its rivals, keep the record, and show it in the README.

    \b
    python benchmarks/report.py --record --readme   measure, keep, publish
    python benchmarks/report.py --readme            publish the newest record again
    python benchmarks/report.py --check             is the README's table that of the newest record?
    python benchmarks/report.py --quick             a smoke test of the benchmarks, for CI
    python benchmarks/report.py --plot              draw tracezip's bytes per span by spans per request

    Every engine encodes the same items in turn, in shuffled order, and a wrong answer ends the run before anything is
    timed. Exporting is measured in processes of their own, against a real receiver. benchmarks/README.md says how to
    read the figures. A quiet machine gives better ones; a busy one gives wider quartiles.

    With --record, a promise that is not kept makes the exit status 1; the record is written all the same.
    """  # noqa: D301 (click looks for the character itself)
    if quick and keep:
        raise click.UsageError("--quick measures too little to be kept: choose one of --quick and --record")
    if not (keep or quick or rewrite or check or plot):
        raise click.UsageError("nothing to do: --record, --readme, --check, --quick or --plot (see --help)")
    console = Console()
    console.width = max(console.width, 100)
    broken: list[str] = []
    try:
        if quick:
            show(measured(console, QUICK), console)
        if keep:
            record = measured(console, Effort())
            show(record, console)
            console.print(f"record: {write_record(record, directory)}", soft_wrap=True)
            broken = judge(record, console)
        if rewrite or check:
            publish(newest_record(directory), readme_file, rewrite=rewrite, console=console)
        if plot:
            drawn = newest_record(directory / "tracezip")
            draw(drawn, PLOT)
            console.print(f"{PLOT}: record of {drawn['date']}", soft_wrap=True)
    except (WrongAnswerError, FileNotFoundError, NoPlaceError, DemoError) as error:
        raise click.ClickException(str(error)) from error
    if broken:
        raise click.ClickException(f"promises not kept: {'; '.join(broken)}")


def measured(console: Console, effort: Effort) -> Record:
    """Measure with a progress bar."""
    configurations = installed()
    columns = (TextColumn("{task.description:<11}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("checking", total=effort.steps(len(configurations)))
        return make_record(
            engines, configurations, effort, lambda doing: progress.update(task, advance=1, description=doing)
        )


def show(record: Record, console: Console) -> None:
    """Print everything that was measured."""
    table = Table(title="µs per item: median (quartiles); gc off: CPU", padding=(0, 0))
    for heading in ("workload", "engine", "CPU", "wall", "gc off", "times faster"):
        table.add_column(heading, justify="left" if heading in ("workload", "engine") else "right", no_wrap=True)
    for name, workload in record["workloads"].items():
        for engine, figures in workload["gc_on"].items():
            without_gc = workload["gc_off"][engine]["cpu"]
            table.add_row(
                name,
                engine,
                spread_text(figures["cpu"], 2),
                f"{figures['wall']['median']:.2f}",
                f"{without_gc['median']:.2f}",
                spread_text(figures["ratio"], 1),
            )
        table.add_section()
    console.print(table)
    for name, clocks in record["imports"].items():
        console.print(f"{name}: {spread_text(clocks['cpu'], 1)} ms CPU, {clocks['wall']['median']:.1f} ms wall")
    for name, figures in record["whole_process"].items():
        console.print(f"{name}: {service_text(record, name, figures)}", highlight=False, soft_wrap=True)


def service_text(record: Record, name: str, figures: dict[str, Any]) -> str:
    """Write what was measured of a configuration."""
    text = f"{spread_text(figures['cpu'], 1)} µs CPU per span"
    if name == NONE:
        return text
    dropped = sum(figures["made"]) - sum(figures["delivered"])
    return (
        f"{text}, {spread_text(figures['net'], 1)} above none, {dropped:,} spans dropped; "
        f"on_end adds {spread_text(record['on_end'][name]['added'], 2)} µs; "
        f"{record['burst'][name]['share']['median']:.1%} of a burst delivered"
    )


def spread_text(spread: dict[str, float], digits: int) -> str:
    """Write a median with its quartiles."""
    return (
        f"{spread['median']:.{digits}f} ({spread['lower_quartile']:.{digits}f}, {spread['upper_quartile']:.{digits}f})"
    )


def judge(record: Record, console: Console) -> list[str]:
    """Print which promises are kept, and give those that are not."""
    judged = promises_kept(record)
    for promise, kept in judged.items():
        console.print(f"{'kept' if kept else 'NOT KEPT'}: {promise}", highlight=False)
    return [promise for promise, kept in judged.items() if not kept]


def promises_kept(record: Record) -> dict[str, bool]:
    """Say of each promise whether this record keeps it."""
    kept = {}
    for workload, least in promises.TIMES_FASTER.items():
        ratio = record["workloads"][workload]["gc_on"][OTLP_FAST]["ratio"]["median"]
        kept[f"{workload}: at least {least:.0f} times faster ({ratio:.1f})"] = ratio >= least
    took = record["imports"][import_time.OTLP_FAST]["cpu"]["median"]
    kept[f"import otlp_fast: at most {promises.IMPORT_MS:.0f} ms ({took:.1f})"] = took <= promises.IMPORT_MS
    shares = record["whole_process"][OTLP_FAST]["share_of"]
    for rival, most in promises.PROCESS_SHARE.items():
        if rival in shares:
            share = shares[rival]["median"]
            kept[f"whole process: at most {most:.0%} of {rival} ({share:.1%})"] = share <= most
    added = record["on_end"][OTLP_FAST]["added"]["median"]
    kept[f"on_end: at most {promises.ON_END_US:.1f} µs ({added:.2f})"] = added <= promises.ON_END_US
    delivered = record["burst"][OTLP_FAST]["share"]["least"]
    kept[f"burst: at least {promises.BURST_SHARE:.0%} delivered ({delivered:.1%})"] = delivered >= promises.BURST_SHARE
    return kept


def publish(record: Record, readme: Path, *, rewrite: bool, console: Console) -> None:
    """Rewrite the table of `readme`, or fail where it is not that of the record."""
    text = readme.read_text(encoding="utf-8")
    wanted = with_table(text, markdown(record))
    if rewrite:
        readme.write_text(wanted, encoding="utf-8")
        console.print(f"{readme}: table of the record of {record['date']}", soft_wrap=True)
    elif text != wanted:
        raise click.ClickException(
            f"{readme}: the table is not that of the newest record ({record['date']}): "
            "rewrite it with `python benchmarks/report.py --readme`"
        )


if __name__ == "__main__":
    main()
