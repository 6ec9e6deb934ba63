"""What is done with each field of each message: the one place that knows OTLP.

A *node* is a message with a shape of its own: a span, an event, a point. What its fields become is its plan. Fields
that take few values are part of the shape (`CONSTANT`); those that differ each time are *holes* in it; nested messages
are either part of the shape, with holes of their own (`Inline`), or nodes (`Nodes`).
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import NamedTuple

from otlp_fast.reference.wire import FIXED32, FIXED64, VARINT
from otlp_fast.reference.wire import LENGTH_DELIMITED as LEN


class Kind(IntEnum):
    """The kinds of nodes, and of what is inline in them."""

    REQUEST = 0
    RESOURCE_GROUP = 1
    SCOPE_GROUP = 2
    ITEM = 3
    POINT = 4
    EVENT = 5
    LINK = 6
    TEMPLATE = 7
    INLINE = 8


class Clock(IntEnum):
    """What a time is the time of. Each has a latest value in the stream."""

    START = 0
    END = 1
    EVENT = 2
    RECORD = 3
    OBSERVED = 4
    POINT_START = 5
    POINT = 6
    EXEMPLAR = 7


class Hole(Enum):
    """What a hole holds, which decides how it is predicted."""

    TEXT = "text"
    VARINT = "number"
    COUNT = "varint count"
    FIXED64 = "count"
    DOUBLE = "double"
    TIME = "time"
    TRACE_ID = "trace id"
    SPAN_ID = "span id"
    PARENT_ID = "parent id"
    NODES = "how many nodes"
    VARINTS = "varints"
    DIGITS = "digits in a text"
    HEX = "hexadecimal digits in a text"


class Simple(Enum):
    """What becomes of a field, where that needs no more than a name."""

    CONSTANT = "constant"
    KEY = "key"
    PACKED_FIXED64 = "packed counts"


class HoleRole(NamedTuple):
    """The field's value is a hole."""

    hole: Hole
    clock: Clock = Clock.START
    """Of a time: which."""


class Inline(NamedTuple):
    """The field is a message that is part of the shape, with holes."""

    plan: str


class Nodes(NamedTuple):
    """The field is a run of messages that have shapes of their own."""

    plan: str


Role = Simple | HoleRole | Inline | Nodes


class Field(NamedTuple):
    """A field of a message."""

    name: str
    wire_type: int
    role: Role


class Plan(NamedTuple):
    """What becomes of the fields of a message, by their numbers."""

    kind: Kind
    is_within_parent: bool
    """Whether its shapes are known by where they stand: a point's series is its own in each metric of each resource."""
    fields: dict[int, Field]

    def role(self, tag: int) -> Role | None:
        """Give what becomes of the field with this tag; None where there is none: the request travels as it is."""
        field = self.fields.get(tag >> 3)
        return field.role if field is not None and field.wire_type == tag & 7 else None


CONSTANT = Simple.CONSTANT
TEXT = HoleRole(Hole.TEXT)
NUMBER = HoleRole(Hole.VARINT)
COUNT = HoleRole(Hole.FIXED64)
DOUBLE = HoleRole(Hole.DOUBLE)
TRACE_ID = HoleRole(Hole.TRACE_ID)
SPAN_ID = HoleRole(Hole.SPAN_ID)
ATTRIBUTES = Inline("attribute")


def _time(clock: Clock) -> HoleRole:
    return HoleRole(Hole.TIME, clock)


def _envelope(name: str, items: str, item: str, is_within_parent: bool) -> dict[str, Plan]:
    """Give the plans around the items, in which the signals differ by names only."""
    return {
        name: Plan(Kind.REQUEST, False, {1: Field(f"resource_{name}", LEN, Nodes(f"resource_{name}"))}),
        f"resource_{name}": Plan(
            Kind.RESOURCE_GROUP,
            False,
            {
                1: Field("resource", LEN, CONSTANT),
                2: Field(f"scope_{name}", LEN, Nodes(f"scope_{name}")),
                3: Field("schema_url", LEN, CONSTANT),
            },
        ),
        f"scope_{name}": Plan(
            Kind.SCOPE_GROUP,
            is_within_parent,
            {
                1: Field("scope", LEN, CONSTANT),
                2: Field(items, LEN, Nodes(item)),
                3: Field("schema_url", LEN, CONSTANT),
            },
        ),
    }


def _metric_data(point: str) -> Plan:
    """Give the plan of the data of a metric, which differs only in its points."""
    return Plan(
        Kind.INLINE,
        False,
        {
            1: Field("data_points", LEN, Nodes(point)),
            2: Field("aggregation_temporality", VARINT, CONSTANT),
            3: Field("is_monotonic", VARINT, CONSTANT),
        },
    )


POINT_TIMES = {
    2: Field("start_time_unix_nano", FIXED64, _time(Clock.POINT_START)),
    3: Field("time_unix_nano", FIXED64, _time(Clock.POINT)),
}

PLANS: dict[str, Plan] = {
    **_envelope("spans", "spans", "span", False),
    **_envelope("logs", "log_records", "log_record", False),
    **_envelope("metrics", "metrics", "metric", True),
    "attribute": Plan(
        Kind.INLINE,
        False,
        {1: Field("key", LEN, Simple.KEY), 2: Field("value", LEN, Inline("any_value"))},
    ),
    "any_value": Plan(
        Kind.INLINE,
        False,
        {
            1: Field("string_value", LEN, TEXT),
            2: Field("bool_value", VARINT, NUMBER),
            3: Field("int_value", VARINT, NUMBER),
            4: Field("double_value", FIXED64, DOUBLE),
            5: Field("array_value", LEN, Inline("array_value")),
            6: Field("kvlist_value", LEN, Inline("key_value_list")),
            7: Field("bytes_value", LEN, TEXT),
        },
    ),
    "array_value": Plan(Kind.INLINE, False, {1: Field("values", LEN, Inline("any_value"))}),
    "key_value_list": Plan(Kind.INLINE, False, {1: Field("values", LEN, ATTRIBUTES)}),
    "span": Plan(
        Kind.ITEM,
        False,
        {
            1: Field("trace_id", LEN, TRACE_ID),
            2: Field("span_id", LEN, SPAN_ID),
            3: Field("trace_state", LEN, TEXT),
            4: Field("parent_span_id", LEN, HoleRole(Hole.PARENT_ID)),
            5: Field("name", LEN, CONSTANT),
            6: Field("kind", VARINT, CONSTANT),
            7: Field("start_time_unix_nano", FIXED64, _time(Clock.START)),
            8: Field("end_time_unix_nano", FIXED64, _time(Clock.END)),
            9: Field("attributes", LEN, ATTRIBUTES),
            10: Field("dropped_attributes_count", VARINT, CONSTANT),
            11: Field("events", LEN, Nodes("event")),
            12: Field("dropped_events_count", VARINT, CONSTANT),
            13: Field("links", LEN, Nodes("link")),
            14: Field("dropped_links_count", VARINT, CONSTANT),
            15: Field("status", LEN, Inline("status")),
            16: Field("flags", FIXED32, CONSTANT),
        },
    ),
    "status": Plan(
        Kind.INLINE,
        False,
        {2: Field("message", LEN, TEXT), 3: Field("code", VARINT, CONSTANT)},
    ),
    "event": Plan(
        Kind.EVENT,
        False,
        {
            1: Field("time_unix_nano", FIXED64, _time(Clock.EVENT)),
            2: Field("name", LEN, CONSTANT),
            3: Field("attributes", LEN, ATTRIBUTES),
            4: Field("dropped_attributes_count", VARINT, CONSTANT),
        },
    ),
    "link": Plan(
        Kind.LINK,
        False,
        {
            1: Field("trace_id", LEN, TRACE_ID),
            2: Field("span_id", LEN, SPAN_ID),
            3: Field("trace_state", LEN, TEXT),
            4: Field("attributes", LEN, ATTRIBUTES),
            5: Field("dropped_attributes_count", VARINT, CONSTANT),
            6: Field("flags", FIXED32, CONSTANT),
        },
    ),
    "log_record": Plan(
        Kind.ITEM,
        False,
        {
            1: Field("time_unix_nano", FIXED64, _time(Clock.RECORD)),
            2: Field("severity_number", VARINT, CONSTANT),
            3: Field("severity_text", LEN, CONSTANT),
            5: Field("body", LEN, Inline("any_value")),
            6: Field("attributes", LEN, ATTRIBUTES),
            7: Field("dropped_attributes_count", VARINT, CONSTANT),
            8: Field("flags", FIXED32, CONSTANT),
            9: Field("trace_id", LEN, TRACE_ID),
            10: Field("span_id", LEN, SPAN_ID),
            11: Field("observed_time_unix_nano", FIXED64, _time(Clock.OBSERVED)),
            12: Field("event_name", LEN, CONSTANT),
        },
    ),
    "metric": Plan(
        Kind.ITEM,
        True,
        {
            1: Field("name", LEN, CONSTANT),
            2: Field("description", LEN, CONSTANT),
            3: Field("unit", LEN, CONSTANT),
            5: Field("gauge", LEN, Inline("numbers")),
            7: Field("sum", LEN, Inline("numbers")),
            9: Field("histogram", LEN, Inline("histogram")),
            10: Field("exponential_histogram", LEN, Inline("exponential_histogram")),
            11: Field("summary", LEN, Inline("summary")),
            12: Field("metadata", LEN, CONSTANT),
        },
    ),
    "numbers": _metric_data("number_data_point"),
    "histogram": _metric_data("histogram_data_point"),
    "exponential_histogram": _metric_data("exponential_histogram_data_point"),
    "summary": _metric_data("summary_data_point"),
    "number_data_point": Plan(
        Kind.POINT,
        True,
        {
            **POINT_TIMES,
            4: Field("as_double", FIXED64, DOUBLE),
            5: Field("exemplars", LEN, Nodes("exemplar")),
            6: Field("as_int", FIXED64, COUNT),
            7: Field("attributes", LEN, CONSTANT),
            8: Field("flags", VARINT, CONSTANT),
        },
    ),
    "histogram_data_point": Plan(
        Kind.POINT,
        True,
        {
            **POINT_TIMES,
            4: Field("count", FIXED64, COUNT),
            5: Field("sum", FIXED64, DOUBLE),
            6: Field("bucket_counts", LEN, Simple.PACKED_FIXED64),
            7: Field("explicit_bounds", LEN, CONSTANT),
            8: Field("exemplars", LEN, Nodes("exemplar")),
            9: Field("attributes", LEN, CONSTANT),
            10: Field("flags", VARINT, CONSTANT),
            11: Field("min", FIXED64, DOUBLE),
            12: Field("max", FIXED64, DOUBLE),
        },
    ),
    "exponential_histogram_data_point": Plan(
        Kind.POINT,
        True,
        {
            1: Field("attributes", LEN, CONSTANT),
            **POINT_TIMES,
            4: Field("count", FIXED64, COUNT),
            5: Field("sum", FIXED64, DOUBLE),
            6: Field("scale", VARINT, CONSTANT),
            7: Field("zero_count", FIXED64, COUNT),
            8: Field("positive", LEN, Inline("buckets")),
            9: Field("negative", LEN, Inline("buckets")),
            10: Field("flags", VARINT, CONSTANT),
            11: Field("exemplars", LEN, Nodes("exemplar")),
            12: Field("min", FIXED64, DOUBLE),
            13: Field("max", FIXED64, DOUBLE),
            14: Field("zero_threshold", FIXED64, CONSTANT),
        },
    ),
    "buckets": Plan(
        Kind.INLINE,
        False,
        {1: Field("offset", VARINT, HoleRole(Hole.COUNT)), 2: Field("bucket_counts", LEN, HoleRole(Hole.VARINTS))},
    ),
    "summary_data_point": Plan(
        Kind.POINT,
        True,
        {
            **POINT_TIMES,
            4: Field("count", FIXED64, COUNT),
            5: Field("sum", FIXED64, DOUBLE),
            6: Field("quantile_values", LEN, Nodes("quantile")),
            7: Field("attributes", LEN, CONSTANT),
            8: Field("flags", VARINT, CONSTANT),
        },
    ),
    "quantile": Plan(
        Kind.EVENT,
        True,
        {1: Field("quantile", FIXED64, CONSTANT), 2: Field("value", FIXED64, DOUBLE)},
    ),
    "exemplar": Plan(
        Kind.EVENT,
        False,
        {
            2: Field("time_unix_nano", FIXED64, _time(Clock.EXEMPLAR)),
            3: Field("as_double", FIXED64, DOUBLE),
            4: Field("span_id", LEN, SPAN_ID),
            5: Field("trace_id", LEN, TRACE_ID),
            6: Field("as_int", FIXED64, COUNT),
            7: Field("filtered_attributes", LEN, ATTRIBUTES),
        },
    ),
}

REQUESTS = {"traces": PLANS["spans"], "logs": PLANS["logs"], "metrics": PLANS["metrics"]}
"""The plan of a signal's request."""
