"""Objects of the SDK with anything in them, made from the bytes of a fuzzer.

Most of each is ordinary, so that what is odd lies deep: one wrong value among right ones is what users have.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Container
from typing import Any, ClassVar, Protocol, TypeVar

from opentelemetry.sdk.metrics._internal.point import Buckets
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceState

import otlp_fast
from tests.compat.hostile import (
    Finishing,
    HostileMapping,
    HostileSequence,
    Silent,
    Truthless,
    nested_lists,
    nested_mappings,
)
from tests.compat.logs import make_log_record
from tests.compat.metrics import (
    make_exemplar,
    make_exponential_point,
    make_gauge,
    make_histogram_point,
    make_metric,
    make_metrics,
    make_number_point,
)
from tests.compat.spans import make_span

ERRORS = (RuntimeError, ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError, StopIteration)
EDGES = (0, 1, -1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, 10**400)


T = TypeVar("T")


class Provider(Protocol):
    """Makes choices: atheris.FuzzedDataProvider of the bytes of an input, `Seeded` of a number."""

    def ConsumeIntInRange(self, low: int, high: int) -> int: ...
    def ConsumeInt(self, size: int) -> int: ...
    def ConsumeBool(self) -> bool: ...
    def ConsumeFloat(self) -> float: ...
    def ConsumeBytes(self, count: int) -> bytes: ...
    def ConsumeUnicode(self, count: int) -> str: ...
    def PickValueInList(self, values: list[T]) -> T: ...


class Seeded:
    """Choices without a fuzzer."""

    def __init__(self, seed: int | bytes) -> None:
        self.random = random.Random(seed)

    def ConsumeIntInRange(self, low: int, high: int) -> int:
        """Any number from one to another."""
        return self.random.randint(low, high)

    def ConsumeInt(self, size: int) -> int:
        """Any signed number of so many bytes."""
        return int.from_bytes(self.ConsumeBytes(size), "little", signed=True)

    def ConsumeBool(self) -> bool:
        """True or false."""
        return self.random.random() < 0.5

    def ConsumeFloat(self) -> float:
        """Any bits that are a float."""
        return float(struct.unpack("<d", self.ConsumeBytes(8))[0])

    def ConsumeBytes(self, count: int) -> bytes:
        """Any bytes."""
        return self.random.randbytes(count)

    def ConsumeUnicode(self, count: int) -> str:
        """Text of one of the widths that CPython stores."""
        highest = self.random.choice((0x7F, 0xFF, 0xFFFF, 0x10FFFF))
        return "".join(chr(self.random.randint(0, highest)) for _ in range(count))

    def PickValueInList(self, values: list[T]) -> T:
        """One of them."""
        return self.random.choice(values)


class Text(str):
    """A str, but not exactly one."""


class Integer(int):
    """An int, but not exactly one."""


class Raising:
    """An object all of whose attributes raise."""

    def __init__(self, error: type[Exception]) -> None:
        object.__setattr__(self, "error", error)

    def __getattribute__(self, name: str) -> Any:
        raise object.__getattribute__(self, "error")(name)


class Reentrant(Finishing):
    """A mapping that uses the encoder which is reading it."""

    def __init__(self, encoder: Any, inner: Any) -> None:
        super().__init__(encoder)
        self.inner = inner

    def items(self) -> Any:
        """Adds to the request and ends it."""
        self.encoder.add(self.inner)
        return super().items()


class Objects:
    """Makes objects of a signal from the bytes of an input.

    Of most inputs `are_items`: each is an item, whatever is in it. The others have some that are none.
    """

    ENCODERS: ClassVar = {
        "traces": (otlp_fast.SpanEncoder, lambda: make_span(attributes={"inner": 1})),
        "logs": (otlp_fast.LogEncoder, lambda: make_log_record(attributes={"inner": 1})),
        "metrics": (otlp_fast.MetricEncoder, lambda: make_metrics(make_metric(make_number_point()))),
    }

    def __init__(self, provider: Provider, signal: str) -> None:
        self.provider = provider
        self.signal = signal
        make_encoder, self.make_inner = self.ENCODERS[signal]
        self.encoder = make_encoder()
        self.make_item = {"traces": self.span, "logs": self.log_record, "metrics": self.metrics_data}[signal]
        self.are_items = provider.ConsumeIntInRange(0, 3) > 0

    def one_of(self, *makers: Callable[[], Any]) -> Any:
        """What one of these makes."""
        return makers[self.provider.ConsumeIntInRange(0, len(makers) - 1)]()

    def text(self) -> str:
        """Text in any of CPython's forms, with lone surrogates."""
        return self.provider.ConsumeUnicode(self.provider.ConsumeIntInRange(0, 40))

    def integer(self) -> int:
        """A number near one at which something changes, or any."""
        return self.one_of(
            lambda: self.provider.PickValueInList(list(EDGES)),
            lambda: self.provider.ConsumeInt(9),
            lambda: Integer(self.provider.ConsumeInt(8)),
        )

    def error(self) -> type[Exception]:
        """The class of an exception."""
        return self.provider.PickValueInList(list(ERRORS))

    def many(self, maker: Callable[[], Any]) -> list[Any]:
        """A few of a kind."""
        return [maker() for _ in range(self.provider.ConsumeIntInRange(0, 3))]

    def value(self, depth: int = 0) -> Any:
        """A value of an attribute, or what somebody took for one."""
        plain = (
            self.text,
            self.integer,
            lambda: Text(self.text()),
            lambda: self.provider.ConsumeBool(),
            lambda: self.provider.ConsumeFloat(),
            lambda: self.provider.ConsumeBytes(20),
            lambda: None,
            lambda: Raising(self.error()),
            lambda: HostileSequence(self.error()("late")),
            HostileMapping,
            Truthless,
            Silent,
            object,
            lambda: nested_lists(self.provider.ConsumeIntInRange(90, 110)),
            lambda: nested_mappings(self.provider.ConsumeIntInRange(40, 110)),
            lambda: Reentrant(self.encoder, self.make_inner()),
            lambda: StatusCode.ERROR,
            lambda: {1, 2},
            lambda: bytearray(3),
        )
        if depth > 3:
            return self.one_of(*plain)
        return self.one_of(
            *plain,
            lambda: self.many(lambda: self.value(depth + 1)),
            lambda: tuple(self.many(lambda: self.value(depth + 1))),
            lambda: {self.key(): self.value(depth + 1) for _ in range(self.provider.ConsumeIntInRange(0, 3))},
        )

    def key(self) -> Any:
        """A key of an attribute: hashable, most often text."""
        return self.one_of(self.text, self.text, self.integer, lambda: None, lambda: Text(self.text()), Silent)

    def mapping(self) -> dict[Any, Any]:
        """Attributes with any values."""
        return {self.key(): self.value() for _ in range(self.provider.ConsumeIntInRange(0, 4))}

    def attributes(self) -> Any:
        """Attributes, or what somebody took for them."""
        return self.one_of(self.mapping, self.mapping, self.mapping, self.value)

    def attributes_of_item(self) -> Any:
        """Attributes that an item gives out without raising, whatever they do themselves."""
        if not self.are_items:
            return self.attributes()
        return self.one_of(
            self.mapping, self.mapping, HostileMapping, lambda: Reentrant(self.encoder, self.make_inner())
        )

    def part(self) -> Any:
        """A value that is asked for what it has itself, as a status code is."""
        value = self.value()
        return None if self.are_items and type(value) is Raising else value

    def fields(self, parts: Container[str] = (), **makers: Callable[[], Any]) -> dict[str, Any]:
        """Some of the fields, each as it is made or, now and then, anything. `parts` have fields of their own: without
        these it is no item.
        """
        chosen = {}
        for name, maker in makers.items():
            choice = self.provider.ConsumeIntInRange(0, 7)
            if choice > 3:
                is_anything = choice == 7 and not (self.are_items and name in parts)
                chosen[name] = self.value() if is_anything else maker()
        return chosen

    def resource(self) -> Any:
        """A resource with any attributes."""
        resource = Resource({})
        resource._attributes = self.attributes()
        return resource

    def scope(self) -> Any:
        """A scope with any fields."""
        scope = InstrumentationScope("scope")
        scope._name, scope._version, scope._schema_url = self.value(), self.value(), self.value()
        scope._attributes = self.attributes()
        return scope

    def context(self) -> Any:
        """A context with any ids."""
        ordinary = SpanContext(self.integer(), self.integer(), self.provider.ConsumeBool())
        state = self.one_of(lambda: TraceState([("a", "b")]), lambda: None, self.value)
        return tuple.__new__(SpanContext, (*ordinary[:4], state, ordinary[5]))

    def event(self) -> Any:
        """An event of a span."""
        event = Event("event", {}, 5)
        event._name, event._timestamp, event._attributes = self.value(), self.value(), self.attributes()
        return event

    def link(self) -> Any:
        """A link of a span."""
        link = Link(self.context(), {})
        link._attributes = self.attributes()
        return link

    def status(self) -> Any:
        """The status of a span."""
        status = Status(StatusCode.ERROR, "why")
        status._status_code, status._description = self.part(), self.value()
        return status

    def span(self) -> Any:
        """A span, or none."""
        if not self.are_items and self.provider.ConsumeIntInRange(0, 3) == 3:
            return self.value()
        span = make_span()
        fields = self.fields(
            ("context", "parent", "attributes", "events", "links", "status"),
            name=self.text,
            context=self.context,
            parent=self.context,
            resource=self.resource,
            attributes=self.attributes_of_item,
            events=lambda: self.many(self.event),
            links=lambda: self.many(self.link),
            kind=self.integer,
            start_time=self.integer,
            end_time=self.integer,
            status=self.status,
            instrumentation_scope=self.scope,
        )
        # Not by the constructor, which would refuse or mend some.
        span.__dict__.update({f"_{name}": field for name, field in fields.items()})
        return span

    def log_record(self) -> Any:
        """A log record, or none."""
        if not self.are_items and self.provider.ConsumeIntInRange(0, 3) == 3:
            return self.value()
        return make_log_record(
            **self.fields(
                ("attributes", "severity_number"),
                resource=self.resource,
                scope=self.scope,
                timestamp=self.integer,
                observed_timestamp=self.integer,
                trace_id=self.integer,
                span_id=self.integer,
                trace_flags=self.integer,
                severity_text=self.text,
                severity_number=self.part,
                body=self.value,
                attributes=self.attributes_of_item,
                event_name=self.text,
            )
        )

    def data_point(self) -> Any:
        """A data point of one of three kinds."""
        integers = lambda: self.many(self.integer)  # noqa: E731
        exemplar = lambda: make_exemplar(  # noqa: E731
            **self.fields(filtered_attributes=self.attributes, value=self.integer, time_unix_nano=self.integer)
        )
        point: dict[str, Callable[[], Any]] = {
            "attributes": self.attributes,
            "time_unix_nano": self.integer,
            "exemplars": lambda: self.many(exemplar),
        }
        summary = {"count": self.integer, "sum": self.integer, "min": self.integer, "max": self.integer}
        buckets = lambda: Buckets(self.integer(), integers())  # noqa: E731
        return self.one_of(
            lambda: make_number_point(**self.fields(value=self.integer, **point)),
            lambda: make_histogram_point(
                **self.fields(bucket_counts=integers, explicit_bounds=integers, **point, **summary)
            ),
            lambda: make_exponential_point(
                **self.fields(scale=self.integer, positive=buckets, negative=buckets, **point, **summary)
            ),
        )

    def metrics_data(self) -> Any:
        """Metrics of one scope, or none."""
        if not self.are_items and self.provider.ConsumeIntInRange(0, 3) == 3:
            return self.value()
        make = make_gauge if self.provider.ConsumeBool() else make_metric
        points = [self.data_point(), *self.many(self.data_point)]
        metric = make(*points, **self.fields(name=self.text, unit=self.text, data=self.value))
        return make_metrics(metric, **self.fields(resource=self.resource, scope=self.scope))
