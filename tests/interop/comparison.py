"""Whether two lists of requests say the same, item by item, whatever requests and groups the items are in.

A Collector joins and cuts requests and puts groups together, and the order of groups says nothing. What says something
are the items, each with its scope and its resource, and how often it is there. A group that has no items says that it
is there, and so does a metric without data points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tests.request_items import MESSAGES


class Content(bytes):
    """The bytes of a message, which tell one NaN from another; people are shown the text as well."""

    _message: Any

    def __new__(cls, message: Any) -> Content:
        content = super().__new__(cls, message.SerializeToString(deterministic=True))
        content._message = message
        return content

    def __str__(self) -> str:
        return f"{self._message}{self.hex()}"


Leaf = tuple[Content, ...]


def assert_the_same(signal: str, sent: Iterable[bytes], written: Iterable[bytes]) -> None:
    """Fail, and show the items, where something was written that was not sent, or the other way round."""
    expected, found = leaves_of(signal, sent), leaves_of(signal, written)
    assert expected, "a test that sends nothing shows nothing"
    lost, unexpected = expected - found, found - expected
    assert not lost and not unexpected, f"lost: {_shown(lost)}\nunexpected: {_shown(unexpected)}"  # noqa: PT018


def leaves_of(signal: str, requests: Iterable[bytes]) -> Counter[Leaf]:
    """What requests say, down to the items, each with everything around it from the outside in."""
    message = MESSAGES[signal][0]
    return Counter(leaf for request in requests for leaf in _leaves(message.FromString(request), signal))


def _leaves(request: Any, signal: str) -> Iterator[Leaf]:
    levels = list(MESSAGES[signal][1:])
    if signal == "metrics":
        levels.append("data_points")
    yield from _below(request, levels, ())


def _below(message: Any, levels: list[str], around: Leaf) -> Iterator[Leaf]:
    if not levels:
        yield (*around, Content(message))
        return
    # The data points of a metric lie below a field that is named after their kind.
    kind = message.WhichOneof("data") if levels == ["data_points"] else None
    holder = getattr(message, kind) if kind else message
    children = list(getattr(holder, levels[0], ()))
    if children:
        holder.ClearField(levels[0])
    around = (*around, Content(message))
    if not children:
        yield around
    for child in children:
        yield from _below(child, levels[1:], around)


def _shown(leaves: Counter[Leaf]) -> str:
    return "\n".join([f"{leaves.total()} items, such as", *map(str, next(iter(leaves)))]) if leaves else "nothing"
