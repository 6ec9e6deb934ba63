"""Spans: eight workloads.

A workload is a list of `ReadableSpan` as a span processor receives them: a tracer of a real `TracerProvider` started
and ended each span, so their inner layout is the SDK's own. Limits and the sampler are given explicitly, so that
`OTEL_*` variables change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState

from otlp_fast.bench.workloads.shop import request_attributes, service, shop_dispatcher
from otlp_fast.bench.workloads.texts import ALPHABETS
from otlp_fast.bench.workloads.workload import ItemRecorder, Workload, fresh, within

STATEMENTS = (
    ("SELECT", "products", "SELECT id, name, price FROM products WHERE category_id = %s ORDER BY price LIMIT 50"),
    ("SELECT", "users", "SELECT u.id, u.email, a.city FROM users u JOIN addresses a USING (user_id) WHERE a.id = %s"),
    ("INSERT", "orders", "INSERT INTO orders (user_id, total, currency) VALUES (%s, %s, %s) RETURNING id, created_at"),
    ("UPDATE", "stock", "UPDATE stock SET reserved = reserved + %s WHERE product_id = %s AND available >= %s"),
    ("DELETE", "carts", "DELETE FROM carts WHERE updated_at < now() - interval '30 days'"),
)


class SpanRecorder(ItemRecorder, SpanProcessor, IdGenerator):
    """Collects the spans that end."""

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that ended."""
        self.items.append(span)

    def tracer(self, resource: Resource, scope: str, version: str | None = None) -> trace.Tracer:
        """Give a tracer whose spans end up here."""
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource,
            shutdown_on_exit=False,
            id_generator=self,
            span_limits=SpanLimits(
                max_span_attributes=128,
                max_events=128,
                max_links=128,
                max_event_attributes=128,
                max_link_attributes=128,
                max_attribute_length=SpanLimits.UNSET,
                max_span_attribute_length=SpanLimits.UNSET,
            ),
        )
        provider.add_span_processor(self)
        return provider.get_tracer(scope, version)

    def start(
        self,
        tracer: trace.Tracer,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        parent: SpanContext | None = None,
        links: list[Link] | None = None,
    ) -> trace.Span:
        """Start a span, up to a millisecond after the last one."""
        return tracer.start_span(name, within(parent), kind, attributes, links, start_time=self.tick())

    def end(self, span: trace.Span) -> None:
        """End a span between 50 microseconds and 250 milliseconds after now."""
        span.end(self.moment(50_000, 250_000_000))


def fill_tiny(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with spans that have a name and times only."""
    tracer = recorder.tracer(service("worker"), "worker.tasks", "1.4.0")
    names = ("poll", "acknowledge", "flush_queue", "heartbeat", "collect_garbage")
    for _ in range(count):
        recorder.end(recorder.start(tracer, fresh(recorder.random.choice(names))))


def fill_web(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with server spans; two in three continue a trace that came in with the request."""
    tracer = recorder.tracer(service("storefront"), "opentelemetry.instrumentation.flask", "0.66b0")
    for _ in range(count):
        name, attributes = request_attributes(recorder)
        parent = recorder.elsewhere(remote=True) if recorder.random.randrange(3) else None
        recorder.end(recorder.start(tracer, name, SpanKind.SERVER, attributes, parent))


def fill_database(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with client spans of a database driver, each under a local parent."""
    tracer = recorder.tracer(service("orders"), "opentelemetry.instrumentation.psycopg", "0.66b0")
    random = recorder.random
    for _ in range(count):
        operation, table, statement = random.choice(STATEMENTS)
        attributes = {
            "db.system.name": "postgresql",
            "db.namespace": fresh("shop_orders"),
            "db.operation.name": fresh(operation),
            "db.collection.name": fresh(table),
            "db.query.text": fresh(f"{statement} /* request {recorder.hex(12)} */"),
            "db.user": fresh("orders_rw"),
            "server.address": fresh(f"pg-{random.randrange(3)}.internal.example.com"),
            "server.port": int("5432"),
            "db.response.returned_rows": random.randrange(5_000),
        }
        parent = recorder.elsewhere(remote=False)
        recorder.end(recorder.start(tracer, f"{operation} {table}", SpanKind.CLIENT, attributes, parent))


def fill_wide(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with server spans of 30 attributes, two of them lists, and two events."""
    tracer = recorder.tracer(service("gateway"), "shop.gateway.middleware", "3.2.1")
    random = recorder.random
    for _ in range(count):
        name, attributes = request_attributes(recorder)
        attributes |= {
            "client.address": f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}",
            "client.port": random.randrange(1024, 65_536),
            "network.protocol.version": fresh("1.1"),
            "network.peer.address": f"192.168.{random.randrange(256)}.{random.randrange(256)}",
            "http.request.header.accept_language": [fresh("en-GB"), fresh("en;q=0.8")],
            "http.request.body.size": random.randrange(100_000),
            "http.response.body.size": random.randrange(2_000_000),
            "http.response.header.cache_control": [fresh("private"), f"max-age={random.randrange(3_600)}"],
            "enduser.id": f"user-{random.randrange(1_000_000)}",
            "enduser.role": fresh("customer"),
            "session.id": recorder.hex(32),
            "shop.tenant": fresh(random.choice(("emea", "amer", "apac"))),
            "shop.currency": fresh(random.choice(("EUR", "USD", "JPY"))),
            "shop.cart.total": random.random() * 500,
            "shop.cart.items": random.randrange(40),
            "shop.cart.has_coupon": random.random() < 0.2,
            "shop.experiment.name": fresh("checkout-button-colour"),
            "shop.experiment.bucket": random.randrange(100),
            "shop.cache.hit": random.random() < 0.7,
            "shop.cache.age_seconds": random.random() * 60,
            "shop.render.seconds": random.random() / 10,
            "thread.id": 139_000_000_000_000 + random.randrange(1_000_000_000),
        }
        span = recorder.start(tracer, name, SpanKind.SERVER, attributes, recorder.elsewhere(remote=True))
        cache: dict[str, Any] = {
            "cache.key": f"cart:{recorder.hex(12)}",
            "cache.hit": random.random() < 0.5,
            "cache.items": 3,
        }
        span.add_event("cache.lookup", cache, recorder.moment())
        span.add_event(
            "template.rendered", {"template.name": fresh("cart.html"), "seconds": random.random()}, recorder.moment()
        )
        recorder.end(span)


def fill_error(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with failed spans, each with an exception event that holds a real stack trace."""
    tracer = recorder.tracer(service("checkout"), "opentelemetry.instrumentation.flask", "0.66b0")
    dispatch = shop_dispatcher()
    random = recorder.random
    for _ in range(count):
        name, attributes = request_attributes(recorder)
        attributes["http.response.status_code"] = 500
        attributes["error.type"] = fresh("500")
        provider = random.choice(("stripe", "adyen", "paypal"))
        error = dispatch(provider, random.randrange(1_000_000), random.randrange(100_000), random.randrange(2, 9))
        span = recorder.start(tracer, name, SpanKind.SERVER, attributes, recorder.elsewhere(remote=True))
        span.record_exception(error, timestamp=recorder.moment())
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        recorder.end(span)


def fill_text(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with spans of long strings, each span in one alphabet; every fourth message takes 2 KB."""
    tracer = recorder.tracer(service("messages"), "shop.messages", "0.9.0")
    random = recorder.random
    for index in range(count):
        alphabet = random.choice(tuple(ALPHABETS))
        words = ALPHABETS[alphabet]
        attributes = {
            "message.alphabet": fresh(alphabet),
            "message.subject": recorder.prose(words, 40),
            "message.body": recorder.prose(words, 2_000 if index % 4 == 0 else 250),
            "message.author": recorder.prose(words, 12),
            "message.id": recorder.hex(32),
        }
        recorder.end(recorder.start(tracer, recorder.prose(words, 20), SpanKind.CONSUMER, attributes))


def fill_groups(recorder: SpanRecorder, count: int) -> None:
    """Fill `recorder` with spans of 16 resources with 8 scopes each, interleaved, as if it forwarded for others.

    Two of the resources are equal to another one without being the same object: they are one group. Some spans carry a
    trace state from their parent, some have a link.
    """
    random = recorder.random
    names = [f"tenant-{number:02}" for number in range(14)]
    resources = [service(name) for name in (*names, names[0], names[1])]
    plugins = [(f"shop.plugin.{number}", f"1.{number}.0") for number in range(8)]
    tracers = [recorder.tracer(resource, *plugin) for resource in resources for plugin in plugins]
    for _ in range(count):
        name, attributes = request_attributes(recorder)
        state = TraceState([("vendor", recorder.hex(8)), ("rojo", recorder.hex(16))]) if random.random() < 0.2 else None
        links = [Link(recorder.elsewhere(remote=True), {"messaging.batch": 7})] if random.random() < 0.2 else None
        parent = recorder.elsewhere(remote=True, trace_state=state)
        recorder.end(recorder.start(random.choice(tracers), name, SpanKind.SERVER, attributes, parent, links))


WORKLOADS = tuple(
    Workload("traces", name, description, SpanRecorder, fill, batches)
    for name, description, fill, batches in (
        ("web", "server spans, 8 attributes", fill_web, 1),
        ("cold", "the same, 24 batches in turn: not in the caches", fill_web, 24),
        ("database", "client spans, 9 attributes with the statement", fill_database, 1),
        ("wide", "30 attributes (two of them lists) and 2 events", fill_wide, 1),
        ("error", "9 attributes, an exception event with its stack trace", fill_error, 1),
        ("tiny", "no attributes", fill_tiny, 1),
        ("text", "long strings in five alphabets, every fourth of 2 KB", fill_text, 1),
        ("groups", "14 resources with 8 scopes each, interleaved, some links", fill_groups, 1),
    )
)
