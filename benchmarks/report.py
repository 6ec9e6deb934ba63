"""The command line: measure, keep a record, put the table into the README.

python benchmarks/report.py --record --readme
"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import import_time, promises
from benchmarks.engines import OTLP_FAST, engines
from benchmarks.environment import ROOT
from benchmarks.measure import ROUNDS, WrongAnswerError
from benchmarks.record import RECORDS, Record, make_record, newest_record, steps, write_record
from benchmarks.table import NoPlaceError, markdown, with_table

README = ROOT / "README.md"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--record", "keep", is_flag=True, help="Measure everything (about five minutes) and write a record.")
@click.option(
    "--quick", is_flag=True, help="Measure a little of everything and print it: does it run? Nothing is kept."
)
@click.option("--readme", "rewrite", is_flag=True, help="Rewrite the README's table from the newest record.")
@click.option("--check", is_flag=True, help="Fail if the README's table is not that of the newest record.")
@click.option("--readme-file", type=click.Path(path_type=Path, dir_okay=False), default=README, help="Another README.")
@click.option(
    "--records", "directory", type=click.Path(path_type=Path, file_okay=False), default=RECORDS, help="Other records."
)
def main(*, keep: bool, quick: bool, rewrite: bool, check: bool, readme_file: Path, directory: Path) -> None:
    r"""Measure otlp-fast beside its rivals, keep the record, and show it in the README.

    \b
    python benchmarks/report.py --record --readme   measure, keep, publish
    python benchmarks/report.py --readme            publish the newest record again
    python benchmarks/report.py --check             is the README's table that of the newest record?
    python benchmarks/report.py --quick             a smoke test of the benchmarks, for CI

    Every engine encodes the same spans in turn, in shuffled order, and a wrong answer ends the run before anything is
    timed. benchmarks/README.md says how to read the figures. A quiet machine gives better ones; a busy one gives wider
    quartiles.
    """
    if quick and keep:
        raise click.UsageError("--quick measures too little to be kept: choose one of --quick and --record")
    if not (keep or quick or rewrite or check):
        raise click.UsageError("nothing to do: --record, --readme, --check or --quick (see --help)")
    console = Console()
    try:
        if quick:
            show(measured(console, quick=True), console, judge=False)
        if keep:
            record = measured(console, quick=False)
            show(record, console)
            console.print(f"record: {write_record(record, directory)}", soft_wrap=True)
        if rewrite or check:
            publish(newest_record(directory), readme_file, rewrite=rewrite, console=console)
    except (WrongAnswerError, FileNotFoundError, NoPlaceError) as error:
        raise click.ClickException(str(error)) from error


def measured(console: Console, *, quick: bool) -> Record:
    """Measure with a progress bar."""
    rounds, import_rounds = (2, 2) if quick else (ROUNDS, import_time.ROUNDS)
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("checking", total=steps(rounds, import_rounds))

        def on_step(doing: str) -> None:
            progress.update(task, advance=1, description=doing)

        if quick:
            return make_record(
                engines(), rounds=rounds, import_rounds=import_rounds, spans=64, sample_seconds=0.001, on_step=on_step
            )
        return make_record(engines(), rounds=rounds, import_rounds=import_rounds, on_step=on_step)


def show(record: Record, console: Console, *, judge: bool = True) -> None:
    """Print all engines and imports, and which promises are kept, where enough was measured to judge that."""
    table = Table(title="µs/span: median (quartiles); gc off: CPU", padding=(0, 0))
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
    for promise, kept in promises_kept(record).items() if judge else ():
        console.print(f"{'kept' if kept else 'NOT KEPT'}: {promise}", highlight=False)


def spread_text(spread: dict[str, float], digits: int) -> str:
    """Write a median with its quartiles."""
    return (
        f"{spread['median']:.{digits}f} ({spread['lower_quartile']:.{digits}f}, {spread['upper_quartile']:.{digits}f})"
    )


def promises_kept(record: Record) -> dict[str, bool]:
    """Say of each promise whether this record keeps it."""
    kept = {}
    for workload, least in promises.TIMES_FASTER.items():
        ratio = record["workloads"][workload]["gc_on"][OTLP_FAST]["ratio"]["median"]
        kept[f"{workload}: at least {least:.0f} times faster ({ratio:.1f})"] = ratio >= least
    took = record["imports"][import_time.OTLP_FAST]["cpu"]["median"]
    kept[f"import otlp_fast: at most {promises.IMPORT_MS:.0f} ms ({took:.1f})"] = took <= promises.IMPORT_MS
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
