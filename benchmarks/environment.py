"""Where a measurement of this repository was made: machine, interpreter, versions, and the commit."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from otlp_fast.bench import environment as installed

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("native", "src", "python", "Cargo.toml", "Cargo.lock")
"""What the speed of the package depends on: a change here that is not committed makes a record `dirty`."""


def environment() -> dict[str, Any]:
    """Describe this machine, installation and checkout."""
    return {**installed.environment(), "commit": commit()}


def commit() -> dict[str, Any] | None:
    """Give the commit that is checked out, and whether the sources differ from it; None outside a repository."""
    try:
        return {"id": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "--", *SOURCES))}
    except (OSError, subprocess.CalledProcessError):
        return None


def git(*arguments: str) -> str:
    """Run git in the root of the repository."""
    finished = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return finished.stdout.strip()
