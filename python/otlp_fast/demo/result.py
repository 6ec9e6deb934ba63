"""What the demo found, as data, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

EXPORTERS = {"official": "official exporter", "otlp_fast": "otlp-fast exporter"}
"""The two exporters, and what they are called in texts, in the order in which they run."""

_NS_PER_US = 1000


@dataclass(frozen=True)
class Received:
    """What the demo's receiver counted."""

    spans: int
    requests: int
    bytes: int
    """Of request bodies as they arrived, compressed where they were."""


@dataclass(frozen=True)
class ExporterRun:
    """One run of the service."""

    spans_created: int
    spans_delivered: int
    """Spans for which the exporter reported success."""
    received: Received | None
    """None where spans went to a receiver that the demo did not start."""
    export_cpu_us_per_span: float
    """CPU time of the exporting thread inside `export`: encoding, compressing, HTTP; without waiting."""
    export_cpu_share: float
    """The same as a part of the CPU time of the whole service process while it had traffic."""
    first_message: str | None
    """The first warning or error that was logged in the service."""


@dataclass(frozen=True)
class Encoding:
    """Both encoders on the spans that the services recorded."""

    spans: int
    batches: int
    bytes: int
    first_difference: Mapping[str, Any] | None
    cpu_us_per_span: Mapping[str, float]
    """Median over batches and rounds, for each encoder: each batch as it comes, mostly not in the cache."""
    cpu_us_per_span_again: Mapping[str, float]
    """The same for a batch that was encoded the moment before, so it is in the cache."""

    @property
    def identical(self) -> bool:
        """Whether all batches gave the same bytes."""
        return self.first_difference is None


@dataclass(frozen=True)
class DemoResult:
    """All of it."""

    http_requests: int
    endpoint: str
    compression: str
    runs: Mapping[str, ExporterRun]
    encoding: Encoding
    versions: Mapping[str, str]
    seconds: float

    @property
    def problems(self) -> list[str]:
        """What is not as it should be, a line each; empty when all is well."""
        found = []
        for name, run in self.runs.items():
            arrived = run.spans_delivered if run.received is None else run.received.spans
            if arrived != run.spans_created:
                verb = "accepted" if run.received is None else "received"
                because = f"; first message logged: {run.first_message}" if run.first_message else ""
                found.append(f"{EXPORTERS[name]}: {run.spans_created:,} spans created, {arrived:,} {verb}{because}")
        created = {run.spans_created for run in self.runs.values()}
        if len(created) > 1:
            found.append(f"the two services did not create the same number of spans: {sorted(created)}")
        if self.encoding.first_difference is not None:
            found.append(
                "the encoders differ: batch {batch}, first at byte {offset}: official {official}, "
                "otlp-fast {otlp_fast}".format(**self.encoding.first_difference)
            )
        return found

    @property
    def export_cpu_us_per_span(self) -> Mapping[str, float]:
        """What `ExporterRun` has of it, for each exporter."""
        return {name: run.export_cpu_us_per_span for name, run in self.runs.items()}

    def as_json(self) -> dict[str, Any]:
        """Give everything, with what follows from it, in a form for `json.dumps`."""
        result = asdict(self)
        result["encoding"]["identical"] = self.encoding.identical
        result["encoding"]["ratio"] = ratio(self.encoding.cpu_us_per_span)
        result["encoding"]["ratio_again"] = ratio(self.encoding.cpu_us_per_span_again)
        result["export_cpu_ratio"] = ratio(self.export_cpu_us_per_span)
        result["problems"] = self.problems
        result["ok"] = not self.problems
        return result


def ratio(by_name: Mapping[str, float]) -> float:
    """Give how many times the figure of otlp-fast the official one is."""
    return by_name["official"] / by_name["otlp_fast"]


def summarize_encoding(
    checks: Sequence[Mapping[str, Any]], rounds: Sequence[Mapping[str, Mapping[str, Sequence[float]]]]
) -> Encoding:
    """Put together what `Comparison.check` and `Comparison.measure` gave in both services."""
    differences = [check["first_difference"] for check in checks if check["first_difference"] is not None]

    def medians(occasion: str) -> dict[str, float]:
        return {
            name: median(sample for samples in rounds for sample in samples[occasion][name]) / _NS_PER_US
            for name in EXPORTERS
        }

    return Encoding(
        spans=sum(check["spans"] for check in checks),
        batches=sum(check["batches"] for check in checks),
        bytes=sum(check["bytes"] for check in checks),
        first_difference=differences[0] if differences else None,
        cpu_us_per_span=medians("first"),
        cpu_us_per_span_again=medians("again"),
    )
