"""Draws what was measured: how many times less CPU, and how many bytes each encoding takes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from otlp_fast.bench.environment import environment
from otlp_fast.bench.figures import Encodings, Pair
from otlp_fast.bench.measure import Spread
from otlp_fast.bench.parts import PARTS
from otlp_fast.bench.run import BenchResult

FORMATS = ("svg", "png", "pdf")
"""What a plot may be, by the extension of its name."""

_COLOURS = {"encode": "#0b5394", "processor": "#6a4fa3", "decode": "#38761d", "json": "#b8860b"}
_GREY, _OTHERS = "#9a9a9a", ("#bcbcbc", "#8fb8de", "#5aa0d8", "#d9b44a", "#0b5394")
_LINE_INCHES, _HEAD_INCHES, _WIDTH_INCHES = 0.28, 1.1, 9.0


def draw(result: BenchResult, format: str) -> bytes:
    """Give the plot as a file of one of `FORMATS`: a bar ends at the median, its whiskers at the quartiles."""
    # Here, since matplotlib takes long to import, and is not there for everyone.
    import matplotlib
    from matplotlib.figure import Figure

    groups = [len(result.pairs), sum(len(stream.bytes) + 1 for stream in result.encodings)]
    panels = [lines for lines in groups if lines]
    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}):
        height = sum(panels) * _LINE_INCHES + max(1, len(panels)) * _HEAD_INCHES
        figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
        if panels:
            axes = iter(figure.subplots(len(panels), 1, squeeze=False, height_ratios=panels)[:, 0])
            if result.pairs:
                _draw_pairs(next(axes), result.pairs)
            if result.encodings:
                _draw_encodings(next(axes), result.encodings)
        machine = environment()["machine"]
        figure.suptitle(f"otlp-fast bench, {result.date[:10]}, {machine['cpu']}, {machine['python']}", fontsize=9)
        content = BytesIO()
        figure.savefig(content, format=format)
    return content.getvalue()


def _draw_pairs(axes: Any, pairs: list[Pair]) -> None:
    spreads = [Spread.of(pair.ratios) for pair in pairs]
    medians = [spread.median for spread in spreads]
    whiskers = [
        [spread.median - spread.lower_quartile for spread in spreads],
        [spread.upper_quartile - spread.median for spread in spreads],
    ]
    places = range(len(pairs))
    colours = [_COLOURS[pair.part] for pair in pairs]
    axes.barh(places, medians, xerr=whiskers, color=colours, height=0.7, error_kw={"ecolor": _GREY, "lw": 1})
    for place, spread in zip(places, spreads, strict=True):
        axes.annotate(f"  {spread.median:.3g}", (spread.upper_quartile, place), va="center")
    # A key of an attribute may have any characters: what is between two dollars is no formula.
    axes.set_yticks(places, [f"{pair.part}: {pair.name}" for pair in pairs], parse_math=False)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(right=max(medians) * 3)
    axes.axvline(1, color=_GREY, linewidth=1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("times less CPU than what it stands beside", loc="left", fontsize=10)


def _draw_encodings(axes: Any, encodings: list[Encodings]) -> None:
    place = 0
    places, labels = [], []
    for stream in encodings:
        for encoding, colour in zip(stream.bytes, _OTHERS, strict=True):
            size = stream.bytes_per_item(encoding)
            axes.barh(place, size, color=colour, height=0.8)
            axes.annotate(f" {size:,.1f}", (size, place), va="center")
            places.append(place)
            labels.append(f"{stream.name}: {encoding}")
            place += 1
        place += 1
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{PARTS['compress'].description}, per item", loc="left", fontsize=10)
