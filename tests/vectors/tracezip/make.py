"""Writes the test vectors beside this file: `python tests/vectors/tracezip/make.py`, from the checkout.

Each folder is a stream, and its files are in the order of their names what a decoder gets: a frame, and beside it
either the request, and then the frame is committed, or the error that it must give (docs/tracezip-format.md).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[2]))

from otlp_fast.errors import CompressionError  # noqa: E402
from otlp_fast.reference.tracezip import Decoder, Encoder, frame, values  # noqa: E402
from otlp_fast.reference.tracezip.codec import Codec  # noqa: E402
from otlp_fast.reference.tracezip.coder import Writing  # noqa: E402
from otlp_fast.reference.tracezip.constants import CHECKSUM_LEN, Capacity  # noqa: E402
from otlp_fast.reference.tracezip.frame import Column, Encoding, Flags, Header  # noqa: E402
from otlp_fast.reference.tracezip.hashes import crc32c, hash_of  # noqa: E402
from otlp_fast.reference.tracezip.plan import PLANS  # noqa: E402
from otlp_fast.reference.tracezip.shape import read_shape  # noqa: E402
from otlp_fast.reference.tracezip.shapes import NOTHING, Behind, Entry  # noqa: E402
from otlp_fast.tracezip.limits import DEFAULT_LIMITS, Limits  # noqa: E402
from tests.tracezip_requests import Service  # noqa: E402

STREAM_ID = bytes(range(0xF0, 0x100))
SMALL = Limits(max_state=1 << 16)
# One span with its ids, its name and its start.
EXAMPLE = bytes.fromhex(
    "0a2e122c122a0a10000102030405060708090a0b0c0d0e0f1208a1a2a3a4a5a6a7a82a034745543900002a36fe9c9717"
)


class Folder:
    """A stream's frames, as they are written one after the other."""

    def __init__(self, name: str) -> None:
        self.path = FOLDER / name
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        self.decoder = Decoder()
        self.count = 0

    def add(self, content: bytes) -> None:
        """Write a frame, and what the reference makes of it."""
        name = f"{self.count:02}"
        self.count += 1
        (self.path / f"{name}.frame").write_bytes(content)
        try:
            request = self.decoder.decode(content)
        except CompressionError as error:
            (self.path / f"{name}.error").write_text(f"{type(error).__name__}: {error}\n")
        else:
            (self.path / f"{name}.request").write_bytes(request)
            self.decoder.commit()


def stream(name: str, signal: str, requests: list[bytes], limits: Limits = DEFAULT_LIMITS) -> None:
    """Write a stream of committed frames."""
    folder, encoder = Folder(name), Encoder(signal, stream_id=STREAM_ID, limits=limits)
    for request in requests:
        folder.add(encoder.encode(request))
        encoder.commit()


def stateless() -> None:
    """Write frames that need no state."""
    folder, encoder, service = Folder("stateless"), Encoder("logs", stateless=True), Service(4)
    for _ in range(2):
        folder.add(encoder.encode(service.request("logs", 3)))


def resets() -> None:
    """Write a stream that is reset, with frames that come twice and too late."""
    folder, encoder, service = Folder("resets"), Encoder("traces", stream_id=STREAM_ID), Service(5)
    sent = []
    for step in range(4):
        if step == 2:
            encoder.reset()
        sent.append(encoder.encode(service.request("traces", 2)))
        encoder.commit()
    first, second, third, fourth = sent
    for content in (second, first, first, fourth, second, second, third, third, first, second, fourth):
        folder.add(content)


def damaged() -> None:
    """Write frames that are refused, each for one reason."""
    folder = Folder("damaged")
    encoder = Encoder("traces", stream_id=STREAM_ID)
    good = encoder.encode(EXAMPLE)
    folder.add(b"")
    folder.add(b"GZ" + good[2:])
    folder.add(good[:2] + b"\2" + good[3:])
    folder.add(good[:6])
    folder.add(good[:-1])
    for flags in (0x31, 0x41, 0x03):
        folder.add(signed(good[:3] + bytes([flags]) + good[4:-4]))
    read = frame.read(good, DEFAULT_LIMITS)
    header, columns = read.header, read.columns
    for changed in (
        header._replace(decoded_len=(20 << 20) + 1),
        header._replace(items=25),
        header._replace(plain_len=(16 << 20) + 1),
        header._replace(state_log2=15),
        header._replace(state_log2=23),
        header._replace(prefix_len=1),
        header._replace(decoded_len=2 << 20),
        header._replace(seq=1),
        header._replace(plain_len=50),
        header._replace(content_hash=0),
        header._replace(decoded_len=49),
        header._replace(decoded_len=47),
    ):
        folder.add(frame.write(read.flags, changed, columns, read.raw_block, read.zblock))
    for number, encoding in ((5, Encoding.TEXT), (4, Encoding.BYTES)):
        folder.add(written(read, [*columns[:3], Column(number, encoding, columns[3].length)]))
    folder.add(written(read, [*columns[:2], columns[2]._replace(encoding=Encoding.BITS), columns[3]]))
    folder.add(written(read, [columns[0], columns[2], columns[1], columns[3]]))
    # The last of the plain bytes is missing, then one is left over.
    for raw_block, change in ((read.raw_block[:-1], -1), (read.raw_block + b"x", 1)):
        longer = header._replace(plain_len=header.plain_len + change)
        plain_bytes = columns[2]._replace(length=columns[2].length + change)
        folder.add(frame.write(read.flags, longer, [*columns[:2], plain_bytes, columns[3]], raw_block, read.zblock))
    folder.add(frame.write(read.flags._replace(is_compressed=True), header, columns, read.raw_block, read.zblock))
    # A skeleton whose first tag is of no field, and one that is cut off.
    folder.add(written(read, columns, read.zblock.replace(b"\x0a\x00", b"\x7a\x00")))
    folder.add(written(read, columns, read.zblock.replace(b"\x03GET", b"\x09GET")))
    folder.add(hostile(run_without_nodes))
    folder.add(hostile(variable_without_text))


def signed(content: bytes) -> bytes:
    """A frame with the checksum that fits it."""
    return content + crc32c(content).to_bytes(CHECKSUM_LEN, "little")


def written(read: frame.Frame, columns: list[Column], text: bytes | None = None) -> bytes:
    """A frame with another directory or text."""
    return frame.write(read.flags, read.header, columns, read.raw_block, read.zblock if text is None else text)


def hostile(say: Callable[[Codec, Writing, Entry], None]) -> bytes:
    """A frame of one span with a run of events and a trace state, of which `say` writes what no encoder writes."""
    codec, coder = Codec("traces", Capacity.of(22)), Writing()
    behind, parent = NOTHING, None
    for plan, skeleton in (
        ("spans", b"\x0a"),
        ("resource_spans", b"\x12"),
        ("scope_spans", b"\x12"),
        ("span", b"\x5a\x1a"),
    ):
        codec.shapes.choose(coder, PLANS[plan].kind, behind, None)
        codec.skeleton_len(coder, len(skeleton))
        coder.text(len(skeleton), skeleton)
        shape = read_shape(skeleton, PLANS[plan], codec.families.named)
        place = codec.shapes.enter(PLANS[plan].kind, behind, codec.shapes.scope(PLANS[plan], parent), shape)
        entry = codec.shapes.entry(place)
        assert entry is not None
        if plan != "span":
            values.nodes(coder, codec.families[shape.holes[0].family], entry.slots[0], 1)
        behind, parent = Behind(place), place
    say(codec, coder, entry)
    decisions, _, _, text = coder.finish()
    columns = [Column(1, Encoding.MODELLED, len(decisions)), Column(4, Encoding.TEXT, len(text))]
    header = Header(STREAM_ID, 1, 0, 0, 64, 0, len(decisions) + len(text), 0, 22, hash_of(b""))
    return frame.write(Flags(True, False, False, False, "traces"), header, columns, decisions, text)


def run_without_nodes(codec: Codec, coder: Writing, entry: Entry) -> None:
    values.nodes(coder, codec.families[entry.shape.holes[0].family], entry.slots[0], 0)


def variable_without_text(codec: Codec, coder: Writing, entry: Entry) -> None:
    values.nodes(coder, codec.families[entry.shape.holes[0].family], entry.slots[0], 1)
    codec.shapes.choose(coder, PLANS["event"].kind, Behind(3), None)
    codec.skeleton_len(coder, 0)
    number = entry.shape.holes[1].family
    coder.bit(codec.families[number].forms, 0, False)
    coder.bit(codec.families[number].forms, 1, True)
    with suppress(CompressionError):
        codec._templated(coder, number, b"\x02", [b""], 64)


def main() -> None:
    stream("example", "traces", [EXAMPLE, EXAMPLE])
    for seed, signal in enumerate(("traces", "logs", "metrics")):
        service = Service(seed)
        stream(signal, signal, [service.request(signal, items) for items in (2, 10, 4)])
    stream("raw", "logs", [b"\xff", b"", b"no OTLP, but it comes again: " * 20])
    service = Service(3)
    stream("evictions", "traces", [service.request("traces", 60) for _ in range(4)], SMALL)
    stateless()
    resets()
    damaged()


if __name__ == "__main__":
    main()
