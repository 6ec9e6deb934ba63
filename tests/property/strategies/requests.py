"""Requests of every signal, built from protobuf's own descriptors: whatever field OTLP has, they have."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from tests.request_items import MESSAGES

# Fields that only profiles use: of the three signals they are unknown fields.
OF_PROFILES = {"key_strindex", "string_value_strindex"}
ID_LENGTHS = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
MAX_DEPTH = 9

NUMBERS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 2**31 - 1) | st.integers(0, 5),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(['"\\', "\n\t\x00\x1f", "東京", "😀"])


def values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return messages(field.message_type, depth + 1)
    if field.type == FieldDescriptor.TYPE_STRING:
        return TEXTS
    if field.type == FieldDescriptor.TYPE_BYTES:
        length = ID_LENGTHS.get(field.name)
        return st.binary(max_size=40) if length is None else st.binary(min_size=length, max_size=length)
    return NUMBERS[field.type]


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 0) -> Any:
    """A message with some of its fields, and of each oneof at most one."""
    message = GetMessageClass(descriptor)()
    fields = [
        field
        for field in descriptor.fields
        if field.name not in OF_PROFILES and not (field.type == FieldDescriptor.TYPE_MESSAGE and depth >= MAX_DEPTH)
    ]
    chosen = draw(st.sets(st.integers(0, len(fields) - 1), max_size=4)) if fields else set()
    if depth < 3:
        # Down to the items: a request without any shows little.
        chosen |= {number for number, field in enumerate(fields) if field.is_repeated}
    for field in (fields[number] for number in sorted(chosen)):
        if field.is_repeated:
            elements = draw(st.lists(values(field, depth), max_size=2))
            getattr(message, field.name).extend(elements)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            getattr(message, field.name).CopyFrom(draw(values(field, depth)))
        else:
            setattr(message, field.name, draw(values(field, depth)))
    return message


def requests(signal: str) -> st.SearchStrategy[Any]:
    return messages(MESSAGES[signal][0].DESCRIPTOR)


signals_and_requests = st.sampled_from(sorted(MESSAGES)).flatmap(
    lambda signal: st.tuples(st.just(signal), requests(signal))
)
