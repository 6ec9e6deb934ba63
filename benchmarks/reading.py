"""What reading and columns cost beside what Python users have today: protobuf objects, json_format, pyarrow.

    python benchmarks/reading.py [--record] [--page]

Each figure is a ratio of CPU times. Candidates take turns, in an order shuffled anew each round; a ratio is formed
within a round, and the figure is the median over the rounds. What they answer is compared before anything is timed,
and a wrong answer ends the run. The data are captured traces (../shared/corpora): what a collector of the OpenTelemetry
demo saw. They are decoded request by request, and analysed as one request, as one would who analyses traces.

Where a figure is promised (PROMISES), one that is not kept makes the exit status 1; the record is written all the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import otlp_fast
from benchmarks.environment import ROOT, environment
from benchmarks.record import RECORDS, newest_record, write_record
from benchmarks.resident import peak_growth
from benchmarks.table import NoPlaceError, with_table
from otlp_fast import columns
from otlp_fast.bench.measure import Work, WrongAnswerError, cpu_seconds, require
from otlp_fast.bench.record import series
from otlp_fast.cli.interruption import interruptible
from tests.corpora import FOLDER, missing_corpora, read_requests

CORPUS = "astronomy-traces"
ROUNDS = 9
JSON_REQUESTS = 40
"""Requests of the corpus that are turned into JSON, evenly spread: json_format takes minutes for all."""
RED_SPANS = 1_000_000
POINTS = 1_000_000
ATTRIBUTE = "http.status_code"
POINTS_CHILD, MEMORY_CHILD = "--points-of-this-process", "--memory-of-this-process"

PROMISES = {
    "decode": 1.5,
    "attribute": 100.0,
    "points per second": 50e6,
    "points, SIMD against scalar": 1.5,
    "red against Python": 100.0,
    "red against pyarrow": 3.0,
    "to_json": 100.0,
    "from_json": 20.0,
    "memory": 1.3,
}
"""The least of each figure; of the memory of decoding, in parts of the input and with it, the most."""
MOST = "memory"

SHOWN = {
    "decode": ("decode and check traces, all core columns", "`FromString` of protobuf (upb), which makes no columns"),
    "attribute": ("one attribute of all spans as a column", "a loop over protobuf objects"),
    "red against Python": ("rate, errors, duration by service and name", "a loop over protobuf objects"),
    "red against pyarrow": ("the same, from columns, with histograms", "`group_by` of pyarrow, without histograms"),
    "to_json": ("a request to OTLP/JSON", "`json_format.MessageToJson`"),
    "from_json": ("OTLP/JSON to a request", "`json_format.Parse`"),
}
"""What the published table says of a contest."""

PAGE = ROOT / "docs" / "performance.md"
KEPT = RECORDS / "reading"
BEGIN, END = "<!-- reading:begin -->", "<!-- reading:end -->"


@dataclass(frozen=True)
class Contest:
    """Ours and what it is measured against. What `prepare` gives is made anew for each call, and not timed."""

    name: str
    ours: Callable[[Any], object]
    rival: Work
    prepare: Work = lambda: None


def contest_ratios(contest: Contest, rounds: int, random: Random) -> dict[str, Any]:
    """Measure one contest."""
    times: dict[str, list[float]] = {"ours": [], "rival": []}
    order = list(times)
    for _ in range(rounds):
        random.shuffle(order)
        for side in order:
            prepared = contest.prepare()
            work = partial(contest.ours, prepared) if side == "ours" else contest.rival
            times[side].append(cpu_seconds(work))
    ratios = [rival / ours for ours, rival in zip(times["ours"], times["rival"], strict=True)]
    return {"ratio": series(ratios)} | {f"{side}_ms": series([1e3 * t for t in taken]) for side, taken in times.items()}


def spans_of(messages: list[ExportTraceServiceRequest]) -> Iterator[tuple[Any, Any]]:
    """Give each span with its resource."""
    for message in messages:
        for resource_spans in message.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    yield resource_spans.resource, span


def attribute_by_loop(messages: list[ExportTraceServiceRequest]) -> list[str | int | None]:
    """Give one attribute of every span, as one does with protobuf objects."""
    values: list[str | int | None] = []
    for message in messages:
        for resource_spans in message.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                for span in scope_spans.spans:
                    found = None
                    for pair in span.attributes:
                        if pair.key == ATTRIBUTE:
                            value = pair.value
                            found = value.int_value if value.HasField("int_value") else value.string_value
                    values.append(found)
    return values


def red_by_loop(messages: list[ExportTraceServiceRequest], repeats: int) -> dict[tuple[str, str], list[int]]:
    """Count, errors, sum, least and greatest duration by service and name, as one does with protobuf objects."""
    groups: dict[tuple[str, str], list[int]] = {}
    for _ in range(repeats):
        for message in messages:
            for resource_spans in message.resource_spans:
                service = ""
                for pair in resource_spans.resource.attributes:
                    if pair.key == "service.name":
                        service = pair.value.string_value
                for scope_spans in resource_spans.scope_spans:
                    for span in scope_spans.spans:
                        duration = max(0, span.end_time_unix_nano - span.start_time_unix_nano)
                        group = groups.get((service, span.name))
                        if group is None:
                            group = groups[service, span.name] = [0, 0, 0, duration, duration]
                        group[0] += 1
                        group[1] += span.status.code == 2
                        group[2] += duration
                        group[3] = min(group[3], duration)
                        group[4] = max(group[4], duration)
    return groups


def points_per_second(rounds: int) -> list[float]:
    """Measure `write_points` on the SIMD path of this process."""
    times = np.arange(POINTS, dtype=np.uint64) + np.uint64(1_700_000_000_000_000_000)
    values = np.random.default_rng(0).normal(size=POINTS)
    figures = [POINTS / cpu_seconds(lambda: columns.write_points("m", times, values)) for _ in range(rounds)]
    # Afterwards: what protobuf leaves of the heap is memory in small pages, which takes longer to write to on any path.
    message = ExportMetricsServiceRequest.FromString(bytes(columns.write_points("m", times, values)))
    points = message.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
    require([point.as_double for point in points] == values.tolist(), "write_points: values")
    require([point.time_unix_nano for point in points] == times.tolist(), "write_points: times")
    return figures


def in_child(what: str, **environment: str) -> str:
    """Give what this script prints when it is asked for one thing, in a process of its own."""
    # Of its own session: Ctrl-C is for this process, which ends the child.
    return subprocess.run(
        [sys.executable, __file__, what],
        env=os.environ | environment,
        check=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def points_on_both_paths(rounds: int) -> dict[str, Any]:
    """Measure `write_points` in processes of their own, SIMD and scalar in turn: the path is chosen at import."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for path in ("", "scalar"):
            found[path or "simd"].append(max(json.loads(in_child(POINTS_CHILD, OTLP_FAST_SIMD=path))))
    ratios = [simd / scalar for simd, scalar in zip(found["simd"], found["scalar"], strict=True)]
    return {
        "points per second": {"ratio": series(found["simd"])},
        "points, SIMD against scalar": {"ratio": series(ratios)},
    }


def memory_of_decoding(request: bytes) -> float:
    """Give the memory that decoding takes at its peak, with the request itself, in parts of the request. Linux only."""
    return 1 + peak_growth(lambda: columns.decode_traces(request, max_bytes=len(request))) / len(request)


def contests() -> Iterator[Contest]:
    """Check what the sides answer, then give them."""
    requests = list(read_requests(CORPUS))
    messages = [ExportTraceServiceRequest.FromString(request) for request in requests]
    decoded = [otlp_fast.decode_traces(request) for request in requests]
    starts = np.concatenate([traces.start_time_unix_nano for traces in decoded]).tolist()
    require(starts == [span.start_time_unix_nano for _, span in spans_of(messages)], "decode_traces: start times")
    yield Contest(
        "decode",
        lambda _: [otlp_fast.decode_traces(request) for request in requests],
        lambda: [ExportTraceServiceRequest.FromString(request) for request in requests],
    )

    merged = b"".join(requests)
    # Decoded anew for each call, as a decoded request keeps the columns that were asked for.
    attribute = Contest(
        "attribute",
        lambda traces: traces.attributes[ATTRIBUTE].values,
        lambda: attribute_by_loop(messages),
        lambda: otlp_fast.decode_traces(merged),
    )
    require(np.asarray(attribute.ours(attribute.prepare())).tolist() == attribute.rival(), "attributes")
    yield attribute

    repeats = -(-RED_SPANS // len(starts))
    yield from red_contests(merged * repeats, messages, repeats)

    few = requests[:: len(requests) // JSON_REQUESTS]
    few_messages = [ExportTraceServiceRequest.FromString(request) for request in few]
    texts = [otlp_fast.to_json(request, "traces") for request in few]
    theirs = [json_format.MessageToJson(message, indent=None) for message in few_messages]
    for request, text in zip(few, texts, strict=True):
        back = otlp_fast.from_json(text, "traces")
        same = ExportTraceServiceRequest.FromString(back) == ExportTraceServiceRequest.FromString(request)
        require(same, "from_json(to_json(request))")
    yield Contest(
        "to_json",
        lambda _: [otlp_fast.to_json(request, "traces") for request in few],
        lambda: [json_format.MessageToJson(message, indent=None) for message in few_messages],
    )
    # json_format reads ids as base64, which is all that the two texts differ in.
    yield Contest(
        "from_json",
        lambda _: [otlp_fast.from_json(text, "traces") for text in texts],
        lambda: [json_format.Parse(text, ExportTraceServiceRequest()) for text in theirs],
    )


def red_by_pyarrow(table: pa.Table) -> pa.Table:
    """Count, errors, sum, least and greatest duration by service and name, as one does with Arrow."""
    durations = table.select(["service", "name"]).append_column("duration", pc.subtract(table["end"], table["start"]))
    counted = durations.append_column("error", pc.equal(table["status"], 2).cast(pa.int64()))
    figures = [("duration", how) for how in ("count", "sum", "min", "max")] + [("error", "sum")]
    return counted.group_by(["service", "name"], use_threads=False).aggregate(figures)


def red_contests(request: bytes, messages: list[ExportTraceServiceRequest], repeats: int) -> Iterator[Contest]:
    """Give the contests of aggregation; `request` has the spans of `messages`, so many times."""
    traces = columns.decode_traces(request, max_bytes=len(request))
    by = ("resource.service.name", "name")
    found = {
        (group.keys[by[0]] or "", group.keys[by[1]]): [group.count, group.errors, group.sum, group.min, group.max]
        for group in columns.red(traces, by=by)
    }
    require(found == red_by_loop(messages, repeats), "red")
    yield Contest(
        "red against Python",
        lambda fresh: columns.red(fresh, by=by),
        lambda: red_by_loop(messages, repeats),
        lambda: columns.decode_traces(request, max_bytes=len(request)),
    )

    table = pa.table(
        {
            "service": traces.resource["service.name"].to_arrow(),
            "name": traces.name.to_arrow(),
            "start": traces.start_time_unix_nano,
            "end": traces.end_time_unix_nano,
            "status": traces.status_code,
        }
    )
    require(bool((traces.end_time_unix_nano >= traces.start_time_unix_nano).all()), "a span that ends before it starts")
    grouped = red_by_pyarrow(table)
    theirs = {
        (row["service"] or "", row["name"]): [
            row[column] for column in ("duration_count", "error_sum", "duration_sum", "duration_min", "duration_max")
        ]
        for row in grouped.to_pylist()
    }
    require(theirs == found, "pyarrow's group_by")
    yield Contest(
        "red against pyarrow",
        lambda _: columns.red(traces, by=by),
        lambda: red_by_pyarrow(table),
    )


def measure(rounds: int) -> dict[str, Any]:
    """Measure everything, telling each figure when it is there."""
    random = Random(0)
    figures: dict[str, Any] = {}
    for contest in contests():
        figures[contest.name] = contest_ratios(contest, rounds, random)
        tell(contest.name, figures[contest.name])
    for name, figure in points_on_both_paths(rounds).items():
        figures[name] = figure
        tell(name, figure)
    # In a process of its own each time: memory that was used before is used again, and would not count.
    shares = [float(in_child(MEMORY_CHILD)) for _ in range(rounds)]
    figures["memory"] = {"ratio": series(shares)}
    tell("memory", figures["memory"])
    return figures


def tell(name: str, figure: dict[str, Any]) -> None:
    """Print one figure beside its promise."""
    ratio = figure["ratio"]
    spread = f"({ratio['lower_quartile']:.4g}, {ratio['upper_quartile']:.4g})"
    print(f"{name:28} {ratio['median']:10.4g} {spread:24} promised {PROMISES[name]:g}", flush=True)


def markdown(record: dict[str, Any]) -> str:
    """Give the table of a record for the page about performance."""
    figures, machine = record["figures"], record["machine"]
    lines = ["| | instead of | times less CPU |", "|---|---|--:|"]
    for name, (what, instead) in SHOWN.items():
        ratio = figures[name]["ratio"]
        spread = f"{ratio['lower_quartile']:.3g} to {ratio['upper_quartile']:.3g}"
        lines.append(f"| {what} | {instead} | **{ratio['median']:.3g}** ({spread}) |")
    points, memory = figures["points per second"]["ratio"]["median"], figures["memory"]["ratio"]["median"]
    lines += [
        "",
        f"Measured {record['date'][:10]} on {machine['cpu']}, {machine['python']}, on 64,151 captured spans; median of "
        "interleaved rounds, in brackets the quartiles; answers are compared before anything is timed. `write_points` "
        f"writes {points / 1e6:.0f} million points a second on one core. Decoding takes {memory:.2f} times the memory "
        "of the request, with the request itself ([benchmarks/reading.py](../benchmarks/reading.py)).",
    ]
    return "\n".join(lines)


def broken_promises(figures: dict[str, Any]) -> list[str]:
    """Give the figures that are not what was promised."""
    medians = {name: figures[name]["ratio"]["median"] for name in PROMISES}
    return [
        f"{name}: at {'most' if name == MOST else 'least'} {promise:g} ({medians[name]:.3g})"
        for name, promise in PROMISES.items()
        if (medians[name] > promise if name == MOST else medians[name] < promise)
    ]


def run(rounds: int, *, keeps: bool, publishes: bool) -> list[str]:
    """Measure where that is asked for, or nothing is; give the promises that are not kept.

    Raises:
        FileNotFoundError: the corpus is not there, or no record.
        NoPlaceError: the page has no place for the table.
        WrongAnswerError: the sides answer differently.
    """
    broken: list[str] = []
    if keeps or not publishes:
        if missing := ", ".join(missing_corpora([CORPUS])):
            raise FileNotFoundError(f"{missing}: not in {FOLDER}; OTLP_FAST_CORPORA names another folder")
        # Before anything is measured: what others do to the tree in the meantime is not what was loaded.
        surroundings = environment()
        figures = measure(rounds)
        broken = broken_promises(figures)
        if keeps:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            print(f"record: {write_record({'date': now, **surroundings, 'figures': figures}, KEPT)}")
    if publishes:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_table(text, markdown(newest_record(KEPT)), BEGIN, END), encoding="utf-8")
    return broken


def main() -> None:
    """Read the command line, and say what went wrong in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write a record to benchmarks/records/reading")
    parser.add_argument("--page", action="store_true", help="rewrite docs/performance.md from the newest record")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds of each contest (at most {ROUNDS})")
    parser.add_argument(POINTS_CHILD, dest="points", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument(MEMORY_CHILD, dest="memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("argument --rounds: at least 1")
    if arguments.points:
        print(json.dumps(points_per_second(25)))
        return
    if arguments.memory:
        print(memory_of_decoding(b"".join(read_requests(CORPUS))))
        return
    try:
        with interruptible("otlp-fast: interrupted, nothing is kept"):
            broken = run(min(arguments.rounds, ROUNDS), keeps=arguments.record, publishes=arguments.page)
    except WrongAnswerError as error:
        sys.exit(f"otlp-fast: wrong answer: {error}")
    except (FileNotFoundError, NoPlaceError) as error:
        sys.exit(f"otlp-fast: {error}")
    if broken:
        sys.exit(f"promises not kept: {', '.join(broken)}")


if __name__ == "__main__":
    main()
