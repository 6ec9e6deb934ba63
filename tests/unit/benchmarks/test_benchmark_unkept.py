"""The page about performance names every promise that a newest record does not keep, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report, unkept
from benchmarks.table import with_table


def test_page_names_what_the_newest_records_do_not_keep() -> None:
    page = unkept.PAGE.read_text(encoding="utf-8")
    expected = with_table(page, unkept.markdown(), unkept.BEGIN, unkept.END)
    assert page == expected, "rewrite it with `python benchmarks/unkept.py`"


def test_list_is_rewritten_and_the_rest_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{unkept.BEGIN}\nold\n{unkept.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(unkept, "PAGE", page)
    monkeypatch.setattr(report, "promises_kept", lambda record: {"kept": True, "on_end: at most 1 (2)": False})
    for other in (unkept.reading, unkept.rivals):
        monkeypatch.setattr(other, "broken_promises", lambda figures: [])
    monkeypatch.setattr(unkept, "judge", lambda record: [])
    unkept.main()
    line = "- encoding and exporting: on_end: at most 1 (2)"
    assert page.read_text(encoding="utf-8") == f"before\n{unkept.BEGIN}\n{line}\n{unkept.END}\nafter\n"
    monkeypatch.setattr(report, "promises_kept", lambda record: {"kept": True})
    assert unkept.markdown() == "All of them are kept."


def test_page_without_a_place_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("no place\n", encoding="utf-8")
    monkeypatch.setattr(unkept, "PAGE", page)
    with pytest.raises(SystemExit) as ended:
        unkept.main()
    assert str(ended.value.code).startswith("otlp-fast: expected <!-- unkept:begin -->")
