"""Where a measurement was made: machine, interpreter, versions."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import otlp_fast

PACKAGES = (
    "otlp-fast",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-exporter-otlp-proto-common",
    "opentelemetry-exporter-otlp-proto-http",
    "protobuf",
    "fastotel",
    "numpy",
    "pytest-benchmark",
)


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
