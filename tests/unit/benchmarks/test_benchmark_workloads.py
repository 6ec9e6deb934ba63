"""The workloads are what they claim to be: the same in every run, of the named size, encoded alike by all engines."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise

import pytest
from opentelemetry.sdk.metrics.export import ExponentialHistogram, Gauge, Histogram, HistogramDataPoint, Metric, Sum

from benchmarks.engines import engines
from benchmarks.environment import ROOT
from otlp_fast.bench.batch import ITEMS
from otlp_fast.bench.engines import official
from otlp_fast.bench.measure import checked_answer
from otlp_fast.bench.workloads.by_name import WORKLOADS
from otlp_fast.bench.workloads.workload import Workload

DIGEST = """
import hashlib
from otlp_fast.bench.engines import official
from otlp_fast.bench.workloads.by_name import WORKLOADS
for workload in WORKLOADS.values():
    data = bytes(official(workload.signal).encode(workload.build(40).content))
    print(workload.name, hashlib.sha256(data).hexdigest())
"""


def encoded_officially(workload: Workload) -> bytes:
    return bytes(official(workload.signal).encode(workload.build(40).content))


@pytest.mark.parametrize("name", WORKLOADS)
def test_engines_agree_on_every_workload(name: str) -> None:
    workload = WORKLOADS[name]
    batch = workload.build()
    assert batch.items == ITEMS
    checked_answer(engines(workload.signal), batch)


def test_workloads_are_the_same_in_another_process_whatever_its_environment() -> None:
    expected = [
        f"{name} {hashlib.sha256(encoded_officially(workload)).hexdigest()}" for name, workload in WORKLOADS.items()
    ]
    disturbed = {
        "PYTHONHASHSEED": "7",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "5",
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_RESOURCE_ATTRIBUTES": "a=b",
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT": "1",
        "OTEL_METRICS_EXEMPLAR_FILTER": "always_off",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "base2_exponential_bucket_histogram",
    }
    finished = subprocess.run(
        [sys.executable, "-c", DIGEST],
        check=True,
        cwd=ROOT,
        env={**os.environ, **disturbed},
        capture_output=True,
        text=True,
    )
    assert finished.stdout.splitlines() == expected


@pytest.mark.parametrize(
    ("name", "attributes", "events"),
    [("web", 8, 0), ("database", 9, 0), ("wide", 30, 2), ("error", 9, 1), ("tiny", 0, 0)],
)
def test_spans_have_the_parts_that_the_table_names(name: str, attributes: int, events: int) -> None:
    for span in WORKLOADS[name].build(40).content:
        assert len(span.attributes or {}) == attributes
        assert len(span.events) == events


def test_batches_hold_different_spans_and_all_of_them() -> None:
    workload = WORKLOADS["cold"]
    batches = workload.build_batches(10)
    assert [batch.items for batch in batches] == [len(batch.content) for batch in batches] == [10] * workload.batches
    assert len({span.context.span_id for batch in batches for span in batch.content}) == 10 * workload.batches


def test_attribute_values_are_objects_of_their_own() -> None:
    spans = WORKLOADS["web"].build(100).content
    agents = [(span.attributes or {})["user_agent.original"] for span in spans]
    assert len(set(map(id, agents))) == len(agents) > len(set(agents))


def test_error_spans_hold_a_stack_trace_with_source_lines() -> None:
    attributes = WORKLOADS["error"].build(1).content[0].events[0].attributes or {}
    trace = str(attributes["exception.stacktrace"])
    assert 'File "/srv/shop/checkout/payment.py"' in trace
    assert "return retried(checkout, attempts, provider, order, amount)" in trace
    assert "direct cause of the following exception" in trace


def test_text_workload_has_every_storage_form_of_cpython_and_long_messages() -> None:
    bodies = [str((span.attributes or {})["message.body"]) for span in WORKLOADS["text"].build().content]
    widest = {max(body) for body in bodies}
    assert any(character < "\x80" for character in widest)
    assert any("\x80" <= character <= "\xff" for character in widest)
    assert any("\u0100" <= character <= "\uffff" for character in widest)
    assert any(character > "\uffff" for character in widest)
    assert max(map(len, bodies)) >= 2_000


def test_groups_are_interleaved_and_some_equal_without_being_the_same() -> None:
    spans = WORKLOADS["groups"].build().content
    resources = {id(span.resource): span.resource for span in spans}
    assert len(resources) == 16
    assert len(set(resources.values())) == 14
    assert sum(one.resource != other.resource for one, other in pairwise(spans)) > len(spans) * 0.8
    assert any(span.links for span in spans)
    assert any(span.context.trace_state for span in spans)


@pytest.mark.parametrize(("name", "attributes"), [("requests", 6), ("exceptions", 6), ("structured", 2)])
def test_log_records_have_the_attributes_that_the_table_names_and_the_ids_of_a_trace(
    name: str, attributes: int
) -> None:
    for record in WORKLOADS[name].build(40).content:
        assert len(record.log_record.attributes) == attributes
        assert record.log_record.trace_id
        assert record.log_record.span_id


def test_structured_bodies_nest_and_exceptions_have_a_stack_trace() -> None:
    body = WORKLOADS["structured"].build(1).content[0].log_record.body
    assert {type(value) for value in body.values()} >= {str, float, dict, list, type(None)}
    attributes = WORKLOADS["exceptions"].build(1).content[0].log_record.attributes
    assert 'File "/srv/shop/checkout/payment.py"' in attributes["exception.stacktrace"]


def metrics_of(name: str) -> list[Metric]:
    [resource_metrics] = WORKLOADS[name].build().content.resource_metrics
    [scope_metrics] = resource_metrics.scope_metrics
    return list(scope_metrics.metrics)


@pytest.mark.parametrize(
    ("name", "kind", "metrics", "attributes"),
    [
        ("histograms", Histogram, 1, 4),
        ("exemplars", Histogram, 1, 4),
        ("exponential", ExponentialHistogram, 1, 4),
        ("counters", Sum, 16, 3),
        ("gauges", Gauge, 64, 2),
    ],
)
def test_metrics_are_of_the_kind_and_have_the_parts_that_the_table_names(
    name: str, kind: type, metrics: int, attributes: int
) -> None:
    found = metrics_of(name)
    assert len(found) == metrics
    assert {type(metric.data) for metric in found} == {kind}
    points = [point for metric in found for point in metric.data.data_points]
    assert {len(point.attributes or {}) for point in points} == {attributes}
    assert all(point.exemplars for point in points) == any(point.exemplars for point in points) == (name == "exemplars")


def test_histograms_are_filled_and_counters_and_gauges_hold_integers_and_floats() -> None:
    [durations] = metrics_of("histograms")
    for point in durations.data.data_points:
        assert isinstance(point, HistogramDataPoint)
        assert len(point.explicit_bounds) == 14
        assert sum(count > 0 for count in point.bucket_counts) > 1
    for name in ("counters", "gauges"):
        values = [point.value for metric in metrics_of(name) for point in metric.data.data_points]  # type: ignore[union-attr]
        assert {type(value) for value in values} == {int, float}
