"""Builds the Collector from its modules, once for each version of what it is built from.

Needs Go and, the first time, the Go module proxy; go.sum holds the checksum of each module. A cold build takes about
three minutes on two cores, a warm one nothing: the program stays in `target/interop`, under the hash of its sources.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).parent / "collector"
PROGRAMS = PROJECT / "target" / "interop"


# What Go says where it is too old, or has no way to modules. A wrong checksum is no such thing, and comes first.
_TOO_OLD = r"requires go >= |invalid go version|toolchain not available"
_OUT_OF_REACH = r': Get "https?:|GOPROXY=off|https?://\S+: (?:403|407|429|5\d\d) |fatal: unable to access'
_MISSING = re.compile(rf"(?s)(?!.*checksum mismatch).*?(?:{_TOO_OLD}|{_OUT_OF_REACH})")


class CollectorBuildError(Exception):
    """The Collector is not built, and cannot be: its sources, its modules or their checksums are wrong."""


class GoIsMissingError(CollectorBuildError):
    """There is no Go here, or it is too old, or cannot reach its modules."""


def collector_program() -> Path:
    """The path of the Collector's program, which is built if it is not there yet.

    Processes that ask at the same time wait for the first of them.

    Raises:
        GoIsMissingError: this machine cannot build it.
        CollectorBuildError: none can.
    """
    digest = hashlib.sha256()
    for file in sorted(SOURCES.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    program = PROGRAMS / f"collector-{digest.hexdigest()[:16]}"
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    with (PROGRAMS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(program)
    return program


def _build(program: Path) -> None:
    if shutil.which("go") is None:
        raise GoIsMissingError("building the Collector needs Go 1.26 or newer (https://go.dev/dl): go was not found")
    unfinished = program.with_suffix(".unfinished")
    command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(unfinished), "."]
    result = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True)
    if result.returncode:
        said = result.stderr[-2000:]
        if _MISSING.match(result.stderr):
            needs = "it needs Go 1.26 or newer and, the first time, a Go module proxy (go env GOPROXY)"
            raise GoIsMissingError(f"go build of the Collector failed, {needs}:\n{said}")
        raise CollectorBuildError(f"go build of the Collector failed:\n{said}")
    unfinished.rename(program)


if __name__ == "__main__":
    print(collector_program())
