"""Where a measurement was made: machine, interpreter, versions, commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import otlp_fast

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "otlp-fast",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry-exporter-otlp-proto-http",
    "protobuf",
    "fastotel",
    "pytest-benchmark",
)
SOURCES = ("native", "src", "python", "Cargo.toml", "Cargo.lock")
"""What the speed of the package depends on: a change here that is not committed makes a record `dirty`."""


def environment() -> dict[str, Any]:
    """Describe this machine and installation."""
    return {
        "machine": {
            "cpu": cpu_model(),
            "cores": os.cpu_count(),
            "os": platform.platform(terse=True),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
        },
        "versions": {package: installed for package in PACKAGES if (installed := version_of(package))},
        "build": otlp_fast.build_info(),
        "commit": commit(),
    }


def cpu_model() -> str:
    """Give the name of the processor, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def version_of(package: str) -> str | None:
    """Give the installed version of a distribution, if there is one."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


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
