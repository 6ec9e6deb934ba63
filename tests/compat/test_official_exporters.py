"""`use_in_official_exporters`: the same bytes on the wire, the way back, and hands off what is not known."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http import (
    _log_exporter,
    metric_exporter,
    trace_exporter,
)
from opentelemetry.exporter.otlp.proto.http import version as version_module
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import otlp_fast
from otlp_fast.compat import use_in_official_exporters
from tests.compat.official import RELEASE, SHOWN
from tests.compat.official_exporter_check import COUNTERS, EXPORTERS, RECORD, Request, receiver, record_metrics
from tests.compat.spans import make_span

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")

CHECK = Path(__file__).with_name("official_exporter_check.py")
ALL = ("traces", "logs", "metrics")
ENCODE = {
    "traces": (trace_exporter, "encode_spans"),
    "logs": (_log_exporter, "encode_logs"),
    "metrics": (metric_exporter, "encode_metrics"),
}
OFFICIAL = {signal: getattr(module, name) for signal, (module, name) in ENCODE.items()}


def swapped() -> tuple[str, ...]:
    """The signals whose exporters do not call the official encoder."""
    return tuple(signal for signal, (module, name) in ENCODE.items() if getattr(module, name) is not OFFICIAL[signal])


def since(*release: int) -> pytest.MarkDecorator:
    """Marks a test of what the official exporters do from this release on."""
    name = ".".join(map(str, release))
    return pytest.mark.skipif(release > RELEASE, reason=f"the official exporters do this since {name}")


def outcome(exporter: Any, items: Any) -> str:
    """What becomes of an export; older releases raise where later ones fail."""
    try:
        return str(exporter.export(items).name)
    except (AttributeError, ValueError):
        assert RELEASE < SHOWN
        return "FAILURE"


@pytest.fixture(autouse=True)
def everything_is_given_back() -> Iterator[None]:
    yield
    assert swapped() == ()


@pytest.fixture
def wire() -> Iterator[tuple[str, list[Request]]]:
    with receiver() as running:
        yield running


# --- On the wire


@pytest.mark.parametrize("signal", ALL)
@pytest.mark.parametrize("is_made_before", [True, False])
def test_requests_are_those_of_the_official_exporter(
    signal: str, is_made_before: bool, wire: tuple[str, list[Request]]
) -> None:
    address, received = wire
    items = RECORD[signal]()
    exporter = EXPORTERS[signal](endpoint=f"{address}/v1/{signal}")
    assert exporter.export(items).name == "SUCCESS"
    before = otlp_fast.encode_stats()[COUNTERS[signal]]
    with use_in_official_exporters():
        if not is_made_before:
            exporter = EXPORTERS[signal](endpoint=f"{address}/v1/{signal}")
        assert exporter.export(items).name == "SUCCESS"
    assert otlp_fast.encode_stats()[COUNTERS[signal]] > before
    assert exporter.export(items).name == "SUCCESS"
    official, fast, again = received
    assert len(official[2]) > 100
    assert official == fast == again


@since(1, 41)
@pytest.mark.parametrize("max_export_batch_size", [1, 3, 100])
def test_metrics_are_split_as_before(max_export_batch_size: int, wire: tuple[str, list[Request]]) -> None:
    address, received = wire
    metrics = record_metrics()
    exporter = OTLPMetricExporter(f"{address}/v1/metrics", max_export_batch_size=max_export_batch_size)
    exporter.export(metrics)
    official = list(received)
    received.clear()
    with use_in_official_exporters():
        exporter.export(metrics)
    assert received == official
    assert (len(received) == 1) == (max_export_batch_size == 100)


def exported_data_points(reader: InMemoryMetricReader) -> list[Any]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = data.resource_metrics[0].scope_metrics[0].metrics
    (exported,) = [metric for metric in metrics if metric.name == "otel.sdk.exporter.metric_data_point.exported"]
    return [(point.attributes["otel.component.type"], point.value) for point in exported.data.data_points]


@since(1, 42)
def test_exporters_own_metrics_count_as_before(
    wire: tuple[str, list[Request]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED", "true")
    address, _ = wire
    counts = []
    metrics = record_metrics()
    for is_fast in (False, True):
        reader = InMemoryMetricReader()
        provider = MeterProvider([reader])
        exporter = OTLPMetricExporter(f"{address}/v1/metrics", meter_provider=provider)
        handle = use_in_official_exporters() if is_fast else None
        exporter.export(metrics)
        if handle is not None:
            handle.undo()
        counts.append(exported_data_points(reader))
        provider.shutdown()
    assert counts[0] == counts[1] == [("otlp_http_metric_exporter", 10)]


def test_span_that_costs_the_official_exporter_its_batch_is_sent(
    wire: tuple[str, list[Request]], caplog: pytest.LogCaptureFixture
) -> None:
    address, received = wire
    exporter = OTLPSpanExporter(f"{address}/v1/traces")
    spans = [make_span(), make_span(start_time=-1)]
    assert outcome(exporter, spans) == "FAILURE"
    with use_in_official_exporters():
        assert exporter.export(spans).name == "SUCCESS"
    ((_, _, body),) = received
    assert body == otlp_fast.encode_spans(spans)


def test_batch_that_is_refused_ends_as_before(
    wire: tuple[str, list[Request]], caplog: pytest.LogCaptureFixture
) -> None:
    address, received = wire
    exporter = OTLPSpanExporter(f"{address}/v1/traces")
    spans: list[Any] = [make_span(), "not a span"]
    assert outcome(exporter, spans) == "FAILURE"
    official_lines = [record.getMessage() for record in caplog.records]
    assert official_lines or RELEASE < SHOWN
    caplog.clear()
    with use_in_official_exporters():
        assert outcome(exporter, spans) == "FAILURE"
    assert [record.getMessage() for record in caplog.records] == official_lines
    assert received == []


# --- The way back


def test_handle_names_what_is_swapped_and_undo_gives_it_back() -> None:
    handle = use_in_official_exporters()
    assert handle.signals == swapped() == ALL
    handle.undo()
    assert swapped() == ()
    handle.undo()
    assert swapped() == ()


def test_repeated_use_holds_until_each_is_undone() -> None:
    first, second = use_in_official_exporters(), use_in_official_exporters()
    replacement = trace_exporter.encode_spans
    assert first.signals == second.signals == ALL
    first.undo()
    first.undo()
    assert trace_exporter.encode_spans is replacement
    second.undo()
    assert swapped() == ()


def test_nested_use_is_undone_by_the_outermost() -> None:
    with use_in_official_exporters() as outer:
        with use_in_official_exporters() as inner:
            assert inner.signals == ALL
        assert outer.signals == swapped() == ALL


def test_nothing_but_the_exporters_name_for_the_encoder_is_swapped() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("opentelemetry.exporter")]
    assert len(modules) > 10
    before = {(module.__name__, name): id(value) for module in modules for name, value in vars(module).items()}
    with use_in_official_exporters():
        now = {(module.__name__, name): id(value) for module in modules for name, value in vars(module).items()}
    assert {place for place in before | now if before.get(place) != now.get(place)} == {
        (module.__name__, name) for module, name in ENCODE.values()
    }


def test_function_that_someone_put_over_ours_stays() -> None:
    first = use_in_official_exporters()
    trace_exporter.encode_spans = theirs = OFFICIAL["logs"]
    second = use_in_official_exporters()
    assert second.signals == ("logs", "metrics")
    first.undo()
    assert trace_exporter.encode_spans is theirs
    second.undo()
    assert swapped() == ("traces",)
    trace_exporter.encode_spans = OFFICIAL["traces"]


def test_swap_is_made_again_where_the_module_was_reset() -> None:
    handle = use_in_official_exporters()
    trace_exporter.encode_spans = OFFICIAL["traces"]
    again = use_in_official_exporters()
    assert again.signals == swapped() == ALL
    handle.undo()
    assert swapped() == ALL
    again.undo()


# --- What is not known


@pytest.mark.parametrize("version", ["1.26.0", "1.46.0", "1.46.0.dev0", "2.30.0", "0.48b0", "unknown", ""])
def test_unknown_release_is_left_alone_with_a_warning(
    version: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(version_module, "__version__", version)
    with use_in_official_exporters() as handle:
        assert handle.signals == swapped() == ()
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"opentelemetry-exporter-otlp-proto-http {version} is not a release that otlp-fast" in line
    assert "(1.27 to 1.45): the official encoders stay in use" in line


class NotUsingTheEncoder:
    """An exporter of another shape: it names the encoder, but takes no bytes from what that gives."""

    def export(self, spans: Any) -> Any:
        return trace_exporter.encode_spans(spans)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("encode_spans", lambda spans: None, "encode_spans is not the official function"),
        ("OTLPSpanExporter", NotUsingTheEncoder, "OTLPSpanExporter does not serialise what encode_spans gives"),
    ],
)
def test_module_of_another_shape_is_left_alone_with_a_warning(
    name: str, value: Any, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(trace_exporter, name, value)
        with use_in_official_exporters() as handle:
            assert handle.signals == ("logs", "metrics")
            assert getattr(trace_exporter, name) is value
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"trace_exporter is not as otlp-fast knows it: {reason}; the official encoder stays in use" in line


def test_encoder_that_gives_something_else_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def encode_spans(spans: Any) -> Any:
        return [spans]

    with monkeypatch.context() as patch:
        patch.setattr(trace_exporter, "encode_spans", encode_spans)
        patch.setattr(
            import_module("opentelemetry.exporter.otlp.proto.common.trace_encoder"), "encode_spans", encode_spans
        )
        with use_in_official_exporters() as handle:
            assert handle.signals == ("logs", "metrics")
    assert "'list' object has no attribute 'SerializeToString'" in caplog.text


def hide(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    for module in modules:
        monkeypatch.setitem(sys.modules, module.__name__, None)


def test_signal_whose_exporter_is_missing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hide(monkeypatch, _log_exporter)
    with use_in_official_exporters() as handle:
        assert handle.signals == ("traces", "metrics")
    assert caplog.records == []


def test_no_exporter_at_all_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, trace_exporter, _log_exporter, metric_exporter)
    with pytest.raises(ImportError, match="opentelemetry-exporter-otlp-proto-http"):
        use_in_official_exporters()


def test_import_of_the_module_loads_no_exporter() -> None:
    script = "import sys, otlp_fast.compat; print([name for name in sys.modules if name.startswith(('opent', 'goo'))])"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "[]\n"


# --- Other releases


@pytest.mark.installs
@pytest.mark.parametrize("release", ["1.27.0", "1.36.0", "1.42.1"])
def test_older_release_sends_the_same_bytes(release: str, tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]
    package = f"opentelemetry-exporter-otlp-proto-http=={release}"
    subprocess.run([*install, str(tmp_path), package], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run([sys.executable, str(CHECK)], env=environment, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["release"] == release
    assert report["signals"] == list(ALL)
    assert report["same_as_official"] == dict.fromkeys(ALL, True)
