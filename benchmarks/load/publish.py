"""The newest record, published: the table in docs/performance.md and the plot beside it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.environment import ROOT
from benchmarks.load.plot import draw
from benchmarks.load.table import BEGIN, END, markdown
from benchmarks.record import RECORDS, newest_record
from benchmarks.table import with_table

KEPT = RECORDS / "load"
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "load-test.svg"


def publish(directory: Path, page: Path, plot: Path) -> None:
    """Rewrite the table of a page, and draw the plot.

    Raises:
        FileNotFoundError: there is no record, or no page.
        NoPlaceError: the page has no place for the table.
    """
    record = newest_record(directory)
    text = with_table(page.read_text(encoding="utf-8"), markdown(record, plot.name), BEGIN, END)
    draw(record, plot)
    page.write_text(text, encoding="utf-8")
