"""What a receiver answered, read with care.

A response may be of any size and hold anything. At most 4 MiB are read and at most 4 MiB come out of decompression,
as the specification asks; what is larger is not read further, and the connection is dropped. Decompression is done
here and not by urllib3, whose older releases expand a whole chunk before anyone can look at its size.

A body that cannot be read never hides the status: that decides, whatever follows it.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import urllib3

from otlp_fast import DecodeError
from otlp_fast._core import read_status_message
from otlp_fast.exporter.http.configuration import CONTENT_TYPE
from otlp_fast.exporter.log_lines import SHOWN_CHARACTERS, printable

MAX_BODY_SIZE = 4 * 1024 * 1024

_CHUNK_SIZE = 64 * 1024

# zlib's window bits for each Content-Encoding: 15 for a zlib header, 16 more for a gzip one.
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


@dataclass(frozen=True)
class Response:
    """Status, headers and body of one answer."""

    status: int
    reason: str
    content_type: str
    location: str | None
    retry_after: str | None
    tracezip_state: str
    """What became of the stream of a tracezip frame; empty where the receiver does not say."""
    body: bytes | None
    """None where the body could not be read; `body_problem` says why."""
    body_problem: str

    @property
    def title(self) -> str:
        """Status and reason, for log lines."""
        return printable(f"{self.status} {self.reason}")

    @property
    def carries_protobuf(self) -> bool:
        """Whether the body may be read as protobuf: a receiver that names no type is trusted to have kept to ours."""
        return self.content_type in ("", CONTENT_TYPE)


def read_response(answer: urllib3.BaseHTTPResponse) -> Response:
    """Read the body of an answer that urllib3 has not read yet, and give its connection back."""
    body, problem = _read_body(answer)
    if body is None:
        answer.close()
    answer.release_conn()
    if body is not None:
        body, problem = _decompress(body, answer.headers.get("content-encoding", ""))
    return Response(
        status=answer.status,
        reason=answer.reason or "",
        content_type=answer.headers.get("content-type", "").partition(";")[0].strip().lower(),
        location=answer.headers.get("location"),
        retry_after=answer.headers.get("retry-after"),
        tracezip_state=answer.headers.get("tracezip-state", "").strip().lower(),
        body=body,
        body_problem=problem,
    )


def error_message(response: Response) -> str:
    """Give the message of the google.rpc.Status in an error response, or what can be printed of any other body."""
    if response.body is None:
        return response.body_problem
    if response.carries_protobuf:
        try:
            message = read_status_message(response.body)
        except DecodeError:
            message = ""
        if message:
            return printable(message)
    return printable(response.body[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace"))


def _read_body(answer: urllib3.BaseHTTPResponse) -> tuple[bytes | None, str]:
    body = bytearray()
    try:
        while piece := answer.read(_CHUNK_SIZE, decode_content=False):
            body += piece
            if len(body) > MAX_BODY_SIZE:
                return None, "response body over 4 MiB"
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return None, printable(f"response body broken off: {error}")
    return bytes(body), ""


def _decompress(body: bytes, encoding: str) -> tuple[bytes | None, str]:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity") or not body:
        return body, ""
    if encoding not in _WINDOW_BITS:
        return None, printable(f"response body in unknown encoding {encoding}")
    decompressor = zlib.decompressobj(_WINDOW_BITS[encoding])
    try:
        expanded = decompressor.decompress(body, MAX_BODY_SIZE + 1)
    except zlib.error:
        return None, f"response body is not valid {encoding}"
    if len(expanded) > MAX_BODY_SIZE:
        return None, "response body over 4 MiB after decompression"
    if not decompressor.eof:
        return None, f"response body is truncated {encoding}"
    return expanded, ""
