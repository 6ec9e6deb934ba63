"""What all tests share: hypothesis profiles, spans by hand, the captured corpora."""

from __future__ import annotations

import functools
import gc
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.packaging import prerequisites

settings.register_profile("default", max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

PROJECT = Path(__file__).resolve().parent.parent


# Asked once, and only where a test is about to install something.
missing_index = functools.cache(prerequisites.index)


def pytest_collection_finish() -> None:
    """The tests themselves stay until the end: collections pass over them, and there are hundreds of these."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """What is left is collected again, or extensions complain that it stays."""
    gc.unfreeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that install something are skipped where nothing can be installed."""
    if item.get_closest_marker("installs") is not None and (message := missing_index()) is not None:
        pytest.skip(message)


@pytest.fixture
def unmeasured_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make coverage` measures child processes, but for those that it would change: it imports, and takes time."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def every_loss_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests look at log lines, so none is held back."""
    from otlp_fast import _diagnostics

    monkeypatch.setattr(_diagnostics, "LOG_INTERVAL_SECONDS", 0.0)
    _diagnostics._next_line_at.clear()
