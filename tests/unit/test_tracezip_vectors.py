"""The test vectors of docs/tracezip-format.md, on both implementations; and what the document says itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otlp_fast import tracezip
from otlp_fast.errors import CompressionError
from otlp_fast.reference import tracezip as reference
from otlp_fast.reference import wire
from otlp_fast.reference.tracezip import frame as frames
from otlp_fast.reference.tracezip.plan import PLANS, Hole, HoleRole, Role, Simple

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "tracezip"
DOCUMENT = FOLDER.parents[2] / "docs" / "tracezip-format.md"
STREAMS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
WHOLE_STREAMS = [name for name in STREAMS if not list((FOLDER / name).glob("*.error"))]


def vectors(name: str) -> list[Path]:
    return sorted((FOLDER / name).glob("*.frame"))


@pytest.mark.parametrize("implementation", [tracezip, reference])
@pytest.mark.parametrize("name", STREAMS)
def test_decoder_makes_of_each_frame_what_it_should(name: str, implementation: type[tracezip]) -> None:
    decoder = implementation.Decoder()
    for path in vectors(name):
        error = path.with_suffix(".error")
        if error.exists():
            with pytest.raises(CompressionError) as caught:
                decoder.decode(path.read_bytes())
            assert f"{type(caught.value).__name__}: {caught.value}\n" == error.read_text(), path.name
        else:
            assert decoder.decode(path.read_bytes()) == path.with_suffix(".request").read_bytes(), path.name
            decoder.commit()


def layout(frame: bytes) -> tuple[object, ...]:
    """A frame but for its text, which zstd may write otherwise another day."""
    read = frames.read(frame, tracezip.Limits())
    return read.flags._replace(is_compressed=False), read.header._replace(prefix_len=0), read.columns, read.raw_block


@pytest.mark.parametrize("implementation", [tracezip, reference])
@pytest.mark.parametrize("name", WHOLE_STREAMS)
def test_encoder_makes_each_frame_as_it_was(name: str, implementation: type[tracezip]) -> None:
    header = tracezip.read_header(vectors(name)[0].read_bytes())
    limits = tracezip.Limits(max_state=header.state_size)
    encoder = implementation.Encoder(
        header.signal, stateless=header.is_stateless, stream_id=header.stream_id, limits=limits
    )
    for path in vectors(name):
        assert layout(encoder.encode(path.with_suffix(".request").read_bytes())) == layout(path.read_bytes())
        encoder.commit()
        following = path.with_name(f"{int(path.stem) + 1:02}.frame")
        if following.exists():
            # It covers the text as well.
            assert encoder.state_hash == tracezip.read_header(following.read_bytes()).base_hash


def test_vectors_show_every_kind_of_frame() -> None:
    headers = [tracezip.read_header(path.read_bytes()) for name in WHOLE_STREAMS for path in vectors(name)]
    assert {header.signal for header in headers} == {"traces", "logs", "metrics"}
    assert {(header.is_reset, header.is_stateless, header.is_raw) for header in headers} == {
        (True, False, False),
        (False, False, False),
        (True, False, True),
        (False, False, True),
        (False, True, False),
    }


def test_vector_of_evictions_empties_tables() -> None:
    decoder = reference.Decoder()
    for path in vectors("evictions"):
        decoder.decode(path.read_bytes())
        decoder.commit()
    assert decoder._last is not None
    codec = decoder._last.stream._codec
    assert codec.shapes._left > 0
    assert sum(family.left for family in codec.families._families) > 0
    assert codec.ids._mentions > codec.ids._capacity


def plan_tables() -> str:
    """The plans, as the document has them."""
    wire_types = {wire.VARINT: "VARINT", wire.FIXED64: "I64", wire.LENGTH_DELIMITED: "LEN", wire.FIXED32: "I32"}
    lines = []
    for name, plan in PLANS.items():
        within = ", within" if plan.is_within_parent else ""
        lines.append(f"{name}: {plan.kind.name.lower().replace('_', ' ')}{within}")
        for number, field in plan.fields.items():
            lines.append(f"  {number:>2} {field.name:<26} {wire_types[field.wire_type]:<7} {becomes(field.role)}")
    return "\n".join(lines) + "\n"


def becomes(role: Role) -> str:
    if isinstance(role, Simple):
        return role.value
    if isinstance(role, HoleRole):
        clock = f", clock {role.clock.name.lower().replace('_', ' ')}" if role.hole is Hole.TIME else ""
        return role.hole.value + clock
    return f"{type(role).__name__.lower()} {role.plan}"


def test_document_has_the_plans() -> None:
    assert plan_tables() in DOCUMENT.read_text()


def test_document_has_the_example() -> None:
    blocks = re.findall(r"```text\n((?:[0-9a-f]{2} | )[^`]*)```", DOCUMENT.read_text().split("## An example")[1])
    written = [
        bytes.fromhex("".join(re.findall(r"^[ ]*((?:[0-9a-f]{2} ?)+)", block, re.MULTILINE))) for block in blocks
    ]
    request, first, second = (
        (FOLDER / "example" / name).read_bytes() for name in ("00.request", "00.frame", "01.frame")
    )
    assert written == [request, first, second]
