"""The rivals as a service uses them: a span processor with its exporter, gzip on all sides, everything else by default.

A configuration imports what it needs when it is made, so that a process holds only what is measured in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from opentelemetry.sdk.trace import SpanProcessor

NONE = "none"
"""No processor: what making the spans costs by itself."""

OFFICIAL = "official"
FASTOTEL = "fastotel"
OTLP_FAST = "otlp_fast"


@dataclass(frozen=True)
class Configuration:
    """One way of getting spans from a tracer to a receiver."""

    name: str
    description: str
    distribution: str
    """Whose version it is."""
    module: str
    """What must be installed for it."""
    make: Callable[[str], SpanProcessor | None]
    """Gives the processor that sends to an endpoint."""


def no_processor(endpoint: str) -> None:
    """Give none."""


def official(endpoint: str) -> SpanProcessor:
    """Give the SDK's processor with the official exporter."""
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(endpoint, compression=Compression.Gzip))


def official_with_our_exporter(endpoint: str) -> SpanProcessor:
    """Give the SDK's processor with our exporter: what one gets by changing `OTEL_TRACES_EXPORTER` alone."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from otlp_fast.exporter.http import Compression, OTLPSpanExporter

    return BatchSpanProcessor(OTLPSpanExporter(endpoint, compression=Compression.Gzip))


def fastotel(endpoint: str) -> SpanProcessor:
    """Give fastotel's processor, which batches, encodes and sends in a native thread."""
    from fastotel import OTLPSpanProcessor

    return OTLPSpanProcessor(endpoint=endpoint, compression="gzip")


def otlp_fast(endpoint: str) -> SpanProcessor:
    """Give our processor with our exporter."""
    from otlp_fast.exporter.http import Compression, OTLPSpanExporter
    from otlp_fast.processor import BatchSpanProcessor

    return BatchSpanProcessor(OTLPSpanExporter(endpoint, compression=Compression.Gzip))


CONFIGURATIONS: dict[str, Configuration] = {
    configuration.name: configuration
    for configuration in (
        Configuration(NONE, "no processor", "opentelemetry-sdk", "opentelemetry.sdk", no_processor),
        Configuration(
            OFFICIAL,
            "official processor and exporter",
            "opentelemetry-exporter-otlp-proto-http",
            "opentelemetry.exporter.otlp.proto.http",
            official,
        ),
        Configuration(
            "otlp_fast_exporter",
            "official processor, otlp-fast exporter",
            "otlp-fast",
            "otlp_fast.exporter.http",
            official_with_our_exporter,
        ),
        Configuration(FASTOTEL, "fastotel", "fastotel", "fastotel", fastotel),
        Configuration(OTLP_FAST, "otlp-fast processor and exporter", "otlp-fast", "otlp_fast.processor", otlp_fast),
    )
}
"""By name, the one without a processor first."""


def installed() -> list[Configuration]:
    """Give the configurations that can run here: fastotel is not to be had for every Python."""
    return [configuration for configuration in CONFIGURATIONS.values() if find_spec(configuration.module) is not None]
