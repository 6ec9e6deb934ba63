"""Where the record and the plot go: opened before anything is measured, there only once they are whole.

So a folder that cannot be written to is found at once and not after minutes, and what is interrupted leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from otlp_fast.bench.errors import BenchError
from otlp_fast.bench.plot import FORMATS, draw
from otlp_fast.bench.record import as_text
from otlp_fast.bench.run import BenchResult
from otlp_fast.files.opening import open_target

_STEM = "otlp-fast-bench"


@dataclass(frozen=True)
class Output:
    """A file that is open, and what closes it: at its place after `write`, and nowhere after an error."""

    path: Path
    file: BinaryIO
    closing: ExitStack

    def write(self, content: Callable[[], bytes]) -> None:
        """Write what `content` gives, and close the file."""
        with self.closing:
            self.file.write(content())


class Written(NamedTuple):
    """What became of the files of a run."""

    paths: list[Path]
    problems: list[str]
    """Files that were not written: one line each."""


@dataclass(frozen=True)
class Outputs:
    """The files of a run; None for those that are not wanted."""

    record: Output | None
    plot: Output | None

    def write(self, result: BenchResult) -> Written:
        """Write the files; one that fails is a problem, for what was measured is there still."""
        written = Written([], [])
        # Drawing takes a while: an interruption in it leaves neither.
        if self.plot is not None:
            format = _format_of(self.plot.path)
            _write(self.plot, lambda: draw(result, format), written)
        if self.record is not None:
            _write(self.record, lambda: as_text(result.as_json()).encode(), written)
        return written


def _write(output: Output, content: Callable[[], bytes], written: Written) -> None:
    try:
        output.write(content)
    except FileExistsError:
        written.problems.append(f"{output.path}: such a file was written in the meantime, --force replaces it")
    except OSError as error:
        written.problems.append(f"{output.path}: {error.strerror or error}")
    except Exception as error:
        written.problems.append(f"{output.path}: {type(error).__name__}: {error}")
    else:
        written.paths.append(output.path)


def free_paths(folder: Path) -> tuple[Path, Path]:
    """Give paths for a record and a plot that no file has: the same name but for a number, if one is needed."""
    for number in count(1):
        stem = _STEM if number == 1 else f"{_STEM}-{number}"
        record, plot = folder / f"{stem}.json", folder / f"{stem}.svg"
        if not record.exists() and not plot.exists():
            return record, plot
    raise AssertionError("numbers do not end")


@contextmanager
def open_outputs(record: Path | None, plot: Path | None, *, overwrite: bool) -> Iterator[Outputs]:
    """Open the files; they take their names when they are written, and none is left of those that are not.

    Raises:
        BenchError: one is there already, or cannot be written.
    """
    with ExitStack() as files:
        opened: list[Output | None] = []
        for path in (record, plot):
            if path is None:
                opened.append(None)
                continue
            closing = files.enter_context(ExitStack())
            try:
                target = closing.enter_context(open_target(path, overwrite=overwrite))
            except FileExistsError:
                raise BenchError(f"{path}: there is such a file already, --force replaces it") from None
            except OSError as error:
                raise BenchError(f"{path}: {error.strerror or error}") from None
            opened.append(Output(path, target.file, closing))
        yield Outputs(*opened)


def _format_of(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()


def checked_plot(path: Path) -> Path:
    """Give the path if its name says what the plot should be.

    Raises:
        BenchError: it does not.
    """
    if _format_of(path) not in FORMATS:
        raise BenchError(f"{path}: the name of a plot ends with one of {', '.join(f'.{name}' for name in FORMATS)}")
    return path
