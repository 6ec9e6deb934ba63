"""Prints the interleaved ratios at the end of a run: pytest-benchmark's own table has no place for them."""

from __future__ import annotations

import pytest

VERDICTS = pytest.StashKey[list[str]]()


@pytest.fixture
def verdicts(pytestconfig: pytest.Config) -> list[str]:
    """Lines to be printed at the end of the run."""
    return pytestconfig.stash.setdefault(VERDICTS, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what the tests have found."""
    lines = config.stash.get(VERDICTS, [])
    if lines:
        terminalreporter.section("side by side: CPU time, median (quartiles)")
        for line in lines:
            terminalreporter.write_line(line)
