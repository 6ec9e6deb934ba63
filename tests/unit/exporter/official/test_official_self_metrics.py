"""The SDK's metrics about exporters: the official names, attributes and values, for every signal and transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import grpc
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from routes import Route
from scripted_grpc_receiver import Answer
from scripted_receiver import Reply

Make = Callable[..., Any]

ENABLED = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"

ITEMS = {"traces": "span", "logs": "log", "metrics": "metric_data_point"}


class Meters:
    """A meter provider, and what was measured with it."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)

    def metrics(self) -> dict[str, Any]:
        """Give each metric about an exporter by its name; the SDK measures the reader, too."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        assert scope.scope.name == "opentelemetry-sdk"
        return {metric.name: metric for metric in scope.metrics if metric.name.startswith("otel.sdk.exporter.")}

    def points(self) -> dict[str, list[tuple[Any, dict[str, Any]]]]:
        """Give value and attributes of each point, without the number of the component and without durations."""
        return {
            name: [
                (getattr(point, "value", None), {**point.attributes, "otel.component.name": None})
                for point in metric.data.data_points
            ]
            for name, metric in self.metrics().items()
        }


def test_success_is_measured_as_the_official_exporter_measures_it(
    route: Route, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, " True ")
    ours, theirs = Meters(), Meters()
    data = route.data(3)
    assert make(meter_provider=ours.provider).export(data).name == "SUCCESS"
    assert make(route.official, meter_provider=theirs.provider).export(data).name == "SUCCESS"
    assert ours.points() == theirs.points()
    item = ITEMS[route.signal]
    assert ours.points().keys() == {
        f"otel.sdk.exporter.{item}.exported",
        f"otel.sdk.exporter.{item}.inflight",
        "otel.sdk.exporter.operation.duration",
    }


def test_refusal_is_measured_under_its_status(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "true")
    meters = Meters()
    if route.transport == "http":
        route_receiver.always(Reply(401))
        error, status = "401", {"http.response.status_code": 401}
    else:
        route_receiver.always(Answer(grpc.StatusCode.ALREADY_EXISTS, "This already exists."))
        error, status = "ALREADY_EXISTS", {"rpc.response.status_code": "ALREADY_EXISTS"}
    assert make(meter_provider=meters.provider).export(route.data(3)).name == "FAILURE"
    points = meters.points()
    ((exported, exported_attributes),) = points[f"otel.sdk.exporter.{ITEMS[route.signal]}.exported"]
    ((inflight, inflight_attributes),) = points[f"otel.sdk.exporter.{ITEMS[route.signal]}.inflight"]
    ((_, duration_attributes),) = points["otel.sdk.exporter.operation.duration"]
    assert (exported, inflight) == (3, 0)
    assert exported_attributes == {**inflight_attributes, "error.type": error}
    assert duration_attributes == {**exported_attributes, **status}


def test_exhausted_retries_are_measured_under_the_last_status(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "true")
    meters = Meters()
    route_receiver.always(Reply(503) if route.transport == "http" else Answer(grpc.StatusCode.UNAVAILABLE))
    assert make(meter_provider=meters.provider).export(route.data()).name == "FAILURE"
    ((_, attributes),) = meters.points()["otel.sdk.exporter.operation.duration"]
    name = "http" if route.transport == "http" else "rpc"
    assert attributes[f"{name}.response.status_code"] == (503 if name == "http" else "UNAVAILABLE")


def test_item_over_the_size_limit_is_measured_under_the_official_name(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "true")
    meters = Meters()
    assert make(meter_provider=meters.provider, max_request_size=1).export(route.data()).name == "FAILURE"
    assert route_receiver.requests == []
    ((count, attributes),) = meters.points()[f"otel.sdk.exporter.{ITEMS[route.signal]}.exported"]
    assert (count, attributes["error.type"]) == (1, "RequestPayloadTooLargeError")


def test_parts_of_a_batch_are_measured_once(
    route: Route, route_receiver: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENABLED, "true")
    meters = Meters()
    assert make(meter_provider=meters.provider, max_request_size=1500).export(route.data(9, 500)).name == "SUCCESS"
    assert len(route_receiver.requests) > 3
    assert [value for value, _ in meters.points()[f"otel.sdk.exporter.{ITEMS[route.signal]}.exported"]] == [9]


def test_meter_provider_is_left_alone_where_metrics_are_off(route: Route, make: Make) -> None:
    provider = Mock()
    exporter = make(meter_provider=provider)
    exporter.set_meter_provider(provider)
    assert exporter.export(route.data()).name == "SUCCESS"
    provider.get_meter.assert_not_called()


def test_meter_provider_that_is_set_later_is_used(route: Route, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENABLED, "true")
    first, later = Meters(), Meters()
    exporter = make(meter_provider=first.provider)
    exporter.set_meter_provider(later.provider)
    assert exporter.export(route.data()).name == "SUCCESS"
    assert first.metrics() == {}
    assert f"otel.sdk.exporter.{ITEMS[route.signal]}.exported" in later.metrics()
