"""Memory: flat over ten thousand batches, and no reference gained or lost, whatever happens half-way."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics._internal.point import Buckets
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags, TraceState

import otlp_fast
from tests.compat.hostile import HostileSequence

BATCHES = 10_000


def fresh(text: str) -> str:
    """A str object that nothing else refers to."""
    return "".join(list(text))


def full_span(position: int, extra: Any = None) -> ReadableSpan:
    """A span with every field, all of its objects its own."""
    attributes = {
        fresh(f"text.{position}"): fresh("värde " * 30),
        fresh("number"): 2**40 + position,
        fresh("large"): 10**30 + position,
        fresh("list"): (fresh("one"), 2**35, [1.5, None, b"bytes" * 3]),
        fresh("mapping"): {fresh("inner"): {fresh("deep"): (True, False)}},
        fresh("subclass"): type("Text", (str,), {})("sub"),
    }
    if extra is not None:
        attributes[fresh("extra")] = extra
    context = SpanContext(2**100 + position, 2**60 + position, is_remote=True, trace_state=TraceState([("a", "b")]))
    return ReadableSpan(
        name=fresh(f"name {position}"),
        context=context,
        parent=SpanContext(2**100 + position, 2**61 + position, is_remote=True),
        resource=Resource({"service.name": fresh("shop")}),
        attributes=BoundedAttributes(attributes=attributes) if extra is None else attributes,
        events=[Event(fresh("event"), {fresh("k"): fresh("v")}, 2**60 + position)],
        links=[Link(context, {fresh("k"): fresh("v")})],
        kind=SpanKind.CLIENT,
        start_time=2**60 + position,
        end_time=2**61 + position,
        instrumentation_scope=InstrumentationScope(fresh("scope"), fresh("1"), None, {fresh("x"): fresh("y")}),
    )


def full_record(position: int, extra: Any = None) -> ReadableLogRecord:
    """A log record with every field, all of its objects its own."""
    attributes = {fresh("text"): fresh("värde " * 30), fresh("list"): (fresh("one"), 2**35, [1.5, None])}
    if extra is not None:
        attributes[fresh("extra")] = extra
    record = LogRecord(
        timestamp=2**60 + position,
        observed_timestamp=2**61 + position,
        severity_text=fresh("WARN"),
        severity_number=SeverityNumber.WARN,
        body={fresh("message"): fresh(f"line {position}"), fresh("tags"): {fresh("a")}, fresh("other"): Anything()},
        attributes=BoundedAttributes(attributes=attributes, extended_attributes=True) if extra is None else attributes,
        event_name=fresh("event"),
    )
    record.trace_id, record.span_id, record.trace_flags = 2**100 + position, 2**60 + position, TraceFlags(1)
    return ReadableLogRecord(record, Resource({"service.name": fresh("shop")}), InstrumentationScope(fresh("scope")))


class Anything:
    """An object that only its str() says something of."""


def full_metrics(position: int, extra: Any = None) -> MetricsData:
    """Metrics of every kind, all of their objects their own; `extra` is a value where none belongs."""
    attributes = {fresh("route"): fresh("/cart"), fresh("number"): 2**40 + position}
    exemplars = [Exemplar({fresh("k"): fresh("v")}, 2.5 + position, 2**60, 2**50, 2**90)]
    times = {"start_time_unix_nano": 2**60, "time_unix_nano": 2**60 + position}
    number = NumberDataPoint(attributes, value=2**40 if extra is None else extra, exemplars=exemplars, **times)
    summary = {"count": 2**40, "sum": 1.5 + position, "min": 0.5, "max": 2.5, "exemplars": exemplars, **times}
    histogram = HistogramDataPoint(attributes, bucket_counts=[2**35, 1], explicit_bounds=[1.25 + position], **summary)
    exponential = ExponentialHistogramDataPoint(
        attributes,
        scale=3,
        zero_count=2**33,
        positive=Buckets(2, [2**34, 1]),
        negative=Buckets(0, []),
        flags=0,
        **summary,
    )
    delta = AggregationTemporality.DELTA
    data = [
        Gauge([number]),
        Sum([number], delta, True),
        Histogram([histogram], delta),
        ExponentialHistogram([exponential], delta),
    ]
    metrics = [Metric(fresh(f"m{position}"), fresh("text"), fresh("ms"), item) for item in data]
    scope = ScopeMetrics(InstrumentationScope(fresh("scope")), metrics, "")
    return MetricsData([ResourceMetrics(Resource({"service.name": fresh("shop")}), [scope], "")])


def reachable(root: Any) -> list[Any]:
    """All objects that a span is made of, but for classes, modules, functions and what is shared by all of Python."""
    found: dict[int, Any] = {}
    pending = [root]
    while pending:
        item = pending.pop()
        shared = (
            item is None or isinstance(item, (bool, type, type(sys), type(fresh))) or type(item).__module__ == "enum"
        )
        if shared or id(item) in found or (isinstance(item, int) and -5 <= item <= 256) or item == "":
            continue
        found[id(item)] = item
        pending.extend(vars(item).values() if hasattr(item, "__dict__") else ())
        pending.extend(gc.get_referents(item))
    return list(found.values())


def encode_at_once(spans: list[Any]) -> None:
    otlp_fast.encode_spans(spans)


def encode_one_by_one(spans: list[Any]) -> None:
    encoder = otlp_fast.SpanEncoder()
    for span in spans:
        encoder.add(span)
    encoder.finish()


def encode_without_finishing(spans: list[Any]) -> None:
    encoder = otlp_fast.SpanEncoder()
    for span in spans:
        encoder.add(span)


def encode_logs_both_ways(records: list[Any]) -> None:
    encoder = otlp_fast.LogEncoder()
    for record in records:
        encoder.add(record)
    encoder.finish()
    otlp_fast.encode_logs(records)


def encode_metrics_both_ways(metrics: list[Any]) -> None:
    encoder = otlp_fast.MetricEncoder()
    for data in metrics:
        encoder.add(data)
    encoder.finish()
    for data in metrics:
        otlp_fast.encode_metrics(data)


@pytest.fixture
def quiet_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log records hold references to what they name."""
    import logging

    logging.getLogger("otlp_fast").disabled = True
    yield
    logging.getLogger("otlp_fast").disabled = False


@pytest.mark.usefixtures("quiet_logs")
@pytest.mark.parametrize("encode", [encode_at_once, encode_one_by_one, encode_without_finishing])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda spans: spans,
        lambda spans: [*spans[:2], "not a span", *spans[2:]],
        lambda spans: [*spans, full_span(9, HostileSequence(KeyboardInterrupt()))],
        lambda spans: [*spans, full_span(9, HostileSequence(ValueError("no"))), full_span(10, {1, 2})],
    ],
    ids=["good", "error in the middle", "interrupt in the last", "bad values"],
)
def test_reference_counts_are_unchanged(
    encode: Callable[[list[Any]], None], spoil: Callable[[list[Any]], list[Any]]
) -> None:
    spans = spoil([full_span(position) for position in range(4)])
    assert changed_reference_counts(encode, spans) == []


@pytest.mark.usefixtures("quiet_logs")
@pytest.mark.parametrize(
    ("encode", "make", "bad"),
    [
        (encode_logs_both_ways, full_record, HostileSequence(ValueError("no"))),
        (encode_logs_both_ways, full_record, HostileSequence(KeyboardInterrupt())),
        (encode_metrics_both_ways, full_metrics, "not a number"),
    ],
    ids=["logs", "logs, interrupted", "metrics"],
)
def test_reference_counts_of_logs_and_metrics_are_unchanged(
    encode: Callable[[list[Any]], None], make: Callable[..., Any], bad: Any
) -> None:
    good = [make(position) for position in range(4)]
    for items in (good, [*good, make(9, bad)], [*good[:2], "neither log nor metric", *good[2:]]):
        assert changed_reference_counts(encode, items) == []


def changed_reference_counts(encode: Callable[[list[Any]], None], items: list[Any]) -> list[tuple[Any, int, int]]:
    """The objects in `items` that are referred to more or less often after encoding them, with both counts."""
    for _ in range(3):  # the first rounds fill what is cached for the life of the process
        attempt(encode, items)
    parts = reachable(items)
    assert len(parts) > 100
    before = [sys.getrefcount(part) for part in parts]
    for _ in range(5):
        attempt(encode, items)
    after = [sys.getrefcount(part) for part in parts]
    return [(part, first, second) for part, first, second in zip(parts, before, after, strict=True) if first != second]


def attempt(encode: Callable[[list[Any]], None], spans: list[Any]) -> None:
    try:
        encode(spans)
    except (otlp_fast.EncodeError, KeyboardInterrupt):
        gc.collect()  # the traceback holds frames, and these the spans


def print_growth() -> None:
    """Encode the batches and print by how many bytes memory grew: for a process whose heap no other test has used."""
    process = psutil.Process()
    spans = [full_span(position) for position in range(50)]
    records = [full_record(position) for position in range(50)]
    metrics = full_metrics(0)
    encoder = otlp_fast.SpanEncoder()

    def run(batches: int) -> None:
        for round_number in range(batches):
            otlp_fast.encode_spans(spans[: 1 + round_number % 50])
            otlp_fast.encode_logs(records[: 1 + round_number % 50])
            otlp_fast.encode_metrics(metrics)
            encoder.add(spans[round_number % 50])
            if round_number % 40 == 39:
                encoder.finish().release()

    run(100)
    gc.collect()
    start = process.memory_info().rss
    high = start
    for _ in range(9):
        run((BATCHES - 100) // 9)
        high = max(high, process.memory_info().rss)
    print(high - start)


def test_resident_memory_is_flat_over_ten_thousand_batches() -> None:
    program = "from tests.memory.test_memory import print_growth; print_growth()"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    # A leak of one byte per span would show as 250 KB, of one object per batch as 500 KB; the allocator's own noise
    # is below that.
    assert int(output) < 400_000


def test_encoder_gives_the_memory_of_a_huge_item_back() -> None:
    process = psutil.Process()
    spans, logs, metrics = otlp_fast.SpanEncoder(), otlp_fast.LogEncoder(), otlp_fast.MetricEncoder()
    huge = "x" * (40 << 20)
    before = process.memory_info().rss
    for _ in range(2):
        spans.add(full_span(0, huge))
        logs.add(full_record(0, huge))
        metrics.add(full_metrics(0, huge))
        for encoder in (spans, logs, metrics):
            encoder.finish()
    assert process.memory_info().rss - before < 8 << 20


def test_string_caches_of_user_strings_are_not_filled() -> None:
    text = fresh("größer " * 1000)
    span = full_span(1)
    span._attributes = {"k": text}
    size = sys.getsizeof(text)
    otlp_fast.encode_spans([span])
    assert sys.getsizeof(text) == size
