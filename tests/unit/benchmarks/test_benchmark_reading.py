"""The benchmark of reading: promises are judged, and the page about performance shows its newest record."""

from __future__ import annotations

from typing import Any

from benchmarks.reading import BEGIN, END, KEPT, PAGE, PROMISES, broken_promises, markdown
from benchmarks.record import newest_record
from benchmarks.table import with_table


def test_promises_that_are_not_kept_are_named_with_what_was_found() -> None:
    figures: dict[str, Any] = {name: {"ratio": {"median": promise}} for name, promise in PROMISES.items()}
    assert broken_promises(figures) == []
    figures["decode"]["ratio"]["median"] = 1.49
    figures["memory"]["ratio"]["median"] = 1.31
    assert broken_promises(figures) == ["decode: at least 1.5 (1.49)", "memory: at most 1.3 (1.31)"]


def test_page_shows_the_newest_record() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, markdown(newest_record(KEPT)), BEGIN, END) == page
