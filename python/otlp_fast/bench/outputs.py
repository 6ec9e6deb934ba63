"""Where the record and the plot go: opened before anything is measured, there only once they are whole.

So a folder that cannot be written to is found at once and not after minutes, and what is interrupted leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from otlp_fast.bench.errors import BenchError
from otlp_fast.bench.plot import FORMATS, draw
from otlp_fast.bench.record import as_text
from otlp_fast.bench.run import BenchResult
from otlp_fast.files.opening import open_target

_STEM = "otlp-fast-bench"


@dataclass(frozen=True)
class Outputs:
    """The files of a run; None for those that are not wanted."""

    record: tuple[BinaryIO, str] | None
    plot: tuple[BinaryIO, str] | None

    def write(self, result: BenchResult) -> list[str]:
        """Write the files, and give the path of each."""
        written = []
        if self.record is not None:
            file, path = self.record
            file.write(as_text(result.as_json()).encode())
            written.append(path)
        if self.plot is not None:
            file, path = self.plot
            file.write(draw(result, _format_of(path)))
            written.append(path)
        return written


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
    """Open the files; they take their names when the context ends, and not at all where it is left by an error.

    Raises:
        BenchError: one is there already, or cannot be written.
    """
    with ExitStack() as files:
        opened: list[tuple[BinaryIO, str] | None] = []
        for path in (record, plot):
            if path is None:
                opened.append(None)
                continue
            try:
                target = files.enter_context(open_target(path, overwrite=overwrite))
            except FileExistsError:
                raise BenchError(f"{path}: there is such a file already, --force replaces it") from None
            except OSError as error:
                raise BenchError(f"{path}: {error.strerror or error}") from None
            opened.append((target.file, str(path)))
        yield Outputs(*opened)


def _format_of(path: str) -> str:
    return Path(path).suffix.removeprefix(".").lower()


def checked_plot(path: Path) -> Path:
    """Give the path if its name says what the plot should be.

    Raises:
        BenchError: it does not.
    """
    if _format_of(str(path)) not in FORMATS:
        raise BenchError(f"{path}: the name of a plot ends with one of {', '.join(f'.{name}' for name in FORMATS)}")
    return path
