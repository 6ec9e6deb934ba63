"""Whatever a receiver does: nothing raises, every call ends in time, and every item is delivered or counted as lost."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults import grpc_receiver, http_receiver
from tests.faults.conftest import ROUTES, MakeFeed
from tests.faults.deadline import within
from tests.faults.faults import FAULTS, HANGS, Fault, Verdict
from tests.faults.grpc_receiver import GRPCReceiver
from tests.faults.http_receiver import HTTPReceiver

BATCH = 8

Receiver = HTTPReceiver | GRPCReceiver

ways = pytest.mark.parametrize("way", ["exporter", "processor"])


def each(table: dict[str, dict[str, Any]]) -> list[Any]:
    """Give (transport, entry) for every entry of a table by transport."""
    return [
        pytest.param(transport, entry, id=f"{transport}-{name}")
        for transport, entries in table.items()
        for name, entry in entries.items()
    ]


@pytest.fixture
def transport() -> str:
    """HTTP, where a test does not say otherwise."""
    return "http"


@pytest.fixture
def receiver(transport: str) -> Iterator[Receiver]:
    running = HTTPReceiver() if transport == "http" else GRPCReceiver()
    yield running
    running.stop()


@ways
@pytest.mark.parametrize("stays", [False, True], ids=["once", "stays"])
@pytest.mark.parametrize(("transport", "fault"), each(FAULTS))
def test_every_item_is_delivered_or_counted(
    receiver: Receiver, make_feed: MakeFeed, fault: Fault, stays: bool, way: str
) -> None:
    feed = make_feed(receiver, way=way, timeout=30)
    feed.give(BATCH)
    receiver.script(fault.play)
    if stays:
        receiver.default = fault.play
    with within(0):
        feed.give(BATCH)
        feed.give(BATCH)
    balance = feed.balance(receiver.ledger)
    if fault.is_doubtful:
        balance.check()
    else:
        balance.check_exactly()
    met = 2 * BATCH if stays else BATCH
    spared = fault.verdict is Verdict.TAKEN or (fault.verdict is Verdict.RETRIED and not stays)
    assert feed.lost == (0 if spared else met)


@ways
@pytest.mark.parametrize(("transport", "hang"), each(HANGS))
def test_receiver_that_hangs_is_left_at_the_deadline(
    receiver: Receiver, make_feed: MakeFeed, hang: Callable[[Any], Any], way: str
) -> None:
    feed = make_feed(receiver, way=way, timeout=1)
    receiver.script(hang)
    with within(1):
        feed.give(BATCH)
    assert (feed.lost, feed.exported) == (BATCH, 0)
    feed.give(BATCH)
    feed.balance(receiver.ledger).check()
    assert (feed.lost, feed.exported) == (BATCH, BATCH)


@pytest.mark.parametrize(("signal", "way"), ROUTES)
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_size_refusal_before_the_body_arrived_costs_nothing(
    receiver: HTTPReceiver, make_feed: MakeFeed, signal: str, way: str, compression: str
) -> None:
    receiver.default = http_receiver.refuse_by_length(3000 if compression == "none" else 500)
    feed = make_feed(receiver, signal, way, timeout=30, compression=compression)
    feed.give(100)
    feed.balance(receiver.ledger).check_exactly()
    assert feed.lost == 0
    assert len(receiver.ledger.receipts) > 1


@pytest.mark.parametrize(("signal", "way"), ROUTES)
def test_size_refusal_by_grpc_itself_costs_nothing(make_feed: MakeFeed, signal: str, way: str) -> None:
    # gRPC takes 0.1 s to refuse.
    receiver = GRPCReceiver(max_message=3000)
    feed = make_feed(receiver, signal, way, timeout=30)
    feed.give(20)
    feed.balance(receiver.ledger).check_exactly()
    receiver.stop()
    assert feed.lost == 0
    assert len(receiver.ledger.receipts) > 1


@pytest.mark.parametrize(("signal", "way"), ROUTES)
@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_what_a_receiver_rejects_is_lost_once(receiver: Receiver, make_feed: MakeFeed, signal: str, way: str) -> None:
    module = http_receiver if isinstance(receiver, HTTPReceiver) else grpc_receiver
    receiver.default = module.accept_in_part
    feed = make_feed(receiver, signal, way, timeout=30)
    for _ in range(3):
        feed.give(BATCH)
    feed.balance(receiver.ledger).check_exactly()
    assert feed.lost == 3


def test_retry_after_as_a_date_is_waited_for(receiver: HTTPReceiver, make_feed: MakeFeed) -> None:
    feed = make_feed(receiver, timeout=30)
    receiver.script(http_receiver.answer_503_until_in_a_second)
    feed.give(BATCH)
    feed.balance(receiver.ledger).check_exactly()
    assert feed.lost == 0


class SocketForGRPC(HTTPReceiver):
    """A port where gRPC is expected and something else is."""

    transport = "grpc"

    def endpoint(self, signal: str) -> str:
        return f"http://127.0.0.1:{self.port}"


NO_GRPC = {
    "silence": http_receiver.hang_before_reading,
    "reset": http_receiver.reset_before_reading,
    "HTTP/1.1": lambda exchange: exchange.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    "noise": lambda exchange: exchange.send(bytes(range(256)) * 4),
}


@ways
@pytest.mark.parametrize("behaviour", NO_GRPC.values(), ids=NO_GRPC)
def test_port_that_does_not_speak_grpc_costs_what_was_sent_there(
    make_feed: MakeFeed, behaviour: Callable[[Any], Any], way: str
) -> None:
    receiver = SocketForGRPC(default=behaviour)
    feed = make_feed(receiver, way=way, timeout=1)
    with within(1):
        feed.give(BATCH)
    receiver.stop()
    assert (feed.lost, feed.exported) == (BATCH, 0)


class DeafReceiver:
    """A port whose queue of connections is full, so that connecting hangs."""

    def __init__(self, transport: str) -> None:
        self.transport = transport
        self._sockets = [socket.socket() for _ in range(5)]
        listener, *waiting = self._sockets
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.port = listener.getsockname()[1]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", self.port))

    def endpoint(self, signal: str) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        for connection in self._sockets:
            connection.close()


@ways
@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_receiver_that_never_accepts_is_left_at_the_deadline(make_feed: MakeFeed, transport: str, way: str) -> None:
    receiver = DeafReceiver(transport)
    feed = make_feed(receiver, way=way, timeout=1)
    with within(1):
        feed.give(BATCH)
    receiver.stop()
    assert (feed.lost, feed.exported) == (BATCH, 0)
