"""Shows how far the demo is, on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

_TITLE_WIDTH = 42

Report = Callable[[int], None]
"""Takes how much of the current step's total is done."""


class Progress:
    """The steps of the demo, one after the other."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = RichProgress(*columns, console=console) if console.is_terminal else None

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Report]:
        """Show one step while the context is open."""
        if self._bars is None:
            yield from self._plain_step(title)
            return
        with self._bars as bars:
            task = bars.add_task(f"{title:<{_TITLE_WIDTH}}", total=total)
            yield lambda done: bars.update(task, completed=done)

    def _plain_step(self, title: str) -> Iterator[Report]:
        begin = time.monotonic()
        print(f"{title} ...", file=sys.stderr, flush=True)
        yield lambda done: None
        print(f"{title}: done in {time.monotonic() - begin:.1f} s", file=sys.stderr, flush=True)
