"""`fuzz/run.py`: what it makes of a target that finds something, and of one that does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz import run

FOUND = """prefix=$(for argument; do case $argument in -artifact_prefix=*) echo ${argument#*=};; esac; done)
echo input > ${prefix}crash-5f
echo "artifact_prefix='$prefix'; Test unit written to ${prefix}crash-5f"
exit 77"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "FOLDER", tmp_path / "fuzz")
    return tmp_path


def make_target(programs: Path, script: str) -> None:
    program = programs / "wire"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_finding_that_is_there_already_is_one_again(programs: Path) -> None:
    make_target(programs, FOUND)
    expected = [programs / "fuzz" / "findings" / "wire" / "crash-5f"]
    for _ in range(2):
        assert run.fuzz(programs, programs, "wire", 1).findings == expected


def test_target_that_ends_without_a_finding_did_not_run(programs: Path) -> None:
    make_target(programs, "echo no such option; exit 1")
    with pytest.raises(SystemExit, match=r"wire did not run \(exit status 1\):\nno such option"):
        run.fuzz(programs, programs, "wire", 1)
