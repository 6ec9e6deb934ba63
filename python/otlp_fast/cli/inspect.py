"""`otlp-fast inspect`: options, errors and exit codes. What it does is in `otlp_fast.inspection`."""

from __future__ import annotations

import json

import click

from otlp_fast.cli.extras import require_extra
from otlp_fast.cli.interruption import interruptible
from otlp_fast.cli.options import max_record_size_option, signal_option

_EXIT_FAILED = 1


@click.command(name="inspect")
@click.argument("names", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="How many services, operations, metrics and attributes to list.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the result to stdout as JSON instead of tables.")
@signal_option
@max_record_size_option
def command(names: tuple[str, ...], top: int, as_json: bool, signal: str | None, max_record_size: int) -> None:
    """Show what is in files of OTLP: signals, services, operations, metrics, sizes, times, the largest attributes.

    A FILE is one request in protobuf, an archive of requests with their lengths (what the Collector's file exporter
    writes with `format: proto`, also with `compression: zstd`), a tracezip archive, OTLP/JSON, NDJSON
    (`format: json`), Arrow IPC or Parquet; around it gzip, zstd, lz4 or nothing. Its content tells which, its name does
    not matter. "-" is standard input.

    Several files are counted together. Memory is bounded by the largest record, so a file may be larger than memory.

    \b
    Examples:
      otlp-fast inspect capture.otlp.zst
      otlp-fast inspect --top 50 /var/lib/otelcol/*.json.gz
      kubectl exec collector -- cat /data/traces.bin | otlp-fast inspect -
      otlp-fast inspect --json capture.otlp.zst | jq '.operations.top[] | select(.errors > 0)'

    "of all bytes" is the share of an attribute's keys and values in the bytes of all requests, without compression.

    A damaged file is counted up to the damage, which is then told with file, record and offset.

    Exit status: 0 when all files were read to their ends, 1 when not, 2 for wrong options, 130 after Ctrl-C.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("cli", ("rich",), "inspect")
    require_extra("columns", ("numpy",), "inspect")
    with interruptible("Interrupted: nothing was counted to the end."):
        problems = _run(names, top, as_json, signal, max_record_size)
    if problems:
        raise SystemExit(_EXIT_FAILED)


def _run(names: tuple[str, ...], top: int, as_json: bool, signal: str | None, max_record_size: int) -> bool:
    """Inspect the files and print what is in them; say whether there were problems."""
    from otlp_fast.cli.progress import shown_progress
    from otlp_fast.files import FileError, open_reader
    from otlp_fast.inspection import report
    from otlp_fast.inspection.run import Inspection

    inspection = Inspection()
    problems = []
    for name in names:
        try:
            with (
                open_reader(name, signal=signal, max_record_size=max_record_size) as reader,
                shown_progress(reader.name, reader.size) as tell,
            ):
                inspection.add(reader, tell)
        except OSError as error:
            problems.append(f"{name}: {error.strerror or error}")
        except (FileError, ModuleNotFoundError) as error:
            problems.append(str(error))
    problems += [file.problem for file in inspection.files if file.problem is not None]
    if as_json:
        click.echo(json.dumps(report.as_json(inspection, top), indent=2))
    else:
        report.print_report(inspection, top)
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    return bool(problems)
