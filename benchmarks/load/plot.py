"""The plot of latency and memory over time, made from a record, the same file for the same record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.load.chain import COLLECTOR, GATEWAY, RECEIVER
from benchmarks.load.latencies import LONGEST, names
from benchmarks.load.receiver import WINDOW_SECONDS

LATENCY_COLOURS = dict(zip(names(), ("#0b5394", "#5aa0d8", "#b8860b", "#8b4513", "#7a7a7a"), strict=True))
PROCESS_COLOURS = {GATEWAY: "#0b5394", COLLECTOR: "#b8860b", RECEIVER: "#7a7a7a"}
SENDERS_COLOUR = "#6aa84f"


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw the plot of a record, and name the record in the file."""
    # Here, since matplotlib takes longer to import than most of what this folder does.
    import matplotlib
    from matplotlib.figure import Figure

    method, windows = record["method"], record["receiver"]["latency"]["windows"]
    with matplotlib.rc_context({"svg.hashsalt": "otlp-fast", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 7), layout="constrained")
        above, below = figure.subplots(2, sharex=True)
        minutes = [window * WINDOW_SECONDS / 60 for window in windows["window"]]
        for name, colour in LATENCY_COLOURS.items():
            label = name if name == LONGEST else f"{name} %"
            above.step(minutes, windows[name], where="post", color=colour, linewidth=1.5, label=label)
        above.set_yscale("log")
        above.set_ylabel("ms, end of a span to behind the Collector")
        rate, processes, compression = method["rate"], method["processes"], method["compression"]
        above.set_title(f"{rate:,} spans/s from {processes} services, {compression}", loc="left")
        seconds = [second / 60 for second in record["samples"]["seconds"]]
        labelled = False
        for name, kib in record["samples"]["resident_kib"].items():
            is_sender = name not in PROCESS_COLOURS
            colour = PROCESS_COLOURS.get(name, SENDERS_COLOUR)
            label = f"each of {processes} services" if is_sender else name
            below.plot(
                seconds,
                [size / 1024 for size in kib],
                color=colour,
                linewidth=1.5,
                label=None if is_sender and labelled else label,
            )
            labelled |= is_sender
        below.set_ylim(bottom=0)
        below.set_ylabel("resident MiB")
        below.set_xlabel("minutes")
        for axes in (above, below):
            axes.grid(axis="y", color="#dddddd")
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False, ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.0))
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None, "Description": f"record of {record['date']}"})
