"""Prints the result of the demo: a table for people, or JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from otlp_fast.demo.result import DemoResult, ExporterRun, ratio

_NOT_COUNTED = "not counted"
_BYTES_PER_MEGABYTE = 1_000_000

_NOTES = """\
(1) CPU time of the exporting thread inside export(): encoding, compression, HTTP; without waiting.
(2) The spans of both services once more, in batches of 512, by both encoders in turn; median. As in a
    service, they lie all over the memory, and for otlp-fast much of the work is to fetch them.
(3) The median when each batch is encoded again at once, from the cache, as in a benchmark."""

_SWITCH_ON = "OTEL_TRACES_EXPORTER=otlp_fast_http opentelemetry-instrument python app.py"


def print_introduction(requests: int, as_json: bool) -> None:
    """Say what is about to happen."""
    print(
        f"A Flask and SQLite service, instrumented by OpenTelemetry, answers {requests:,} HTTP requests twice:\n"
        "it exports its spans by the official exporter the first time, by that of otlp-fast the second time.",
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
    console.print(_table(result))
    console.print(_NOTES, style="dim")
    encoding = result.encoding
    if encoding.identical:
        console.print(
            "\nThe two encoders gave the same bytes for the same spans: "
            f"{encoding.spans:,} spans in {encoding.batches} batches, {encoding.bytes / _BYTES_PER_MEGABYTE:.1f} MB."
        )
    if not result.problems:
        console.print(f"\nIn your own service, with opentelemetry-distro:\n  [bold]{_SWITCH_ON}[/bold]")


def _table(result: DemoResult) -> Table:
    official, ours = result.runs["official"], result.runs["otlp_fast"]
    encoding = result.encoding
    compression = "not compressed" if result.compression == "none" else result.compression
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in ("official", "otlp-fast", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("spans created", f"{official.spans_created:,}", f"{ours.spans_created:,}")
    table.add_row("spans received", _received(official, "spans"), _received(ours, "spans"))
    table.add_row("export requests received", _received(official, "requests"), _received(ours, "requests"))
    table.add_row(f"bytes received, {compression}", _received(official, "bytes"), _received(ours, "bytes"))
    table.add_section()
    table.add_row("CPU per span, encode and export (1)", *_cpu(result.export_cpu_us_per_span))
    table.add_row("  of all CPU time of the service", *(f"{run.export_cpu_share:.1%}" for run in (official, ours)))
    table.add_row("CPU per span, encode only (2)", *_cpu(encoding.cpu_us_per_span))
    table.add_row("  again at once (3)", *_cpu(encoding.cpu_us_per_span_again))
    return table


def _cpu(us_per_span: Mapping[str, float]) -> tuple[str, str, str]:
    return (
        f"{us_per_span['official']:.1f} us",
        f"{us_per_span['otlp_fast']:.1f} us",
        f"{ratio(us_per_span):.0f} times less",
    )


def _received(run: ExporterRun, figure: str) -> str:
    return _NOT_COUNTED if run.received is None else f"{getattr(run.received, figure):,}"
