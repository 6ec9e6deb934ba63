"""The plot of bytes per span by spans per request, made from a record, the same file for the same record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT
from benchmarks.streams.promises import STEF, TRACES
from benchmarks.streams.wire import GZIP, STATELESS, TRACEZIP, ZSTD, ZSTD_STREAM

PLOT = ROOT / "docs" / "tracezip-bytes-per-span.svg"

STYLES = {
    GZIP: ("#7a7a7a", "o"),
    ZSTD: ("#b8860b", "s"),
    ZSTD_STREAM: ("#8b4513", "D"),
    STATELESS: ("#5aa0d8", "^"),
    TRACEZIP: ("#0b5394", "o"),
}
"""The lines, from the top down: colour and marker."""


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw the plot of a record, and name the record in the file."""
    # Here, since matplotlib takes longer to import than most of what this folder does.
    import matplotlib
    from matplotlib.figure import Figure

    sizes = sorted(map(int, record["sweep"]))
    streams = [record["streams"][record["sweep"][str(size)]] for size in sizes]
    with matplotlib.rc_context({"svg.hashsalt": "otlp-fast", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for encoding, (colour, marker) in STYLES.items():
            figures = [stream["encodings"][encoding]["per_item"] for stream in streams]
            width = 2.5 if encoding == TRACEZIP else 1.5
            axes.plot(sizes, figures, color=colour, marker=marker, linewidth=width, label=encoding)
        axes.axhline(STEF[TRACES], color="#6aa84f", linestyle="--", linewidth=1, label="STEF, as captured (published)")
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color="#dddddd")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("spans per request")
        axes.set_ylabel("bytes per span")
        axes.set_title(f"{TRACES}, {streams[0]['items']:,} spans: bytes on the wire", loc="left")
        axes.legend(frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Description": f"record of {record['date']}"})
