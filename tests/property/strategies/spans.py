"""Spans as hypothesis makes them: by the real SDK classes, with every kind of field."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from tests.property.strategies.values import (
    containers,
    mappings,
    odd_mappings,
    odd_texts,
    odd_times,
    resources,
    scopes,
    texts,
    times,
)

trace_states = st.one_of(
    st.none(),
    st.just(TraceState()),
    st.just(TraceState([("vendor", "value"), ("other@tenant", "x=y")])),
)
contexts = st.builds(
    SpanContext,
    st.integers(0, 2**128 - 1),
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1)]),
    trace_states,
)
statuses = st.one_of(
    st.just(Status(StatusCode.UNSET)),
    st.just(Status(StatusCode.OK)),
    st.builds(Status, st.just(StatusCode.ERROR), st.one_of(st.none(), texts)),
)


def make_spans(
    attributes: st.SearchStrategy[Any], names: st.SearchStrategy[Any], moments: st.SearchStrategy[Any]
) -> st.SearchStrategy[list[ReadableSpan]]:
    """Lists of spans over the given attributes, names and times."""
    forms = containers(attributes)
    events = st.lists(st.builds(Event, names, forms, moments.filter(lambda moment: moment is not None)), max_size=2)
    links = st.lists(st.builds(Link, contexts, forms), max_size=2)

    def listed(items: list[Any], limit: int | None) -> Any:
        return tuple(items) if limit == 0 else BoundedList.from_seq(limit, items)

    limits = st.one_of(st.none(), st.integers(0, 2))
    span = st.builds(
        ReadableSpan,
        name=names,
        context=contexts,
        parent=st.one_of(st.none(), contexts),
        resource=resources,
        attributes=forms,
        events=st.builds(listed, events, limits),
        links=st.builds(listed, links, limits),
        kind=st.sampled_from(SpanKind),
        status=statuses,
        start_time=moments,
        end_time=moments,
        instrumentation_scope=scopes,
    )
    return st.lists(span, max_size=4)


spans = make_spans(mappings, texts, times)
odd_spans = make_spans(odd_mappings, st.one_of(odd_texts, st.none(), st.integers(), st.binary(max_size=5)), odd_times)
