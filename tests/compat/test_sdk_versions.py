"""Every supported opentelemetry-sdk: the oldest, one from the middle, and the one installed here.

The private fields that the fast path reads are not a promise of the SDK. Here it shows whether they still hold: SDK
spans must take the fast path, and its bytes must be those of the reference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).with_name("sdk_version_check.py")


def check(path: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": path}
    result = subprocess.run([sys.executable, str(CHECK)], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def assert_fast_path_was_taken(report: list[str]) -> None:
    _, spans, fast, safe = report
    assert int(spans) == 11
    # All of the SDK's own spans by the fast path; the one made by hand is tried and then read by the safe one.
    assert (int(fast), int(safe)) == (11, 1)


def test_installed_sdk_takes_the_fast_path() -> None:
    assert_fast_path_was_taken(check(""))


@pytest.mark.parametrize("version", ["1.27.0", "1.35.0"])
def test_older_sdk_takes_the_fast_path(version: str, tmp_path: Path) -> None:
    packages = [f"opentelemetry-{name}=={version}" for name in ("sdk", "api")]
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        str(tmp_path),
    ]
    subprocess.run([*install, *packages], check=True, capture_output=True)
    report = check(str(tmp_path))
    assert report[0] == version
    assert_fast_path_was_taken(report)
