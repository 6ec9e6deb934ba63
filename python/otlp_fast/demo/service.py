"""The service process of the demo's first part: the bookshop with the SDK's processors and one pipeline's exporters.

Run as `python -m otlp_fast.demo.service {...}` with the fields of `ServiceSettings`, it speaks with its parent as
`child` describes:

- the greeting names the port on which the bookshop answers;
- `collect` collects and exports the metrics, as the SDK's reader does once a minute;
- `finish` ends the traffic: everything is exported, and what that cost is told;
- `check` and `measure` are the `Comparison` on the batches that the exporters of this process were given;
- `encodings` tells what these take on the wire in other encodings, beside what exporters with tracezip counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otlp_fast.demo.comparison import Comparison
from otlp_fast.demo.encodings import describe_requests
from otlp_fast.demo.exporters import create_exporter
from otlp_fast.demo.instrumented import InstrumentedBookshop, run_service
from otlp_fast.demo.measured_export import MeasuredExport
from otlp_fast.demo.server import start_server
from otlp_fast.demo.service_settings import ServiceSettings
from otlp_fast.demo.telemetry import ITEMS, count_items


class Service:
    """The bookshop and its exporters, measured."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._exporters = {
            signal: create_exporter(settings.pipeline, signal, settings.endpoint, settings.compression)
            for signal in ITEMS
        }
        self._measured = {
            signal: MeasuredExport(exporter, partial(count_items, signal))
            for signal, exporter in self._exporters.items()
        }
        self._bookshop = InstrumentedBookshop(
            settings.database,
            BatchSpanProcessor(self._exporters["traces"]),
            BatchLogRecordProcessor(self._exporters["logs"]),
            # When it collects, the parent says: so two services that do the same make the same data points.
            [PeriodicExportingMetricReader(self._exporters["metrics"], math.inf)],
        )
        self._server = start_server(self._bookshop.application)
        self.greeting = {"port": self._server.server_port}

    def collect(self) -> Mapping[str, Any]:
        """Collect and export the metrics."""
        self._bookshop.collect()
        return {}

    def finish(self) -> Mapping[str, Any]:
        """Answer no more requests, export what is left, and tell what the exporters did."""
        self._server.shutdown()
        self._bookshop.shut_down()
        self._comparison = Comparison({signal: measured.batches for signal, measured in self._measured.items()})
        # No one but its reader knows how many data points a collection has.
        made = self._bookshop.made | {"metrics": self._measured["metrics"].exported}
        return {
            "signals": {
                signal: {
                    "made": made[signal],
                    "delivered": measured.delivered,
                    "export_cpu_ns_per_item": measured.cpu_ns / max(measured.exported, 1),
                }
                for signal, measured in self._measured.items()
            },
            "first_message": self._bookshop.first_message,
        }

    def check(self) -> Mapping[str, Any]:
        """Compare the bytes of both encoders."""
        return self._comparison.check()

    def measure(self) -> Mapping[str, Any]:
        """Measure both encoders once."""
        return self._comparison.measure()

    def encodings(self) -> Mapping[str, Any]:
        """Tell what the requests take, and how many of them the exporters sent in which way."""
        return {
            signal: describe_requests(signal, measured.batches) | {"stats": self._exporters[signal].stats()}
            for signal, measured in self._measured.items()
        }


if __name__ == "__main__":
    run_service(Service, ("collect", "finish", "check", "measure", "encodings"))
