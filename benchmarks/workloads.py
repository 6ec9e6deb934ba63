"""The spans that are encoded: eight workloads, made by the real SDK, the same in every run.

A workload is a list of `ReadableSpan` as a span processor receives them: a tracer of a real `TracerProvider` started
and ended each span, so their inner layout is the SDK's own. What would differ between runs comes from a seeded
generator: ids, timestamps, names and values. Limits and the sampler are given explicitly, so that `OTEL_*` variables
change nothing, and stack traces come from code that is compiled under fixed file names.

Attribute keys are the same few objects in every span, as constants of an instrumentation library are; values are
objects of their own (`fresh`), as those are that arrive with a request. An encoder that kept a cache by the identity of
values would gain nothing here, and should not: it would gain nothing in a service.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from benchmarks.texts import ALPHABETS

SPANS = 512
"""Spans per workload: the default batch of the SDK's BatchSpanProcessor."""

FIRST_START_NS = 1_750_000_000_000_000_000

AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "python-requests/2.32.3",
    "kube-probe/1.30",
    "curl/8.7.1",
)
ROUTES = (
    ("GET", "/products/<int:product_id>", "/products/{number}"),
    ("GET", "/users/<user>/orders", "/users/{user}/orders"),
    ("POST", "/cart/<cart_id>/items", "/cart/{hex}/items"),
    ("GET", "/search", "/search"),
    ("PUT", "/orders/<int:order_id>/address", "/orders/{number}/address"),
    ("DELETE", "/sessions/<session_id>", "/sessions/{hex}"),
    ("GET", "/static/<path:filename>", "/static/js/bundle.{hex}.js"),
)
STATEMENTS = (
    ("SELECT", "products", "SELECT id, name, price FROM products WHERE category_id = %s ORDER BY price LIMIT 50"),
    ("SELECT", "users", "SELECT u.id, u.email, a.city FROM users u JOIN addresses a USING (user_id) WHERE a.id = %s"),
    ("INSERT", "orders", "INSERT INTO orders (user_id, total, currency) VALUES (%s, %s, %s) RETURNING id, created_at"),
    ("UPDATE", "stock", "UPDATE stock SET reserved = reserved + %s WHERE product_id = %s AND available >= %s"),
    ("DELETE", "carts", "DELETE FROM carts WHERE updated_at < now() - interval '30 days'"),
)
USERS = ("amelie", "boris", "chidi", "divya", "erik", "fatima", "george", "hanako")


@dataclass(frozen=True)
class Workload:
    """A named recipe for spans."""

    name: str
    description: str
    fill: Callable[[Recorder, int], None]
    batches: int = 1
    """How many different batches are encoded in turn: with many, spans have left the processor's caches when their turn
    comes again."""

    def build_batches(self, count: int = SPANS) -> list[list[ReadableSpan]]:
        """Make all batches, of `count` spans each. Spans that were made one after the other go to different batches."""
        spans = self.build(count * self.batches)
        return [spans[first :: self.batches] for first in range(self.batches)]

    def build(self, count: int = SPANS) -> list[ReadableSpan]:
        """Make `count` spans: always new objects, always the same content."""
        recorder = Recorder(self.name)
        self.fill(recorder, count)
        return recorder.spans


class SeededIds(IdGenerator):
    """Ids out of a seeded generator."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def generate_span_id(self) -> int:
        """Give a span id that is not 0."""
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Give a trace id that is not 0."""
        return self._random.getrandbits(128) or 1


class Recorder(SpanProcessor):
    """Collects the spans that end, and holds what makes them reproducible: generator, ids, clock."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.ids = SeededIds(self.random)
        self.spans: list[ReadableSpan] = []
        self._now = FIRST_START_NS

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that ended."""
        self.spans.append(span)

    def tracer(self, resource: Resource, scope: str, version: str | None = None) -> trace.Tracer:
        """Give a tracer whose spans end up here."""
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource,
            shutdown_on_exit=False,
            id_generator=self.ids,
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
        self._now += self.random.randrange(1_000, 1_000_000)
        context = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else Context()
        return tracer.start_span(name, context, kind, attributes, links, start_time=self._now)

    def end(self, span: trace.Span) -> None:
        """End a span between 50 microseconds and 250 milliseconds after now."""
        span.end(self.moment(50_000, 250_000_000))

    def moment(self, least: int = 1_000, most: int = 50_000) -> int:
        """Give a time (ns since the epoch) shortly after the start of the last span."""
        return self._now + self.random.randrange(least, most)

    def elsewhere(self, *, remote: bool, trace_state: TraceState | None = None) -> SpanContext:
        """Give the context of a span that is not among ours, to be a parent or the target of a link."""
        sampled = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(self.ids.generate_trace_id(), self.ids.generate_span_id(), remote, sampled, trace_state)

    def hex(self, digits: int) -> str:
        """Give a random id as a service would print it."""
        return f"{self.random.getrandbits(digits * 4):0{digits}x}"

    def prose(self, words: list[str], least_characters: int) -> str:
        """Give a text of random words, at least so many characters long."""
        chosen: list[str] = []
        length = 0
        while length < least_characters:
            chosen.append(self.random.choice(words))
            length += len(chosen[-1]) + 1
        return " ".join(chosen)


def fresh(value: str) -> str:
    """Give an equal str that is an object of its own."""
    return value.encode().decode()


def service(name: str, instance: str = "7c9d9bd5c4-x2x7k") -> Resource:
    """Give the resource of a service, without what differs between machines or SDK versions."""
    return Resource(
        {
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "service.name": name,
            "service.version": "2024.11.3",
            "service.instance.id": f"{name}-{instance}",
            "deployment.environment.name": "production",
            "k8s.namespace.name": "shop",
            "host.arch": "amd64",
            "process.pid": 4711,
        }
    )


def fill_tiny(recorder: Recorder, count: int) -> None:
    """Fill `recorder` with spans that have a name and times only."""
    tracer = recorder.tracer(service("worker"), "worker.tasks", "1.4.0")
    names = ("poll", "acknowledge", "flush_queue", "heartbeat", "collect_garbage")
    for _ in range(count):
        recorder.end(recorder.start(tracer, fresh(recorder.random.choice(names))))


def request_attributes(recorder: Recorder) -> tuple[str, dict[str, Any]]:
    """Give the name and the eight attributes of a request, as the Flask instrumentation sets them."""
    random = recorder.random
    method, route, path = random.choice(ROUTES)
    path = path.format(number=random.randrange(1, 1_000_000), user=random.choice(USERS), hex=recorder.hex(16))
    attributes = {
        "http.request.method": fresh(method),
        "url.scheme": fresh("https"),
        "server.address": fresh("shop.example.com"),
        "server.port": int("8443"),
        "url.path": fresh(path),
        "user_agent.original": fresh(random.choice(AGENTS)),
        "http.route": route,
        "http.response.status_code": random.choice((200, 200, 200, 201, 204, 304, 404)),
    }
    return f"{method} {route}", attributes


def fill_web(recorder: Recorder, count: int) -> None:
    """Fill `recorder` with server spans; two in three continue a trace that came in with the request."""
    tracer = recorder.tracer(service("storefront"), "opentelemetry.instrumentation.flask", "0.66b0")
    for _ in range(count):
        name, attributes = request_attributes(recorder)
        parent = recorder.elsewhere(remote=True) if recorder.random.randrange(3) else None
        recorder.end(recorder.start(tracer, name, SpanKind.SERVER, attributes, parent))


def fill_database(recorder: Recorder, count: int) -> None:
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


def fill_wide(recorder: Recorder, count: int) -> None:
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


SHOP_SOURCE = '''\
class PaymentDeclined(Exception):
    """The provider said no."""


def charge(provider, order, amount):
    if amount % 7 == 0:
        raise PaymentDeclined(f"{provider} declined order {order}: insufficient funds for {amount / 100:.2f} EUR")
    return {"order": order}["receipt"]


def checkout(provider, order, amount):
    receipt = charge(provider, order, amount)
    return receipt


def retried(call, attempts, *arguments):
    if attempts == 0:
        return call(*arguments)
    return retried(call, attempts - 1, *arguments)


def view(provider, order, amount, attempts):
    try:
        return retried(checkout, attempts, provider, order, amount)
    except PaymentDeclined as declined:
        raise RuntimeError(f"checkout of order {order} failed") from declined


def dispatch(*arguments):
    try:
        view(*arguments)
    except Exception as error:
        return error
'''
SHOP_FILE = "/srv/shop/checkout/payment.py"


def shop_dispatcher() -> Callable[[str, int, int, int], Exception]:
    """Compile a small application whose stack traces look the same wherever this repository lies."""
    # Lines in linecache give the traceback its source lines.
    linecache.cache[SHOP_FILE] = (len(SHOP_SOURCE), None, SHOP_SOURCE.splitlines(keepends=True), SHOP_FILE)
    module: dict[str, Any] = {"__name__": "shop.checkout.payment"}
    exec(compile(SHOP_SOURCE, SHOP_FILE, "exec"), module)  # the text above, under a fixed file name
    dispatch: Callable[[str, int, int, int], Exception] = module["dispatch"]
    return dispatch


def fill_error(recorder: Recorder, count: int) -> None:
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


def fill_text(recorder: Recorder, count: int) -> None:
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


def fill_groups(recorder: Recorder, count: int) -> None:
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


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("web", "server spans, 8 attributes", fill_web),
        Workload("cold", "the same, 24 batches in turn: not in the caches", fill_web, batches=24),
        Workload("database", "client spans, 9 attributes with the statement", fill_database),
        Workload("wide", "30 attributes (two of them lists) and 2 events", fill_wide),
        Workload("error", "9 attributes, an exception event with its stack trace", fill_error),
        Workload("tiny", "no attributes", fill_tiny),
        Workload("text", "long strings in five alphabets, every fourth of 2 KB", fill_text),
        Workload("groups", "14 resources with 8 scopes each, interleaved, some links", fill_groups),
    )
}
