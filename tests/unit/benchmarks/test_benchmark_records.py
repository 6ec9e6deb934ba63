"""The records that are published: each is of a commit that anybody can check out and measure again."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.record import RECORDS, newest_record

FOLDERS = sorted({path.parent for path in RECORDS.rglob("*.json")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_newest_record_is_of_sources_that_were_committed(folder: Path) -> None:
    commit = newest_record(folder)["commit"]
    assert commit is not None
    assert commit["dirty"] is False
