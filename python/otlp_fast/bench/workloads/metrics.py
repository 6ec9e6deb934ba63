"""Metrics: five workloads.

A workload is a `MetricsData` as a `MetricReader` collects it from a real `MeterProvider`, with the SDK's own
aggregations. Only its times are put in afterwards: the SDK reads the clock and takes none from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import Histogram, MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, Metric, MetricsData
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View

from otlp_fast.bench.batch import Batch
from otlp_fast.bench.workloads.shop import request_attributes, service
from otlp_fast.bench.workloads.workload import FIRST_TIME_NS, Seeded, Workload, fresh, within

DURATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Of `http.server.request.duration`, in seconds, as the semantic conventions advise."""

STATUSES = (200, 201, 204, 304, 400, 404, 409, 500)

COLLECTED_NS = FIRST_TIME_NS + 60_000_000_000
"""When everything was collected: a minute after the start."""


class MetricRecorder(Seeded):
    """Collects what the instruments of its meters have recorded."""

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self._readers: list[InMemoryMetricReader] = []

    def meter(self, service_name: str, scope: str, views: Sequence[View] = ()) -> Meter:
        """Give a meter whose metrics end up here."""
        reader = InMemoryMetricReader()
        self._readers.append(reader)
        provider = MeterProvider(
            metric_readers=[reader],
            resource=service(service_name),
            exemplar_filter=TraceBasedExemplarFilter(),
            views=views,
            shutdown_on_exit=False,
        )
        return provider.get_meter(scope, "0.66b0")

    def batches(self, number: int) -> list[Batch]:
        """Collect once: all data points are one batch."""
        assert number == 1
        collected = [data for reader in self._readers if (data := reader.get_metrics_data()) is not None]
        resource_metrics = [
            replace(
                resource_metrics,
                scope_metrics=[
                    replace(scope_metrics, metrics=[self.dated(metric) for metric in scope_metrics.metrics])
                    for scope_metrics in resource_metrics.scope_metrics
                ],
            )
            for data in collected
            for resource_metrics in data.resource_metrics
        ]
        content = MetricsData(resource_metrics=resource_metrics)
        return [Batch(content, data_points(content))]

    def dated(self, metric: Metric) -> Metric:
        """Give a metric with times that are the same in every run."""
        points: list[Any] = [
            replace(
                point,
                start_time_unix_nano=None if point.start_time_unix_nano is None else FIRST_TIME_NS,
                time_unix_nano=COLLECTED_NS,
                exemplars=[replace(exemplar, time_unix_nano=self.moment()) for exemplar in point.exemplars],
            )
            for point in metric.data.data_points
        ]
        return replace(metric, data=replace(metric.data, data_points=points))  # type: ignore[arg-type]

    def series(self, count: int) -> Iterable[dict[str, Any]]:
        """Give the attributes of so many series of HTTP requests, no two alike."""
        for index in range(count):
            _, request = request_attributes(self)
            yield {
                "http.request.method": request["http.request.method"],
                "url.scheme": request["url.scheme"],
                "http.route": f"/v{index // len(STATUSES)}{request['http.route']}",
                "http.response.status_code": STATUSES[index % len(STATUSES)],
            }

    def seconds(self) -> Iterable[float]:
        """Give how long a few requests took."""
        return [self.random.lognormvariate(-3.0, 1.2) for _ in range(self.random.randrange(4, 24))]


def data_points(data: MetricsData) -> int:
    """Count the data points."""
    return sum(
        len(metric.data.data_points)
        for resource_metrics in data.resource_metrics
        for scope_metrics in resource_metrics.scope_metrics
        for metric in scope_metrics.metrics
    )


def fill_histograms(recorder: MetricRecorder, count: int) -> None:
    """Fill `recorder` with `http.server.request.duration`, recorded outside of any trace."""
    fill_durations(recorder, count, traced=False)


def fill_exemplars(recorder: MetricRecorder, count: int) -> None:
    """Fill `recorder` with the same, recorded within sampled spans: most buckets that have a count have an exemplar."""
    fill_durations(recorder, count, traced=True)


def fill_durations(recorder: MetricRecorder, count: int, *, traced: bool) -> None:
    """Fill `recorder` with durations of requests."""
    duration = recorder.meter("storefront", "opentelemetry.instrumentation.flask").create_histogram(
        "http.server.request.duration",
        unit="s",
        description="Duration of HTTP server requests.",
        explicit_bucket_boundaries_advisory=DURATION_BOUNDS,
    )
    for attributes in recorder.series(count):
        for seconds in recorder.seconds():
            duration.record(seconds, attributes, within(recorder.elsewhere(remote=False) if traced else None))


def fill_exponential(recorder: MetricRecorder, count: int) -> None:
    """Fill `recorder` with the same durations in exponential histograms."""
    view = View(instrument_type=Histogram, aggregation=ExponentialBucketHistogramAggregation())
    duration = recorder.meter("storefront", "opentelemetry.instrumentation.flask", [view]).create_histogram(
        "http.server.request.duration", unit="s", description="Duration of HTTP server requests."
    )
    for attributes in recorder.series(count):
        for seconds in recorder.seconds():
            duration.record(seconds, attributes, within(None))


def fill_counters(recorder: MetricRecorder, count: int) -> None:
    """Fill `recorder` with sixteen counters, every fourth of them of floats."""
    meter = recorder.meter("orders", "shop.orders")
    counters = [
        meter.create_counter(f"shop.orders.{name}", unit="1", description=f"Orders that were {name}.")
        for name in (
            *("placed", "paid", "packed", "shipped", "delivered", "returned", "refunded", "cancelled"),
            *("declined", "retried", "held", "released", "split", "merged", "audited", "archived"),
        )
    ]
    for index in range(count):
        number, series = index % len(counters), index // len(counters)
        attributes = {
            "shop.tenant": f"tenant-{series:03}",
            "shop.currency": fresh(recorder.random.choice(("EUR", "USD", "JPY"))),
            "shop.channel": fresh(recorder.random.choice(("web", "app", "store"))),
        }
        amount = recorder.random.random() * 1e4 if number % 4 == 0 else recorder.random.randrange(1_000_000)
        counters[number].add(amount, attributes, within(None))


def fill_gauges(recorder: MetricRecorder, count: int) -> None:
    """Fill `recorder` with observable gauges of a host, eight series each, by turns of floats and of integers."""
    meter = recorder.meter("host-agent", "opentelemetry.instrumentation.system_metrics")
    for number in range(-(-count // 8)):
        observations = [
            Observation(
                recorder.random.random() if number % 2 else recorder.random.randrange(10**12),
                {"system.device": f"disk{number}p{partition}", "system.state": fresh("used")},
            )
            for partition in range(min(8, count - 8 * number))
        ]

        def observe(options: CallbackOptions, observations: list[Observation] = observations) -> Iterable[Observation]:
            return observations

        meter.create_observable_gauge(
            f"system.filesystem.usage.{number}", [observe], unit="By", description="Space in use, by partition."
        )


WORKLOADS = tuple(
    Workload("metrics", name, description, MetricRecorder, fill)
    for name, description, fill in (
        ("histograms", "14 bounds, 4 attributes", fill_histograms),
        ("exemplars", "the same, each with some exemplars", fill_exemplars),
        ("exponential", "exponential histograms, 4 attributes", fill_exponential),
        ("counters", "16 sums, 3 attributes", fill_counters),
        ("gauges", "gauges of 8 series each, 2 attributes", fill_gauges),
    )
)
