"""Metrics about the exporter itself, with the names that the SDK's own exporters use.

The names are those of the OpenTelemetry semantic conventions for SDK metrics. They are written out here, because
`opentelemetry.semconv` keeps them in its incubating part and older releases of it do not have them.

Where the official exporter puts a whole batch under one `error.type`, items are counted under what became of each:
those that arrived without one, the others under a status, the name of an exception, or `rejected` for a partial
success.

Specification: https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping

from opentelemetry.metrics import MeterProvider, get_meter_provider

from otlp_fast.exporter.accounting import DeliveryReport
from otlp_fast.exporter.configuration import Settings

ENABLED_VARIABLE = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"

COMPONENT_TYPE = "otel.component.type"
COMPONENT_NAME = "otel.component.name"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
ERROR_TYPE = "error.type"

# How many components of a type this process has made: their names are numbered.
_components: Counter[str] = Counter()


def enabled() -> bool:
    """Whether the user asked for the SDK's internal metrics."""
    return os.environ.get(ENABLED_VARIABLE, "").strip().lower() == "true"


class ExporterMetrics:
    """The instruments of one exporter, over the transport `http` or `grpc`."""

    def __init__(self, transport: str, settings: Settings, meter_provider: MeterProvider | None = None) -> None:
        component_type = f"otlp_{transport}_{settings.signal.component}"
        signal = settings.signal
        number = _components[component_type]
        _components[component_type] += 1
        host, port = settings.server
        self._attributes: dict[str, str | int] = {
            COMPONENT_TYPE: component_type,
            COMPONENT_NAME: f"{component_type}/{number}",
            SERVER_ADDRESS: host,
        }
        if port is not None:
            self._attributes[SERVER_PORT] = port
        meter = (meter_provider or get_meter_provider()).get_meter("opentelemetry-sdk")
        self._inflight = meter.create_up_down_counter(
            f"otel.sdk.exporter.{signal.metric_item}.inflight",
            unit=signal.metric_unit,
            description=(
                f"The number of {signal.items} which were passed to the exporter, but that have not been exported yet"
                " (neither successful, nor failed)."
            ),
        )
        self._exported = meter.create_counter(
            f"otel.sdk.exporter.{signal.metric_item}.exported",
            unit=signal.metric_unit,
            description=f"The number of {signal.items} for which the export has finished, either successful or failed.",
        )
        self._duration = meter.create_histogram(
            "otel.sdk.exporter.operation.duration",
            unit="s",
            description="The duration of exporting a batch of telemetry records.",
        )

    def started(self, count: int) -> None:
        """Record that a call of `export` took on `count` items."""
        self._inflight.add(count, self._attributes)

    def finished(self, count: int, report: DeliveryReport, seconds: float) -> None:
        """Record what became of the `count` items of a call that took `seconds`."""
        self._inflight.add(-count, self._attributes)
        self.exported(report)
        attributes: Mapping[str, str | int] = self._attributes
        if report.losses:
            first_loss = next(iter(report.losses.values()))
            attributes = {**self._with_error(first_loss.error_type), **report.status}
        self._duration.record(seconds, attributes)

    def exported(self, report: DeliveryReport) -> None:
        """Record what became of items, those of the spool too: an export that has not ended is not counted."""
        if report.exported:
            self._exported.add(report.exported, self._attributes)
        for loss in report.losses.values():
            self._exported.add(loss.count, self._with_error(loss.error_type))

    def _with_error(self, error_type: str) -> dict[str, str | int]:
        return {**self._attributes, ERROR_TYPE: error_type}
