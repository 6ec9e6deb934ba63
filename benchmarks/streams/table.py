"""The table of docs/compression.md: made from a record, so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchmarks.streams.plot import PLOT
from benchmarks.streams.promises import CPU_SHARES, LOGS, METRICS, STEF, TRACES
from benchmarks.streams.wire import GZIP, RESETTING, TRACEZIP, ZSTD, ZSTD_STREAM
from benchmarks.table import NOT_MEASURED, row

BEGIN, END = "<!-- tracezip:begin -->", "<!-- tracezip:end -->"

SHOWN = {
    "a span, as captured": (TRACES, TRACEZIP),
    "a span, 100 per request": (f"{TRACES}, 100 per request", TRACEZIP),
    "a span, 100 per request, reset every 50": (f"{TRACES}, 100 per request", RESETTING),
    "a span, 1,000 per request": (f"{TRACES}, 1,000 per request", TRACEZIP),
    "a data point, as captured": (METRICS, TRACEZIP),
    "a log record, as captured": (LOGS, TRACEZIP),
    "a span of the demo": ("bookshop traces", TRACEZIP),
    "a data point of the demo, half of them with an exemplar": ("bookshop metrics", TRACEZIP),
    "the same without exemplars": ("bookshop metrics without exemplars", TRACEZIP),
    "a log record of the demo": ("bookshop logs", TRACEZIP),
}
"""The rows, each with its stream and the encoding that stands in the column of tracezip."""


def markdown(record: dict[str, Any]) -> str:
    """Give the table of a record, with date, machine and versions beneath it."""
    rows = [
        "| bytes on the wire for | gzip-6 | zstd-3 | zstd-3, one stream | STEF, published | tracezip | of it resets |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *(stream_row(what, record["streams"][stream], stream, encoding) for what, (stream, encoding) in SHOWN.items()),
    ]
    plot = f"![Bytes per span by spans per request]({PLOT.name})"
    return "\n".join([*rows, "", plot, "", footnote(record)])


def stream_row(what: str, stream: dict[str, Any], name: str, encoding: str) -> str:
    """Give the line of a stream."""
    rivals = [amount(stream["encodings"][rival]["per_item"]) for rival in (GZIP, ZSTD, ZSTD_STREAM)]
    ours = stream["encodings"][encoding]
    resets = f"{ours['starts']:,} in {ours['bodies']:,}"
    stef = amount(STEF[name]) if name in STEF else NOT_MEASURED
    return row(what, *rivals, stef, f"**{amount(ours['per_item'])}**", resets)


def amount(figure: float) -> str:
    """Write bytes per item: three digits."""
    return f"{figure:.2f}" if figure < 10 else f"{figure:.1f}"


def footnote(record: dict[str, Any]) -> str:
    """Give what is beneath the table."""
    machine, versions, memory = record["machine"], record["versions"], record["memory"].values()
    cpu = record["cpu"].values()
    gzip, zstd = (extent((figures["shares"][rival]["median"] for figures in cpu), 2) for rival in CPU_SHARES)
    rate = extent((figures["decoded_mb_per_second"]["median"] for figures in cpu), 0)
    state = max(figures[end]["state"] for figures in memory for end in ("encoder", "decoder"))
    growth = max(figures[end]["stateful"] for figures in memory for end in ("encoder", "decoder"))
    items = max(figures["items"] for figures in memory)
    return (
        f"Measured {record['date'][:10]} on {machine['cpu']}, {machine['python']}, zlib {versions['zlib']}, "
        f"zstd {versions['zstd of zstandard']}. Bytes of whole bodies, headers and frames counted, each decoded and "
        "compared byte for byte; STEF's figures are those that its authors published for the same captures. What is "
        f"reset builds on nothing that was sent before. Encoding takes {gzip} of the CPU time of zlib's gzip-6 and "
        f"{zstd} of that of zstd-3, and decoding gives {rate} MB of OTLP a second, depending on the stream. Under "
        f"{items:,} values that never come again an end of a stream keeps at most {state / 2**20:.1f} MiB, and its "
        f"process grows by at most {growth / 2**20:.1f} MiB ([benchmarks/tracezip.py](../benchmarks/tracezip.py))."
    )


def extent(figures: Iterable[float], digits: int) -> str:
    """Write the least and the largest of some figures."""
    found = sorted(figures)
    return f"{found[0]:,.{digits}f} to {found[-1]:,.{digits}f}"
