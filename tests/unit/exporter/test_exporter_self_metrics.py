"""Metrics about the exporter: the names and attributes of the official one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import metrics as metrics_api
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.exporter import self_metrics
from otlp_fast.exporter.http import OTLPSpanExporter
from scripted_receiver import Receiver, Reply

MakeExporter = Callable[..., OTLPSpanExporter]
Spans = list[ReadableSpan]

ENABLED = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
EXPORTED = "otel.sdk.exporter.span.exported"
INFLIGHT = "otel.sdk.exporter.span.inflight"
DURATION = "otel.sdk.exporter.operation.duration"


class Meters:
    """A meter provider whose data points can be read."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])

    def metrics(self) -> dict[str, Any]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def points(self, name: str) -> list[tuple[float, dict[str, Any]]]:
        """Give (value or count, attributes without the component's) of each data point."""
        return [
            (
                point.count if name == DURATION else point.value,
                {key: value for key, value in point.attributes.items() if key.startswith(("error", "http"))},
            )
            for point in self.metrics()[name].data.data_points
        ]


@pytest.fixture
def meters(monkeypatch: pytest.MonkeyPatch) -> Meters:
    monkeypatch.setenv(ENABLED, "true")
    return Meters()


def test_metrics_are_off_by_default(
    meters: Meters, make_exporter: MakeExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("", "false", "1"):
        monkeypatch.setenv(ENABLED, value)
        make_exporter(meter_provider=meters.provider).export(spans)
    assert meters.metrics() == {}


def test_global_meter_provider_is_the_default(
    meters: Meters, make_exporter: MakeExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_metrics, "get_meter_provider", lambda: meters.provider)
    assert self_metrics.MeterProvider is metrics_api.MeterProvider
    make_exporter().export(spans)
    assert EXPORTED in meters.metrics()


def test_success_is_counted_with_the_attributes_of_the_component(
    receiver: Receiver, meters: Meters, make_exporter: MakeExporter, spans: Spans
) -> None:
    make_exporter(meter_provider=meters.provider).export(spans)
    assert meters.points(EXPORTED) == [(3, {})]
    assert meters.points(INFLIGHT) == [(0, {})]
    assert meters.points(DURATION) == [(1, {})]
    attributes = dict(meters.metrics()[EXPORTED].data.data_points[0].attributes)
    name = attributes.pop("otel.component.name")
    assert name.startswith("otlp_http_span_exporter/")
    assert attributes == {
        "otel.component.type": "otlp_http_span_exporter",
        "server.address": "127.0.0.1",
        "server.port": receiver.port,
    }


def test_component_names_are_numbered(
    receiver: Receiver, meters: Meters, make_exporter: MakeExporter, spans: Spans
) -> None:
    for _ in range(2):
        make_exporter(meter_provider=meters.provider).export(spans)
    first, second = (
        int(point.attributes["otel.component.name"].partition("/")[2])
        for point in meters.metrics()[EXPORTED].data.data_points
    )
    assert second == first + 1


def test_status_is_the_error_of_a_refused_batch(
    receiver: Receiver, meters: Meters, make_exporter: MakeExporter, spans: Spans
) -> None:
    receiver.script(Reply(400))
    make_exporter(meter_provider=meters.provider).export(spans)
    assert meters.points(EXPORTED) == [(3, {"error.type": "400"})]
    assert meters.points(DURATION) == [(1, {"error.type": "400", "http.response.status_code": 400})]
    assert meters.points(INFLIGHT) == [(0, {})]


def test_retried_success_is_one_success(
    receiver: Receiver, meters: Meters, make_exporter: MakeExporter, spans: Spans
) -> None:
    receiver.script(Reply(503))
    make_exporter(meter_provider=meters.provider).export(spans)
    assert meters.points(EXPORTED) == [(3, {})]
    assert meters.points(DURATION) == [(1, {})]


def test_exception_is_the_error_where_nobody_answers(
    closed_port: int, meters: Meters, make_exporter: MakeExporter, spans: Spans
) -> None:
    make_exporter(endpoint=f"http://127.0.0.1:{closed_port}/", meter_provider=meters.provider).export(spans)
    assert meters.points(EXPORTED) == [(3, {"error.type": "NewConnectionError"})]
    assert meters.points(DURATION) == [(1, {"error.type": "NewConnectionError"})]


@pytest.mark.parametrize("exit_", [SystemExit(1), KeyboardInterrupt()])
def test_exit_amid_an_export_is_the_users_and_accounted_for(
    meters: Meters, make_exporter: MakeExporter, spans: Spans, monkeypatch: pytest.MonkeyPatch, exit_: BaseException
) -> None:
    def leave(*arguments: object) -> None:
        raise exit_

    exporter = make_exporter(meter_provider=meters.provider)
    monkeypatch.setattr("otlp_fast.exporter.compressing.compress", leave)
    with pytest.raises(type(exit_)):
        exporter.export(spans)
    assert exporter.stats()["failed"] == sum(exporter.stats().values()) == 3
    assert meters.points(EXPORTED) == [(3, {"error.type": type(exit_).__name__})]
    assert meters.points(INFLIGHT) == [(0, {})]


def test_each_loss_is_counted_under_its_own_error(
    receiver: Receiver, meters: Meters, make_exporter: MakeExporter, make_spans: Callable[..., Spans]
) -> None:
    rejected_one = b"\x0a\x02\x08\x01"
    receiver.script(Reply(200, rejected_one))
    batch: list[Any] = [*make_spans(2), "not a span", *make_spans(1, size=5000)]
    make_exporter(meter_provider=meters.provider, max_request_size=2000).export(batch)
    assert sorted(meters.points(EXPORTED), key=str) == sorted(
        [
            (1, {}),
            (1, {"error.type": "EncodeError"}),
            (1, {"error.type": "RequestPayloadTooLargeError"}),
            (1, {"error.type": "rejected"}),
        ],
        key=str,
    )


def test_metrics_of_a_success_equal_those_of_the_official_exporter(
    receiver: Receiver, meters: Meters, make_exporter: MakeExporter, spans: Spans
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.common._exporter_metrics")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Official

    make_exporter(meter_provider=meters.provider).export(spans)
    theirs = Meters()
    official = Official(receiver.url, meter_provider=theirs.provider)
    official.export(spans)
    official.shutdown()

    def described(meters: Meters) -> dict[str, tuple[Any, ...]]:
        return {
            name: (
                metric.unit,
                metric.description,
                type(metric.data),
                [
                    {key: value for key, value in point.attributes.items() if key != "otel.component.name"}
                    for point in metric.data.data_points
                ],
            )
            for name, metric in meters.metrics().items()
        }

    assert described(meters) == described(theirs)
