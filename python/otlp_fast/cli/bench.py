"""`otlp-fast bench`: options, errors and exit codes. What it does is in `otlp_fast.bench`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from otlp_fast.cli.extras import missing_extra, require_extra
from otlp_fast.cli.interruption import interruptible
from otlp_fast.cli.outputs import force_option

if TYPE_CHECKING:
    from otlp_fast.bench.effort import Effort
    from otlp_fast.bench.run import BenchResult
    from otlp_fast.bench.telemetry import Telemetry

_EXIT_FAILED = 1
_PARTS = ("encode", "processor", "decode", "json", "compress")


def _chosen_parts(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    if value is None:
        return _PARTS
    chosen = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in chosen if name not in _PARTS]
    if unknown or not chosen:
        raise click.BadParameter(f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(_PARTS)}.")
    return tuple(chosen)


@click.command(name="bench")
@click.option(
    "--spans",
    "source",
    metavar="FILE",
    help="Measure on your own captured OTLP, traces, logs or metrics, in any form that 'otlp-fast inspect' reads; "
    '"-" is standard input. Without it the telemetry is made up.',
)
@click.option("--quick", is_flag=True, help="Less of everything, in about twenty seconds: wider quartiles.")
@click.option(
    "--only",
    "parts",
    callback=_chosen_parts,
    metavar="PARTS",
    help=f"Measure these parts only, separated by commas: {', '.join(_PARTS)}.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the record to stdout as JSON instead of the tables.")
@click.option(
    "--record", type=click.Path(dir_okay=False, path_type=Path), metavar="PATH", help="Write the JSON record to PATH."
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Draw the plot into PATH: .svg, .png or .pdf.",
)
@click.option("--no-files", is_flag=True, help="Write no files but those that --record and --plot name.")
@force_option
def command(
    source: str | None,
    quick: bool,
    parts: tuple[str, ...],
    as_json: bool,
    record: Path | None,
    plot: Path | None,
    no_files: bool,
    force: bool,
) -> None:
    """Measure otlp-fast on this machine, beside what is used today: on made-up telemetry, or on your own.

    \b
    encode     the SDK's objects to bytes, beside the official encoder; warm and cold
    processor  spans that end in our batch processor, and in the SDK's
    decode     bytes to columns, beside protobuf's objects
    json       bytes to OTLP/JSON and back, beside protobuf's json_format
    compress   requests in gzip, zstd, lz4 and tracezip: bytes and CPU time

    All answers are compared before anything is timed, and rivals take turns. Nothing is sent anywhere. A part whose
    rival is not installed is left out, by name; pip install 'otlp-fast[bench]' brings all.

    It takes two to four minutes. Progress goes to stderr, the tables to stdout, and into the current folder a record
    with the figure of every round, otlp-fast-bench.json, and a plot, otlp-fast-bench.svg, or with a number where there
    are such files.

    Of FILE the first spans, log records and data points are taken, and the SDK's objects are made from them again, to
    be encoded; what these cannot hold is counted and named.

    \b
    Examples:
      otlp-fast bench
      otlp-fast bench --quick --only encode,compress
      otlp-fast bench --spans /var/lib/otelcol/traces.json.gz
      otlp-fast bench --spans capture.otlp.zst --record mine.json --plot mine.png
      otlp-fast bench --json --no-files 2>/dev/null | jq '.figures[] | {name, ratio: .ratio.median}'

    Exit status: 0 when all answers were the same, 1 when not or when it could not be measured or written, 2 for wrong
    options, 130 after Ctrl-C, and then no file is written.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("bench", ("rich",), "bench")
    no_sdk = missing_extra("bench", ("opentelemetry.sdk",))
    if source is None and no_sdk is not None:
        raise click.ClickException(f"made-up telemetry needs {no_sdk}; --spans FILE measures without it")
    # What would make one run differ from another; the SDK reads it when it is imported.
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]
    # What the SDK does not take of a captured span is counted here; it would log a line for each.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    wanted = _Wanted(source, quick, parts, record, plot, no_files, force)
    with interruptible("Interrupted: nothing was written."):
        result, unwritten = _run(wanted)
    from otlp_fast.bench import report

    (report.print_json if as_json else report.print_tables)(result)
    problems = [*result.problems, *unwritten]
    report.print_problems(problems)
    if problems:
        raise SystemExit(_EXIT_FAILED)


class _Wanted(NamedTuple):
    source: str | None
    quick: bool
    parts: tuple[str, ...]
    record: Path | None
    plot: Path | None
    no_files: bool
    overwrite: bool


def _run(wanted: _Wanted) -> tuple[BenchResult, list[str]]:
    """Measure, write the files, and say which could not be written."""
    from otlp_fast.bench.effort import FULL, QUICK
    from otlp_fast.bench.errors import BenchError
    from otlp_fast.bench.outputs import open_outputs
    from otlp_fast.bench.parts import PARTS
    from otlp_fast.bench.run import run_bench

    effort = QUICK if wanted.quick else FULL
    needs = {part: missing_extra("bench", PARTS[part].modules) for part in wanted.parts}
    missing = {part: need for part, need in needs.items() if need is not None}
    rebuilds = any(part in needs and part not in missing for part in ("encode", "processor"))
    try:
        record, plot = _paths(wanted)
        with open_outputs(record, plot, overwrite=wanted.overwrite) as outputs:
            result = run_bench(_maker(wanted.source, effort, rebuilds), wanted.parts, missing, effort)
            written = outputs.write(result)
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    for path in written.paths:
        click.echo(f"Written: {path}", err=True)
    return result, written.problems


def _paths(wanted: _Wanted) -> tuple[Path | None, Path | None]:
    """Give where the record and the plot go, None where they are not wanted."""
    from otlp_fast.bench.outputs import checked_plot, free_paths

    no_plot = missing_extra("bench", ("matplotlib",))
    if wanted.plot is not None:
        checked_plot(wanted.plot)
        if no_plot is not None:
            raise click.ClickException(f"'otlp-fast bench --plot' needs {no_plot}")
    if wanted.no_files:
        return wanted.record, wanted.plot
    record, plot = free_paths(Path())
    if no_plot is not None:
        click.echo(f"There will be no plot: it needs {no_plot}", err=True)
        return wanted.record or record, None
    return wanted.record or record, wanted.plot or plot


def _maker(source: str | None, effort: Effort, rebuilds: bool) -> Callable[[], Telemetry]:
    """Give what makes the telemetry: it takes a while, and is shown."""
    if source is not None:
        from otlp_fast.bench.captured import captured_telemetry

        return partial(captured_telemetry, source, effort, rebuilds=rebuilds)
    from otlp_fast.bench.made_up import made_up_telemetry

    return partial(made_up_telemetry, effort)
