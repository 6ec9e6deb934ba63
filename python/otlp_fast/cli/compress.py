"""`otlp-fast compress`: options and what is said. What it does is in `otlp_fast.tracezip.archive`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from time import perf_counter

import click

from otlp_fast.cli.extras import require_extra
from otlp_fast.cli.options import max_record_size_option, signal_option
from otlp_fast.cli.outputs import (
    Done,
    force_option,
    jobs_option,
    named_beside,
    output_option,
    quiet_option,
    rate,
    write_outputs,
)
from otlp_fast.errors import FileError
from otlp_fast.files import RequestReader, format_of_name
from otlp_fast.tracezip.archive import RECORDS_PER_RESTART


@click.command(name="compress")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...")
@output_option
@click.option(
    "--records-per-restart",
    type=click.IntRange(min=1, max=65_536),
    default=RECORDS_PER_RESTART,
    show_default=True,
    metavar="N",
    help="Begin anew every N records, and every 16 MiB of them: reading can begin there. Fewer make records quicker to "
    "find, and the archive larger.",
)
@jobs_option
@signal_option
@max_record_size_option
@click.option("--salvage", is_flag=True, help="Of a damaged INPUT, write what stands before the damage.")
@force_option
@quiet_option
def command(
    sources: tuple[str, ...],
    output: str | None,
    records_per_restart: int,
    jobs: int,
    signal: str | None,
    max_record_size: int,
    salvage: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Compress files of OTLP into tracezip archives, from which `decompress` gives every request back byte for byte.

    An INPUT is any file that `convert` reads: an archive of requests (.otlp, .otlp.zst), protobuf, OTLP/JSON, NDJSON,
    Arrow IPC or Parquet. Its content tells which. It stays where it is, and its archive gets its name with .otlp.tz at
    the end. With --output, all go into one archive, one behind the other. "-" is standard input, which goes to standard
    output.

    What is kept are the requests. Of an archive these are its records, whatever they hold; records that the Collector
    compressed one by one come back decompressed, and what was JSON or a table as protobuf.

    \b
    Examples:
      otlp-fast compress capture.otlp.zst                        # makes capture.otlp.tz
      otlp-fast compress *.otlp.zst --output day.otlp.tz
      otlp-fast compress capture.otlp.zst --records-per-restart 32
      curl -s https://example.com/capture.otlp.zst | otlp-fast compress - > capture.otlp.tz
      otlp-fast inspect capture.otlp.tz                          # and convert read archives, too

    An output appears only when it is whole: after an error or Ctrl-C, it is what it was before.

    Exit status: 0 when all was written, 1 when not, 2 for wrong options, 130 after Ctrl-C.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("cli", ("rich",), "compress")

    def write(parts: Sequence[str], target: str) -> Done:
        from otlp_fast.cli.progress import shown_progress
        from otlp_fast.files import open_reader
        from otlp_fast.files.opening import open_target
        from otlp_fast.tracezip.archive import Writer

        begun = perf_counter()
        salvaging = _Salvaging(salvage)
        bytes_read = 0
        with (
            open_target(target, overwrite=force) as (file, name),
            Writer(file, records_per_restart=records_per_restart, max_record_size=max_record_size) as writer,
        ):
            for part in parts:
                with (
                    open_reader(part, signal=signal, keep_unknown=True, max_record_size=max_record_size) as reader,
                    shown_progress(reader.name, reader.size) as tell,
                ):
                    writer.write_all(salvaging.records(reader, tell), jobs=jobs)
                bytes_read += reader.bytes_read
            if salvaging.damages and not writer.count:
                raise salvaging.damages[0]
        sizes = (
            f"{_share(writer.file_size, writer.content_size)} of that, {_share(writer.file_size, bytes_read)} of INPUT"
        )
        said = (
            f"{', '.join(parts)}: {writer.count:,} requests, {writer.items:,} items, {writer.content_size:,} bytes -> "
            f"{name}: {writer.file_size:,} bytes ({sizes}), {rate(writer.content_size, perf_counter() - begun)}"
        )
        return Done(said, salvaging.damages)

    write_outputs(sources, output, name_of=_archive_name, write=write, quiet=quiet)


class _Salvaging:
    """Gives the records of files up to the damage where there is some."""

    def __init__(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        self.damages: list[FileError] = []

    def records(self, reader: RequestReader, tell: Callable[[int], None]) -> Iterator[tuple[bytes, str | None]]:
        try:
            for request in reader:
                yield request.data, request.signal
                tell(reader.bytes_read)
        except FileError as error:
            if not self._is_wanted:
                raise
            self.damages.append(error)


def _archive_name(source: str) -> str:
    named = format_of_name(source)
    stem = PurePath(source).name
    for has_extension in (named.encoding != "none", named.format is not None):
        if has_extension:
            stem = PurePath(stem).stem
    return named_beside(source, stem.removesuffix(".otlp") + ".otlp.tz")


def _share(size: int, whole: int) -> str:
    return f"{size / whole:.1%}" if whole else "-"
