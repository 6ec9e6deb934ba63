"""Bodies: read with a limit and a deadline, and made plain OTLP."""

from __future__ import annotations

from typing import NamedTuple

import anyio
from starlette.requests import Request

from otlp_fast import DecodeError, count, from_json
from otlp_fast.compression import CompressionError, LimitError, compress, decompress
from otlp_fast.gateway.admission import Reservation
from otlp_fast.gateway.answers import Answer, Refused, error

TRACEZIP = "tracezip"
ENCODINGS = {
    "": "none",
    "identity": "none",
    "gzip": "gzip",
    "x-gzip": "gzip",
    "zstd": "zstd",
    "lz4": "lz4",
    TRACEZIP: TRACEZIP,
}
"""Values of `Content-Encoding` that are understood, each with the name of its encoding."""

_RETRY_AFTER_SECONDS = 5


async def read_body(request: Request, max_size: int, timeout: float, reservation: Reservation) -> bytes:
    """Give the body as it came.

    Raises:
        Refused: it is longer than `max_size`, or there is no memory for it, or it takes longer than `timeout`: that is
            said with 503 and not with 408, after which a sender of OTLP would drop the request.
        ClientDisconnect: the client has gone.
    """
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > max_size:
        raise Refused(too_large(f"a body of {announced} bytes", max_size))
    body = bytearray()
    try:
        with anyio.fail_after(timeout):
            async for chunk in request.stream():
                if len(body) + len(chunk) > max_size:
                    raise Refused(too_large("the body", max_size))
                reservation.grow(len(chunk))
                body += chunk
    except TimeoutError:
        message = f"the request did not arrive within {timeout:g} s"
        raise Refused(error(503, "slow_client", message, retry_after=_RETRY_AFTER_SECONDS, closes=True)) from None
    return bytes(body)


def decompressed(body: bytes, encoding: str, max_size: int) -> bytes:
    """Give what a body is without its encoding. For a thread: it takes long where that is, and does not hold the GIL.

    Raises:
        Refused: the body is not of this encoding, or would be longer than `max_size`.
    """
    try:
        return decompress(body, encoding, max_size=max_size)
    except LimitError:
        raise Refused(too_large("the decompressed request", max_size)) from None
    except CompressionError as problem:
        raise Refused(_malformed(problem)) from None


class Outgoing(NamedTuple):
    """A request as the next hop gets it."""

    body: bytes
    plain_size: int
    """How many bytes of OTLP in protobuf it is."""
    item_count: int
    """How many spans, log records or data points it holds."""


def outgoing(content: bytes, form: str, signal: str, encoding: str, max_size: int) -> Outgoing:
    """Make a request what the next hop gets. For a thread, as `decompressed`.

    Raises:
        Refused: it is no such request, or would be longer than `max_size` in protobuf.
    """
    try:
        plain = from_json(content, signal) if form == "json" else content
        item_count = count(plain, signal)
    except DecodeError as problem:
        raise Refused(_malformed(problem)) from None
    if len(plain) > max_size:
        raise Refused(too_large("the request in protobuf", max_size))
    return Outgoing(compress(plain, encoding), len(plain), item_count)


def too_large(what: str, max_size: int) -> Answer:
    """Say that a request passes the limit: its sender will cut it and send the parts."""
    return error(413, "too_large", f"{what} passes the limit of {max_size:,} bytes", closes=True)


def _malformed(problem: Exception) -> Answer:
    return error(400, "malformed", f"the request cannot be read: {problem}")
