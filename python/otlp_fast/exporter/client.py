"""Sends one request body: retries, waits, gives up, and says why.

`OTLPClient.send` makes POST requests until one is answered for good or the deadline is reached. Each round that ends
in a retryable status or in a connection failure is followed by a wait: what the receiver's Retry-After asks, or else
exponential backoff. A wait that would pass the deadline is not begun.

A request on a connection that breaks before the answer, as a kept one does when the receiver has closed it meanwhile,
is repeated at once, one time per call. The same bytes are sent every time.

A read timeout ends the call. urllib3 is given all the time that is left, so none is left for a retry when it has
passed; the official exporter comes to the same end. The receiver may have taken such a request, and after a broken
connection too: OTLP delivers at least once.

Redirects are not followed, as the official exporter does not follow them; unlike there, they are failures.
"""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus

import urllib3
from urllib3 import exceptions

from otlp_fast import DecodeError
from otlp_fast._core import read_export_response
from otlp_fast.exporter.configuration import Settings
from otlp_fast.exporter.connection import connect, with_fresh_connections
from otlp_fast.exporter.response import Response, error_message, printable, read_response
from otlp_fast.exporter.retry import MAX_ROUNDS, RETRYABLE_STATUSES, backoff_seconds, retry_after_seconds

# The same transient error is a warning once in this time, and a debug line otherwise.
_REPEATED_WARNING_SECONDS = 60.0

# How urllib3 begins its messages, by release: `<urllib3...HTTPConnection object at 0x7f...>: ` or
# `HTTPConnection(host='collector', port=4318): `. The log line has the address already.
_CONNECTION_REPR = re.compile(r"(?:<[^<>]* object at 0x[0-9a-f]+>|\w+\(host=[^()]*\)): ")


@dataclass(frozen=True)
class Outcome:
    """How sending one request body ended."""

    delivered: bool
    status: int | None = None
    """HTTP status of the last answer, None where there was none."""
    explanation: str = ""
    error_type: str = ""
    """For the `error.type` attribute of metrics: a status, or the name of an exception class."""
    receiver_unavailable: bool = False
    """The receiver did not decide about this request: others need not be tried within this deadline."""
    rejected: int = 0
    """Items that the receiver says it rejected out of a request that it accepted."""

    @property
    def too_large(self) -> bool:
        """Whether the receiver refused the request for its size."""
        return self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@dataclass(frozen=True)
class _Problem:
    """Why one request was not delivered."""

    explanation: str
    error_type: str
    status: int | None = None
    retry_after: float | None = None
    retryable: bool = False
    connection_broke: bool = False


class OTLPClient:
    """One endpoint, its connections, and the rules for sending to it. Safe to use from several threads."""

    def __init__(self, settings: Settings, session: urllib3.PoolManager | None, logger: logging.Logger) -> None:
        self._settings = settings
        self._owns_connections = session is None
        self._connections = connect(settings) if session is None else session
        self._logger = logger
        self._stopped = threading.Event()
        self._last_transient = ("", 0.0)
        self._warned_of_unreadable_body = False

    def send(self, body: bytes, deadline: float) -> Outcome:
        """Send `body` and give the outcome before `deadline`, a value of `time.monotonic()`."""
        started = time.monotonic()
        requests = 0
        waits = 0
        reconnected = False
        problem = _Problem("the deadline had passed", "DeadlineExceeded", retryable=True)
        ending = ""
        while (remaining := deadline - time.monotonic()) > 0:
            requests += 1
            answer = self._post(body, remaining)
            if isinstance(answer, Outcome):
                return answer
            problem = answer
            if not problem.retryable:
                break
            if problem.connection_broke and not reconnected:
                reconnected = True
                continue

            pause = backoff_seconds(waits) if problem.retry_after is None else problem.retry_after
            waits += 1
            if self._stopped.is_set():
                ending = ", the exporter was shut down"
                break
            if waits == MAX_ROUNDS:
                break
            if pause > deadline - time.monotonic():
                ending = f", a wait of {pause:.1f} s would pass the deadline"
                break
            self._report_transient(problem, pause)
            if self._stopped.wait(pause):
                ending = ", the exporter was shut down during the wait for a retry"
                break
        elapsed = time.monotonic() - started
        return Outcome(
            delivered=False,
            status=problem.status,
            explanation=f"{problem.explanation} ({_times(requests)}, {elapsed:.1f} s{ending})",
            error_type=problem.error_type,
            receiver_unavailable=problem.retryable,
        )

    def shutdown(self) -> None:
        """Wake waits for a retry, which fail then, and close idle connections. Requests under way are not cut off."""
        self._stopped.set()
        if self._owns_connections:
            self._connections.clear()

    def renew_after_fork(self) -> None:
        """Replace connections and locks in a forked child."""
        stopped = self._stopped.is_set()
        self._stopped = threading.Event()
        if stopped:
            self._stopped.set()
        self._connections = with_fresh_connections(self._connections)

    def _post(self, body: bytes, timeout: float) -> Outcome | _Problem:
        headers = {name.lower(): value for name, value in self._connections.headers.items()} | self._settings.headers
        try:
            answer = self._connections.urlopen(
                "POST",
                self._settings.endpoint,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(total=timeout),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except exceptions.HTTPError as error:
            return _problem_of_error(error)
        response = read_response(answer)
        if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            self._last_transient = ("", 0.0)
            return self._accepted(response)
        return _problem_of_status(response)

    def _accepted(self, response: Response) -> Outcome:
        rejected, message = 0, ""
        problem = response.body_problem
        if response.body and response.carries_protobuf:
            try:
                rejected, message = read_export_response(response.body)
            except DecodeError as error:
                problem = printable(f"response body is not an export response: {error}")
        elif response.body:
            self._logger.debug("Response body of type %s was not read", response.content_type)
        if problem:
            level = logging.DEBUG if self._warned_of_unreadable_body else logging.WARNING
            self._warned_of_unreadable_body = True
            self._logger.log(level, "%s accepted the request, but its %s", self._settings.address, problem)
        if message and rejected <= 0:
            self._logger.warning("%s accepted the request and says: %s", self._settings.address, printable(message))
        return Outcome(
            delivered=True, status=response.status, rejected=max(rejected, 0), explanation=printable(message)
        )

    def _report_transient(self, problem: _Problem, pause: float) -> None:
        last, last_time = self._last_transient
        now = time.monotonic()
        repeated = last == problem.explanation and now - last_time < _REPEATED_WARNING_SECONDS
        if not repeated:
            self._last_transient = (problem.explanation, now)
        self._logger.log(
            logging.DEBUG if repeated else logging.WARNING,
            "Transient error while exporting %s to %s: %s; retrying in %.2f s",
            self._settings.signal,
            self._settings.address,
            problem.explanation,
            pause,
        )


def _problem_of_status(response: Response) -> _Problem:
    explanation = response.title
    message = error_message(response)
    if message:
        explanation += f": {message}"
    if response.location is not None and HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        explanation += f"; redirects are not followed, Location: {printable(response.location)}"
    return _Problem(
        explanation,
        str(response.status),
        status=response.status,
        retry_after=retry_after_seconds(response.retry_after),
        retryable=response.status in RETRYABLE_STATUSES,
    )


def _problem_of_error(error: exceptions.HTTPError) -> _Problem:
    """Judge a request without an answer.

    Retried is what another try may mend: no connection, a broken one, an answer that is not HTTP. A certificate that
    does not verify will not verify a second later.
    """
    causes = (error, *error.args, getattr(error, "original_error", None))
    bad_certificate = any(
        isinstance(inner, ssl.SSLCertVerificationError)
        for cause in causes
        for inner in (cause, *getattr(cause, "args", ()))
    )
    connection_errors = (
        exceptions.ProtocolError,
        exceptions.TimeoutError,
        exceptions.NewConnectionError,
        exceptions.ProxyError,
        exceptions.SSLError,
        exceptions.ClosedPoolError,
    )
    name = type(error).__qualname__
    return _Problem(
        printable(f"{name}: {_CONNECTION_REPR.sub('', str(error))}"),
        name,
        retryable=isinstance(error, connection_errors) and not bad_certificate,
        connection_broke=isinstance(error, exceptions.ClosedPoolError)
        or (isinstance(error, exceptions.ProtocolError) and any(isinstance(c, ConnectionError) for c in error.args)),
    )


def _times(requests: int) -> str:
    return "1 attempt" if requests == 1 else f"{requests} attempts"
