"""A node's *skeleton*: its bytes without the values of its holes and the lengths that follow from them.

Taking a message apart (`take_apart`) gives the skeleton and the values; equal skeletons are one shape, sent once. A
skeleton is read by the same plan that made it (`shape.read_shape`), so a receiver finds the holes without being told:

| role | in the skeleton, behind the tag |
|---|---|
| constant, key | the value as on the wire |
| hole | nothing |
| hole of an id | 0; or 1 and the value as on the wire, where it has another length |
| inline message | the length of its skeleton as u16, and that |
| run of nodes | nothing; the tag stands once |
| packed counts | 0 and how many they are as varint; or 1 and the value as on the wire, where they are over MAX_PACKED |
"""

from __future__ import annotations

from otlp_fast.reference.tracezip.canonical import Canonical, NotCanonicalError
from otlp_fast.reference.tracezip.constants import MAX_DEPTH, MAX_HOLES, MAX_PACKED, MAX_SKELETON_LEN
from otlp_fast.reference.tracezip.plan import PLANS, Hole, HoleRole, Inline, Nodes, Plan, Simple
from otlp_fast.reference.tracezip.shape import FORMS, ID_LENGTHS, Form
from otlp_fast.reference.wire import varint

Value = int | bytes | list[bytes]
"""The value of a hole: a number, a time or a count; text, packed varints or an id; the nodes of a run."""


def take_apart(message: bytes, plan: Plan) -> tuple[bytes, list[Value]]:
    """Give the skeleton and the values of a node.

    Raises:
        NotCanonicalError: it would not come back as the same bytes.
    """
    skeleton = bytearray()
    values: list[Value] = []
    _take_fields(message, plan, MAX_DEPTH, skeleton, values)
    if len(skeleton) >= MAX_SKELETON_LEN or len(values) > MAX_HOLES:
        raise NotCanonicalError
    return bytes(skeleton), values


def _take_fields(message: bytes, plan: Plan, depth: int, skeleton: bytearray, values: list[Value]) -> None:
    rest = Canonical(message)
    while not rest.is_at_end():
        start = rest.at
        tag = rest.tag()
        skeleton += message[start : rest.at]
        role = plan.role(tag)
        if isinstance(role, Nodes):
            rest.at = start
            values.append(rest.run(tag))
        elif isinstance(role, Inline):
            if depth == 0:
                raise NotCanonicalError
            inner = bytearray()
            _take_fields(rest.nested(), PLANS[role.plan], depth - 1, inner, values)
            if len(inner) >= 1 << 16:
                raise NotCanonicalError
            skeleton += len(inner).to_bytes(2, "little") + inner
        elif isinstance(role, HoleRole):
            start = rest.at
            value = _take_value(rest, role.hole)
            if role.hole in ID_LENGTHS:
                if len(value) != ID_LENGTHS[role.hole]:  # type: ignore[arg-type]
                    skeleton += b"\1" + message[start : rest.at]
                    continue
                skeleton.append(0)
            values.append(value)
        elif role is Simple.PACKED_FIXED64:
            start = rest.at
            content = rest.nested()
            if len(content) // 8 > MAX_PACKED or len(content) % 8:
                skeleton += b"\1" + message[start : rest.at]
                continue
            skeleton += b"\0" + varint(len(content) // 8)
            values.extend(int.from_bytes(content[at : at + 8], "little") for at in range(0, len(content), 8))
        elif role is None:
            raise NotCanonicalError
        else:
            skeleton += rest.as_written(tag)


def _take_value(rest: Canonical, hole: Hole) -> int | bytes:
    form = FORMS[hole]
    if form == Form.VARINT:
        return rest.varint()
    if form == Form.FIXED64:
        return int.from_bytes(rest.take(8), "little")
    return rest.varints() if hole is Hole.VARINTS else rest.nested()
