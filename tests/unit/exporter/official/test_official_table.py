"""Every row of docs/official-behaviour.md names a test that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[4]
TABLE = PROJECT / "docs" / "official-behaviour.md"

ROWS = [
    line
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| behaviour")
]


def test_there_are_rows() -> None:
    assert len(ROWS) > 60


@pytest.mark.parametrize("row", ROWS)
def test_row_names_a_test_that_exists(row: str) -> None:
    match = re.fullmatch(r"\| .+ \| .+ \| `(?P<file>[\w./]+)::(?P<test>\w+)` \|", row)
    assert match
    folder = PROJECT if match["file"].startswith("tests/") else PROJECT / "tests" / "unit" / "exporter"
    source = (folder / match["file"]).read_text(encoding="utf-8")
    assert f"def {match['test']}(" in source
