"""A shutdown while the receiver hangs: it ends in time, and nothing is left that is neither counted nor on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otlp_fast.exporter import pipeline
from tests.faults.conftest import MakeFeed
from tests.faults.deadline import SLACK_SECONDS, within
from tests.faults.grpc_receiver import GRPCReceiver
from tests.faults.grpc_receiver import accept as accept_call
from tests.faults.grpc_receiver import hang_before_taking as hang_call
from tests.faults.http_receiver import HTTPReceiver, accept, hang_before_reading

GIVEN = 20

Receiver = HTTPReceiver | GRPCReceiver


@pytest.fixture(autouse=True)
def patient_accounting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is that all is accounted for when a shutdown returns. Half a second is short on a busy machine."""
    monkeypatch.setattr(pipeline, "ACCOUNTING_SECONDS", SLACK_SECONDS)


@pytest.fixture(params=["http", "grpc"])
def hanging(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    running = HTTPReceiver(default=hang_before_reading) if request.param == "http" else GRPCReceiver(default=hang_call)
    yield running
    running.stop()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SLACK_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("signal", ["traces", "logs"])
def test_shutdown_counts_what_it_could_not_send(make_feed: MakeFeed, hanging: Receiver, signal: str) -> None:
    feed = make_feed(hanging, signal, "processor", timeout=60, max_export_batch_size=4)
    feed.give(GIVEN, wait=False)
    wait_until(lambda: hanging.played)
    with within(0.5):
        feed.shutdown(500)
    assert (feed.exported, feed.lost) == (0, GIVEN)


@pytest.mark.parametrize("way", ["exporter", "processor"])
def test_shutdown_leaves_what_it_could_not_send_in_the_spool(
    make_feed: MakeFeed, hanging: Receiver, tmp_path: Path, way: str
) -> None:
    settings = {"timeout": 2 if way == "exporter" else 60, "spool_dir": tmp_path}
    feed = make_feed(hanging, "traces", way, max_export_batch_size=4, **settings)
    feed.give(GIVEN, wait=False)
    wait_until(lambda: hanging.played)
    with within(0.5):
        feed.shutdown(500)
    assert (feed.exported, feed.lost, feed.exporter.stats()["spooled"]) == (0, 0, GIVEN)

    hanging.default = accept if isinstance(hanging, HTTPReceiver) else accept_call
    heir = make_feed(hanging, "traces", **settings)
    wait_until(heir.exporter.force_flush)
    balance = feed.balance(hanging.ledger)
    assert balance.arrivals.keys() == balance.made
    assert heir.exported == GIVEN
