"""`otlp-fast convert`: options, errors and exit codes. What it does is in `otlp_fast.files`."""

from __future__ import annotations

import sys

import click

from otlp_fast.cli.extras import require_extra
from otlp_fast.cli.interruption import interruptible
from otlp_fast.cli.options import max_record_size_option, signal_option
from otlp_fast.files import FORMATS

_EXIT_FAILED = 1
_STANDARD = "-"
_TEXT = ("json", "ndjson")


@click.command(name="convert")
@click.argument("source", metavar="INPUT")
@click.argument("target", metavar="OUTPUT")
@click.option(
    "--from", "source_format", type=click.Choice(FORMATS), help="What INPUT is. Without it, its content tells."
)
@click.option(
    "--to", "target_format", type=click.Choice(FORMATS), help="What OUTPUT becomes. Without it, its name tells."
)
@click.option(
    "--compression",
    type=click.Choice(["none", "gzip", "zstd", "lz4"]),
    help="How OUTPUT is compressed. Without it, its name tells.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="Put N spans, log records or data points into each record: longer ones are cut, shorter ones joined.  "
    "[default: as they are; 65,536 in Arrow and Parquet]",
)
@signal_option
@max_record_size_option
@click.option("--salvage", is_flag=True, help="Of a damaged INPUT, write what stands before the damage.")
@click.option("--force", is_flag=True, help="Replace OUTPUT where there is such a file.")
@click.option("--quiet", is_flag=True, help="Do not say on stderr what was converted.")
def command(
    source: str,
    target: str,
    source_format: str | None,
    target_format: str | None,
    compression: str | None,
    batch: int | None,
    signal: str | None,
    max_record_size: int,
    salvage: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Convert a file of OTLP into another form. "-" is standard input and standard output.

    INPUT is told by its content, OUTPUT by its name or by --to and --compression:

    \b
      protobuf  .pb .binpb               one request
      archive   .otlp .bin               requests, each behind its length (four bytes, big-endian):
                                         the Collector's file exporter with `format: proto`
      tracezip  .otlp.tz                 the same requests, packed: see `compress`
      json      .json                    one OTLP/JSON document
      ndjson    .ndjson .jsonl           a document per line: the file exporter with `format: json`
      arrow     .arrow .ipc .feather     Arrow IPC, a row per span, log record or data point
      parquet   .parquet                 the same rows
      + .gz .zst .lz4                    around any of them, but for Parquet, which is compressed inside

    Archives and NDJSON keep requests of several signals, the others hold one: choose it by --signal.

    \b
    Examples:
      otlp-fast convert capture.otlp.zst capture.ndjson.gz
      otlp-fast convert traces.json spans.parquet --batch 100000
      otlp-fast convert capture.otlp.zst - --to ndjson | jq .resourceSpans[0].resource
      curl -s https://example.com/capture.otlp.zst | otlp-fast convert - logs.parquet --signal logs
      otlp-fast convert broken.otlp.gz rescued.otlp.gz --salvage

    OUTPUT appears only when it is whole: after an error or Ctrl-C, it is what it was before. Memory is bounded by the
    largest record.

    Exit status: 0 when INPUT was read to its end and OUTPUT is there, 1 when not, 2 for wrong options, 130 after
    Ctrl-C.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("cli", ("rich",), "convert")
    with interruptible(f"Interrupted: {target} was not written."):
        try:
            said, damage = _run(
                source,
                target,
                source_format=source_format,
                target_format=target_format,
                compression=compression,
                batch=batch,
                signal=signal,
                max_record_size=max_record_size,
                salvage=salvage,
                force=force,
            )
        except FileExistsError:
            raise click.ClickException(f"{target}: there is such a file already, --force replaces it") from None
        except OSError as error:
            raise click.ClickException(f"{error.filename or target}: {error.strerror or error}") from None
        except (ValueError, ModuleNotFoundError) as error:
            raise click.ClickException(str(error)) from None
    if not quiet:
        click.echo(said, err=True)
    if damage is not None:
        click.echo(f"Error: {damage}", err=True)
        raise SystemExit(_EXIT_FAILED)


def _run(
    source: str,
    target: str,
    *,
    source_format: str | None,
    target_format: str | None,
    compression: str | None,
    batch: int | None,
    signal: str | None,
    max_record_size: int,
    salvage: bool,
    force: bool,
) -> tuple[str, Exception | None]:
    """Convert, and give what was done, in words, and the damage behind what was salvaged."""
    from otlp_fast.cli.progress import shown_progress
    from otlp_fast.files import FileError, convert, open_reader, open_writer

    with (
        open_reader(source, format=source_format, signal=signal, max_record_size=max_record_size) as reader,
        open_writer(target, format=target_format, encoding=compression, overwrite=force) as writer,
        shown_progress(reader.name, reader.size) as tell,
    ):
        is_text = writer.format in _TEXT and writer.encoding == "none"
        if target == _STANDARD and sys.stdout.isatty() and not is_text:
            raise click.ClickException("no bytes are written to a terminal: name a file, or say --to ndjson")
        done = convert(reader, writer, batch=batch, salvage=salvage, tell=tell)
        if reader.skipped and not done.requests:
            raise FileError(f"it has no requests of {signal}, only of other signals", name=reader.name)
    passed_over = f" ({reader.skipped:,} of other signals passed over)" if reader.skipped else ""
    said = (
        f"{reader.name}, {_form(reader.format, reader.encoding)}: {done.requests:,} requests{passed_over}, "
        f"{done.items:,} items -> {writer.name}, {_form(writer.format, writer.encoding)}: {writer.file_size:,} bytes"
    )
    return said, done.damage


def _form(format: str, encoding: str) -> str:
    return format if encoding == "none" else f"{format} in {encoding}"
