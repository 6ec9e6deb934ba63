"""The benchmark of tracezip: no wrong answer is reported, promises are judged, page and plot show the record."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import otlp_fast
from benchmarks import report
from benchmarks.environment import ROOT
from benchmarks.record import newest_record
from benchmarks.streams import wire
from benchmarks.streams.bookshop import bookshop_streams
from benchmarks.streams.encoding_cpu import RIVALS, measure_cpu
from benchmarks.streams.end_memory import measure_flood
from benchmarks.streams.floods import FLOODS, flood
from benchmarks.streams.plot import PLOT, STYLES, draw
from benchmarks.streams.promises import (
    BYTES_PER_ITEM,
    CPU_SHARES,
    OTHER_DATA,
    SHARE_OF_STREAM,
    TOLERANCE,
    Judgement,
    judge,
    promised_share,
)
from benchmarks.streams.stream import cut_anew
from benchmarks.streams.table import BEGIN, END, SHOWN, markdown
from benchmarks.table import with_table
from benchmarks.tracezip import KEPT
from otlp_fast import tracezip
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.bench.telemetry import Stream
from tests.corpora import CORPORA, read_requests

SPANS = Stream("spans", "traces", list(flood("attribute values", 3_000)))


def span_ids(requests: list[bytes]) -> list[bytes]:
    """The ids of all spans in their order."""
    messages = [ExportTraceServiceRequest.FromString(request) for request in requests]
    return [
        span.span_id
        for message in messages
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def test_stream_that_is_cut_anew_has_the_same_spans_in_their_order() -> None:
    cut = cut_anew(SPANS, 70)
    assert [otlp_fast.count(request, "traces") for request in cut.requests] == [70] * 42 + [60]
    assert span_ids(cut.requests) == span_ids(SPANS.requests)


def test_part_of_a_cut_names_its_resource_once() -> None:
    message = ExportTraceServiceRequest.FromString(cut_anew(SPANS, 1_200).requests[0])
    assert [len(resource.scope_spans) for resource in message.resource_spans] == [1]


@pytest.mark.parametrize("encoding", wire.ENCODINGS)
def test_every_encoding_counts_the_bytes_of_all_bodies(encoding: str) -> None:
    sent = wire.ENCODINGS[encoding](SPANS)
    # Each span has 24 random bytes, which no encoding makes smaller.
    assert 3_000 * 24 < sent.bytes < sum(map(len, SPANS.requests))
    assert sent.bodies == 6
    assert sent.starts == (1 if encoding in (wire.ZSTD_STREAM, wire.TRACEZIP) else 6)


def test_stream_of_zstd_is_smaller_than_its_requests_one_by_one() -> None:
    again = Stream("twice", "traces", SPANS.requests * 2)
    assert wire.by_zstd_stream(again).bytes < 0.6 * wire.by_zstd(again).bytes


def test_resets_are_made_as_often_as_asked_and_counted() -> None:
    assert wire.by_tracezip(SPANS, reset_every=4).starts == 2
    assert wire.by_tracezip(SPANS, reset_every=1).starts == 6


def test_wrong_byte_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    right = tracezip.Decoder.decode
    monkeypatch.setattr(tracezip.Decoder, "decode", lambda self, frame: right(self, frame)[:-1] + b"\xff")
    with pytest.raises(WrongAnswerError, match="tracezip, spans, request 0"):
        wire.by_tracezip(SPANS)
    with pytest.raises(WrongAnswerError, match="tracezip, spans"):
        measure_cpu(SPANS, 1, Random(0))


def test_ends_that_differ_in_their_state_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracezip.Decoder, "state_hash", 1)
    with pytest.raises(WrongAnswerError, match="state behind request 0"):
        wire.by_tracezip(SPANS)


def test_cpu_time_is_given_beside_every_rival() -> None:
    figures = measure_cpu(SPANS, 2, Random(0))
    ms = figures["ms"]
    for rival in RIVALS:
        ratios = [ours / theirs for ours, theirs in zip(ms["tracezip"]["rounds"], ms[rival]["rounds"], strict=True)]
        assert figures["shares"][rival]["rounds"] == pytest.approx(ratios, rel=1e-3)
    megabytes = sum(map(len, SPANS.requests)) / 1e6
    rates = [1e3 * megabytes / taken for taken in ms["tracezip decode"]["rounds"]]
    assert figures["decoded_mb_per_second"]["rounds"] == pytest.approx(rates, rel=1e-3)


@pytest.mark.parametrize("name", FLOODS)
def test_nothing_of_a_flood_comes_twice(name: str) -> None:
    requests = list(flood(name, 1_000))
    signal, _ = FLOODS[name]
    assert [otlp_fast.count(request, signal) for request in requests] == [500, 500]
    words = re.findall(rb"[a-p]{20}", b"".join(requests))
    assert len(set(words)) == len(words) >= 1_000
    assert requests == list(flood(name, 1_000))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_growth_at_the_peak_is_seen_even_when_it_is_given_back() -> None:
    program = (
        "from benchmarks.resident import peak_growth; print(peak_growth(lambda: bytes(bytearray(b'x') * (32 << 20))))"
    )
    # In a process of its own, as the published figures are: here the memory of other tests would be used again.
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert int(output) > 63 << 20


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory_of_both_ends_is_measured_with_state_and_without() -> None:
    figures = measure_flood("metric series", 2_000)
    assert (figures["frames"], figures["limit"]) == (4, 4 << 20)
    for end in ("encoder", "decoder"):
        assert figures[end]["stateful"] > 0
        assert figures[end]["state"] == figures[end]["stateful"] - figures[end]["stateless"]


def test_bookshop_gives_telemetry_of_every_signal() -> None:
    streams = {stream.name: stream for stream in bookshop_streams(50)}
    assert set(streams) >= set(OTHER_DATA)
    assert streams["bookshop traces"].items > 100
    assert streams["bookshop logs"].items >= 50
    metrics, bare = streams["bookshop metrics"], streams["bookshop metrics without exemplars"]
    assert metrics.items == bare.items > 10
    assert len(bare.requests[0]) < len(metrics.requests[0])


def record_that_keeps_every_promise() -> dict[str, Any]:
    """A record in which every figure is what was promised, and not better."""
    streams: dict[str, Any] = {}
    for name in {*(stream for stream, _ in SHOWN.values()), *CORPORA}:
        encodings = {
            encoding: {"per_item": 50.0, "bytes": 5_000, "starts": 3, "bodies": 1_200}
            for encoding in (*wire.ENCODINGS, wire.RESETTING)
        }
        streams[name] = {"item": "span", "items": 100, "encodings": encodings}
    for (name, encoding), most in BYTES_PER_ITEM.items():
        streams[name]["encodings"][encoding] |= {"per_item": most, "bytes": 100 * most}
    for name, share in SHARE_OF_STREAM.items():
        streams[name]["encodings"][wire.TRACEZIP]["bytes"] = share * 5_000
    for name, corpus in OTHER_DATA.items():
        share = TOLERANCE * promised_share(corpus, streams[corpus])
        streams[name]["encodings"][wire.TRACEZIP]["bytes"] = share * 5_000
    end = {"stateful": 6 << 20, "stateless": 2 << 20, "state": 4 << 20}
    shares = {rival: {"median": share} for rival, share in CPU_SHARES.items()}
    return {
        "format": 2,
        "date": "2026-11-22T00:00:00+00:00",
        "machine": {"cpu": "AMD EPYC", "python": "CPython 3.11.7"},
        "versions": {"otlp-fast": "0.1.0", "zlib": "1.2.13", "zstd of zstandard": "1.5.7"},
        "streams": streams,
        "sweep": {"100": "astronomy-traces, 100 per request", "1000": "astronomy-traces, 1,000 per request"},
        "cpu": {"astronomy-traces": {"shares": shares, "decoded_mb_per_second": {"median": 300.0}}},
        "memory": {
            "span names": {"limit": 4 << 20, "items": 200_000, "raw_frames": 0, "encoder": end, "decoder": dict(end)}
        },
    }


TRACEZIP_OF = ("streams", "astronomy-traces", "encodings", "tracezip", "per_item")
BROKEN: list[tuple[tuple[str, ...], float, str]] = [
    (TRACEZIP_OF, 30.01, "astronomy-traces, tracezip, bytes per span"),
    (
        ("streams", "astronomy-traces, 100 per request", "encodings", wire.RESETTING, "per_item"),
        35.01,
        "astronomy-traces, 100 per request, tracezip, reset every 50, bytes per span",
    ),
    (
        ("streams", "otel-demo-logs", "encodings", "tracezip", "bytes"),
        3_501,
        "otel-demo-logs, bytes in parts of one zstd-3 stream",
    ),
    (
        ("streams", "bookshop logs", "encodings", "tracezip", "bytes"),
        4_026,
        "bookshop logs, bytes in parts of one zstd-3 stream",
    ),
    (
        ("cpu", "astronomy-traces", "shares", "gzip-6 of zlib", "median"),
        0.334,
        "astronomy-traces, CPU time of encoding in parts of gzip-6 of zlib",
    ),
    (
        ("cpu", "astronomy-traces", "decoded_mb_per_second", "median"),
        299.9,
        "astronomy-traces, decoded MB of OTLP per second",
    ),
    (
        ("memory", "span names", "decoder", "state"),
        (4 << 20) + 1,
        "MiB that the decoder keeps of a flood of span names",
    ),
    (("memory", "span names", "raw_frames"), 1, "raw frames of a flood of span names"),
]


def test_promises_are_kept_by_what_was_promised() -> None:
    assert [str(judgement) for judgement in judge(record_that_keeps_every_promise()) if not judgement.is_kept] == []


@pytest.mark.parametrize(("place", "figure", "promise"), BROKEN, ids=[promise for _, _, promise in BROKEN])
def test_figure_beyond_its_bound_breaks_its_promise_and_no_other(
    place: tuple[str, ...], figure: float, promise: str
) -> None:
    record = copy.deepcopy(record_that_keeps_every_promise())
    within = record
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = figure
    [broken] = [judgement for judgement in judge(record) if not judgement.is_kept]
    assert broken.promise == promise


def test_judgement_says_what_was_promised_and_found() -> None:
    assert str(Judgement("bytes", 30.0, 31.25)) == "NOT KEPT: bytes: at most 30 (31.25)"
    assert str(Judgement("rate", 300.0, 1_024.6, is_least=True)) == "kept: rate: at least 300 (1025)"


def test_table_has_all_rows_with_their_rivals_and_resets() -> None:
    table = markdown(record_that_keeps_every_promise())
    for line in (
        "| a span, as captured | 50.0 | 50.0 | 50.0 | 41.5 | **30.0** | 3 in 1,200 |",
        "| a span, 100 per request, reset every 50 | 50.0 | 50.0 | 50.0 | – | **35.0** | 3 in 1,200 |",  # noqa: RUF001
        "| a data point, as captured | 50.0 | 50.0 | 50.0 | 1.80 | **1.40** | 3 in 1,200 |",
    ):
        assert line in table
    assert sum(line.startswith("| a") or line.startswith("| the") for line in table.splitlines()) == len(SHOWN)
    for fact in ("2026-11-22", "AMD EPYC", "0.33 to 0.33", "1.50 to 1.50", "300 to 300", "4.0 MiB", "6.0 MiB"):
        assert fact in table


def test_plot_has_every_encoding_and_names_its_record_and_is_the_same_again(tmp_path: Path) -> None:
    record = record_that_keeps_every_promise()
    draw(record, tmp_path / "one.svg")
    draw(record, tmp_path / "two.svg")
    text = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert f"record of {record['date']}" in text
    for word in (*STYLES, "STEF, as captured (published)", "1,000", "bytes per span"):
        assert f">{word}<" in text
    record["streams"]["astronomy-traces, 100 per request"]["encodings"]["zstd-3"]["per_item"] = 40.0
    draw(record, tmp_path / "two.svg")
    assert text != (tmp_path / "two.svg").read_text(encoding="utf-8")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    command = [sys.executable, "benchmarks/tracezip.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_quick_run_measures_something_of_everything_and_keeps_nothing(tmp_path: Path) -> None:
    for corpus in CORPORA:
        next(iter(read_requests(corpus)))
    finished = run("--quick", "--records", str(tmp_path))
    assert (finished.returncode, finished.stderr) == (0, "")
    for line in ("otel-demo-logs: bytes per log record", "decoding", "bookshop metrics", *FLOODS):
        assert line in finished.stdout
    assert list(tmp_path.iterdir()) == []


def test_contradiction_is_a_usage_error_and_missing_corpora_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--quick", "--record").returncode == 2
    monkeypatch.setenv("OTLP_FAST_CORPORA", str(tmp_path))
    finished = run("--quick")
    assert finished.returncode == 1
    assert f"{', '.join(CORPORA)}: not in {tmp_path}" in finished.stderr


def test_page_is_rewritten_from_the_newest_record(tmp_path: Path) -> None:
    record = record_that_keeps_every_promise()
    (tmp_path / "record.json").write_text(json.dumps(record), encoding="utf-8")
    page = tmp_path / "compression.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    finished = run("--page", "--page-file", str(page), "--records", str(tmp_path))
    assert (finished.returncode, finished.stderr) == (0, "")
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n{markdown(record)}\n{END}\nafter\n"


def test_report_draws_the_newest_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_that_keeps_every_promise()
    monkeypatch.setattr(report, "PLOT", tmp_path / "drawn.svg")
    assert CliRunner().invoke(report.main, ["--plot", "--records", str(tmp_path)]).exit_code == 1
    (tmp_path / "tracezip").mkdir()
    (tmp_path / "tracezip" / "record.json").write_text(json.dumps(record), encoding="utf-8")
    assert CliRunner().invoke(report.main, ["--plot", "--records", str(tmp_path)]).exit_code == 0
    assert f"record of {record['date']}" in (tmp_path / "drawn.svg").read_text(encoding="utf-8")


def test_page_and_plot_show_the_newest_record() -> None:
    page = (ROOT / "docs" / "compression.md").read_text(encoding="utf-8")
    record = newest_record(KEPT)
    assert with_table(page, markdown(record), BEGIN, END) == page
    assert f"record of {record['date']}" in PLOT.read_text(encoding="utf-8")
