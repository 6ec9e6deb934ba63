"""How one attempt to send a request ended, in terms that are the same for every transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from otlp_fast import DecodeError
from otlp_fast._core import read_export_response
from otlp_fast.exporter.log_lines import printable


@dataclass(frozen=True)
class Problem:
    """Why one attempt did not deliver its request."""

    explanation: str
    error_type: str
    """For the `error.type` attribute of metrics: a status, or the name of an exception class."""
    status: Mapping[str, str | int] = field(default_factory=dict)
    """Status of the answer as an attribute of metrics; empty where there was no answer."""
    retry_after: float | None = None
    """Seconds that the receiver asks to wait."""
    retryable: bool = False
    connection_broke: bool = False
    """A kept connection ended before the answer: the next attempt need not wait."""
    too_large: bool = False
    """The receiver refused the request for its size."""
    encoding_refused: bool = False
    """The receiver may not know the encoding of the body; or what is wrong with the request is something else."""
    state_lost: bool = False
    """The receiver does not have the state that the body builds on."""


@dataclass(frozen=True)
class Outcome:
    """How sending one request ended, its retries included."""

    delivered: bool
    explanation: str = ""
    """Why it was not delivered, or what the receiver said to a request that it accepted."""
    error_type: str = ""
    status: Mapping[str, str | int] = field(default_factory=dict)
    retry_after: float | None = None
    """Seconds that the receiver asked to wait in its last answer."""
    receiver_unavailable: bool = False
    """The receiver did not decide about this request: others need not be tried within this deadline."""
    too_large: bool = False
    encoding_refused: bool = False
    state_lost: bool = False
    rejected: int = 0
    """Items that the receiver says it rejected out of a request that it accepted."""
    response_problem: str = ""
    """Why the response of a delivered request could not be read."""


def accepted(response: bytes, problem: str = "") -> Outcome:
    """Give the outcome of a request that the receiver took, whatever its response looks like."""
    rejected, message = 0, ""
    try:
        rejected, message = read_export_response(response)
    except DecodeError as error:
        problem = printable(f"response is not an export response: {error}")
    return Outcome(delivered=True, rejected=max(rejected, 0), explanation=printable(message), response_problem=problem)
