"""What was measured: pairs of otlp-fast and a rival, and streams under all encodings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otlp_fast.bench.measure import Comparison, Samples, Spread
from otlp_fast.bench.record import series


@dataclass(frozen=True)
class Pair:
    """The same work by otlp-fast and by a rival, in the same rounds; CPU time in microseconds per item."""

    part: str
    name: str
    item: str
    items: int
    rival: str
    """What it is measured against, as the table has it."""
    ours: Samples
    theirs: Samples

    @classmethod
    def of(cls, comparison: Comparison, engine: str, other: str, /, **named: Any) -> Pair:
        """Take two of those that were compared; `named` are the part, the name, the item and the rival's name."""
        return cls(items=comparison.items, ours=comparison.samples[engine], theirs=comparison.samples[other], **named)

    @property
    def ratios(self) -> list[float]:
        """How many times less CPU time otlp-fast took, in each round."""
        return [theirs / ours for theirs, ours in zip(self.theirs.cpu, self.ours.cpu, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Give it for the record."""
        return {
            "part": self.part,
            "name": self.name,
            "item": self.item,
            "items": self.items,
            "rival": self.rival,
            "otlp_fast_us": _clocks(self.ours),
            "rival_us": _clocks(self.theirs),
            "ratio": series(self.ratios),
        }


@dataclass(frozen=True)
class Encodings:
    """A stream of requests under all encodings: bytes of whole bodies, CPU time in microseconds per item."""

    name: str
    item: str
    items: int
    requests: int
    uncompressed: int
    bytes: Mapping[str, int]
    """By encoding."""
    samples: Mapping[str, Samples]
    """By encoding."""

    def bytes_per_item(self, encoding: str) -> float:
        """Give the size under an encoding."""
        return self.bytes[encoding] / self.items

    def cpu(self, encoding: str) -> float:
        """Give the median of the CPU time."""
        return Spread.of(self.samples[encoding].cpu).median

    def as_json(self) -> dict[str, Any]:
        """Give it for the record."""
        return {
            "name": self.name,
            "item": self.item,
            "items": self.items,
            "requests": self.requests,
            "uncompressed_bytes": self.uncompressed,
            "encodings": {
                encoding: {"bytes": self.bytes[encoding], "us": _clocks(samples)}
                for encoding, samples in self.samples.items()
            },
        }


def _clocks(samples: Samples) -> dict[str, Any]:
    return {"cpu": series(samples.cpu), "wall": series(samples.wall)}
