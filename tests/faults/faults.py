"""What receivers can do wrong over either transport, and what the sender is to make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from grpc import StatusCode

from tests.faults import grpc_receiver, http_receiver
from tests.faults.grpc_receiver import aborting
from tests.faults.http_receiver import answering, taking, taking_then_sending


class Verdict(Enum):
    """What becomes of a request that meets a fault."""

    RETRIED = auto()
    """It is sent again: lost only where the fault stays."""
    LOST = auto()
    TAKEN = auto()
    """The receiver has it, whatever else it does."""


@dataclass(frozen=True)
class Fault:
    """What a receiver does with a request."""

    play: Callable[[Any], Any]
    verdict: Verdict
    is_doubtful: bool = False
    """The receiver may take a request that the sender cannot know of: it may count as lost, or arrive twice."""


RETRIED, LOST, TAKEN = Verdict.RETRIED, Verdict.LOST, Verdict.TAKEN

_PROTOBUF = {"Content-Type": "application/x-protobuf"}

FAULTS = {
    "http": {
        "429": Fault(answering("429 Too Many Requests"), RETRIED),
        "429 for a moment": Fault(answering("429 Too Many Requests", headers={"Retry-After": "0.05"}), RETRIED),
        "503": Fault(answering("503 Service Unavailable"), RETRIED),
        "503 for an hour": Fault(answering("503 Service Unavailable", headers={"Retry-After": "3600"}), LOST),
        "400": Fault(answering("400 Bad Request", b"\x08\x03\x12\x06broken", _PROTOBUF), LOST),
        "500 with a page": Fault(answering("500 Oops", b"<html>" + b"\xff\x00" * 500), LOST),
        "413": Fault(answering("413 Content Too Large"), RETRIED),
        "400 for its size": Fault(
            answering("400 Bad Request", b"\x08\x03\x12\x1chttp: request body too large", _PROTOBUF), RETRIED
        ),
        "redirect": Fault(answering("307 Temporary Redirect", headers={"Location": "/elsewhere"}), LOST),
        "redirect to itself": Fault(answering("301 Moved", headers={"Location": "/v1/traces"}), LOST),
        "closed before the request": Fault(http_receiver.close_before_reading, RETRIED),
        "reset before the request": Fault(http_receiver.reset_before_reading, RETRIED),
        "reset in the body": Fault(http_receiver.reset_in_body, RETRIED),
        "closed after the request": Fault(http_receiver.close_after_taking, RETRIED, is_doubtful=True),
        "reset after the request": Fault(http_receiver.reset_after_taking, RETRIED, is_doubtful=True),
        "reset in the answer": Fault(http_receiver.reset_in_answer, RETRIED, is_doubtful=True),
        "another protocol": Fault(
            taking_then_sending(b"SSH-2.0-OpenSSH_9.2\r\n", acknowledged=False), RETRIED, is_doubtful=True
        ),
        "noise": Fault(taking_then_sending(bytes(range(256)) * 4, acknowledged=False), RETRIED, is_doubtful=True),
        "a header line without end": Fault(
            taking_then_sending(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 200_000, acknowledged=False),
            RETRIED,
            is_doubtful=True,
        ),
        "a thousand headers": Fault(
            taking_then_sending(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000, b"\r\n", acknowledged=False),
            RETRIED,
            is_doubtful=True,
        ),
        "drips within the deadline": Fault(
            taking_then_sending(
                *[bytes([byte]) for byte in b"HTTP/1.1 200 OK\r\n\r\n"], pause=0.005, acknowledged=True
            ),
            TAKEN,
        ),
        "200 that is no protobuf": Fault(taking(body=b"thank you\xff", headers=_PROTOBUF), TAKEN),
        "200 with a page": Fault(taking(body=b"<html>it works</html>", headers={"Content-Type": "text/html"}), TAKEN),
        "200 that is no gzip": Fault(
            taking(body=b"\x1f\x8bno", headers={**_PROTOBUF, "Content-Encoding": "gzip"}), TAKEN
        ),
        "200 in a foreign encoding": Fault(taking(body=b"?", headers={"Content-Encoding": "br"}), TAKEN),
        "body shorter than announced": Fault(
            taking_then_sending(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc", acknowledged=True), TAKEN
        ),
        "body longer than announced": Fault(http_receiver.answer_with_leftovers, TAKEN),
        "negative length": Fault(
            taking_then_sending(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc", acknowledged=True), TAKEN
        ),
        "chunks that are none": Fault(
            taking_then_sending(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nrubbish", acknowledged=True
            ),
            TAKEN,
        ),
        "chunks without end": Fault(
            taking_then_sending(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", acknowledged=True),
            TAKEN,
        ),
        "HTTP/1.0": Fault(taking_then_sending(b"HTTP/1.0 200 OK\r\n\r\n", acknowledged=True), TAKEN),
    },
    "grpc": {
        "unavailable": Fault(aborting(StatusCode.UNAVAILABLE), RETRIED),
        "unavailable after the request": Fault(grpc_receiver.take_and_say_unavailable, RETRIED, is_doubtful=True),
        "deadline of its own": Fault(aborting(StatusCode.DEADLINE_EXCEEDED), RETRIED),
        "cancelled": Fault(aborting(StatusCode.CANCELLED), RETRIED),
        "aborted": Fault(aborting(StatusCode.ABORTED), RETRIED),
        "data loss": Fault(aborting(StatusCode.DATA_LOSS), RETRIED),
        "exhausted for a moment": Fault(aborting(StatusCode.RESOURCE_EXHAUSTED, "slow down", retry_in=0.05), RETRIED),
        "exhausted": Fault(aborting(StatusCode.RESOURCE_EXHAUSTED, "quota"), LOST),
        "exhausted for its size": Fault(
            aborting(StatusCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (9 vs. 4)"), RETRIED
        ),
        "invalid": Fault(aborting(StatusCode.INVALID_ARGUMENT, "no\nsuch\x00field"), LOST),
        "not there": Fault(aborting(StatusCode.UNIMPLEMENTED), LOST),
        "a bug": Fault(grpc_receiver.raise_an_exception, LOST),
        "OK that is no protobuf": Fault(grpc_receiver.taking(b"thank you\xff"), TAKEN),
        "OK with a partial success of none": Fault(grpc_receiver.taking(b"\x0a\x00"), TAKEN),
    },
}

HANGS = {
    "http": {
        "before the request": http_receiver.hang_before_reading,
        "after the request": http_receiver.hang_after_taking,
        "in an endless head": http_receiver.drip_an_endless_head,
        "in endless continuations": http_receiver.continue_for_ever,
    },
    "grpc": {
        "before the request": grpc_receiver.hang_before_taking,
        "after the request": grpc_receiver.hang_after_taking,
    },
}
