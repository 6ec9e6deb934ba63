"""A Collector that is killed twice under load and comes back: sent = received + counted as dropped.

The Collector writes what it acknowledges before it does so (`Collector.writes_at_once`), so the equation is exact:
whatever the sender counts as exported is in the file, after a SIGKILL too. What was written but not acknowledged when
the Collector died is sent again, and so is there twice: only what was on its way at that moment can be.

What is dropped here is dropped where it is known never to have been sent: at the full queue of the processor, while
the exporter is busy with an outage. With a spool nothing is. Metrics have no queue: who records them waits here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider

from otlp_fast.exporter import retry
from otlp_fast.processor import BatchLogRecordProcessor, BatchSpanProcessor
from tests.interop.conftest import MakeCollector, MakeGateway
from tests.interop.peer import Collector, free_ports
from tests.interop.sending import exporter_to
from tests.request_items import messages_of

KILLS = 2
BATCH = 20
QUEUE = 400
DEADLINE_SECONDS = 60


class Load:
    """Items that a thread makes without end, each with a number, through a processor or the reader of metrics."""

    def __init__(self, signal: str, exporter: Any, max_queue_size: int = QUEUE) -> None:
        limits = {"max_queue_size": max_queue_size, "max_export_batch_size": BATCH, "schedule_delay_millis": 10}
        self.signal, self.exporter, self.made = signal, exporter, 0
        self.processor: Any = None
        if signal == "metrics":
            self._make = self._recorder()
        elif signal == "traces":
            self.processor = BatchSpanProcessor(exporter, **limits)
            tracer_provider = TracerProvider(shutdown_on_exit=False)
            tracer_provider.add_span_processor(self.processor)
            tracer = tracer_provider.get_tracer("load")
            self._make = lambda number: tracer.start_span(f"{number}").end()
        else:
            self.processor = BatchLogRecordProcessor(exporter, **limits)
            logger_provider = LoggerProvider(shutdown_on_exit=False)
            logger_provider.add_log_record_processor(self.processor)
            logger = logger_provider.get_logger("load")
            self._make = lambda number: logger.emit(body=f"{number}")

    def _recorder(self) -> Callable[[int], Any]:
        reader = PeriodicExportingMetricReader(self.exporter, export_interval_millis=3_600_000)
        provider = MeterProvider([reader], shutdown_on_exit=False)
        gauge = provider.get_meter("load").create_gauge("number")

        def record(number: int) -> None:
            gauge.set(number)
            reader.collect(DEADLINE_SECONDS * 1000)

        return record

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make items for as long as the context lasts, and then end everything in good order."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(0.005):
                for _ in range(5):
                    self._make(self.made)
                    self.made += 1

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @property
    def dropped(self) -> int:
        return int(self.processor.stats()["dropped_queue_full"]) if self.processor else 0

    @property
    def exported(self) -> int:
        stats = self.exporter.stats()
        return int(stats["exported"] + stats["sent_from_spool"])

    def wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < end, f"it never came to that: {self.exporter.stats()} {self.dropped=}"
            time.sleep(0.01)

    def wait_for_exports(self) -> None:
        """Wait until some more items were exported, which shows that items flow."""
        enough = self.exported + 5 * BATCH
        self.wait(lambda: self.exported >= enough)

    def end(self) -> None:
        """Send what waits, in the spool as well, and shut down."""
        if self.processor:
            self.wait(lambda: bool(self.processor.force_flush(1000)))
            self.processor.shutdown()
        else:
            self.wait(lambda: bool(self.exporter.drain_spool(1)))
            self.exporter.shutdown()


def arrivals(signal: str, collector: Collector) -> Counter[int]:
    """How often each number is in what the Collector wrote."""
    items = (item for request in collector.written(signal) for item in messages_of(request, signal))
    if signal == "metrics":
        return Counter(point.as_int for metric in items for point in metric.gauge.data_points)
    return Counter(int(item.name if signal == "traces" else item.body.string_value) for item in items)


def outage(load: Load, kill: Callable[[], Any], start: Callable[[], Any], consequence: Callable[[], int]) -> None:
    """Kill what takes the items while they flow, start it again when that was felt, and see them flow again."""
    load.wait_for_exports()
    before = consequence()
    kill()
    load.wait(lambda: consequence() > before)
    start()
    load.wait_for_exports()


def check(load: Load, collector: Collector) -> None:
    """End everything in good order, and hold what was made against what was written and what was counted."""
    load.end()
    collector.stop()
    received = arrivals(load.signal, collector)
    assert received.keys() <= set(range(load.made))
    assert load.made == len(received) + load.dropped
    assert load.exported == len(received)
    assert set(received.values()) <= {1, 2}
    assert received.total() - len(received) <= KILLS * BATCH


@pytest.fixture(autouse=True)
def retries_outlast_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits for the retries of a request are together as long as a Collector may take to be back."""
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.5)


@pytest.mark.parametrize(
    ("transport", "signal", "compression"),
    [("http", "traces", "none"), ("http", "logs", "zstd"), ("grpc", "traces", "none"), ("grpc", "logs", "gzip")],
)
def test_what_the_queue_cannot_hold_during_an_outage_is_all_that_is_lost(
    make_collector: MakeCollector, transport: str, signal: str, compression: str
) -> None:
    collector = make_collector()
    load = Load(signal, exporter_to(collector, transport, signal, compression=compression, timeout=60))
    with load.running():
        for _ in range(KILLS):
            outage(load, collector.kill, collector.start, lambda: load.dropped)
    assert load.dropped >= KILLS
    check(load, collector)


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_no_data_point_is_lost_where_the_collector_is_back_in_time(
    make_collector: MakeCollector, caplog: pytest.LogCaptureFixture, transport: str
) -> None:
    collector = make_collector()
    load = Load("metrics", exporter_to(collector, transport, "metrics", timeout=60))
    with load.running():
        for _ in range(KILLS):
            outage(load, collector.kill, collector.start, lambda: caplog.text.count("Transient error"))
    check(load, collector)
    assert load.exported == load.made


@pytest.mark.parametrize(("transport", "signal"), [("http", "traces"), ("grpc", "traces"), ("http", "metrics")])
def test_nothing_is_lost_with_a_spool(
    make_collector: MakeCollector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transport: str, signal: str
) -> None:
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 0.02)
    collector = make_collector()
    exporter = exporter_to(collector, transport, signal, timeout=60, spool_dir=tmp_path / "spool")
    load = Load(signal, exporter, 100_000)
    with load.running():
        for _ in range(KILLS):
            outage(load, collector.kill, collector.start, lambda: int(exporter.stats()["spooled"]))
    check(load, collector)
    assert load.exported == load.made
    assert exporter.stats()["sent_from_spool"] == exporter.stats()["spooled"] > 0


@pytest.mark.parametrize(("signal", "compression"), [("traces", "tracezip"), ("logs", "zstd")])
def test_through_a_gateway_that_is_killed_as_well(
    make_collector: MakeCollector, make_gateway: MakeGateway, signal: str, compression: str
) -> None:
    collector = make_collector()
    listen = f"127.0.0.1:{free_ports(1)[0]}"
    gateway = make_gateway(collector.http, "--listen", listen)
    exporter = exporter_to(gateway, "http", signal, compression=compression, timeout=60)
    load = Load(signal, exporter)

    def kill_both() -> None:
        collector.kill()
        gateway.process.kill()
        gateway.process.wait()

    def start_both() -> None:
        collector.start()
        make_gateway(collector.http, "--listen", listen)

    with load.running():
        outage(load, collector.kill, collector.start, lambda: load.dropped)
        outage(load, kill_both, start_both, lambda: load.dropped)
    check(load, collector)
    if compression == "tracezip":
        stats = exporter.stats()
        # The first frame, and the one that met a gateway that knew nothing of it.
        assert stats["tracezip_resets"] >= 2
        assert stats["tracezip_fallbacks"] == 0
