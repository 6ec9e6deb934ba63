"""Spans of a request as the SDK's tracer makes them."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer, TraceState
from opentelemetry.util.types import Attributes

import otlp_fast
from otlp_fast.bench.workloads.workload import within
from otlp_fast.columns import items, spans

_UNLIMITED = SpanLimits(
    max_span_attributes=SpanLimits.UNSET,
    max_events=SpanLimits.UNSET,
    max_links=SpanLimits.UNSET,
    max_event_attributes=SpanLimits.UNSET,
    max_link_attributes=SpanLimits.UNSET,
    max_attribute_length=SpanLimits.UNSET,
    max_span_attribute_length=SpanLimits.UNSET,
)


class _TraceStateOf(Sampler):
    """Samples all, with the trace state that was captured: it is the sampler that gives it to a span."""

    def __init__(self) -> None:
        self.trace_state: TraceState | None = None

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, self.trace_state)

    def get_description(self) -> str:
        return "as captured"


class SpanRebuilder(SpanProcessor, IdGenerator):
    """Makes spans; it generates their ids, and is told of those that end."""

    def __init__(self) -> None:
        self._tracers: dict[str, Tracer] = {}
        self._providers: dict[str, TracerProvider] = {}
        self._sampler = _TraceStateOf()
        self._context = spans.SpanContext(0, 0, False, 0, "")
        self._ended: list[ReadableSpan] = []

    def rebuild(self, request: bytes) -> list[ReadableSpan]:
        """Make the spans of a request, in its order."""
        self._ended = []
        for span in otlp_fast.decode_traces(request):
            self._start_and_end(span)
        return self._ended

    def _start_and_end(self, captured: spans.Span) -> None:
        self._context = captured.context
        self._sampler.trace_state = _trace_state(captured.context)
        span = self._tracer(captured.resource, captured.instrumentation_scope).start_span(
            captured.name,
            within(None if captured.parent is None else _span_context(captured.parent)),
            _kind(captured.kind),
            captured.attributes,
            [Link(_span_context(link.context), link.attributes) for link in captured.links],
            captured.start_time,
        )
        for event in captured.events:
            span.add_event(event.name, event.attributes, event.timestamp)
        if captured.status.status_code in (spans.StatusCode.OK, spans.StatusCode.ERROR):
            code = StatusCode(captured.status.status_code.value)
            span.set_status(Status(code, captured.status.description or None))
        span.end(captured.end_time)

    def _tracer(self, resource: items.Resource, scope: items.InstrumentationScope) -> Tracer:
        key = repr((resource, scope))
        if key not in self._tracers:
            provider = self._provider(resource)
            self._tracers[key] = provider.get_tracer(scope.name, scope.version, scope.schema_url, scope.attributes)
        return self._tracers[key]

    def _provider(self, resource: items.Resource) -> TracerProvider:
        key = repr(resource)
        if key not in self._providers:
            provider = TracerProvider(
                sampler=self._sampler,
                resource=Resource(resource.attributes, resource.schema_url),
                shutdown_on_exit=False,
                id_generator=self,
                span_limits=_UNLIMITED,
            )
            provider.add_span_processor(self)
            self._providers[key] = provider
        return self._providers[key]

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that ended."""
        self._ended.append(span)

    def generate_span_id(self) -> int:
        """Give the captured id."""
        return self._context.span_id

    def generate_trace_id(self) -> int:
        """Give the captured id of a root; others have their parent's."""
        return self._context.trace_id


def _kind(kind: spans.SpanKind) -> SpanKind:
    # The SDK has no word for kinds that are not specified.
    return SpanKind(kind.value - 1) if 1 <= kind.value <= len(SpanKind) else SpanKind.INTERNAL


def _span_context(captured: spans.SpanContext) -> SpanContext:
    flags = TraceFlags(captured.trace_flags)
    return SpanContext(captured.trace_id, captured.span_id, captured.is_remote, flags, _trace_state(captured))


def _trace_state(captured: spans.SpanContext) -> TraceState | None:
    return TraceState.from_header([captured.trace_state]) if captured.trace_state else None
