"""Where memory is refused: that costs what needed it, is said, and what comes next finds everything in order."""

from __future__ import annotations

import subprocess
import sys

import pytest

import otlp_fast
from tests.compat.spans import make_span
from tests.memory.test_memory import full_record

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space")

PREPARED = """
import resource
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanContext, TraceFlags
import otlp_fast
from otlp_fast._sdk import SpanQueue
from tests.compat.spans import make_span

context = SpanContext(1, 2, False, TraceFlags(1))
resources = [Resource({"n": 0}), Resource({"n": 1})]

def large(number):
    return make_span(context=context, resource=resources[number % 2], attributes={"k": "x" * (16 << 20)})

def leave(mebibytes):
    used = 4096 * int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (used + (mebibytes << 20), resource.RLIM_INFINITY))
"""


def printed(program: str) -> list[str]:
    run = subprocess.run([sys.executable, "-c", PREPARED + program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_queue_drops_and_counts_a_request_and_takes_the_next_items() -> None:
    program = """
queue = SpanQueue(max_items=10**6, max_bytes=1 << 30, batch_items=8, batch_bytes=1 << 30, on_sealed=lambda: None)
spans = [large(number) for number in range(8)]
small = make_span(context=context)
for span in spans[:7]:
    queue.add(span)
leave(64)
queue.add(spans[7])  # seals: 128 MiB of two groups are to be put together
print(queue.accepted_count, queue.dropped_count, queue.item_count, queue.sealed_count)
queue.add(small)  # begins a request that is expected to be like the last one
queue.seal()
print(queue.accepted_count, queue.dropped_count, queue.refused_count, queue.take()[1])
"""
    assert printed(program) == ["0 8 0 0", "1 8 0 1"]


def test_encoder_keeps_a_request_that_could_not_be_put_together() -> None:
    program = """
encoder = otlp_fast.SpanEncoder()
for number in range(8):
    encoder.add(large(number))
length = encoder.byte_count
leave(64)
try:
    encoder.finish()
except MemoryError as error:
    print(error)
print(encoder.item_count, encoder.byte_count == length)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(encoder.finish()) == length, encoder.item_count)
"""
    assert printed(program) == ["the request could not be put together", "8 True", "True 0"]


def test_resource_that_finds_no_memory_is_refused_and_not_cut() -> None:
    program = """
heavy = make_span(context=context, resource=Resource({"k": "x" * (48 << 20)}))
leave(32)
try:
    otlp_fast.encode_spans([heavy])
except MemoryError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(otlp_fast.encode_spans([heavy])) > 48 << 20)
"""
    assert printed(program) == ["no memory for another resource", "True"]


def test_result_that_finds_no_memory_as_bytes_is_a_memory_error() -> None:
    program = """
from otlp_fast import compression
compressed = compression.compress(bytes(64 << 20), "zstd")
leave(96)
try:
    compression.decompress(compressed, "zstd")
except MemoryError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(compression.decompress(compressed, "zstd")) == 64 << 20)
"""
    assert printed(program) == ["no memory for a result of 67108864 bytes", "True"]


def test_batch_after_one_huge_item_is_not_expected_to_be_of_huge_items() -> None:
    batch, record = [make_span()] * 1000, full_record(1)
    otlp_fast.encode_spans([make_span(attributes={"k": "x" * (4 << 20)})])
    assert otlp_fast.encode_spans(batch)
    otlp_fast.encode_logs([full_record(0, "x" * (4 << 20))])
    assert otlp_fast.encode_logs([record] * 1000)
