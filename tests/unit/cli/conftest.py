"""Fixtures for the tests of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RUN_MAIN = "from otlp_fast.cli import main; main()"

# Put into PYTHONPATH as sitecustomize.py: imports of these modules fail as if they were not installed.
BLOCKER = """
import sys

class Blocker:
    blocked = {blocked!r}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.blocked or name in self.blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_command(tmp_path: Path) -> RunCommand:
    """Run `otlp-fast` in a process of its own, with some modules made unavailable."""

    def run(*arguments: str, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        environment = dict(os.environ)
        if without:
            (tmp_path / "sitecustomize.py").write_text(BLOCKER.format(blocked=set(without)))
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
        return subprocess.run(
            [sys.executable, "-c", RUN_MAIN, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
