"""Answers of 100 MiB, and small ones that expand to as much: they cost neither memory nor the items."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.conftest import MakeFeed
from tests.faults.deadline import within
from tests.faults.ledger import Ledger
from tests.faults.receiver_process import ReceiverProcess

BATCH = 8

# An answer of 4 MiB may be held compressed and expanded, and in pieces that grow. 100 MiB may not.
BOUND_KIBIBYTES = 32 * 1024


def peak_memory() -> int:
    """Give the largest resident size of this process since `forget_peak`, in KiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise AssertionError("the kernel says nothing of memory")


def forget_peak() -> int:
    """Begin anew, and give the size as it is now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return peak_memory()


def test_peak_memory_is_seen() -> None:
    before = forget_peak()
    large = bytearray(2 * BOUND_KIBIBYTES * 1024)
    large[::4096] = b"x" * len(large[::4096])
    del large
    assert peak_memory() - before > BOUND_KIBIBYTES


@pytest.mark.parametrize(
    ("transport", "behaviour", "is_taken"),
    [
        ("http", "large", True),
        ("http", "large refusal", False),
        ("http", "bomb", True),
        ("http", "bomb refusal", False),
        ("grpc", "large", True),
    ],
)
@pytest.mark.parametrize("way", ["exporter", "processor"])
def test_large_answer_is_not_held_in_memory(
    make_feed: MakeFeed, transport: str, behaviour: str, is_taken: bool, way: str
) -> None:
    receiver = ReceiverProcess(transport, Ledger(), script=(behaviour, behaviour))
    feed = make_feed(receiver, way=way, timeout=60)
    before = forget_peak()
    with within(0):
        feed.give(BATCH)
        feed.give(BATCH)
    growth = peak_memory() - before
    receiver.kill()
    assert (feed.exported, feed.lost) == ((2 * BATCH, 0) if is_taken else (0, 2 * BATCH))
    assert growth < BOUND_KIBIBYTES
