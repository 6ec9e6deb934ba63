"""A receiver that dies by SIGKILL with a request in its hands, stays away, and comes back on the same port."""

from __future__ import annotations

import threading

import pytest

from otlp_fast.exporter import retry
from tests.faults.conftest import MakeFeed
from tests.faults.ledger import Ledger
from tests.faults.receiver_process import ReceiverProcess

BATCH = 8


@pytest.mark.parametrize("way", ["exporter", "processor"])
@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_only_what_is_given_while_the_receiver_is_away_is_lost(
    make_feed: MakeFeed, monkeypatch: pytest.MonkeyPatch, transport: str, way: str
) -> None:
    ledger = Ledger()
    receiver = ReceiverProcess(transport, ledger, script=("accept", "hang"))
    feed = make_feed(receiver, way=way, timeout=60)
    feed.give(BATCH)
    assert (feed.lost, feed.exported) == (0, BATCH)

    # Killed after it took a request and before it answered, and back before the retries end.
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.5)
    sending = threading.Thread(target=feed.give, args=(BATCH,))
    sending.start()
    ledger.wait_for(2)
    receiver.kill()
    receiver = ReceiverProcess(transport, ledger, receiver.port)
    sending.join(60)
    assert (feed.lost, feed.exported) == (0, 2 * BATCH)

    receiver.kill()
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.002)
    feed.give(BATCH)
    assert (feed.lost, feed.exported) == (BATCH, 2 * BATCH)

    receiver = ReceiverProcess(transport, ledger, receiver.port)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.5)
    feed.give(BATCH)
    receiver.kill()
    assert (feed.lost, feed.exported) == (BATCH, 3 * BATCH)
    balance = feed.balance(ledger)
    balance.check()
    assert balance.missing == BATCH
    assert sorted(balance.arrivals.values()) == [1] * 2 * BATCH + [2] * BATCH
