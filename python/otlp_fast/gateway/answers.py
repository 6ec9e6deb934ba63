"""What a client is told, and how: an answer is kept in protobuf, and rendered in the form that the client speaks."""

from __future__ import annotations

import json
from typing import NamedTuple

from starlette.responses import Response

from otlp_fast import DecodeError
from otlp_fast._core import read_export_response
from otlp_fast.gateway.rpc_status import read_status, write_status

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
FORMS = {PROTOBUF: "protobuf", JSON: "json"}
"""The media types of requests, each with the name of its form."""

_OK = 200
_REJECTED = {"traces": "rejectedSpans", "logs": "rejectedLogRecords", "metrics": "rejectedDataPoints"}


class Answer(NamedTuple):
    """An answer to a request, whoever gave it."""

    status: int
    outcome: str
    """What came of the request, in one word: a label of the metrics."""
    body: bytes = b""
    content_type: str = PROTOBUF
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_success(self) -> bool:
        """Whether the next hop has taken the request."""
        return self.status == _OK

    def with_header(self, name: str, value: str) -> Answer:
        """Give the same answer with one more header."""
        return self._replace(headers=(*self.headers, (name, value)))


class Refused(Exception):
    """Ends the work on a request; the answer says why."""

    def __init__(self, answer: Answer) -> None:
        """Make the end of a request that gets `answer`."""
        super().__init__(answer.outcome)
        self.answer = answer


def error(status: int, outcome: str, message: str, *, retry_after: int | None = None, closes: bool = False) -> Answer:
    """Give an error of the gateway's own.

    Args:
        status: of HTTP. Senders of OTLP try again after 429, 502, 503 and 504 only, and drop the request after others.
        outcome: what came of the request, in one word.
        message: for people.
        retry_after: seconds that the client shall wait.
        closes: whether the connection ends here, because the rest of the request will not be read.
    """
    answer = Answer(status, outcome, write_status(status, message))
    if retry_after is not None:
        answer = answer.with_header("Retry-After", str(retry_after))
    return answer.with_header("Connection", "close") if closes else answer


def render(answer: Answer, form: str | None, signal: str) -> Response:
    """Give the HTTP response to a client that speaks `form`; plain text where that is not known."""
    body, content_type = answer.body, answer.content_type
    if content_type == PROTOBUF and form == "json":
        body, content_type = _as_json(answer, signal), JSON
    elif content_type == PROTOBUF and form is None:
        body, content_type = f"{read_status(body)[1]}\n".encode(), "text/plain; charset=utf-8"
    return Response(body, answer.status, {"Content-Type": content_type, **dict(answer.headers)})


def _as_json(answer: Answer, signal: str) -> bytes:
    if answer.is_success:
        return json.dumps(_export_response(answer.body, signal)).encode()
    code, message = read_status(answer.body)
    return json.dumps({"code": code, "message": message}).encode()


def _export_response(body: bytes, signal: str) -> dict[str, object]:
    try:
        rejected, message = read_export_response(body)
    except DecodeError:
        # The next hop has taken the request, whatever it says about it.
        return {}
    # A 64-bit integer is a string in the JSON of protobuf.
    return (
        {"partialSuccess": {_REJECTED[signal]: str(rejected), "errorMessage": message}} if rejected or message else {}
    )
