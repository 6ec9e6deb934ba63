"""How the walker reads the fields of SDK objects: by Python functions, on purpose.

A span has some eighteen fields spread over five objects. Asked one by one from C (`PyObject_GetAttr`), each costs a
lookup in the type and one in the instance, 12 to 20 ns, more than writing the field does. Python's own bytecode does
better: the specialising interpreter (PEP 659) remembers where in the object the attribute was and reads it from there
in one or two ns. So one call of a Python function per span reads all of them and gives them as a tuple, for less than
half the price. docs/architecture.md has the measurement.

Log records, metrics and data points are plain objects: their public attributes are read the same way, and only the
attributes of a log record come out of a container of the SDK. The data points of a metric are read by one call.

The functions `read_span`, `read_event` and `read_link` read private fields and are used only for exact SDK classes
whose first object gave the same bytes both ways. Where a span was made by hand, with a dict where the SDK has
BoundedAttributes, they raise AttributeError and the public ones take over. The order of the tuples is that of the
enums in native/sdk/src/{spans,logs,metrics}.pxi. Nothing here imports opentelemetry.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would be half of the time that `import otlp_fast` takes
    from typing import Any


def read_span(span: Any) -> tuple[Any, ...]:
    """All fields of an SDK span from its private attributes, then the four containers that some came from."""
    attributes = span._attributes
    events = span._events
    links = span._links
    status = span._status
    return (
        span._resource,
        span._instrumentation_scope,
        span._context,
        span._parent,
        span._name,
        span._kind,
        span._start_time,
        span._end_time,
        attributes._dict,
        attributes.dropped,
        events._dq,
        events.dropped,
        links._dq,
        links.dropped,
        status._status_code,
        status._description,
        attributes,
        events,
        links,
        status,
    )


def read_event(event: Any) -> tuple[Any, ...]:
    """The fields of an SDK event from its private attributes, then the container of its attributes."""
    attributes = event._attributes
    return event._timestamp, event._name, attributes._dict, attributes.dropped, attributes


def read_link(link: Any) -> tuple[Any, ...]:
    """The fields of an SDK link from its private attributes, then the container of its attributes."""
    attributes = link._attributes
    return link._context, attributes._dict, attributes.dropped, attributes


def read_public_span(span: Any) -> tuple[Any, ...]:
    """The fields of anything with the public properties of a ReadableSpan."""
    status = span.status
    return (
        span.resource,
        span.instrumentation_scope,
        span.get_span_context(),
        span.parent,
        span.name,
        span.kind,
        span.start_time,
        span.end_time,
        span.attributes,
        span.dropped_attributes,
        span.events,
        span.dropped_events,
        span.links,
        span.dropped_links,
        None if status is None else status.status_code,
        None if status is None else status.description,
    )


def read_public_event(event: Any) -> tuple[Any, ...]:
    """The fields of anything with the public properties of an Event."""
    return event.timestamp, event.name, event.attributes, event.dropped_attributes


def read_public_link(link: Any) -> tuple[Any, ...]:
    """The fields of anything with the public properties of a Link."""
    return link.context, link.attributes, link.dropped_attributes


def read_log_record(record: Any) -> tuple[Any, ...]:
    """The fields of an SDK log record, then the container of its attributes."""
    data = record.log_record
    attributes = data.attributes
    severity = data.severity_number
    return (
        record.resource,
        record.instrumentation_scope,
        data.timestamp,
        data.observed_timestamp,
        data.trace_id,
        data.span_id,
        data.trace_flags,
        data.severity_text,
        None if severity is None else severity._value_,
        data.body,
        attributes._dict,
        attributes.dropped,
        data.event_name,
        attributes,
    )


def read_log_data(record: Any) -> tuple[Any, ...]:
    """The same of a LogData, as SDK releases up to 1.38 have it."""
    data = record.log_record
    attributes = data.attributes
    severity = data.severity_number
    return (
        data.resource,
        record.instrumentation_scope,
        data.timestamp,
        data.observed_timestamp,
        data.trace_id,
        data.span_id,
        data.trace_flags,
        data.severity_text,
        None if severity is None else severity._value_,
        data.body,
        attributes._dict,
        data.dropped_attributes,
        getattr(data, "event_name", None),
        attributes,
    )


def read_public_log_record(record: Any) -> tuple[Any, ...]:
    """The fields of anything with the public properties of a ReadableLogRecord or of a LogData."""
    data = record.log_record
    owner = record if hasattr(record, "resource") else data
    return (
        owner.resource,
        record.instrumentation_scope,
        data.timestamp,
        data.observed_timestamp,
        data.trace_id,
        data.span_id,
        data.trace_flags,
        data.severity_text,
        getattr(data.severity_number, "value", None),
        data.body,
        data.attributes,
        getattr(owner, "dropped_attributes", 0),
        getattr(data, "event_name", None),
    )


def read_metrics(metrics: Any) -> list[tuple[Any, ...]]:
    """The fields of metrics, and the data points of each."""
    return [(metric.name, metric.description, metric.unit, metric.data, metric.data.data_points) for metric in metrics]


def read_number_points(points: Any) -> list[tuple[Any, ...]]:
    """The fields of the data points of a Sum or Gauge."""
    return [
        (point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.value, point.exemplars)
        for point in points
    ]


def read_histogram_points(points: Any) -> list[tuple[Any, ...]]:
    """The fields of the data points of a Histogram."""
    return [
        (
            point.attributes,
            point.start_time_unix_nano,
            point.time_unix_nano,
            point.count,
            point.sum,
            point.min,
            point.max,
            point.exemplars,
            point.bucket_counts,
            point.explicit_bounds,
        )
        for point in points
    ]


def read_exponential_points(points: Any) -> list[tuple[Any, ...]]:
    """The fields of the data points of an ExponentialHistogram."""
    return [
        (
            point.attributes,
            point.start_time_unix_nano,
            point.time_unix_nano,
            point.count,
            point.sum,
            point.min,
            point.max,
            point.exemplars,
            point.scale,
            point.zero_count,
            point.flags,
            point.positive.offset,
            point.positive.bucket_counts,
            point.negative.offset,
            point.negative.bucket_counts,
        )
        for point in points
    ]


def read_exemplars(exemplars: Any) -> list[tuple[Any, ...]]:
    """The fields of exemplars."""
    return [
        (
            exemplar.span_id,
            exemplar.trace_id,
            exemplar.time_unix_nano,
            exemplar.value,
            exemplar.filtered_attributes,
        )
        for exemplar in exemplars
    ]


class WithoutExemplars:
    """A data point that has no exemplars, so that the functions above can read it."""

    exemplars = ()

    def __init__(self, point: Any) -> None:
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._point, name)
