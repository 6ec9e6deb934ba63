"""What all six exporters do alike: three signals over two transports, against receivers that parse with protobuf."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces_pb2
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

import otlp_fast
from otlp_fast.exporter import grpc as grpc_exporters
from otlp_fast.exporter import http as http_exporters
from otlp_fast.exporter.pipeline import OTLPExporter
from otlp_fast.exporter.sdk_logs import LogRecordExporter
from scripted_grpc_receiver import Answer, GRPCReceiver
from scripted_receiver import Receiver, Reply
from telemetry import make_log_records, make_metrics, make_spans

SIGNALS: dict[str, dict[str, Any]] = {
    "traces": {
        "class": "OTLPSpanExporter",
        "base": SpanExporter,
        "make": make_spans,
        "encode": otlp_fast.encode_spans,
        "request": traces_pb2.ExportTraceServiceRequest,
        "response": lambda count, text: traces_pb2.ExportTraceServiceResponse(
            partial_success=traces_pb2.ExportTracePartialSuccess(rejected_spans=count, error_message=text)
        ),
        "method": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    },
    "logs": {
        "class": "OTLPLogExporter",
        "base": LogRecordExporter,
        "make": make_log_records,
        "encode": otlp_fast.encode_logs,
        "request": logs_pb2.ExportLogsServiceRequest,
        "response": lambda count, text: logs_pb2.ExportLogsServiceResponse(
            partial_success=logs_pb2.ExportLogsPartialSuccess(rejected_log_records=count, error_message=text)
        ),
        "method": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    },
    "metrics": {
        "class": "OTLPMetricExporter",
        "base": MetricExporter,
        "make": make_metrics,
        "encode": otlp_fast.encode_metrics,
        "request": metrics_pb2.ExportMetricsServiceRequest,
        "response": lambda count, text: metrics_pb2.ExportMetricsServiceResponse(
            partial_success=metrics_pb2.ExportMetricsPartialSuccess(rejected_data_points=count, error_message=text)
        ),
        "method": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    },
}


@dataclass
class Route:
    """One of the six exporters, and the receiver that it sends to."""

    transport: str
    signal: str
    receiver: Any
    made: list[Any]

    @property
    def exporter_class(self) -> Any:
        module = http_exporters if self.transport == "http" else grpc_exporters
        return getattr(module, SIGNALS[self.signal]["class"])

    @property
    def endpoint(self) -> str:
        return f"{self.receiver.base}/v1/{self.signal}" if self.transport == "http" else self.receiver.url

    def exporter(self, **arguments: Any) -> Any:
        exporter = self.exporter_class(**{"endpoint": self.endpoint, "timeout": 10, **arguments})
        self.made.append(exporter)
        return exporter

    def data(self, count: int, size: int = 10) -> Any:
        return SIGNALS[self.signal]["make"](count, size)

    def encoded(self, data: Any) -> bytes:
        encoded: bytes = SIGNALS[self.signal]["encode"](data)
        return encoded

    def bodies(self) -> list[bytes]:
        return [request.body for request in self.receiver.requests]

    def item_counts(self) -> list[int]:
        """Give the number of items in each request, as protobuf reads them."""
        return [self._count(SIGNALS[self.signal]["request"].FromString(body)) for body in self.bodies()]

    def _count(self, message: Any) -> int:
        """Count the repeated field at the bottom: resources, scopes, items, and in metrics one level more."""
        levels = [message]
        names = {
            "traces": ["resource_spans", "scope_spans", "spans"],
            "logs": ["resource_logs", "scope_logs", "log_records"],
            "metrics": ["resource_metrics", "scope_metrics", "metrics"],
        }
        for name in names[self.signal]:
            levels = [child for parent in levels for child in getattr(parent, name)]
        return sum(len(metric.sum.data_points) for metric in levels) if self.signal == "metrics" else len(levels)

    def answer(self, kind: str) -> Any:
        """Give the answer of this transport that says `kind`."""
        codes = {
            "unavailable": (503, grpc.StatusCode.UNAVAILABLE),
            "refused": (400, grpc.StatusCode.INVALID_ARGUMENT),
            "too large": (413, grpc.StatusCode.RESOURCE_EXHAUSTED),
        }
        status, code = codes[kind]
        details = "grpc: received message larger than max (5 vs. 4)" if kind == "too large" else kind
        return Reply(status) if self.transport == "http" else Answer(code, details)

    def partial_success(self, rejected: int, text: str) -> Any:
        body = SIGNALS[self.signal]["response"](rejected, text).SerializeToString()
        return Reply(200, body) if self.transport == "http" else Answer(response=body)


@pytest.fixture(
    params=[(transport, signal) for transport in ("http", "grpc") for signal in SIGNALS],
    ids=lambda pair: "-".join(pair),
)
def route(request: pytest.FixtureRequest) -> Iterator[Route]:
    transport, signal = request.param
    receiver = Receiver() if transport == "http" else GRPCReceiver()
    made: list[Any] = []
    yield Route(transport, signal, receiver, made)
    for exporter in made:
        exporter._client.close()
    receiver.close()


def counted(exporter: Any) -> dict[str, int]:
    """Give the statistics that are not 0."""
    return {name: count for name, count in exporter.stats().items() if count}


def test_exporter_is_one_of_the_sdk_and_one_of_ours(route: Route) -> None:
    exporter = route.exporter()
    assert isinstance(exporter, SIGNALS[route.signal]["base"])
    assert isinstance(exporter, OTLPExporter)


def test_request_is_what_the_encoder_gives_for_the_batch(route: Route) -> None:
    exporter, data = route.exporter(), route.data(3)
    assert exporter.export(data).name == "SUCCESS"
    assert route.bodies() == [route.encoded(data)]
    assert route.item_counts() == [3]
    assert counted(exporter) == {"exported": 3}


def test_request_goes_to_the_path_or_method_of_the_signal(route: Route) -> None:
    route.exporter().export(route.data(1))
    (request,) = route.receiver.requests
    if route.transport == "http":
        assert request.path == f"/v1/{route.signal}"
    else:
        assert request.method == SIGNALS[route.signal]["method"]


def test_variables_of_the_signal_configure_the_exporter(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = f"OTEL_EXPORTER_OTLP_{route.signal.upper()}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(f"{prefix}_ENDPOINT", route.endpoint)
    monkeypatch.setenv(f"{prefix}_HEADERS", "x-signal=mine")
    monkeypatch.setenv(f"{prefix}_TIMEOUT", "7")
    monkeypatch.setenv(f"{prefix}_COMPRESSION", "gzip")
    exporter = route.exporter(endpoint=None, timeout=None)
    assert exporter.export(route.data(1)).name == "SUCCESS"
    (request,) = route.receiver.requests
    assert (request.headers if route.transport == "http" else request.metadata)["x-signal"] == "mine"
    assert exporter._settings.timeout == 7
    assert exporter._settings.compression.value == "gzip"


def test_encoded_request_is_delivered_as_it_is(route: Route) -> None:
    exporter = route.exporter()
    request = route.encoded(route.data(4))
    assert exporter.export_request(request, 4) is True
    assert route.bodies() == [request]
    assert counted(exporter) == {"exported": 4}


def test_buffer_of_an_encoder_is_delivered(route: Route) -> None:
    encoders = {
        "traces": otlp_fast.SpanEncoder,
        "logs": otlp_fast.LogEncoder,
        "metrics": otlp_fast.MetricEncoder,
    }
    encoder, data = encoders[route.signal](), route.data(2)
    for item in [data] if route.signal == "metrics" else data:
        encoder.add(item)
    with encoder.finish() as buffer:
        assert route.exporter().export_request(buffer, 2) is True
    assert route.bodies() == [route.encoded(data)]


def test_request_without_items_is_not_sent(route: Route) -> None:
    exporter = route.exporter()
    assert exporter.export_request(b"", 0) is True
    assert exporter.export(route.data(0) if route.signal != "metrics" else _no_metrics()).name == "SUCCESS"
    assert route.bodies() == []


def _no_metrics() -> Any:
    from opentelemetry.sdk.metrics.export import MetricsData

    return MetricsData(resource_metrics=[])


def test_bytes_that_are_no_request_raise_nothing_and_are_counted(
    route: Route, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = route.exporter(max_request_size=10)
    assert exporter.export_request(b"\xff" * 20, 5) is False
    assert counted(exporter) == {"failed": 5}
    assert "DecodeError" in caplog.text


@pytest.mark.parametrize("batch", [None, 7, object()])
def test_batch_that_is_none_raises_nothing(route: Route, batch: object, caplog: pytest.LogCaptureFixture) -> None:
    assert route.exporter().export(batch).name == "FAILURE"
    assert route.bodies() == []
    assert "Failed to export" in caplog.text


def test_unavailable_receiver_is_tried_again_with_the_same_bytes(route: Route) -> None:
    exporter = route.exporter(compression="gzip")
    route.receiver.script(route.answer("unavailable"), route.answer("unavailable"))
    assert exporter.export(route.data(3)).name == "SUCCESS"
    assert len(route.bodies()) == 3
    assert len(set(route.bodies())) == 1
    assert counted(exporter) == {"exported": 3}


def test_refusal_is_a_failure_without_another_try(route: Route, caplog: pytest.LogCaptureFixture) -> None:
    exporter = route.exporter()
    route.receiver.always(route.answer("refused"))
    assert exporter.export(route.data(3)).name == "FAILURE"
    assert len(route.bodies()) == 1
    assert counted(exporter) == {"failed": 3}
    nouns = {"traces": "spans", "logs": "log records", "metrics": "metric data points"}
    assert f"Failed to export 3 of 3 {nouns[route.signal]} to " in caplog.text


def test_request_over_the_size_limit_is_cut_before_it_is_sent(route: Route) -> None:
    data = route.data(12, size=500)
    limit = len(route.encoded(data)) // 3
    exporter = route.exporter(max_request_size=limit)
    assert exporter.export(data).name == "SUCCESS"
    assert 3 <= len(route.bodies()) <= 5
    assert all(len(body) <= limit for body in route.bodies())
    assert sum(route.item_counts()) == 12
    assert counted(exporter) == {"exported": 12}


def test_size_refusal_is_halved_down_to_single_items(route: Route) -> None:
    exporter = route.exporter()
    too_large, fine = route.answer("too large"), Reply() if route.transport == "http" else Answer()
    route.receiver.script(too_large, fine, too_large, too_large, fine)
    assert exporter.export(route.data(4)).name == "FAILURE"
    assert route.item_counts() == [4, 2, 2, 1, 1]
    assert counted(exporter) == {"exported": 3, "too_large": 1}


def test_parts_after_an_unavailable_receiver_are_not_tried(route: Route) -> None:
    exporter = route.exporter(max_request_size=len(route.encoded(route.data(2, size=500))), timeout=0.3)
    gone = Reply(503, headers={"Retry-After": "60"}) if route.transport == "http" else route.answer("unavailable")
    route.receiver.script(Reply() if route.transport == "http" else Answer())
    route.receiver.always(gone)
    assert exporter.export(route.data(8, size=500)).name == "FAILURE"
    delivered, *refused = route.bodies()
    assert len(set(refused)) == 1, "only one part is tried, again and again"
    assert delivered not in refused
    stats = counted(exporter)
    assert stats["exported"] + stats["failed"] == 8


@pytest.mark.parametrize(("rejected", "lost"), [(2, 2), (1000, 3)])
def test_partial_success_is_counted_and_not_retried(
    route: Route, rejected: int, lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = route.exporter()
    route.receiver.script(route.partial_success(rejected, "too old"))
    assert exporter.export(route.data(3)).name == "FAILURE"
    assert len(route.bodies()) == 1
    assert counted(exporter) == {name: n for name, n in (("exported", 3 - lost), ("rejected_by_receiver", lost)) if n}
    assert "rejected by the receiver: too old" in caplog.text


def test_message_without_rejection_is_one_warning(route: Route, caplog: pytest.LogCaptureFixture) -> None:
    exporter = route.exporter()
    route.receiver.always(route.partial_success(0, "use the new endpoint"))
    for _ in range(3):
        assert exporter.export(route.data(1)).name == "SUCCESS"
    assert caplog.text.count("use the new endpoint") == 1


def test_exporter_that_was_shut_down_counts_what_it_is_given(route: Route, caplog: pytest.LogCaptureFixture) -> None:
    exporter = route.exporter()
    exporter.shutdown()
    assert exporter.export(route.data(2)).name == "FAILURE"
    assert exporter.export_request(route.encoded(route.data(3)), 3) is False
    assert counted(exporter) == {"after_shutdown": 5}
    assert route.bodies() == []
    assert "Exporter already shutdown, ignoring batch" in caplog.text
    exporter.shutdown()
    assert "Exporter already shutdown, ignoring call" in caplog.text
    assert exporter.force_flush() is True


def test_timeout_of_a_call_shortens_that_of_the_exporter(route: Route) -> None:
    exporter = route.exporter(timeout=30)
    slow = Reply(200, delay=20) if route.transport == "http" else Answer(delay=20)
    route.receiver.always(slow)
    assert exporter.export_request(route.encoded(route.data(1)), 1, timeout=0.3) is False
    assert counted(exporter) == {"failed": 1}


def test_sdk_delivers_through_the_exporter(route: Route) -> None:
    exporter = route.exporter()
    if route.signal == "traces":
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(BatchSpanProcessor(exporter))
        for _ in range(5):
            tracers.get_tracer("t").start_span("span").end()
        tracers.shutdown()
    elif route.signal == "logs":
        loggers = LoggerProvider(shutdown_on_exit=False)
        loggers.add_log_record_processor(BatchLogRecordProcessor(exporter))
        for _ in range(5):
            loggers.get_logger("t").emit(body="text")
        loggers.shutdown()
    else:
        meters = MeterProvider([PeriodicExportingMetricReader(exporter)], shutdown_on_exit=False)
        for number in range(5):
            meters.get_meter("t").create_counter("c").add(1, {"n": number})
        meters.shutdown()
    assert counted(exporter) == {"exported": 5}
    assert sum(route.item_counts()) == 5


def official(transport: str, signal: str) -> Any:
    modules = {"traces": "trace_exporter", "logs": "_log_exporter", "metrics": "metric_exporter"}
    module = pytest.importorskip(f"opentelemetry.exporter.otlp.proto.{transport}.{modules[signal]}")
    return getattr(module, SIGNALS[signal]["class"])


def test_constructor_takes_what_the_official_one_takes_in_its_order(route: Route) -> None:
    theirs = inspect.signature(official(route.transport, route.signal)).parameters.values()
    ours = inspect.signature(route.exporter_class).parameters.values()

    def named(parameters: Any, kind: Any) -> list[str]:
        return [p.name for p in parameters if p.kind is kind and not p.name.startswith("_")]

    positional, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    assert named(ours, positional) == named(theirs, positional)
    assert set(named(ours, keyword)) >= set(named(theirs, keyword))


def test_request_equals_that_of_the_official_exporter(route: Route) -> None:
    data = route.data(5)
    route.exporter().export(data)
    theirs = official(route.transport, route.signal)(endpoint=route.endpoint)
    assert theirs.export(data).name == "SUCCESS"
    theirs.shutdown()
    ours, official_body = route.bodies()
    assert ours == official_body


def own_metrics(reader: InMemoryMetricReader) -> dict[str, Any]:
    """Give unit, kind and data points of every metric about an exporter, without the number in its name."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        metric.name: (
            metric.unit,
            metric.description,
            type(metric.data),
            [
                (
                    point.value if hasattr(point, "value") else point.count,
                    {name: value for name, value in point.attributes.items() if name != "otel.component.name"},
                )
                for point in metric.data.data_points
            ],
        )
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_metrics_about_a_success_equal_those_of_the_official_exporter(
    route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.common._exporter_metrics")
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    readers = [InMemoryMetricReader(), InMemoryMetricReader()]
    providers = [MeterProvider([reader], shutdown_on_exit=False) for reader in readers]
    data = route.data(3)
    route.exporter(meter_provider=providers[0]).export(data)
    theirs = official(route.transport, route.signal)(endpoint=route.endpoint, meter_provider=providers[1])
    theirs.export(data)
    theirs.shutdown()
    ours, official_metrics = map(own_metrics, readers)
    names = {"traces": "span", "logs": "log", "metrics": "metric_data_point"}
    assert ours[f"otel.sdk.exporter.{names[route.signal]}.exported"][3][0][0] == 3
    assert ours == {name: official_metrics[name] for name in ours}


def test_metrics_about_a_failure_name_the_status(route: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    reader = InMemoryMetricReader()
    route.receiver.always(route.answer("refused"))
    exporter = route.exporter(meter_provider=MeterProvider([reader], shutdown_on_exit=False))
    exporter.export(route.data(3))
    metrics = own_metrics(reader)
    ((_, attributes),) = metrics["otel.sdk.exporter.operation.duration"][3]
    if route.transport == "http":
        assert (attributes["error.type"], attributes["http.response.status_code"]) == ("400", 400)
    else:
        assert (attributes["error.type"], attributes["rpc.response.status_code"]) == ("INVALID_ARGUMENT",) * 2


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_entry_point_gives_the_exporter(transport: str, signal: str) -> None:
    (entry_point,) = entry_points(group=f"opentelemetry_{signal}_exporter", name=f"otlp_fast_{transport}")
    module = http_exporters if transport == "http" else grpc_exporters
    assert entry_point.load() is getattr(module, SIGNALS[signal]["class"])


@pytest.mark.usefixtures("unmeasured_children")
@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("otlp_fast.exporter.grpc", ("urllib3", "requests", "google.protobuf", "numpy", "sqlite3")),
        ("otlp_fast.exporter.http", ("grpc", "requests", "google.protobuf", "numpy", "sqlite3")),
    ],
)
def test_transport_does_not_import_the_other_ones_dependencies(module: str, unwanted: tuple[str, ...]) -> None:
    program = f"import sys, {module}; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
