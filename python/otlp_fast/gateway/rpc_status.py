"""`google.rpc.Status`, the body of OTLP's errors: an HTTP status says what went wrong, this says it in words.

Specification: https://opentelemetry.io/docs/specs/otlp/#failures-1
"""

from __future__ import annotations

from otlp_fast import DecodeError
from otlp_fast._core import read_status_message
from otlp_fast.reference import wire

_CODE = 1
_MESSAGE = 2
_CODE_TAG = wire.tag(_CODE, wire.VARINT)

# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
_UNKNOWN = 2
_CODE_OF_HTTP_STATUS = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    409: 10,  # ABORTED
    413: 11,  # OUT_OF_RANGE
    415: 3,
    429: 8,  # RESOURCE_EXHAUSTED
    500: 13,  # INTERNAL
    502: 14,  # UNAVAILABLE
    503: 14,
    504: 4,  # DEADLINE_EXCEEDED
}


def write_status(http_status: int, message: str) -> bytes:
    """Give the status of an error of the gateway's own."""
    code = _CODE_OF_HTTP_STATUS.get(http_status, _UNKNOWN)
    return wire.varint_field(_CODE, code) + wire.string_field(_MESSAGE, message)


def read_status(body: bytes) -> tuple[int, str]:
    """Give code and message of a status that somebody else wrote: 2, UNKNOWN, and nothing where it is none."""
    try:
        message = read_status_message(body)
    except DecodeError:
        return _UNKNOWN, ""
    # Every writer of protobuf puts field 1 first, and all codes there are fit into one byte.
    has_code = body[:1] == _CODE_TAG and len(body) > 1 and body[1] < 0x80
    return body[1] if has_code else _UNKNOWN, message
