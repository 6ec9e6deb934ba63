"""What `make coverage` does where the Rust lines cannot be measured, and which files it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import measure_coverage

PROJECT = measure_coverage.PROJECT


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with a new rustc and a cargo that installs nothing; the Python tests are measured with 7."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LLVM_COV", "llvm-cov")
    monkeypatch.setenv("LLVM_PROFDATA", "llvm-profdata")
    monkeypatch.setattr(measure_coverage, "run_python_tests", lambda arguments, environment: 7)
    for name, script in (("rustc", "echo rustc 1.95.0"), ("cargo", "exit 101")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("missing", "said"),
    [("cargo", "cargo was not found: Rust 1.88 or newer is needed (https://rustup.rs"),
     ("rustc", "`rustc --version` answers"),
     ("", "cargo-llvm-cov 0.9.1 was not installed")],
)  # fmt: skip
def test_python_is_measured_where_rust_cannot_be(
    missing: str, said: str, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if missing:
        (programs / missing).unlink()
    assert measure_coverage.main([]) == 7
    assert f"otlp-fast: the Rust lines are not measured: {said}" in capsys.readouterr().out


def test_tests_of_rust_are_not_counted() -> None:
    paths = ["native/columns/src/red/mod.rs", "native/columns/src/red/tests.rs", "native/columns/tests/logs.rs"]
    assert all((PROJECT / path).is_file() for path in paths)
    lcov = "".join(f"SF:{PROJECT / path}\nDA:1,1\nend_of_record\n" for path in paths)
    assert [str(path) for path, _ in measure_coverage.lines_run(lcov)] == paths[:1]
