"""`otlp-fast decompress`: options and what is said. What it does is in `otlp_fast.tracezip.archive`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import PurePath
from time import perf_counter

import click

from otlp_fast.cli.extras import require_extra
from otlp_fast.cli.options import max_record_size_option
from otlp_fast.cli.outputs import (
    STANDARD,
    Done,
    force_option,
    jobs_option,
    named_beside,
    output_option,
    quiet_option,
    rate,
    write_outputs,
)
from otlp_fast.errors import CompressionError, FileError
from otlp_fast.files import format_of_name
from otlp_fast.files.content import Content
from otlp_fast.tracezip.archive import Reader, read_stream

_EXTENSION = ".tz"
_FORMAT = "archive"


@click.command(name="decompress")
@click.argument("sources", nargs=-1, required=True, metavar="INPUT...")
@output_option
@click.option(
    "--from",
    "first",
    type=click.IntRange(min=1),
    default=1,
    metavar="RECORD",
    help="Begin with this record, counted from 1.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Give N records, not all that follow.")
@click.option(
    "--compression",
    type=click.Choice(["none", "gzip", "zstd", "lz4"]),
    help="How the output is compressed. Without it, its name tells.",
)
@jobs_option
@max_record_size_option
@click.option("--salvage", is_flag=True, help="Of a damaged INPUT, write what stands before the damage.")
@force_option
@quiet_option
def command(
    sources: tuple[str, ...],
    output: str | None,
    first: int,
    count: int | None,
    compression: str | None,
    jobs: int,
    max_record_size: int,
    salvage: bool,
    force: bool,
    quiet: bool,
) -> None:
    """Give the requests of tracezip archives back, byte for byte, as an archive of records with their lengths.

    INPUT stays where it is. Its output gets its name without .tz: capture.otlp.tz becomes capture.otlp, each record
    behind its length (four bytes, big-endian). With --output, all go into one file, which is compressed as its name
    says. "-" is standard input, which goes to standard output. For other forms than archives there is `convert`.

    A file is read by its index, from any record on and several stretches at a time. A pipe, and with --salvage any
    file, is read from the front by one thread: so can be read what a writer left that was killed.

    \b
    Examples:
      otlp-fast decompress capture.otlp.tz                       # makes capture.otlp
      otlp-fast decompress capture.otlp.tz -o capture.otlp.zst
      otlp-fast decompress capture.otlp.tz --from 1000 --count 5 -o - | otlp-fast inspect -
      otlp-fast decompress broken.otlp.tz --salvage
      otlp-fast convert capture.otlp.tz capture.ndjson.gz

    An output appears only when it is whole: after an error or Ctrl-C, it is what it was before.

    Exit status: 0 when all was written, 1 when not, 2 for wrong options, 130 after Ctrl-C.
    """  # noqa: D301 (click looks for the character itself)
    require_extra("cli", ("rich",), "decompress")
    if len(sources) > 1 and (first > 1 or count is not None):
        raise click.UsageError("--from and --count are for a single INPUT")

    def write(parts: Sequence[str], target: str) -> Done:
        from otlp_fast.files.opening import open_writer

        if target != STANDARD and compression is None and _is_of_other_form(target):
            raise FileError("decompress writes archives, as in .otlp.zst; convert writes other forms", name=target)
        begun = perf_counter()
        size = 0
        damages = []
        with open_writer(target, format=_FORMAT, encoding=compression, overwrite=force) as writer:
            for part in parts:
                try:
                    for record in _records(part, first - 1, count, jobs, max_record_size, salvage):
                        writer.write(record, None)
                        size += len(record)
                except FileError as damage:
                    if not salvage:
                        raise
                    damages.append(damage)
            if damages and not writer.count:
                raise damages[0]
        form = writer.format if writer.encoding == "none" else f"{writer.format} in {writer.encoding}"
        said = (
            f"{', '.join(parts)}: {writer.count:,} requests, {size:,} bytes -> {writer.name}, {form}: "
            f"{writer.file_size:,} bytes, {rate(size, perf_counter() - begun)}"
        )
        return Done(said, damages)

    write_outputs(sources, output, name_of=_plain_name, write=write, quiet=quiet)


def _records(
    path: str, first: int, count: int | None, jobs: int, max_record_size: int, salvage: bool
) -> Iterator[bytes]:
    """Give records of an archive, by its index where it can be read so, and show how far that is."""
    from otlp_fast.cli.progress import shown_progress
    from otlp_fast.files.opening import open_source
    from otlp_fast.files.reader import size_of

    file, name = open_source(path)
    size = size_of(file)
    with closing(file), shown_progress(name, size) as tell:
        source: Reader | Content
        content = source = Content(file)
        if size is not None and content.encoding == "none" and not salvage:
            source = Reader(file, name=name, max_record_size=max_record_size)
            records = source.read_from(first, count, jobs=jobs)
        else:
            end = None if count is None else first + count
            records = islice(_streamed(content, name, max_record_size), first, end)
        is_behind = first > 0
        for record in records:
            yield record
            is_behind = False
            tell(source.bytes_read)
        if is_behind:
            raise FileError(f"it has no record {first + 1:,}", name=name)


def _streamed(content: Content, name: str, max_record_size: int) -> Iterator[bytes]:
    number, offset = 1, 0
    try:
        for record in read_stream(content.take, max_record_size=max_record_size):
            yield record.data
            number, offset = number + 1, content.offset
    except CompressionError as error:
        raise FileError(str(error), name=name, record=number, offset=offset) from None


def _is_of_other_form(target: str) -> bool:
    return format_of_name(target).format not in (None, _FORMAT)


def _plain_name(source: str) -> str:
    path = PurePath(source)
    if path.suffix != _EXTENSION:
        raise click.ClickException(f"{source}: its name has no {_EXTENSION} to take away: use --output")
    return named_beside(source, path.stem)
