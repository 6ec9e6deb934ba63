"""Without Go the interop tests are skipped by name, and say what is missing; in CI they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop import build
from tests.interop.conftest import require_collector


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "PROGRAMS", tmp_path / "programs")
    monkeypatch.delenv("CI", raising=False)


def put_go_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only program on the path is a go that cannot reach its proxy."""
    go = folder / "go"
    go.write_text("#!/bin/sh\necho 'dial tcp: lookup of the proxy: no such host' >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_go_the_tests_are_skipped_and_say_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        pytest.skip.Exception, match=r"needs Go 1\.26 or newer \(https://go\.dev/dl\): go was not found"
    ):
        require_collector()


def test_without_a_module_proxy_the_tests_are_skipped_and_say_what_go_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_go_that_fails(tmp_path, monkeypatch)
    with pytest.raises(pytest.skip.Exception, match=r"a Go module proxy \(go env GOPROXY\):\n.*no such host"):
        require_collector()


def test_in_ci_that_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"CI runs the interop tests, too: .* go was not found"):
        require_collector()


def test_what_is_built_needs_no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_go_that_fails(tmp_path, monkeypatch)
    (tmp_path / "go").write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho built > "$2"\n')
    program = build.collector_program()
    assert program.read_text() == "built\n"
    monkeypatch.setenv("PATH", "")
    assert build.collector_program() == program
