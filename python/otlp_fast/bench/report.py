"""Prints what was measured: tables for people, or the record for programs; problems to stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from otlp_fast.bench.compressing import OFFICIAL_GZIP
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import Samples, Spread
from otlp_fast.bench.parts import PARTS
from otlp_fast.bench.record import as_text
from otlp_fast.bench.run import BenchResult

# Enough that no cell is cut. A file would be taken for a terminal of 80 columns.
_TABLE_WIDTH = 116

_NOTES = """\
CPU time, all threads of the process; the answers were the same before anything was timed. "times less" is formed within
each round, in which both take turns: median of the rounds, and in brackets their quartiles. FromString of protobuf
makes objects and no columns. The thread that ends a span has it encoded by otlp-fast; with the SDK, that comes later.

Where this misleads: telemetry that is encoded again and again lies in the processor's caches, and otlp-fast is then
about twice as fast as where it lies all over the memory, as in "cold" and "in turn"; a service is somewhere between.
Making a span costs the SDK 20 µs and more, and sending comes on top: 'otlp-fast demo' measures a whole service."""

_MADE_UP = """\
The telemetry is made up; the ratios differ from one kind to the next. Your own: otlp-fast bench --spans FILE."""


def print_json(result: BenchResult) -> None:
    """Print the record to stdout."""
    sys.stdout.write(as_text(result.as_json()))


def print_tables(result: BenchResult) -> None:
    """Print tables and notes to stdout."""
    # Lines are as long as they are: a terminal wraps them better than a file would like. Names of files and attributes
    # are as they are: no emoji are put into them, and in tables they are `Text`, which is no markup.
    console = Console(highlight=False, soft_wrap=True, emoji=False)
    console.width = max(console.width, _TABLE_WIDTH)
    if result.pairs:
        console.print(_pairs(result.pairs))
    if result.encodings:
        console.print(_encodings(result.encodings))
    console.print(_NOTES, style="dim", markup=False)
    if result.telemetry.source["kind"] == "made up":
        console.print(_MADE_UP, style="dim", markup=False)
    for heading, lines in (("Of the telemetry", result.telemetry.notes), ("Left out", result.left_out)):
        if lines:
            console.print(f"\n{heading}:")
            for line in lines:
                console.print(f"  {line}", markup=False)


def print_problems(problems: Sequence[str]) -> None:
    """Print each problem to stderr."""
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)


def _pairs(pairs: Sequence[Pair]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "beside", "µs each", "otlp-fast", "times less CPU"):
        # Names of attributes may be of any length: the first column is the one that gives way.
        table.add_column(heading, justify="left" if heading in ("", "beside") else "right", no_wrap=heading != "")
    for part, of_part in groupby(pairs, key=lambda pair: pair.part):
        table.add_row(f"[bold]{part}[/bold]: {PARTS[part].description}")
        for pair in of_part:
            ratio = Spread.of(pair.ratios)
            quartiles = f"({_short(ratio.lower_quartile)} to {_short(ratio.upper_quartile)})"
            figures = (_median(pair.theirs), _median(pair.ours), f"[bold]{_short(ratio.median)}[/bold] {quartiles}")
            table.add_row(Text(f"  {pair.name}"), pair.rival, *figures)
        table.add_section()
    return table


def _encodings(encodings: Sequence[Encodings]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "bytes each", "times smaller", "µs each", f"CPU of {OFFICIAL_GZIP}"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=heading != "")
    table.add_row(f"[bold]compress[/bold]: {PARTS['compress'].description}")
    for stream in encodings:
        requests = f"{stream.requests:,} request{'s' * (stream.requests != 1)}"
        table.add_row(f"  {stream.name}, {stream.items:,} in {requests}", f"{stream.uncompressed / stream.items:,.1f}")
        official = stream.samples[OFFICIAL_GZIP].cpu
        for encoding, size in stream.bytes.items():
            samples = stream.samples[encoding]
            shares = [own / theirs for own, theirs in zip(samples.cpu, official, strict=True)]
            table.add_row(
                f"    {encoding}",
                f"{stream.bytes_per_item(encoding):,.1f}",
                f"{stream.uncompressed / size:,.1f}",
                _median(samples),
                f"{Spread.of(shares).median:,.0%}",
            )
        table.add_section()
    return table


def _median(samples: Samples) -> str:
    return f"{Spread.of(samples.cpu).median:,.2f}"


def _short(value: float) -> str:
    """Give three digits, which is more than most of these figures have."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
