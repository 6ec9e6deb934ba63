"""Prints the result of the demo: a table for people, or JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.table import Table

from otlp_fast.demo.result import (
    PIPELINES,
    TRACEZIP,
    DemoResult,
    ExporterRun,
    FramedSignal,
    SignalRun,
    TracezipRun,
    WholeRun,
    quartiles,
    ratio,
)
from otlp_fast.demo.telemetry import ITEM, ITEMS

_FAILED = "failed"
_NOT_COUNTED = "not counted"

_NOTES = """\
(1) All that both exporters were given, batch by batch by both encoders in turn; CPU time, median. As in a
    service, the objects lie all over the memory, and for otlp-fast much of the work is to fetch them.
{again}(2) CPU time of the exporting thread inside export(): encoding, compression, HTTP; without waiting.
(3) The service with processors and exporters of spans and logs: CPU time of the process above those without,
    for the same requests in turns, made without sockets; median, and below it the quartiles of the turns.
{noise}(4) Made as fast as a loop runs, then the provider is shut down; what is missing was dropped."""

_NOTES_ON_TRACEZIP = """\
(5) Requests behind the gateway against those that the exporters encoded, by their digests.
(6) Of HTTP bodies; of tracezip those that came to the gateway, of the others what the same requests would take.
    In brackets how many times the bytes of tracezip. The stream is one zstd frame for all requests.
(7) A reset builds on nothing that was sent before, as the first request of each signal does."""

_ENCODINGS = {
    "otlp": "not compressed",
    "gzip_6": "gzip-6",
    "zstd_3": "zstd-3",
    "zstd_3_stream": "zstd-3, one stream",
    "tracezip": "tracezip",
}

_SWITCH_ON = """\
  OTEL_TRACES_EXPORTER=otlp_fast_http OTEL_LOGS_EXPORTER=otlp_fast_http OTEL_METRICS_EXPORTER=otlp_fast_http \\
      opentelemetry-instrument python app.py"""
_SWITCH_TRACEZIP = "OTEL_EXPORTER_OTLP_COMPRESSION=tracezip"
_SWITCH_PROCESSORS = "otlp_fast.processor.BatchSpanProcessor"

# Enough that no cell is cut. A file would be taken for a terminal of 80 columns.
_TABLE_WIDTH = 100

_Run = TypeVar("_Run", ExporterRun, WholeRun)
_Row = tuple[str, str, str]


def print_introduction(requests: int, as_json: bool) -> None:
    """Say what is about to happen."""
    print(
        f"A Flask and SQLite service, instrumented by OpenTelemetry, answers the same {requests:,} HTTP requests\n"
        "again and again: its telemetry is exported by the official packages, and by otlp-fast.",
        file=sys.stderr if as_json else sys.stdout,
        flush=True,
    )


def print_result(result: DemoResult, as_json: bool) -> None:
    """Print everything to stdout, and each problem to stderr."""
    if as_json:
        json.dump(result.as_json(), sys.stdout, indent=2)
        print()
    else:
        _print_for_people(result)
    for problem in result.problems:
        print(f"FAILED: {problem}", file=sys.stderr)


def _print_for_people(result: DemoResult) -> None:
    # Lines are as long as they are: a terminal wraps them better than a file would like.
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(_table(result))
    console.print(_NOTES.format(again=_again(result), noise=_noise(result)), style="dim")
    if result.tracezip is not None:
        console.print(_tracezip_table(result.tracezip))
        console.print(_NOTES_ON_TRACEZIP, style="dim")
    elif result.tracezip_left_out is not None:
        console.print(f"\n{TRACEZIP}: left out, as it needs {result.tracezip_left_out}", markup=False)
    else:
        console.print(f"\n{TRACEZIP}: {_FAILED}")
    if not result.problems:
        console.print("\nIn your own service, with opentelemetry-distro:")
        console.print(_SWITCH_ON, style="bold")
        console.print(
            f"For the figures of the whole process, also [bold]{_SWITCH_PROCESSORS}[/bold] in place of the SDK's."
        )
        if result.tracezip is not None:
            console.print(
                f"For those of tracezip, [bold]{_SWITCH_TRACEZIP}[/bold] and an [bold]otlp-fast gateway[/bold]."
            )


def _table(result: DemoResult) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in (*PIPELINES.values(), ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for signal in ITEMS:
        _add_signal(table, result, signal)
        table.add_section()
    _add_whole_process(table, result)
    return table


def _add_signal(table: Table, result: DemoResult, signal: str) -> None:
    def row(cell: Callable[[SignalRun], str]) -> _Row:
        return _cells(result.exporters, lambda run: cell(run.signals[signal]))

    table.add_row(f"{ITEMS[signal]} made", *row(lambda part: f"{part.made:,}"), style="bold")
    table.add_row(
        "  delivered", *row(lambda part: f"{part.delivered if part.received is None else part.received.items:,}")
    )
    encoding = result.encoding.get(signal)
    if encoding is not None:
        verdict = "identical" if encoding.identical else "DIFFERENT"
        table.add_row("  bytes, encoded (1)", *(f"{encoding.bytes[name]:,}" for name in PIPELINES), verdict)
    table.add_row(
        f"  bytes on the wire, {'not compressed' if result.compression == 'none' else result.compression}",
        *row(lambda part: _NOT_COUNTED if part.received is None else f"{part.received.bytes:,}"),
    )
    if encoding is not None:
        table.add_row("  CPU to encode one (1)", *_cpu(encoding.cpu_us_per_item, ratio(encoding.cpu_us_per_item)))
    exporting = result.export_cpu_us_per_item(signal)
    table.add_row("  CPU to export one (2)", *_cpu(exporting, ratio(exporting)))


def _add_whole_process(table: Table, result: DemoResult) -> None:
    def row(cell: Callable[[WholeRun], str]) -> _Row:
        return _cells(result.whole, cell)

    def delivered(signal: str) -> _Row:
        return row(lambda run: _NOT_COUNTED if run.received is None else f"{run.received[signal]:,}")

    table.add_row("the whole process", style="bold")
    for signal in ("traces", "logs"):
        made = max((run.made[signal] for run in result.whole.values()), default=0)
        table.add_row(f"  {ITEMS[signal]} delivered, of {made:,}", *delivered(signal))
    table.add_row("  CPU per request (3)", *_cpu(result.whole_cpu_us_per_request(), result.whole_cpu_ratio()))
    table.add_row("    quartiles", *row(lambda run: "{:.0f} to {:.0f} us".format(*quartiles(run.cpu_us_per_request))))
    table.add_row(
        f"  burst of {result.burst_spans:,}: delivered (4)",
        *row(lambda run: _NOT_COUNTED if run.burst_received is None else f"{run.burst_received:,}"),
    )


def _tracezip_table(run: TracezipRun) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(TRACEZIP, no_wrap=True)
    for items in ITEMS.values():
        table.add_column(items, justify="right", no_wrap=True)

    def add(title: str, cell: Callable[[FramedSignal], str], style: str | None = None) -> None:
        table.add_row(title, *(cell(run.signals[signal]) for signal in ITEMS), style=style)

    add("made", lambda framed: f"{framed.made:,}", "bold")
    add("  delivered", lambda framed: f"{framed.received.items:,}")
    add("  requests, received (5)", lambda framed: "identical" if framed.identical else "DIFFERENT")
    table.add_row("  bytes on the wire (6)")
    for encoding, title in _ENCODINGS.items():
        add(f"    {title}", partial(_wire, encoding=encoding))
    add("  requests, resets (7)", lambda framed: f"{framed.requests:,}, {framed.resets:,}")
    return table


def _wire(framed: FramedSignal, encoding: str) -> str:
    amount = framed.bytes[encoding]
    return f"{amount:,} ({amount / framed.bytes['tracezip']:4.1f})"


def _cells(runs: Mapping[str, _Run], cell: Callable[[_Run], str]) -> _Row:
    official, ours = (cell(runs[name]) if name in runs else _FAILED for name in PIPELINES)
    return official, ours, ""


def _cpu(us: Mapping[str, float], times: float | None) -> _Row:
    official, ours = (f"{us[name]:.1f} us" if name in us else _FAILED for name in PIPELINES)
    if times is None:
        return official, ours, "" if _FAILED in (official, ours) else "in the noise"
    return official, ours, f"{times:.{1 if times < 10 else 0}f} times less"


def _again(result: DemoResult) -> str:
    """Tell what the encoders of otlp-fast cost when they have the objects in the cache."""
    if not result.encoding:
        return ""
    figures = (
        f"{encoding.cpu_us_per_item_again['otlp_fast']:.1f} us per {ITEM[signal]}"
        for signal, encoding in result.encoding.items()
    )
    return f"    Again at once, from the cache, as in a benchmark: {', '.join(figures)}.\n"


def _noise(result: DemoResult) -> str:
    """Tell how far two services are apart that do the same."""
    if not result.bare_differences:
        return ""
    first, third = quartiles(result.bare_differences)
    middle = median(result.bare_differences)
    difference = f"{middle:.0f} us (quartiles {first:.0f} to {third:.0f})"
    return f"    Two services without differed by {difference}: so much is noise.\n"
