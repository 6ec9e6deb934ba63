"""The comparison that the interop tests rest on sees everything, and does not see what says nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest

import otlp_fast
from tests.interop.comparison import assert_the_same, leaves_of
from tests.interop.peer import SIGNALS
from tests.interop.sending import everything
from tests.request_items import MESSAGES


def fields_of(message: Any) -> list[tuple[Any, Any]]:
    """Each field that is set anywhere in a message, with the message that it is in."""
    found = []
    for field, value in message.ListFields():
        found.append((message, field))
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                found += fields_of(inner)
    return found


@pytest.mark.parametrize("signal", SIGNALS)
def test_no_field_can_be_missing_unseen(signal: str) -> None:
    (request, *_) = everything(signal)
    message = MESSAGES[signal][0]
    expected = leaves_of(signal, [request])
    count = len(fields_of(message.FromString(request)))
    assert count > 200
    # Each of the first, where the groups are, and then some of all.
    for number in [*range(15), *range(15, count, count // 15)]:
        changed = message.FromString(request)
        holder, field = fields_of(changed)[number]
        holder.ClearField(field.name)
        assert leaves_of(signal, [changed.SerializeToString()]) != expected, f"{holder.DESCRIPTOR.name}.{field.name}"


@pytest.mark.parametrize("signal", SIGNALS)
def test_how_items_are_spread_over_requests_and_groups_says_nothing(signal: str) -> None:
    (request, *_) = everything(signal)
    parts = otlp_fast.split(request, signal, max_bytes=len(request) // 3)
    assert len(parts) > 2
    assert_the_same(signal, [request], map(bytes, reversed(parts)))


def test_a_difference_is_shown() -> None:
    request = MESSAGES["traces"][0]()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="one")
    sent = request.SerializeToString()
    span.name = "other"
    with pytest.raises(AssertionError, match=r'(?s)lost: 1 items.*name: "one".*unexpected: 1 items.*name: "other"'):
        assert_the_same("traces", [sent], [request.SerializeToString()])
    with pytest.raises(AssertionError, match="lost: 1 items"):
        assert_the_same("traces", [sent, sent], [sent])
    with pytest.raises(AssertionError, match="sends nothing"):
        assert_the_same("traces", [], [])


def test_one_nan_is_told_from_another() -> None:
    request = MESSAGES["metrics"][0]()
    request.resource_metrics.add().scope_metrics.add().metrics.add().gauge.data_points.add(as_double=math.nan)
    sent = request.SerializeToString()
    with pytest.raises(AssertionError, match="nan"):
        assert_the_same("metrics", [sent], [sent.replace(b"\xf8\x7f", b"\xf8\xff")])
