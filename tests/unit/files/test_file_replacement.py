"""A file that is to take another's place: what is left when it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otlp_fast import files


def test_interruption_right_after_the_file_was_created_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, *arguments: Any) -> None:
        create(path, *arguments).close()
        assert [found.suffix for found in tmp_path.iterdir()] == [".part"]
        raise KeyboardInterrupt

    create = Path.open
    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(KeyboardInterrupt), files.open_writer(tmp_path / "a.ndjson"):
        pytest.fail("it is not open")
    assert list(tmp_path.iterdir()) == []


def test_file_that_came_in_the_meantime_is_left_alone_but_for_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    with pytest.raises(FileExistsError, match="there is such a file already"), files.open_writer(path):
        path.write_text("of another")
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("a.ndjson", "of another")]
    with files.open_writer(path, overwrite=True):
        path.write_text("of another still")
    assert path.read_text() == ""
