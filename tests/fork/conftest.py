"""A receiver, and an environment in which nothing was set before."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.unit.exporter.scripted_receiver import Receiver


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("OTEL_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()
