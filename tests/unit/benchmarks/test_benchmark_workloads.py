"""The workloads are what they claim to be: the same in every run, of the named size, encoded alike by all engines."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise

import pytest

from benchmarks.engines import engines, official
from benchmarks.environment import ROOT
from benchmarks.measure import checked_answer
from benchmarks.workloads import WORKLOADS

DIGEST = """
import hashlib
from benchmarks.engines import official
from benchmarks.workloads import WORKLOADS
for workload in WORKLOADS.values():
    print(workload.name, hashlib.sha256(bytes(official().encode(workload.build(40)))).hexdigest())
"""


@pytest.mark.parametrize("name", WORKLOADS)
def test_engines_agree_on_every_workload(name: str) -> None:
    checked_answer(engines(), WORKLOADS[name].build())


def test_workloads_are_the_same_in_another_process_whatever_its_environment() -> None:
    expected = [
        f"{name} {hashlib.sha256(bytes(official().encode(workload.build(40)))).hexdigest()}"
        for name, workload in WORKLOADS.items()
    ]
    disturbed = {
        "PYTHONHASHSEED": "7",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2",
        "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "5",
        "OTEL_TRACES_SAMPLER": "always_off",
        "OTEL_RESOURCE_ATTRIBUTES": "a=b",
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
    for span in WORKLOADS[name].build(40):
        assert len(span.attributes or {}) == attributes
        assert len(span.events) == events


def test_batches_hold_different_spans_and_all_of_them() -> None:
    workload = WORKLOADS["cold"]
    batches = workload.build_batches(10)
    assert [len(batch) for batch in batches] == [10] * workload.batches
    assert len({span.context.span_id for batch in batches for span in batch}) == 10 * workload.batches


def test_attribute_values_are_objects_of_their_own() -> None:
    spans = WORKLOADS["web"].build(100)
    agents = [(span.attributes or {})["user_agent.original"] for span in spans]
    assert len(set(map(id, agents))) == len(agents) > len(set(agents))


def test_error_spans_hold_a_stack_trace_with_source_lines() -> None:
    attributes = WORKLOADS["error"].build(1)[0].events[0].attributes or {}
    trace = str(attributes["exception.stacktrace"])
    assert 'File "/srv/shop/checkout/payment.py"' in trace
    assert "return retried(checkout, attempts, provider, order, amount)" in trace
    assert "direct cause of the following exception" in trace


def test_text_workload_has_every_storage_form_of_cpython_and_long_messages() -> None:
    bodies = [str((span.attributes or {})["message.body"]) for span in WORKLOADS["text"].build()]
    widest = {max(body) for body in bodies}
    assert any(character < "\x80" for character in widest)
    assert any("\x80" <= character <= "\xff" for character in widest)
    assert any("\u0100" <= character <= "\uffff" for character in widest)
    assert any(character > "\uffff" for character in widest)
    assert max(map(len, bodies)) >= 2_000


def test_groups_are_interleaved_and_some_equal_without_being_the_same() -> None:
    spans = WORKLOADS["groups"].build()
    resources = {id(span.resource): span.resource for span in spans}
    assert len(resources) == 16
    assert len(set(resources.values())) == 14
    assert sum(one.resource != other.resource for one, other in pairwise(spans)) > len(spans) * 0.8
    assert any(span.links for span in spans)
    assert any(span.context.trace_state for span in spans)
