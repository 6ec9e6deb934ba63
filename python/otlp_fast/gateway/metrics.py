"""What the gateway counts, for /metrics."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

_PREFIX = "otlp_fast_gateway"
# A next hop nearby answers within milliseconds; one that takes more than the usual time-out is lost.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one gateway, in a registry of their own: several can live in one process."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = registry = CollectorRegistry()
        by_encoding = ("signal", "encoding")
        self.requests = Counter(
            "requests", "Requests, by what came of them.", (*by_encoding, "outcome"), _PREFIX, registry=registry
        )
        self.wire_bytes = Counter(
            "wire_bytes", "Bytes of bodies as they arrived.", by_encoding, _PREFIX, registry=registry
        )
        self.otlp_bytes = Counter(
            "otlp_bytes", "Bytes of plain OTLP that the next hop took.", by_encoding, _PREFIX, registry=registry
        )
        self.forwarded_bytes = Counter(
            "forwarded_bytes", "Bytes of bodies sent to the next hop.", ("signal",), _PREFIX, registry=registry
        )
        self.delivered_items = Counter(
            "delivered_items", "Spans, log records or data points taken by the next hop.", ("signal",), _PREFIX,
            registry=registry,
        )  # fmt: skip
        self.evictions = Counter(
            "evictions", "Tracezip streams that gave way to others.", (), _PREFIX, registry=registry
        )
        self.forward_seconds = Histogram(
            "forward_seconds", "Time until the next hop answered.", ("signal",), _PREFIX, buckets=_SECONDS,
            registry=registry,
        )  # fmt: skip

    def watch(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(name, description, namespace=_PREFIX, registry=self._registry).set_function(value)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Give all metrics in the text format of Prometheus or OpenMetrics, and its media type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type
