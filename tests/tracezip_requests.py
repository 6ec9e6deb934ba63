"""Requests as services make them: what repeats, counts up, comes again and is new, from a seed."""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

START = 1_700_000_000_000_000_000
ROUTES = ["/cart", "/checkout", "/product/{id}", "/currency"]


class Service:
    """A service that is observed: each call of a method is its next request to a receiver."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = START + self.random.randrange(10**15)
        # Some clocks tick in microseconds, and one in milliseconds.
        self.tick = self.random.choice([1, 1_000, 1_000_000])
        self.parents: list[tuple[bytes, bytes]] = []
        self.counts = [0] * 8

    def request(self, signal: str, items: int) -> bytes:
        request: Any = {"traces": self._traces, "logs": self._logs, "metrics": self._metrics}[signal](items)
        data: bytes = request.SerializeToString()
        return data

    def _time(self) -> int:
        self.now += self.random.randrange(10**8)
        return self.now - self.now % self.tick

    def _attributes(self, target: Any) -> None:
        random = self.random
        target.add(key="http.route").value.string_value = random.choice(ROUTES)
        target.add(key="http.status_code").value.int_value = random.choice([200, 200, 200, 404, 500])
        if random.random() < 0.3:
            target.add(key="user.id").value.string_value = str(uuid.UUID(int=random.getrandbits(128)))
        if random.random() < 0.3:
            target.add(key="ratio").value.double_value = random.choice(
                [0.25, -0.0, random.random(), random.randrange(9)]
            )
        if random.random() < 0.3:
            url = (
                f"http://shop-{random.randrange(30):04}/item/{random.randrange(10**6)}?s={random.getrandbits(64):016x}"
            )
            target.add(key="url").value.string_value = url
        if random.random() < 0.2:
            target.add(key="size").value.int_value = random.randrange(
                -(2 ** random.randrange(64)), 2 ** random.randrange(64)
            )
        if random.random() < 0.1:
            values = target.add(key="tags").value.array_value.values
            for _ in range(random.randrange(4)):
                values.add(string_value=random.choice(ROUTES))
        if random.random() < 0.05:
            target.add(key=f"rare.{random.randrange(1000)}").value.bytes_value = random.randbytes(random.randrange(80))

    def _envelope(self, groups: Any, scopes: str) -> Any:
        group = groups.add(schema_url="https://opentelemetry.io/schemas/1.21.0")
        group.resource.attributes.add(key="service.name").value.string_value = "shop"
        scope = getattr(group, scopes).add()
        scope.scope.name = self.random.choice(["http", "db"])
        return scope

    def _traces(self, items: int) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        scope = self._envelope(request.resource_spans, "scope_spans")
        random = self.random
        for _ in range(items):
            # Children come before their parents, whose ids are known by then.
            trace_id, span_id = random.randbytes(16), random.randbytes(8)
            if self.parents and random.random() < 0.6:
                trace_id, span_id = self.parents.pop(random.randrange(len(self.parents)))
            span = scope.spans.add(
                trace_id=trace_id, span_id=span_id, name=random.choice(ROUTES), kind=random.choice([2, 3])
            )
            if random.random() < 0.7:
                span.parent_span_id = random.randbytes(8)
                self.parents.append((trace_id, span.parent_span_id))
            span.start_time_unix_nano = self._time()
            span.end_time_unix_nano = span.start_time_unix_nano + random.choice([5, 5_000, 7_000_000]) * self.tick
            self._attributes(span.attributes)
            for _ in range(random.choice([0, 0, 1, 3])):
                event = span.events.add(
                    time_unix_nano=span.start_time_unix_nano + random.randrange(9), name="exception"
                )
                self._attributes(event.attributes)
            if random.random() < 0.1:
                span.links.add(trace_id=trace_id, span_id=random.choice([span_id, random.randbytes(8)]))
            if random.random() < 0.1:
                span.status.message = random.choice(["timed out", f"failed after {random.randrange(1000)} ms"])
                span.flags = 0x101
        return request

    def _logs(self, items: int) -> ExportLogsServiceRequest:
        request = ExportLogsServiceRequest()
        scope = self._envelope(request.resource_logs, "scope_logs")
        random = self.random
        for _ in range(items):
            record = scope.log_records.add(time_unix_nano=self._time(), severity_number=9, severity_text="INFO")
            record.observed_time_unix_nano = record.time_unix_nano + 1_000
            bodies = [
                "started",
                f"order {uuid.UUID(int=random.getrandbits(128))} placed",
                f"took {random.randrange(1000)} ms, 00{random.randrange(10)} of {random.randrange(10**20)}",
                f"pod cart-{random.choice(['a1b2c3', 'x9y8z7'])} is {random.getrandbits(32):08x}",
                "".join(random.choice("ab1 \x01") for _ in range(random.randrange(20))),
            ]
            record.body.string_value = random.choice(bodies)
            if random.random() < 0.5:
                record.trace_id, record.span_id = random.choice(
                    [*self.parents[-3:], (random.randbytes(16), random.randbytes(8))]
                )
            self._attributes(record.attributes)
        return request

    def _metrics(self, items: int) -> ExportMetricsServiceRequest:
        request = ExportMetricsServiceRequest()
        scope = self._envelope(request.resource_metrics, "scope_metrics")
        random, start, now = self.random, START, self._time()
        for number in range(items):
            self.counts[number % 8] += random.choice([0, 1, 1, 1, random.randrange(10**6)])
            count = self.counts[number % 8]
            metric = scope.metrics.add(name=f"metric.{number % 8}", unit="By")
            times = {"start_time_unix_nano": start, "time_unix_nano": now}
            if number % 5 == 0:
                point = metric.gauge.data_points.add(as_double=count / 100, **times)
                if random.random() < 0.5:
                    point.exemplars.add(time_unix_nano=now, as_double=0.5, span_id=random.randbytes(8))
            elif number % 5 == 1:
                metric.sum.data_points.add(as_int=count, **times).attributes.add(key="host").value.string_value = "a"
            elif number % 5 == 2:
                buckets = [count, *(random.randrange(5) for _ in range(6))]
                metric.histogram.data_points.add(
                    count=sum(buckets), sum=count * 0.1, bucket_counts=buckets, explicit_bounds=range(6), **times
                )
            elif number % 5 == 3:
                point = metric.exponential_histogram.data_points.add(count=count, scale=3, zero_count=1, **times)
                point.positive.offset = random.randrange(-20, 20)
                point.positive.bucket_counts.extend(random.randrange(300) for _ in range(random.randrange(20)))
            else:
                point = metric.summary.data_points.add(count=count, sum=float("nan"), **times)
                point.quantile_values.add(quantile=0.5, value=random.random())
                point.quantile_values.add(quantile=0.99, value=count)
        return request
