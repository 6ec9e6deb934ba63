"""The README's table: made from a record, so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import import_time
from benchmarks.processors import FASTOTEL
from benchmarks.record import Record
from otlp_fast.bench.engines import OFFICIAL, OTLP_FAST

SHOWN = ("web", "wide", "cold", "groups", "requests", "exceptions", "histograms", "gauges")
"""The workloads of the README: the usual, and those where it gains least. The record has them all."""

BEGIN = "<!-- benchmark:begin -->"
END = "<!-- benchmark:end -->"

RIVALS = (OFFICIAL, FASTOTEL, OTLP_FAST)
"""The columns of the table."""

NOT_MEASURED = "–"  # noqa: RUF001


class NoPlaceError(ValueError):
    """The text has no pair of markers, or more than one, for the table to go between."""


def markdown(record: Record) -> str:
    """Give the table of a record, with date, machine and versions beneath it."""
    rows = [
        "| | | official | fastotel | otlp-fast | times less |",
        "|---|---|--:|--:|--:|--:|",
        *(encoding_row(name, record["workloads"][name]) for name in SHOWN),
        process_row(record["whole_process"]),
        on_end_row(record["on_end"]),
        burst_row(record["burst"]),
    ]
    return "\n".join([*rows, "", *footnotes(record)])


def encoding_row(name: str, workload: dict[str, Any]) -> str:
    """Give the line of a workload."""
    figures, ratio = workload["gc_on"], workload["gc_on"][OTLP_FAST]["ratio"]
    return row(
        f"encode a {workload['item']}",
        f"{name}: {workload['description']}",
        f"{figures[OFFICIAL]['cpu']['median']:.1f} µs",
        NOT_MEASURED,
        f"{figures[OTLP_FAST]['cpu']['median']:.2f} µs",
        times(ratio["median"], ratio["lower_quartile"], ratio["upper_quartile"]),
    )


def process_row(processes: dict[str, Any]) -> str:
    """Give the line of the whole processes."""
    share = processes[OTLP_FAST]["share_of"][OFFICIAL]
    return row(
        "export a span",
        "whole process, web spans, gzip, above no exporter",
        *(cell(processes, name, lambda figures: f"{figures['net']['median']:.1f} µs") for name in RIVALS),
        times(*(1 / share[part] for part in ("median", "upper_quartile", "lower_quartile"))),
    )


def on_end_row(processors: dict[str, Any]) -> str:
    """Give the line of the thread that ends spans."""
    return row(
        "end a span",
        "what the processor adds to the request's thread",
        *(cell(processors, name, lambda figures: f"{figures['added']['median']:.1f} µs") for name in RIVALS),
        "",
    )


def burst_row(processes: dict[str, Any]) -> str:
    """Give the line of the burst."""
    spans = processes[OTLP_FAST]["made"][0]
    return row(
        f"a burst of {spans:,} spans",
        "delivered with default settings",
        *(cell(processes, name, lambda figures: f"{figures['share']['median']:.0%}") for name in RIVALS),
        "",
    )


def cell(measured: dict[str, Any], name: str, text: Callable[[dict[str, Any]], str]) -> str:
    """Give the text of one configuration, where it was measured."""
    return text(measured[name]) if name in measured else NOT_MEASURED


def times(median: float, lower: float, upper: float) -> str:
    """Write a ratio with its quartiles."""
    return f"**{median:.0f}** ({lower:.0f}–{upper:.0f})"  # noqa: RUF001


def row(*cells: str) -> str:
    """Give one line of the table."""
    return f"| {' | '.join(cells)} |"


def footnotes(record: Record) -> list[str]:
    """Give the lines beneath the table."""
    machine, versions, method = record["machine"], record["versions"], record["method"]
    own, official = (record["imports"][name]["cpu"]["median"] for name in (import_time.OTLP_FAST, "official encoder"))
    return [
        f"Measured {record['date'][:10]} on {machine['cpu']} ({machine['cores']} cores), {machine['os']}, "
        f"{machine['python']}: otlp-fast {versions['otlp-fast']} ({record['build']['simd']}), "
        f"opentelemetry-sdk {versions['opentelemetry-sdk']}, "
        f"official encoder {versions['opentelemetry-exporter-otlp-proto-common']}, protobuf {versions['protobuf']}"
        f"{', fastotel ' + versions['fastotel'] if 'fastotel' in versions else ''}. "
        f"CPU time, median of interleaved rounds ({method['rounds']} of encoding, {method['process_rounds']} of "
        "processes), in brackets the quartiles. Encoded bytes are identical, delivered spans are checked one by one; "
        "[how it is measured and where it misleads](benchmarks/README.md).",
        "",
        f"`import otlp_fast` takes {own:.0f} ms above an empty interpreter, importing the official encoder "
        f"{official:.0f} ms.",
    ]


def with_table(text: str, table: str, begin: str = BEGIN, end: str = END) -> str:
    """Give `text` with `table` between the two markers.

    Raises:
        NoPlaceError: each marker must stand there once, the first one first.
    """
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise NoPlaceError(f"expected {begin} and then {end}, each once")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    return f"{head}{begin}\n{table}\n{end}{tail}"
