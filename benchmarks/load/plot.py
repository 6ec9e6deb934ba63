"""The plot of latency and memory over time, made from a record, the same file for the same record."""

from __future__ import annotations

from math import ceil, floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.load.chain import COLLECTOR, GATEWAY, RECEIVER
from benchmarks.load.latencies import LONGEST, names
from benchmarks.load.receiver import WINDOW_SECONDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LATENCY_COLOURS = dict(zip(names(), ("#0b5394", "#5aa0d8", "#b8860b", "#8b4513", "#7a7a7a"), strict=True))
PROCESS_COLOURS = {GATEWAY: "#0b5394", COLLECTOR: "#b8860b", RECEIVER: "#7a7a7a"}
SENDERS_COLOUR = "#6aa84f"


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw the plot of a record, and name the record in the file."""
    # Here, since matplotlib takes longer to import than most of what this folder does.
    import matplotlib
    from matplotlib.figure import Figure

    method = record["method"]
    with matplotlib.rc_context({"svg.hashsalt": "otlp-fast", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(9, 6.5), layout="constrained")
        above, below = figure.subplots(2, sharex=True)
        title = f"{method['rate']:,} spans/s from {method['processes']} services, {method['compression']}"
        above.set_title(title, loc="left")
        draw_latencies(above, record["receiver"]["latency"]["windows"])
        draw_memory(below, record["samples"], method["processes"])
        below.set_xlabel("minutes")
        for axes in (above, below):
            axes.grid(axis="y", color="#dddddd")
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Description": f"record of {record['date']}"})


def draw_latencies(axes: Axes, windows: dict[str, list[float]]) -> None:
    """Draw a line for each percentile, with a point in the middle of each window."""
    minutes = [(window + 0.5) * WINDOW_SECONDS / 60 for window in windows["window"]]
    for name, colour in LATENCY_COLOURS.items():
        label = name if name == LONGEST else f"{name} %"
        axes.plot(minutes, windows[name], color=colour, linewidth=1.5, label=label)
    axes.set_yscale("log")
    axes.set_ylim(10 ** floor(log10(min(windows["50"]))), 10 ** ceil(log10(max(windows[LONGEST]))))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_ylabel("ms, end of a span to behind the Collector")


def draw_memory(axes: Axes, samples: dict[str, Any], senders: int) -> None:
    """Draw a line for each process; those of the senders are one colour, and one line of the legend."""
    minutes = [second / 60 for second in samples["seconds"]]
    labels = {name: name for name in PROCESS_COLOURS} | {"sender 0": f"each of {senders} services"}
    for name, kib in samples["resident_kib"].items():
        colour = PROCESS_COLOURS.get(name, SENDERS_COLOUR)
        axes.plot(minutes, [size / 1024 for size in kib], color=colour, linewidth=1.5, label=labels.get(name))
    axes.set_ylim(bottom=0)
    axes.set_ylabel("resident MiB")
