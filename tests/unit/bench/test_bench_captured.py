"""The user's own telemetry: what is taken of a file, the SDK's objects made of it, and what these do not hold."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import otlp_fast
from otlp_fast.bench.batch import Signal
from otlp_fast.bench.captured import captured_telemetry
from otlp_fast.bench.engines import official
from otlp_fast.bench.errors import BenchError
from otlp_fast.bench.rebuilding import lost_in, rebuilder
from otlp_fast.bench.telemetry import Stream
from otlp_fast.bench.workloads.by_name import WORKLOADS
from tests.captured import archive_of, logs, metrics, traces
from tests.unit.bench.conftest import LITTLE

ENCODABLE = [name for name, workload in WORKLOADS.items() if workload.signal != "metrics"]


def rebuilt(signal: Signal, request: bytes) -> list[object]:
    made_by = rebuilder(signal)
    assert made_by is not None
    return made_by.rebuild(request)


def lost(signal: Signal, request: bytes) -> list[str]:
    made_by = rebuilder(signal)
    assert made_by is not None
    return lost_in(Stream("it", signal, [request]), made_by)


@pytest.mark.parametrize("name", ENCODABLE)
def test_rebuilt_objects_give_the_bytes_that_they_were_made_of(name: str) -> None:
    workload = WORKLOADS[name]
    encode = official(workload.signal).encode
    request = bytes(encode(workload.build(60).content))
    assert bytes(encode(rebuilt(workload.signal, request))) == request


@pytest.mark.parametrize("name", ENCODABLE)
def test_nothing_is_lost_of_what_the_sdk_made(name: str) -> None:
    workload = WORKLOADS[name]
    assert lost(workload.signal, bytes(official(workload.signal).encode(workload.build(20).content))) == []


def test_what_the_sdk_does_not_hold_is_counted_and_named() -> None:
    message = ExportTraceServiceRequest.FromString(traces(3))
    first, second, _ = message.resource_spans[0].scope_spans[0].spans
    for span in (first, second):
        span.kind = 2
        span.flags = 0x101
    first.dropped_attributes_count = 4
    second.dropped_links_count = 1
    second.status.message = "said of a span that is no error"
    message.resource_spans[0].scope_spans[0].spans[2].kind = 2
    message.resource_spans[0].scope_spans[0].scope.name = "here"
    assert lost("traces", message.SerializeToString()) == [
        "of 1 spans the SDK or its encoding does not keep the counts of dropped attributes",
        "of 2 spans the SDK or its encoding does not keep the W3C flags",
        "of 1 spans the SDK or its encoding does not keep the status",
        "of 1 spans the SDK or its encoding does not keep the counts of dropped events and links",
    ]


def test_order_and_groups_of_several_resources_are_kept() -> None:
    request = otlp_fast.encode_spans(WORKLOADS["groups"].build(200).content)
    again = otlp_fast.decode_traces(otlp_fast.encode_spans(rebuilt("traces", request)))  # type: ignore[arg-type]
    captured = otlp_fast.decode_traces(request)
    assert again.span_id.tolist() == captured.span_id.tolist()
    assert len(again.resources) == len(captured.resources)


def write(path: Path, *requests: bytes) -> str:
    path.write_bytes(archive_of(requests))
    return str(path)


def test_all_signals_of_a_file_are_taken_and_metrics_only_read(tmp_path: Path) -> None:
    path = write(tmp_path / "all.otlp", traces(), logs(), metrics(), traces(5))
    telemetry = captured_telemetry(path, LITTLE, rebuilds=True)
    assert [(stream.signal, stream.items) for stream in telemetry.streams] == [
        ("traces", 8),
        ("logs", 2),
        ("metrics", 4),
    ]
    assert telemetry.streams[0].requests == [traces(), traces(5)]
    assert [encodable.signal for encodable in telemetry.encodable] == ["traces", "logs"]
    assert telemetry.notes[0] == "all.otlp: all 8 spans and 2 log records and 4 data points"
    assert "encode: the SDK takes no data points from outside, so these are not encoded" in telemetry.notes


def test_of_a_long_file_the_first_requests_are_taken_and_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "long.otlp", *[traces(250)] * 9)
    telemetry = captured_telemetry(path, LITTLE, rebuilds=True)
    [stream] = telemetry.streams
    assert (stream.requests, stream.items) == ([traces(250)] * 2, 500)
    assert telemetry.notes[0] == "long.otlp: the first 500 spans"
    assert telemetry.source["whole"] is False
    assert [batch.items for batch in telemetry.encodable[0].build()] == [500]


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([traces(20)] * 9, id="one signal"),
        pytest.param([logs(), *[traces(20)] * 30], id="two log records and many spans"),
    ],
)
def test_file_is_read_no_further_than_twice_its_limit_of_bytes(requests: list[bytes], tmp_path: Path) -> None:
    limit = 4 * len(traces(20))
    path = tmp_path / "long.otlp"
    path.write_bytes(archive_of(requests) + b"\xff" * 9)
    telemetry = captured_telemetry(str(path), replace(LITTLE, file_bytes=limit), rebuilds=False)
    assert [stream.items for stream in telemetry.streams if stream.signal == "traces"] == [80]
    assert telemetry.source["whole"] is False


def test_signal_that_comes_behind_the_end_of_another_is_taken(tmp_path: Path) -> None:
    limit = 4 * len(traces(20))
    path = write(tmp_path / "two.otlp", logs(), *[traces(20)] * 6, logs(), logs())
    telemetry = captured_telemetry(path, replace(LITTLE, file_bytes=limit), rebuilds=False)
    assert [(stream.signal, stream.items) for stream in telemetry.streams] == [("logs", 6), ("traces", 80)]


def test_one_request_that_is_too_long_is_cut(tmp_path: Path) -> None:
    telemetry = captured_telemetry(write(tmp_path / "one.otlp", traces(1_000)), LITTLE, rebuilds=True)
    assert telemetry.streams[0].items == LITTLE.file_items
    once, in_turn = telemetry.encodable
    assert [batch.items for batch in once.build()] == [512]
    assert [batch.items for batch in in_turn.build()] == [512, 88]


def test_without_the_sdk_nothing_is_rebuilt(tmp_path: Path) -> None:
    telemetry = captured_telemetry(write(tmp_path / "a.otlp", traces()), LITTLE, rebuilds=False)
    assert (telemetry.encodable, telemetry.processed) == ([], None)
    assert telemetry.streams[0].items == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe no such form of a file whatever it is, and longer than a head is", "this is none of"),
        (struct.pack(">I", 900) + b"\x0a", "cut off|record"),
        (b"", "holds no spans, no log records and no data points"),
    ],
)
def test_file_that_cannot_be_read_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(BenchError, match=said):
        captured_telemetry(str(path), LITTLE, rebuilds=True)


def test_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="absent: No such file"):
        captured_telemetry(str(tmp_path / "absent"), LITTLE, rebuilds=True)
