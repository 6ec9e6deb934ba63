"""The processors under the oldest supported SDK, the last one that gives LogData, and the one installed here.

The interface of log record processors changed its name and what it is called with; see `BatchLogRecordProcessor.emit`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECK = Path(__file__).with_name("sdk_version_check.py")


def check(path: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, str(CHECK)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def assert_everything_arrived(report: dict[str, Any]) -> None:
    assert (report["spans"], report["log_records"]) == (1000, 1000)
    for stats in report["stats"]:
        assert stats.pop("accepted") == stats.pop("handed_to_exporter") == 1000
        assert not any(stats.values())


def test_installed_sdk_can_use_the_processors() -> None:
    assert_everything_arrived(check(""))


@pytest.mark.parametrize("version", ["1.27.0", "1.36.0"])
def test_older_sdk_can_use_the_processors(version: str, tmp_path: Path) -> None:
    packages = [f"opentelemetry-{name}=={version}" for name in ("sdk", "api")]
    options = ["--quiet", "--disable-pip-version-check", "--target", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *packages], check=True, capture_output=True)
    report = check(str(tmp_path))
    assert report["version"] == version
    assert_everything_arrived(report)
