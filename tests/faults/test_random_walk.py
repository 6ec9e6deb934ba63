"""A receiver that changes its mind a few hundred times while spans come in: in the end, sent = received + counted.

Nothing runs into a deadline here, so nothing that the receiver acknowledged may count as lost. What a receiver takes
without saying so may be counted as lost, or arrive twice.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from otlp_fast.exporter import pause
from tests.faults.conftest import MakeFeed
from tests.faults.deadline import within
from tests.faults.faults import FAULTS
from tests.faults.grpc_receiver import GRPCReceiver, accept
from tests.faults.http_receiver import HTTPReceiver
from tests.faults.http_receiver import accept as accept_http

STEPS = 300


@pytest.mark.parametrize("spooled", [False, True], ids=["memory", "spool"])
@pytest.mark.parametrize("signal", ["traces", "logs"])
@pytest.mark.parametrize(("transport", "compression"), [("http", "none"), ("http", "tracezip"), ("grpc", "none")])
def test_sent_is_received_and_counted_after_a_random_walk(
    make_feed: MakeFeed,
    tmp_path: Path,
    transport: str,
    compression: str,
    signal: str,
    spooled: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Reproducible as far as threads are: the seed is the name of the walk.
    walk = random.Random(f"{transport} {signal} {spooled}")
    # Nor is tracezip left alone for longer than a few requests, however often a receiver refuses it.
    monkeypatch.setattr(pause, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(pause, "LONGEST_PAUSE_SECONDS", 0.05)
    receiver = HTTPReceiver() if transport == "http" else GRPCReceiver()
    good = accept_http if transport == "http" else accept
    feed = make_feed(
        receiver,
        signal,
        "processor",
        timeout=60,
        compression=compression,
        max_request_size=4000,
        max_queue_size=200,
        max_export_batch_size=20,
        schedule_delay_millis=20,
        **({"spool_dir": tmp_path} if spooled else {}),
    )
    faults = [fault.play for fault in FAULTS[transport].values()]
    for _ in range(STEPS):
        match walk.randrange(6):
            case 0:
                receiver.default = walk.choice(faults)
            case 1:
                receiver.script(*walk.choices(faults, k=walk.randint(1, 5)))
            case 2:
                receiver.default = good
            case 3:
                receiver.stop()
            case _:
                feed.give(walk.randint(1, 60), wait=False)
                time.sleep(0.01)
        if not receiver.is_running and walk.random() < 0.5:
            receiver.start()
        if walk.random() < 0.1:
            # Not within a millisecond: that is the time that the spool would have for a request, too.
            feed.processor.force_flush(60_000)
    receiver.stop()
    receiver.script()
    receiver.default = good
    receiver.start()
    feed.give(1, wait=False)
    with within(60):
        # A spool is tried once, and a gRPC channel may still be waiting before it tries to connect again.
        while not feed.processor.force_flush(60_000):
            time.sleep(0.05)
        feed.shutdown(10_000)
    receiver.stop()
    balance = feed.balance(receiver.ledger)
    balance.check()
    assert balance.arrivals
    assert balance.lost
    assert len(receiver.played) > 5, "the walk met hardly a fault"
    if compression == "tracezip":
        stats = feed.exporter.stats()
        assert stats["tracezip_frames"] > stats["tracezip_resets"] > 1
        assert stats["tracezip_fallbacks"]
