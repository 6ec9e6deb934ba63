"""Every supported opentelemetry-sdk: the oldest, the last with the old log records, and the one installed here.

The private fields that the fast path reads are not a promise of the SDK. Here it shows whether they still hold: what
the SDK makes must take the fast path, and its bytes must be those of the reference.
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

EXEMPLARS_SINCE = (1, 28)
EVENT_NAMES_SINCE = (1, 35)


def check(path: str) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": path}
    result = subprocess.run([sys.executable, str(CHECK)], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def assert_all_was_read(report: dict[str, Any]) -> None:
    release = tuple(int(number) for number in report["version"].split(".")[:2])
    # All of the SDK's own spans by the fast path; the one made by hand is tried and then read by the safe one.
    assert report["spans"] == {"items": 11, "fast": 11, "safe": 1}
    assert report["logs"] == {
        "items": 12,
        # The record whose attributes were replaced by a dict is tried too, and then read by the safe path.
        "fast": 12,
        "safe": 1,
        "with_ids": 10,
        "with_drops": 2,
        "with_severity": 4,
        "with_event_name": 8 if release >= EVENT_NAMES_SINCE else 0,
    }
    exemplars = report["metrics"].pop("exemplars")
    assert (exemplars > 0) is (release >= EXEMPLARS_SINCE)
    # Two meters, each with two sums, two gauges and two histograms, of six combinations of attributes (the observed
    # gauge: of two).
    assert report["metrics"] == {"sum": 24, "gauge": 16, "histogram": 12, "exponential_histogram": 12}
    assert not any(report["losses"].values()), report["losses"]


def test_installed_sdk_takes_the_fast_path() -> None:
    assert_all_was_read(check(""))


@pytest.mark.installs
@pytest.mark.parametrize("version", ["1.27.0", "1.38.0"])
def test_older_sdk_takes_the_fast_path(version: str, tmp_path: Path) -> None:
    packages = [f"opentelemetry-{name}=={version}" for name in ("sdk", "api")]
    options = ["--quiet", "--disable-pip-version-check", "--target", str(tmp_path)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *packages], check=True, capture_output=True)
    report = check(str(tmp_path))
    assert report["version"] == version
    assert_all_was_read(report)
