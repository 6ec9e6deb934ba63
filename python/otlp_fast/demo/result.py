"""What the demo found, as data, and what is wrong with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from otlp_fast.demo.telemetry import ITEMS

PIPELINES = {"official": "official", "otlp_fast": "otlp-fast"}
"""The two that are compared, and what they are called in texts, in the order in which they run."""

TRACEZIP = "tracezip and the gateway"
"""What the third part is called in texts."""

_NS_PER_US = 1000


@dataclass(frozen=True)
class Received:
    """What the demo's receiver counted of one signal."""

    items: int
    requests: int
    bytes: int
    """Of request bodies as they arrived, compressed where they were."""
    digest: str
    """Of the requests that they were, see `digest`."""


@dataclass(frozen=True)
class SignalRun:
    """One signal of a run of the first part."""

    made: int
    delivered: int
    """Items for which the exporter reported success."""
    received: Received | None
    """None where they went to a receiver that the demo did not start."""
    export_cpu_us_per_item: float
    """CPU time of the exporting thread inside `export`: encoding, compressing, HTTP; without waiting."""


@dataclass(frozen=True)
class ExporterRun:
    """One run of the first part: the service with the exporters of one pipeline."""

    signals: Mapping[str, SignalRun]
    first_message: str | None
    """The first warning or error that was logged in the service."""


@dataclass(frozen=True)
class Encoding:
    """Both encoders on the batches of one signal that the exporters were given."""

    items: int
    batches: int
    bytes: Mapping[str, int]
    first_difference: Mapping[str, Any] | None
    cpu_us_per_item: Mapping[str, float]
    """Median over batches and rounds, for each encoder: each batch as it comes, mostly not in the cache."""
    cpu_us_per_item_again: Mapping[str, float]
    """The same for a batch that was encoded the moment before, so it is in the cache."""

    @property
    def identical(self) -> bool:
        """Whether all batches gave the same bytes."""
        return self.first_difference is None


@dataclass(frozen=True)
class WholeRun:
    """One service of the second part: a pipeline's processors and exporters, as a user sets them up."""

    made: Mapping[str, int]
    """Spans and log records of the traffic, by signal."""
    received: Mapping[str, int] | None
    """None where they went to a receiver that the demo did not start."""
    cpu_us_per_request: Sequence[float]
    """CPU time of the process above those that export nothing, for each turn of the traffic."""
    burst_made: int
    """Spans."""
    burst_received: int | None
    burst_seconds: float
    """How long the loop ran that made them."""
    first_message: str | None


@dataclass(frozen=True)
class FramedSignal:
    """One signal of the third part."""

    made: int
    received: Received
    requests: int
    """That its exporter encoded."""
    digest: str
    """Of these."""
    bytes: Mapping[str, int]
    """All of them as OTLP, in other encodings, and as bodies that arrived at the gateway (`tracezip`)."""
    resets: int
    """Frames that build on nothing that was sent before: one is the beginning."""
    fallbacks: int
    """Requests that were not sent as frames."""

    @property
    def identical(self) -> bool:
        """Whether what arrived behind the gateway are the very requests that were encoded, each once."""
        return self.received.digest == self.digest


@dataclass(frozen=True)
class TracezipRun:
    """The third part: a service whose exporters send tracezip, a gateway, and a receiver behind it."""

    signals: Mapping[str, FramedSignal]
    first_message: str | None


@dataclass(frozen=True)
class DemoResult:
    """All of it. A run that failed is missing, and its error is among the `failures`."""

    http_requests: int
    burst_spans: int
    endpoint: str
    compression: str
    exporters: Mapping[str, ExporterRun]
    encoding: Mapping[str, Encoding]
    """By signal."""
    whole: Mapping[str, WholeRun]
    bare_differences: Sequence[float]
    """CPU time per request of two services that export nothing, the one above the other, turn by turn."""
    tracezip: TracezipRun | None
    tracezip_left_out: str | None
    """Why there is no third part, where something for it is not installed."""
    failures: Sequence[str]
    versions: Mapping[str, str]
    seconds: float

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, a line each; empty when all is well.

        Spans that the official processor drops of the burst are none: the table tells them.
        """
        found = list(self.failures)
        for name, run in self.exporters.items():
            for signal, part in run.signals.items():
                received = None if part.received is None else part.received.items
                found += _losses(f"{PIPELINES[name]} exporter", signal, part.made, part.delivered, received, run)
        for signal in ITEMS:
            made = sorted({run.signals[signal].made for run in self.exporters.values()})
            if len(made) > 1:
                found.append(f"the two services did not make the same number of {ITEMS[signal]}: {made}")
        for signal, encoding in self.encoding.items():
            if encoding.first_difference is not None:
                found.append(
                    "the encoders of {items} differ: batch {batch}, first at byte {offset}: official {official}, "
                    "otlp-fast {otlp_fast}".format(items=ITEMS[signal], **encoding.first_difference)
                )
        for name, whole in self.whole.items():
            if whole.received is not None:
                for signal, made_items in whole.made.items():
                    arrived = whole.received[signal]
                    found += _losses(f"{PIPELINES[name]} processor", signal, made_items, arrived, arrived, whole)
        ours = self.whole.get("otlp_fast")
        if ours is not None and ours.burst_received is not None:
            arrived = ours.burst_received
            found += _losses("otlp-fast processor, burst", "traces", ours.burst_made, arrived, arrived, ours)
        if self.tracezip is not None:
            found += _framing_problems(self.tracezip)
        return found

    def export_cpu_us_per_item(self, signal: str) -> dict[str, float]:
        """Give what exporting an item cost, for each exporter that ran."""
        return {name: run.signals[signal].export_cpu_us_per_item for name, run in self.exporters.items()}

    def whole_cpu_us_per_request(self) -> dict[str, float]:
        """Give what a pipeline costs its process, for each that ran: the median over the turns."""
        return {name: median(run.cpu_us_per_request) for name, run in self.whole.items()}

    def whole_cpu_ratio(self) -> float | None:
        """Give the ratio of these costs; None where one is missing or not more than noise.

        Noise is what two equal services are apart, and at least what chance makes of a median: the interquartile range
        by the square root of the number of turns.
        """
        if not self.bare_differences:
            return None
        first, third = quartiles(self.bare_differences)
        noise = max(abs(median(self.bare_differences)), (third - first) / math.sqrt(len(self.bare_differences)))
        costs = self.whole_cpu_us_per_request()
        return ratio(costs) if all(cost > noise for cost in costs.values()) else None

    def as_json(self) -> dict[str, Any]:
        """Give everything, with what follows from it, in a form for `json.dumps`."""
        result = asdict(self)
        for signal, encoding in self.encoding.items():
            result["encoding"][signal] |= {
                "identical": encoding.identical,
                "ratio": ratio(encoding.cpu_us_per_item),
                "ratio_again": ratio(encoding.cpu_us_per_item_again),
            }
        result["export_cpu_ratio"] = {signal: ratio(self.export_cpu_us_per_item(signal)) for signal in ITEMS}
        result["whole_cpu_us_per_request"] = self.whole_cpu_us_per_request()
        result["whole_cpu_ratio"] = self.whole_cpu_ratio()
        if self.tracezip is not None:
            for signal, framed in self.tracezip.signals.items():
                result["tracezip"]["signals"][signal]["identical"] = framed.identical
        result["problems"] = self.problems
        result["ok"] = not self.problems
        return result


def ratio(by_name: Mapping[str, float]) -> float | None:
    """Give how many times the figure of otlp-fast the official one is; None where one of them is missing."""
    if not by_name.keys() >= PIPELINES.keys():
        return None
    return by_name["official"] / by_name["otlp_fast"]


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Give the first and the third quartile."""
    if len(values) == 1:
        return values[0], values[0]
    first, _, third = quantiles(values, n=4, method="inclusive")
    return first, third


def summarize_encoding(
    checks: Sequence[Mapping[str, Any]], rounds: Sequence[Mapping[str, Mapping[str, Sequence[float]]]]
) -> Encoding:
    """Put together what `Comparison.check` and `Comparison.measure` gave in both services for one signal."""
    differences = [check["first_difference"] for check in checks if check["first_difference"] is not None]

    def medians(occasion: str) -> dict[str, float]:
        return {
            name: median(sample for samples in rounds for sample in samples[occasion][name]) / _NS_PER_US
            for name in PIPELINES
        }

    return Encoding(
        items=sum(check["items"] for check in checks),
        batches=sum(check["batches"] for check in checks),
        bytes={name: sum(check["bytes"][name] for check in checks) for name in PIPELINES},
        first_difference=differences[0] if differences else None,
        cpu_us_per_item=medians("first"),
        cpu_us_per_item_again=medians("again"),
    )


def _losses(
    what: str, signal: str, made: int, delivered: int, received: int | None, run: ExporterRun | WholeRun | TracezipRun
) -> list[str]:
    """Describe a loss in a list of its own, or give an empty one."""
    arrived = delivered if received is None else received
    if arrived == made:
        return []
    verb = "accepted" if received is None else "received"
    return [f"{what}: {made:,} {ITEMS[signal]} made, {arrived:,} {verb}{_because(run)}"]


def _framing_problems(run: TracezipRun) -> list[str]:
    found = []
    for signal, framed in run.signals.items():
        arrived = framed.received.items
        lost = _losses(TRACEZIP, signal, framed.made, arrived, arrived, run)
        found += lost
        if not lost and not framed.identical:
            found.append(
                f"{TRACEZIP}: the requests of {ITEMS[signal]} that arrived differ from those that were encoded"
            )
        if framed.fallbacks:
            what = f"{framed.fallbacks:,} of {framed.requests:,} requests of {ITEMS[signal]}"
            found.append(f"{TRACEZIP}: {what} were not sent as frames{_because(run)}")
    return found


def _because(run: ExporterRun | WholeRun | TracezipRun) -> str:
    return f"; first message logged: {run.first_message}" if run.first_message else ""
