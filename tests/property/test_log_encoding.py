"""The spine for logs: native bytes are those of the official encoder and of the reference."""

from __future__ import annotations

import types
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs as official_encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord

import otlp_fast
from otlp_fast import reference
from tests.property.strategies.logs import log_records, odd_log_records


class RenamedReadable(ReadableLogRecord):
    """A subclass: not a class that the walker knows, so it takes the safe path."""


class RenamedRecord(LogRecord):
    """A subclass of the inner class."""


def as_unknown_class(record: ReadableLogRecord) -> ReadableLogRecord:
    """The same record in classes that the walker does not know."""
    inner = RenamedRecord()
    inner.__dict__.update(record.log_record.__dict__)
    return RenamedReadable(inner, record.resource, record.instrumentation_scope, record.limits)


def as_known_outside(record: ReadableLogRecord) -> ReadableLogRecord:
    """The same record with only the inner class unknown."""
    return ReadableLogRecord(as_unknown_class(record).log_record, record.resource, record.instrumentation_scope)


def as_log_data(record: ReadableLogRecord) -> Any:
    """The same record as SDKs before 1.39 have it: resource and count of drops lie in the inner object."""
    inner = types.SimpleNamespace(
        **record.log_record.__dict__, resource=record.resource, dropped_attributes=record.dropped_attributes
    )
    return types.SimpleNamespace(log_record=inner, instrumentation_scope=record.instrumentation_scope)


@given(log_records)
def test_bytes_equal_official_encoder(batch: list[ReadableLogRecord]) -> None:
    expected = official_encode_logs(batch).SerializeToString()
    assert reference.encode_logs(batch) == expected
    assert otlp_fast.encode_logs(batch) == expected


@given(odd_log_records)
def test_bytes_equal_reference_where_official_encoder_loses_data(batch: list[ReadableLogRecord]) -> None:
    encoded = otlp_fast.encode_logs(batch)
    assert encoded == reference.encode_logs(batch)
    request = ExportLogsServiceRequest.FromString(encoded)
    # In the order of the fields, each once: reading and writing again changes nothing.
    assert request.SerializeToString() == encoded
    records = [record for group in request.resource_logs for scope in group.scope_logs for record in scope.log_records]
    assert len(records) == len(batch)
    assert all(record.HasField("body") for record in records)


@given(odd_log_records)
def test_safe_path_gives_the_bytes_of_the_fast_path(batch: list[ReadableLogRecord]) -> None:
    expected = otlp_fast.encode_logs(batch)
    assert otlp_fast.encode_logs([as_unknown_class(record) for record in batch]) == expected
    assert otlp_fast.encode_logs([as_known_outside(record) for record in batch]) == expected


@given(odd_log_records)
def test_older_form_gives_the_same_bytes(batch: list[ReadableLogRecord]) -> None:
    older = [as_log_data(record) for record in batch]
    assert reference.encode_logs(older) == reference.encode_logs(batch)
    assert otlp_fast.encode_logs(older) == reference.encode_logs(batch)


@given(st.lists(odd_log_records, max_size=3))
def test_log_encoder_gives_the_bytes_of_encode_logs(batches: list[list[ReadableLogRecord]]) -> None:
    encoder = otlp_fast.LogEncoder()
    for batch in batches:
        for record in batch:
            encoder.add(record)
        assert (encoder.item_count, encoder.byte_count) == (len(batch), len(otlp_fast.encode_logs(batch)))
        assert bytes(encoder.finish()) == otlp_fast.encode_logs(batch)
