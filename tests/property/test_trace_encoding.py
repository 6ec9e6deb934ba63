"""The spine: native bytes are those of the official encoder and of the reference, on spans that nobody thought of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as official_encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan

import otlp_fast
from otlp_fast import reference
from tests.property.strategies.spans import odd_spans, spans


class Renamed(ReadableSpan):
    """A subclass: not a class that the walker knows, so it takes the safe path."""


def as_unknown_class(span: ReadableSpan) -> ReadableSpan:
    """The same span in a class that the walker does not know."""
    copy = Renamed.__new__(Renamed)
    copy.__dict__.update(span.__dict__)
    return copy


@given(spans)
def test_bytes_equal_official_encoder(batch: list[ReadableSpan]) -> None:
    assert otlp_fast.encode_spans(batch) == official_encode_spans(batch).SerializeToString()


@given(spans)
def test_bytes_equal_reference(batch: list[ReadableSpan]) -> None:
    assert otlp_fast.encode_spans(batch) == reference.encode_spans(batch)


@given(odd_spans)
def test_bytes_equal_reference_where_official_encoder_loses_data(batch: list[ReadableSpan]) -> None:
    encoded = otlp_fast.encode_spans(batch)
    assert encoded == reference.encode_spans(batch)
    request = ExportTraceServiceRequest.FromString(encoded)
    assert sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans) == len(batch)


@given(odd_spans)
def test_safe_path_gives_the_bytes_of_the_fast_path(batch: list[ReadableSpan]) -> None:
    assert otlp_fast.encode_spans([as_unknown_class(span) for span in batch]) == otlp_fast.encode_spans(batch)


@given(st.lists(odd_spans, max_size=3))
def test_span_encoder_gives_the_bytes_of_encode_spans(batches: list[list[ReadableSpan]]) -> None:
    encoder = otlp_fast.SpanEncoder()
    for batch in batches:
        for span in batch:
            encoder.add(span)
        assert (encoder.item_count, encoder.byte_count) == (len(batch), len(otlp_fast.encode_spans(batch)))
        assert bytes(encoder.finish()) == otlp_fast.encode_spans(batch)
