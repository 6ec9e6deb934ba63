"""The queues that processors encode into: bounds, batches, counts, and that `add` never raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, TraceFlags

import otlp_fast
from otlp_fast._sdk import LogQueue, SpanQueue
from tests.compat.spans import make_span
from tests.memory.test_memory import full_record


def sampled_span(name: str = "s", **fields: Any) -> ReadableSpan:
    return make_span(name=name, context=SpanContext(1, 2, False, TraceFlags(TraceFlags.SAMPLED)), **fields)


def new_queue(**limits: Any) -> SpanQueue:
    defaults = {"max_items": 100, "max_bytes": 1 << 20, "batch_items": 10, "batch_bytes": 1 << 16}
    return SpanQueue(**{**defaults, "on_sealed": lambda: None, **limits})


def drained(queue: SpanQueue | LogQueue) -> Iterator[tuple[bytes, int]]:
    queue.seal()
    while (taken := queue.take()) is not None:
        yield bytes(taken[0]), taken[1]


def test_batches_are_sealed_by_items_and_taken_in_order() -> None:
    sealed: list[int] = []
    queue = new_queue(on_sealed=lambda: sealed.append(queue.sealed_count))
    spans = [sampled_span(str(number)) for number in range(25)]
    for span in spans:
        queue.add(span)
    assert sealed == [1, 2]
    assert (queue.item_count, queue.accepted_count, queue.sealed_count) == (25, 25, 2)
    expected = [(otlp_fast.encode_spans(spans[at : at + 10]), len(spans[at : at + 10])) for at in (0, 10, 20)]
    assert list(drained(queue)) == expected
    assert (queue.item_count, queue.byte_count, queue.take()) == (0, 0, None)


def test_batches_are_sealed_by_bytes() -> None:
    queue = new_queue(batch_bytes=1000)
    for _ in range(4):
        queue.add(sampled_span(attributes={"k": "x" * 600}))
    assert queue.sealed_count == 2


def test_span_beyond_the_item_bound_is_dropped_and_counted() -> None:
    queue = new_queue(max_items=15)
    for _ in range(20):
        queue.add(sampled_span())
    assert (queue.item_count, queue.accepted_count, queue.dropped_count) == (15, 15, 5)
    assert queue.take() is not None
    queue.add(sampled_span())
    assert (queue.item_count, queue.dropped_count) == (6, 5)


def test_bytes_are_bounded_whatever_the_items_take() -> None:
    queue = new_queue(max_bytes=50_000, batch_items=3)
    for _ in range(100):
        queue.add(sampled_span(attributes={"k": "x" * 5000}))
    assert 45_000 < queue.byte_count < 60_000
    assert queue.accepted_count + queue.dropped_count == 100


def test_spans_that_are_not_sampled_are_passed_over() -> None:
    queue = new_queue()
    queue.add(make_span(context=SpanContext(1, 2, False, TraceFlags(0))))
    queue.add(sampled_span())
    assert (queue.accepted_count, queue.dropped_count, queue.item_count) == (1, 0, 1)


def test_item_that_is_none_is_counted_and_logged_and_does_not_raise(caplog: pytest.LogCaptureFixture) -> None:
    queue = new_queue()
    queue.add("not a span")
    assert (queue.refused_count, queue.accepted_count) == (1, 0)
    assert "not a span" in caplog.text


def test_interrupt_in_a_value_reaches_the_user_and_leaves_the_queue_whole() -> None:
    from tests.compat.hostile import HostileSequence

    queue = new_queue()
    with pytest.raises(KeyboardInterrupt):
        queue.add(sampled_span(attributes={"k": HostileSequence(KeyboardInterrupt())}))
    queue.add(sampled_span("after"))
    assert (queue.item_count, queue.accepted_count) == (1, 1)
    assert list(drained(queue)) == [(otlp_fast.encode_spans([sampled_span("after")]), 1)]


def test_closed_queue_counts_what_comes_late_and_keeps_what_it_has() -> None:
    queue = new_queue()
    queue.add(sampled_span())
    queue.close()
    queue.add(sampled_span())
    assert queue.is_closed
    assert (queue.item_count, queue.late_count) == (1, 1)


def test_cleared_queue_is_as_new() -> None:
    queue = new_queue()
    for _ in range(25):
        queue.add(sampled_span())
    queue.clear()
    assert (queue.item_count, queue.byte_count, queue.accepted_count, queue.sealed_count) == (0, 0, 0, 0)
    queue.add(sampled_span("new"))
    assert list(drained(queue)) == [(otlp_fast.encode_spans([sampled_span("new")]), 1)]


def test_log_queue_gives_the_bytes_of_encode_logs() -> None:
    queue = LogQueue(max_items=100, max_bytes=1 << 20, batch_items=4, batch_bytes=1 << 16, on_sealed=lambda: None)
    records = [full_record(number) for number in range(6)]
    for record in records:
        queue.add(record)
    assert list(drained(queue)) == [
        (otlp_fast.encode_logs(records[:4]), 4),
        (otlp_fast.encode_logs(records[4:]), 2),
    ]
