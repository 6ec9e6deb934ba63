"""The benchmark of reading: the page about performance shows its newest record."""

from __future__ import annotations

from benchmarks.reading import BEGIN, END, KEPT, PAGE, markdown
from benchmarks.record import newest_record
from benchmarks.table import with_table


def test_page_shows_the_newest_record() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, markdown(newest_record(KEPT)), BEGIN, END) == page
