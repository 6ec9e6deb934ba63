"""Fixtures for the tests of the gateway."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run coroutines by asyncio."""
    return "asyncio"
