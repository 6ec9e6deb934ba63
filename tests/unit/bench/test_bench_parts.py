"""Each part measures what it says, checks the answer before it times anything, and leaves out what cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

import otlp_fast
from otlp_fast import compression
from otlp_fast.bench import compressing, measure, processing, reading
from otlp_fast.bench.batch import ITEM, Batch
from otlp_fast.bench.engines import Engine, official
from otlp_fast.bench.figures import Pair
from otlp_fast.bench.measure import LEAST_ROUNDS, take_turns
from otlp_fast.bench.parts import PARTS
from otlp_fast.bench.run import BenchResult
from otlp_fast.bench.workloads.by_name import WORKLOADS
from tests.unit.bench.conftest import LITTLE, RunPart

FIGURES = {
    "encode": ["web spans", "requests log records", "histograms data points"],
    "processor": ["in the thread that ends a span", "in all threads, until encoded"],
    "decode": [
        name
        for stream, key in (
            ("web spans", "http.request.method"),
            ("requests log records", "code.file.path"),
            ("histograms data points", "http.request.method"),
        )
        for name in (stream, f"{stream}: column {key}")
    ],
    "json": [
        f"{stream} {direction} JSON"
        for stream in ("web spans", "requests log records", "histograms data points")
        for direction in ("to", "from")
    ],
    "compress": [],
}


@pytest.mark.parametrize("part", PARTS)
def test_part_gives_its_figures_with_every_round(part: str, run_part: RunPart) -> None:
    result = run_part(part)
    assert (result.problems, result.left_out) == ([], [])
    assert [pair.name for pair in result.pairs] == FIGURES[part]
    for pair in result.pairs:
        assert pair.part == part
        assert len(pair.ratios) == len(pair.ours.cpu) == len(pair.theirs.wall) == LEAST_ROUNDS
        assert pair.items > 0
    assert len(result.encodings) == (3 if part == "compress" else 0)


def test_sizes_are_those_of_all_bodies(run_part: RunPart) -> None:
    [web, *_] = run_part("compress").encodings
    batches = replace(WORKLOADS["web"], batches=2).build_batches(LITTLE.items)
    [first, second] = [otlp_fast.encode_spans(batch.content) for batch in batches]
    assert (web.requests, web.uncompressed) == (2, len(first) + len(second))
    for encoding in ("gzip", "zstd", "lz4"):
        expected = sum(len(compression.compress(request, encoding)) for request in (first, second))
        assert web.bytes[encoding] == expected
        assert web.bytes_per_item(encoding) == expected / 32
    assert web.bytes["tracezip"] < web.bytes["zstd"]


def test_column_that_is_timed_is_the_answer_of_the_loop_that_it_stands_beside(
    run_part: RunPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed: dict[str, list[Any]] = {}
    measured_pair = reading.measured_pair

    def answered(works: Any, batches: Any, *arguments: Any, name: str, **named: Any) -> Pair:
        timed[name] = [list(work(batches[0].content)) for work in works.values() if "column" in name]
        return measured_pair(works, batches, *arguments, name=name, **named)

    monkeypatch.setattr(reading, "measured_pair", answered)
    run_part("decode")
    columns = [answers for name, answers in timed.items() if "column" in name]
    assert len(columns) == 3
    for ours, theirs in columns:
        assert ours == theirs
        assert any(isinstance(text, str) for text in ours)


def cut_short(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make answers that lack their last byte."""
    return lambda *arguments, **options: bytes(function(*arguments, **options))[:-1]


def _wrong_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {signal: Engine("otlp_fast", "0", cut_short(official(signal).encode)) for signal in ITEM}
    monkeypatch.setattr("otlp_fast.bench.encoding.otlp_fast_batch", wrong.get)


def _wrong_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing._OurExporter, "export_request", lambda *arguments, **options: True)


def _wrong_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    other = otlp_fast.decode_traces(otlp_fast.encode_spans([]))
    monkeypatch.setattr(reading, "_DECODE", {**reading._DECODE, "traces": lambda request: other})


def _wrong_text(monkeypatch: pytest.MonkeyPatch) -> None:
    right = otlp_fast.to_json
    monkeypatch.setattr(otlp_fast, "to_json", lambda *request: right(*request).replace(b'"name"', b'"title"'))


def _wrong_reading_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_fast, "from_json", lambda text, signal: b"")


def _wrong_compressor(monkeypatch: pytest.MonkeyPatch) -> None:
    right = compressing._compress
    first = [compression.compress(b"other", "gzip")]
    monkeypatch.setattr(compressing, "_compress", lambda how, them: first if how == "gzip" else right(how, them))


@pytest.mark.parametrize(
    ("part", "break_it", "title"),
    [
        ("encode", _wrong_encoder, "encode web spans"),
        ("processor", _wrong_processor, "end spans in a processor"),
        ("decode", _wrong_columns, "decode web spans"),
        ("json", _wrong_text, "web spans to JSON"),
        ("json", _wrong_reading_of_json, "web spans from JSON"),
        ("compress", _wrong_compressor, "compress web spans"),
    ],
)
def test_wrong_answer_is_a_problem_and_not_timed(
    part: str, break_it: Callable[[pytest.MonkeyPatch], None], title: str, run_part: RunPart, monkeypatch: Any
) -> None:
    break_it(monkeypatch)
    result: BenchResult = run_part(part)
    assert any(problem.startswith(f"{title}: the answers differ, so nothing was timed") for problem in result.problems)
    assert title.removeprefix(f"{part} ") not in [pair.name for pair in result.pairs]
    assert [stream.name for stream in result.encodings if stream.name == "web spans"] == []


def test_rival_that_fails_is_left_out_by_name(run_part: RunPart, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: object) -> bytes:
        raise ValueError("no such thing")

    monkeypatch.setattr("otlp_fast.bench.encoding.official", lambda signal: Engine("official", "1.0", fail))
    result = run_part("encode")
    assert (result.pairs, result.problems) == ([], [])
    assert result.left_out[0] == ("encode web spans: the official encoder 1.0 fails on it: ValueError: no such thing")


def test_failure_of_our_own_is_a_problem(run_part: RunPart, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*request: object) -> bytes:
        raise otlp_fast.DecodeError("bad tag")

    monkeypatch.setattr(otlp_fast, "to_json", fail)
    result = run_part("json")
    assert result.problems[0] == "web spans to JSON: otlp-fast fails on it: bad tag"


def test_part_whose_modules_are_missing_is_left_out_by_name(run_part: RunPart) -> None:
    result = run_part("json", {"json": "the module x, which is not installed"})
    assert (result.pairs, result.left_out) == ([], ["json: needs the module x, which is not installed"])


def test_signal_that_an_older_sdk_lacks_is_left_out_by_name(run_part: RunPart, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str) -> Any:
        if name.endswith("logs"):
            raise ImportError("cannot import name 'ReadableLogRecord'")
        return import_module(name)

    monkeypatch.setattr("otlp_fast.bench.made_up.import_module", load)
    result = run_part("encode")
    assert [pair.name for pair in result.pairs] == ["web spans", "histograms data points"]
    assert "too old for it (cannot import name 'ReadableLogRecord')" in result.telemetry.notes[-1]


@pytest.mark.parametrize(("clock", "rounds"), [(0.1, 25), (100.0, LEAST_ROUNDS), (6.0, 5)])
def test_rounds_end_with_their_time_but_not_before_there_are_quartiles(
    clock: float, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def sample(*arguments: Any, **options: Any) -> tuple[float, float]:
        now[0] += clock / 2
        return 1.0, 1.0

    monkeypatch.setattr(measure, "sample", sample)
    works = {"one": lambda content: None, "two": lambda content: None}
    comparison = take_turns(works, [Batch(b"", 1)], sample_seconds=0.0, seconds=30.0)
    assert [len(samples.cpu) for samples in comparison.samples.values()] == [rounds, rounds]
