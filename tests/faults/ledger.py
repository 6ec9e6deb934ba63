"""What receivers took, and the balance that must hold in the end: sent = received + counted as lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from otlp_fast.compression import decompress


@dataclass
class Receipt:
    """A request that a receiver took."""

    body: bytes
    encoding: str = ""
    rejected: int = 0
    """Items at its beginning that the receiver says it rejected."""
    acknowledged: bool = False
    """The receiver has told the sender so, in an answer that ends all doubt."""


class Ledger:
    """The requests that one or more receivers took. They stay bytes until the test asks what was in them."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self._changed = threading.Condition()

    def take(self, body: bytes, encoding: str = "", rejected: int = 0) -> Receipt:
        """Note a request, before anything is said about it to the sender."""
        receipt = Receipt(body, encoding, rejected)
        with self._changed:
            self.receipts.append(receipt)
            self._changed.notify_all()
        return receipt

    def wait_for(self, count: int) -> None:
        """Wait until `count` requests were taken."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.receipts) >= count, 30), "the request never came"


@dataclass(frozen=True)
class Balance:
    """The items that were made, by what became of them."""

    made: frozenset[int]
    arrivals: Counter[int]
    """How often each item was taken."""
    acknowledged: frozenset[int]
    """What was taken and acknowledged."""
    exported: int
    lost: int

    @property
    def missing(self) -> int:
        """How many items were never taken."""
        return len(self.made - self.arrivals.keys())

    def check(self) -> None:
        """Each item is counted once, what never arrived is counted as lost, and what was acknowledged is not."""
        assert self.arrivals.keys() <= self.made
        assert self.exported + self.lost == len(self.made)
        assert self.missing <= self.lost
        assert self.lost <= len(self.made - self.acknowledged)

    def check_exactly(self) -> None:
        """And, where no answer was lost on its way: nothing arrived twice, and nothing that arrived counts as lost."""
        self.check()
        assert self.lost == self.missing
        assert set(self.arrivals.values()) <= {1}


def balance(
    ledger: Ledger, identities: Callable[[bytes], list[int]], made: Collection[int], exported: int, lost: int
) -> Balance:
    """Read what was taken and lay it beside what was made and what the sender counted."""
    arrivals: Counter[int] = Counter()
    acknowledged: set[int] = set()
    for receipt in list(ledger.receipts):
        body = decompress(receipt.body, receipt.encoding or "none")
        taken = identities(body)[receipt.rejected :]
        arrivals.update(taken)
        if receipt.acknowledged:
            acknowledged.update(taken)
    assert len(made) == len(set(made))
    return Balance(frozenset(made), arrivals, frozenset(acknowledged), exported, lost)
