"""One encoder, many threads, and code of the user that runs in the middle of a span."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

import otlp_fast
from otlp_fast._sdk import SpanQueue
from tests.compat.spans import make_span
from tests.memory.test_memory import full_metrics


def names_in(data: bytes) -> list[str]:
    request = ExportTraceServiceRequest.FromString(data)
    return [span.name for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]


@pytest.fixture
def eager_switching() -> Iterator[None]:
    """The interpreter switches threads as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


class Slow(Sequence[int]):
    """A sequence whose code gives other threads their chance."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: Any) -> int:
        if index > 1:
            raise IndexError
        total = 0
        for number in range(50):
            total += number
        return total


@pytest.mark.usefixtures("eager_switching")
def test_every_span_of_every_thread_arrives_once_and_whole() -> None:
    encoder = otlp_fast.SpanEncoder()
    finished: list[bytes] = []
    scopes = [InstrumentationScope(f"scope {number}") for number in range(3)]
    resources = [Resource({"service.name": f"service {number}"}) for number in range(2)]

    def work(worker: int) -> None:
        for number in range(200):
            encoder.add(
                make_span(
                    name=f"{worker}/{number}",
                    attributes={"worker": worker, "slow": Slow(), "text": "x" * (number % 150)},
                    resource=resources[number % 2],
                    instrumentation_scope=scopes[worker % 3],
                )
            )
            if number % 50 == 49:
                finished.append(bytes(encoder.finish()))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finished.append(bytes(encoder.finish()))
    names = [name for data in finished for name in names_in(data)]
    assert sorted(names) == sorted(f"{worker}/{number}" for worker in range(4) for number in range(200))
    assert len(finished) == 17


@pytest.mark.usefixtures("eager_switching")
def test_every_metric_of_every_thread_arrives_once() -> None:
    encoder = otlp_fast.MetricEncoder()
    finished: list[bytes] = []

    def work(worker: int) -> None:
        for number in range(60):
            encoder.add(full_metrics(1000 * worker + number))
            if number % 20 == 19:
                finished.append(bytes(encoder.finish()))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finished.append(bytes(encoder.finish()))
    names = Counter(
        metric.name
        for data in finished
        for group in ExportMetricsServiceRequest.FromString(data).resource_metrics
        for scope in group.scope_metrics
        for metric in scope.metrics
    )
    assert names == {f"m{1000 * worker + number}": 4 for worker in range(4) for number in range(60)}


@pytest.mark.usefixtures("eager_switching")
def test_every_span_that_threads_put_into_a_queue_is_taken_once() -> None:
    taken: list[tuple[bytes, int]] = []
    queue = SpanQueue(max_items=10**6, max_bytes=1 << 30, batch_items=7, batch_bytes=1 << 20, on_sealed=lambda: None)
    context = SpanContext(1, 2, False, TraceFlags(TraceFlags.SAMPLED))
    done = threading.Event()

    def take() -> None:
        while not done.is_set() or queue.item_count:
            queue.seal()
            while (batch := queue.take()) is not None:
                taken.append((bytes(batch[0]), batch[1]))

    def work(worker: int) -> None:
        for number in range(300):
            queue.add(make_span(name=f"{worker}/{number}", context=context, attributes={"slow": Slow()}))

    taker = threading.Thread(target=take)
    workers = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in (taker, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    taker.join()
    names = [names_in(data) for data, _ in taken]
    assert [len(part) for part in names] == [count for _, count in taken]
    assert sorted(name for part in names for name in part) == sorted(
        f"{worker}/{number}" for worker in range(4) for number in range(300)
    )
    assert (queue.accepted_count, queue.dropped_count) == (1200, 0)


def test_value_that_adds_a_span_while_it_is_read_spoils_nothing() -> None:
    encoder = otlp_fast.SpanEncoder()

    class Adds(Sequence[int]):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: Any) -> int:
            if index:
                raise IndexError
            encoder.add(make_span(name="inner", resource=Resource({"service.name": "inner"})))
            return 7

    encoder.add(make_span(name="outer", attributes={"adds": Adds(), "after": "kept"}))
    encoder.add(make_span(name="last"))
    assert encoder.item_count == 3
    assert sorted(names_in(bytes(encoder.finish()))) == ["inner", "last", "outer"]


def test_value_that_finishes_the_request_while_it_is_read_spoils_nothing() -> None:
    encoder = otlp_fast.SpanEncoder()
    parts: list[bytes] = []

    class Finishes(Sequence[int]):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: Any) -> int:
            if index:
                raise IndexError
            parts.append(bytes(encoder.finish()))
            return 7

    encoder.add(make_span(name="first"))
    encoder.add(make_span(name="second", attributes={"finishes": Finishes()}))
    parts.append(bytes(encoder.finish()))
    assert [names_in(part) for part in parts] == [["first"], ["second"]]


def test_attributes_that_change_while_they_are_read_do_no_harm() -> None:
    attributes: dict[str, Any] = {"first": 1}

    class Grows(Sequence[int]):
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: Any) -> int:
            if index:
                raise IndexError
            for number in range(1000):
                attributes[f"late {number}"] = number
            return 1

    attributes["grows"] = Grows()
    attributes["last"] = "x"
    (span,) = (
        ExportTraceServiceRequest.FromString(otlp_fast.encode_spans([make_span(attributes=attributes)]))
        .resource_spans[0]
        .scope_spans[0]
        .spans
    )
    assert [item.key for item in span.attributes] == ["first", "grows", "last"]


def test_resource_with_python_equality_is_merged_as_by_the_official_encoder() -> None:
    class Named(Resource):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Resource)

        def __hash__(self) -> int:
            return 1

    spans = [make_span(name=str(number), resource=Named({"number": number})) for number in range(5)]
    request = ExportTraceServiceRequest.FromString(otlp_fast.encode_spans(spans))
    assert len(request.resource_spans) == 1
    assert len(request.resource_spans[0].scope_spans[0].spans) == 5


@pytest.mark.parametrize("moment", ["attributes", "hash"])
def test_resource_whose_code_adds_its_own_span_stays_one_group(moment: str) -> None:
    """While a resource is encoded or hashed for the first time, other code may bring the same one, and a third."""
    encoder = otlp_fast.SpanEncoder()
    calls: list[str] = []

    class Eager(Resource):
        def add_once(self, at: str) -> None:
            if at == moment and not calls:
                calls.append(at)
                encoder.add(make_span(name="inner", resource=self))
                encoder.add(make_span(name="first again", resource=first))

        @property
        def attributes(self) -> Any:
            self.add_once("attributes")
            return super().attributes

        def __hash__(self) -> int:
            self.add_once("hash")
            return super().__hash__()

    first = Eager({"service.name": "first"}) if moment == "attributes" else Resource({"service.name": "first"})
    second = Eager({"service.name": "second"})
    encoder.add(make_span(name="first", resource=first))
    encoder.add(make_span(name="second", resource=second))
    encoder.add(make_span(name="first at last", resource=first))
    request = ExportTraceServiceRequest.FromString(bytes(encoder.finish()))
    groups = [group.resource.attributes[0].value.string_value for group in request.resource_spans]
    assert calls
    assert sorted(groups) == ["first", "second"]


@pytest.mark.parametrize("method", ["__hash__", "__eq__"])
def test_resource_that_cannot_be_compared_is_a_group_of_its_own(method: str) -> None:
    def refuse(self: Any, *others: object) -> Any:
        raise TypeError("not me")

    kind = type(
        "Odd", (Resource,), {"__hash__": lambda self: 1, "__eq__": lambda self, other: self is other, method: refuse}
    )
    spans = [make_span(resource=kind({"number": number})) for number in (1, 2, 3)]
    request = ExportTraceServiceRequest.FromString(otlp_fast.encode_spans(spans))
    assert len(request.resource_spans) == 3
