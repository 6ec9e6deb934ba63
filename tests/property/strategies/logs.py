"""Log records as hypothesis makes them: the API's LogRecord in the SDK's ReadableLogRecord."""

from __future__ import annotations

import enum
from typing import Any

from hypothesis import strategies as st
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.trace import TraceFlags

from tests.compat.hostile import Silent
from tests.property.strategies.values import (
    containers,
    mappings,
    nested,
    odd_mappings,
    odd_scalars,
    odd_texts,
    odd_times,
    resources,
    scopes,
    texts,
    times,
    values,
)


class OtherSeverity(enum.Enum):
    """An enum that is not the API's."""

    NEGATIVE = -3
    HUGE = 2**40
    NAMED = "warn"


# int() makes flags of any of these.
trace_flags = st.one_of(st.sampled_from([TraceFlags(0), TraceFlags(1), True, "7"]), st.integers(0, 2**32 - 1))
severities = st.one_of(st.none(), st.sampled_from(SeverityNumber), st.sampled_from([OtherSeverity.NEGATIVE, 9]))
hashables = st.one_of(odd_texts, st.integers(), st.none(), st.frozensets(st.integers(0, 9), max_size=3))
odd_bodies = nested(
    st.one_of(odd_scalars, odd_scalars, st.sets(hashables, max_size=4), st.frozensets(hashables), st.builds(Silent))
)


def log_record(**fields: Any) -> LogRecord:
    """A LogRecord with exactly these fields: its constructor replaces some by those of the current span."""
    record = LogRecord()
    record.__dict__.update(fields)
    return record


def identifiers(bits: int) -> st.SearchStrategy[int]:
    """Trace or span ids, of which zero is none."""
    return st.one_of(st.just(0), st.integers(0, 2**bits - 1))


def odd_identifiers(bits: int) -> st.SearchStrategy[Any]:
    """The same with what cannot be one."""
    return st.one_of(identifiers(bits), st.sampled_from([None, -1, 2**bits, "5", 0.0, 1.5, True, False]))


log_records = st.lists(
    st.builds(
        ReadableLogRecord,
        log_record=st.builds(
            log_record,
            timestamp=times,
            observed_timestamp=times,
            trace_id=identifiers(128),
            span_id=identifiers(64),
            trace_flags=trace_flags,
            severity_text=st.one_of(st.none(), texts),
            severity_number=severities,
            body=values,
            attributes=containers(mappings),
            event_name=st.one_of(st.none(), texts),
        ),
        resource=resources,
        instrumentation_scope=scopes,
    ),
    max_size=4,
)
odd_names = st.one_of(odd_texts, st.none(), st.integers(), st.binary(max_size=5), st.builds(Silent))
odd_log_records = st.lists(
    st.builds(
        ReadableLogRecord,
        log_record=st.builds(
            log_record,
            timestamp=odd_times,
            observed_timestamp=odd_times,
            trace_id=odd_identifiers(128),
            span_id=odd_identifiers(64),
            trace_flags=st.one_of(trace_flags, st.sampled_from([None, -1, 2**32, "x", 2.5, Silent()])),
            severity_text=odd_names,
            severity_number=st.one_of(severities, st.sampled_from([OtherSeverity.HUGE, OtherSeverity.NAMED, "INFO"])),
            body=odd_bodies,
            attributes=containers(odd_mappings),
            event_name=odd_names,
        ),
        resource=st.one_of(st.none(), resources),
        instrumentation_scope=scopes,
    ),
    max_size=4,
)
