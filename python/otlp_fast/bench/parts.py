"""The parts of the benchmarks: what each is, what must be installed for it, and where it stands.

Nothing is imported here: a part is when it is run, so that what one needs is no matter to the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

from otlp_fast.bench.effort import Effort
from otlp_fast.bench.steps import Step
from otlp_fast.bench.telemetry import Telemetry

Steps: TypeAlias = Callable[[Telemetry, Effort], Iterator[Step]]

_SDK = ("numpy", "opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.common")
_PROTOBUF = ("numpy", "google.protobuf", "opentelemetry.proto")


@dataclass(frozen=True)
class Part:
    """One part."""

    description: str
    modules: tuple[str, ...]
    """What must be installed."""
    module: str
    function: str

    def steps(self) -> Steps:
        """Import what gives the steps."""
        found: Any = getattr(import_module(self.module), self.function)
        steps: Steps = found
        return steps


PARTS: Mapping[str, Part] = {
    "encode": Part("objects of the SDK to bytes", _SDK, "otlp_fast.bench.encoding", "encoding_steps"),
    "processor": Part("ending spans in a batch processor", _SDK, "otlp_fast.bench.processing", "processing_steps"),
    "decode": Part("bytes to columns", _PROTOBUF, "otlp_fast.bench.reading", "decoding_steps"),
    "json": Part("bytes to OTLP/JSON and back", _PROTOBUF[1:], "otlp_fast.bench.transcoding", "json_steps"),
    "compress": Part("bytes on the wire", (), "otlp_fast.bench.compressing", "compressing_steps"),
}
"""By name, in the order in which they are run."""
