"""What `compress` and `decompress` share: which output each input becomes, errors, and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from otlp_fast.cli.interruption import interruptible
from otlp_fast.errors import FileError

STANDARD = "-"
_EXIT_FAILED = 1

output_option = click.option(
    "-o",
    "--output",
    metavar="OUTPUT",
    help='Write everything to OUTPUT, "-" for standard output, instead of a file beside each INPUT.',
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(min=1, max=64),
    default=lambda: min(len(os.sched_getaffinity(0)), 4),
    show_default="one for each processor, at most 4",
    metavar="N",
    help="Work on N stretches between restart points at the same time, each in about 32 MiB.",
)
force_option = click.option("--force", is_flag=True, help="Replace an output where there is such a file.")
quiet_option = click.option("--quiet", is_flag=True, help="Do not say on stderr what was written.")


class Done(NamedTuple):
    """What was done, in words, and the damages behind what was salvaged."""

    said: str
    damages: list[FileError]


def write_outputs(
    sources: Sequence[str],
    output: str | None,
    *,
    name_of: Callable[[str], str],
    write: Callable[[Sequence[str], str], Done],
    quiet: bool,
) -> None:
    """Write the output of all sources, or one for each; what is wrong with one does not keep the others.

    Args:
        sources: the paths; "-" for standard input, which goes to standard output.
        output: the path of the only output; None for one per source.
        name_of: gives the path of a source's output.
        write: writes the output of some sources.
        quiet: whether to say nothing of what was done.

    Raises:
        click.ClickException: two sources would become the same output, or it would go to a terminal.
        SystemExit: something went wrong, and was said.
    """
    outputs = {output: sources} if output is not None else _outputs(sources, name_of)
    if STANDARD in outputs and sys.stdout.isatty():
        raise click.ClickException("no bytes are written to a terminal: name a file by --output")
    has_failed = False
    for target, parts in outputs.items():
        with interruptible(f"Interrupted: {target} was not written."):
            problems: Sequence[object] = ()
            try:
                said, problems = write(parts, target)
                if not quiet:
                    click.echo(said, err=True)
            except FileExistsError:
                problems = [f"{target}: there is such a file already, --force replaces it"]
            except OSError as error:
                problems = [f"{error.filename or target}: {error.strerror or error}"]
            except (ValueError, ModuleNotFoundError) as error:
                problems = [error]
        for problem in problems:
            click.echo(f"Error: {problem}", err=True)
            has_failed = True
    if has_failed:
        raise SystemExit(_EXIT_FAILED)


def _outputs(sources: Sequence[str], name_of: Callable[[str], str]) -> dict[str, Sequence[str]]:
    outputs: dict[str, Sequence[str]] = {}
    for source in sources:
        target = STANDARD if source == STANDARD else name_of(source)
        if target in outputs:
            raise click.ClickException(f"both {outputs[target][0]} and {source} would become {target}: use --output")
        outputs[target] = [source]
    return outputs


def named_beside(source: str, name: str) -> str:
    """Give the path of a file beside another."""
    return os.fspath(Path(source).with_name(name))


def rate(size: int, seconds: float) -> str:
    """Give bytes per second in words."""
    return f"{size / max(seconds, 1e-6) / 1e6:,.1f} MB/s"
