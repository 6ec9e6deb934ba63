"""Shows on stderr how much of a file was read, where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn


@contextmanager
def shown_progress(name: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar while the context is open, and give the function that is told how many bytes were read.

    Args:
        name: of the file.
        size: of the file in bytes; None where nobody knows.
    """
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    parts = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*parts, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(escape(name), total=size)
        yield lambda done: bars.update(task, completed=done)
