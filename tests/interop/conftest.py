"""Fixtures of the interop tests: a Collector for the session, what it wrote during a test, and a gateway before it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.conftest import make_feed, nothing_unexpected, plain_environment
from tests.interop.build import GoIsMissingError, collector_program
from tests.interop.peer import SIGNALS, Collector
from tests.unit.gateway.gateway_process import GatewayProcess, gateway_process

__all__ = ["make_feed", "nothing_unexpected", "plain_environment"]

MakeCollector = Callable[..., Collector]
MakeGateway = Callable[..., GatewayProcess]
Written = Callable[[str], list[bytes]]


def require_collector() -> None:
    """Skip, and say what is missing, where the Collector cannot be built; where CI is set, that is a failure."""
    try:
        collector_program()
    except GoIsMissingError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI runs the interop tests, too: {error}", pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def collector_is_built() -> None:
    """The program of the Collector is there."""
    require_collector()


@pytest.fixture(scope="session")
def collector(collector_is_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A Collector for all tests, which acknowledges what it has written."""
    with Collector(tmp_path_factory.mktemp("collector"), writes_at_once=True) as running:
        yield running


@pytest.fixture
def written(collector: Collector) -> Written:
    """Give the requests that the session's Collector has written for a signal since the test began."""
    began = {signal: collector.position(signal) for signal in SIGNALS}
    return lambda signal: list(collector.written(signal, began[signal]))


@pytest.fixture
def make_collector(collector_is_built: None, tmp_path: Path) -> Iterator[MakeCollector]:
    """Start Collectors of the test's own, with the arguments of `Collector`, which write at once by default."""
    with ExitStack() as running:

        def make(**arguments: object) -> Collector:
            folder = tmp_path / f"collector-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return running.enter_context(Collector(folder, **{"writes_at_once": True, **arguments}))  # type: ignore[arg-type]

        yield make


@pytest.fixture
def make_gateway() -> Iterator[MakeGateway]:
    """Start gateways before a next hop: `make_gateway(collector.http, "--forward-encoding", "zstd")`."""
    with ExitStack() as running:
        yield lambda url, *options: running.enter_context(gateway_process("--forward", url, *options))


@pytest.fixture(scope="session")
def gateway(collector: Collector) -> Iterator[GatewayProcess]:
    """A gateway before the session's Collector."""
    with gateway_process("--forward", collector.http) as running:
        yield running
