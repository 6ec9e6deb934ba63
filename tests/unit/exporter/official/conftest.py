"""Fixtures of the tests that follow the official exporters' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from routes import ROUTES, Route


@pytest.fixture(params=ROUTES, ids="-".join)
def route(request: pytest.FixtureRequest) -> Route:
    return Route(*request.param)


@pytest.fixture
def route_receiver(route: Route) -> Iterator[Any]:
    running = route.receiver()
    yield running
    running.close()


@pytest.fixture
def make(route: Route, route_receiver: Any) -> Iterator[Callable[..., Any]]:
    """Make our exporters, or official ones, to `route_receiver`; they are shut down at the end of the test."""
    made: list[Any] = []

    def make_one(exporter_class: Any = None, **arguments: Any) -> Any:
        made.append((exporter_class or route.ours)(**{"endpoint": route.endpoint(route_receiver), **arguments}))
        return made[-1]

    yield make_one
    for exporter in made:
        if not getattr(exporter, "_shutdown", getattr(exporter, "_is_shut_down", False)):
            exporter.shutdown()
