"""Without Go the interop tests are skipped by name, and say what is missing; in CI they fail.

Sources that Go cannot build are a failure everywhere.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.interop import build
from tests.interop.conftest import require_collector


@pytest.fixture(autouse=True)
def nothing_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "PROGRAMS", tmp_path / "programs")
    monkeypatch.delenv("CI", raising=False)


def put_go(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The only program on the path is a go that is this script."""
    go = folder / "go"
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def put_go_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """The only program on the path is a go that says this and fails."""
    put_go(folder, monkeypatch, f"echo {shlex.quote(said)} >&2; exit 1")


def test_without_go_the_tests_are_skipped_and_say_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        pytest.skip.Exception, match=r"needs Go 1\.26 or newer \(https://go\.dev/dl\): go was not found"
    ):
        require_collector()


@pytest.mark.parametrize(
    "said",
    [
        'main.go:7:2: example.org/a@v1.0.0: Get "http://proxy/a.zip": dial tcp: lookup of the proxy: no such host',
        'go: example.org/a@v1.0.0: Get "https://proxy/a.info": net/http: TLS handshake timeout',
        "main.go:7:2: example.org/a@v1.0.0: reading https://proxy/a.zip: 503 Service Unavailable",
        "main.go:7:2: module lookup disabled by GOPROXY=off",
        "go: example.org/a@v1.0.0: git ls-remote -q: fatal: unable to access 'https://example.org/a/'",
        "go: go.mod requires go >= 1.26.0 (running go 1.21.0; GOTOOLCHAIN=local)",
        "go: errors parsing go.mod:\ngo.mod:3: invalid go version '1.26.0': must match format 1.23",
        "go: download go1.26.0 for plan9/386: toolchain not available",
    ],
    ids=["no name", "no TLS", "busy", "switched off", "git", "too old", "much too old", "no newer"],
)
def test_with_an_old_go_or_without_a_module_proxy_they_are_skipped_and_say_what_go_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    put_go_that_fails(tmp_path, monkeypatch, f"go: downloading example.org/a v1.0.0\n{said}")
    with pytest.raises(pytest.skip.Exception, match=rf"a Go module proxy \(go env GOPROXY\):\n.*\n{re.escape(said)}"):
        require_collector()


@pytest.mark.parametrize(
    "said",
    [
        "./main.go:32:3: undefined: debugexporter",
        "main.go:7:2: no required module provides package example.org/a; to add it:",
        "main.go:7:2: missing go.sum entry for module providing package example.org/a",
        "go: example.org/a@v9.9.9: reading https://proxy/a.info: 404 Not Found",
        "verifying example.org/a@v1.0.0: checksum mismatch",
        'example.org/b@v1.0.0: Get "http://proxy/b.zip": EOF\nverifying example.org/a@v1.0.0: checksum mismatch',
    ],
    ids=["source", "import", "no checksum", "version", "checksum", "checksum and no network"],
)
def test_what_cannot_be_built_is_a_failure_and_no_skip(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    put_go_that_fails(tmp_path, monkeypatch, said)
    # A skip would end the test itself, if it were not caught.
    with pytest.raises((build.CollectorBuildError, pytest.skip.Exception)) as raised:
        require_collector()
    assert raised.type is build.CollectorBuildError
    assert str(raised.value) == f"go build of the Collector failed:\n{said}\n"
    assert list((tmp_path / "programs").iterdir()) == [tmp_path / "programs" / "lock"]


def test_in_ci_that_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"CI runs the interop tests, too: .* go was not found"):
        require_collector()


@pytest.mark.parametrize(("given", "expected"), [({}, "true"), ({"CI": "hosted"}, "hosted")])
def test_what_ci_runs_says_that_it_is_ci(tmp_path: Path, given: dict[str, str], expected: str) -> None:
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$1: $CI"\n')
    make.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **given}
    result = subprocess.run([build.PROJECT / ".ci" / "run"], env=environment, capture_output=True, text=True)
    assert result.stdout == f"lint: {expected}\ntest: {expected}\n", result.stderr


def test_what_is_built_needs_no_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_go(tmp_path, monkeypatch, 'while [ "$1" != -o ]; do shift; done\necho built > "$2"')
    program = build.collector_program()
    assert program.read_text() == "built\n"
    monkeypatch.setenv("PATH", "")
    assert build.collector_program() == program
