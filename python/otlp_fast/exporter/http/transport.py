"""One attempt over HTTP: a POST, and what its answer means.

OTLP/HTTP lets a client retry on four statuses only. Redirects are not followed, as the official exporter does not
follow them; unlike there, they are failures.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import re
import ssl
from http import HTTPStatus

import urllib3
from urllib3 import exceptions

from otlp_fast.exporter.body import Body
from otlp_fast.exporter.configuration import Compression
from otlp_fast.exporter.http.configuration import HTTPSettings
from otlp_fast.exporter.http.connection import connect, with_fresh_connections
from otlp_fast.exporter.http.interruption import RequestsUnderWay
from otlp_fast.exporter.http.response import Response, error_message, read_response
from otlp_fast.exporter.http.retry_after import retry_after_seconds
from otlp_fast.exporter.log_lines import printable
from otlp_fast.exporter.outcome import Outcome, Problem, accepted

RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})

# What receivers answer to a Content-Encoding that they do not know: 415 says RFC 9110, 400 the Collector.
ENCODING_REFUSALS = frozenset({400, 415})

# What Go's http.MaxBytesReader says, and receivers in Go hand on: the Collector with 400, where 413 would be right.
_SIZE_REFUSAL = "request body too large"

STATUS_ATTRIBUTE = "http.response.status_code"

# How urllib3 begins its messages, by release: `<urllib3...HTTPConnection object at 0x7f...>: ` or
# `HTTPConnection(host='collector', port=4318): `. The log line has the address already.
_CONNECTION_REPR = re.compile(r"(?:<[^<>]* object at 0x[0-9a-f]+>|\w+\(host=[^()]*\)): ")

_CONNECTION_ERRORS = (
    exceptions.ProtocolError,
    exceptions.TimeoutError,
    exceptions.NewConnectionError,
    exceptions.ProxyError,
    exceptions.SSLError,
    exceptions.ClosedPoolError,
)


class HTTPTransport:
    """POST requests to one endpoint, over connections that are kept. Safe to use from several threads.

    Connections of its own can be cut off; those of a `session` are its user's.
    """

    def __init__(self, settings: HTTPSettings, session: urllib3.PoolManager | None = None) -> None:
        self._endpoint = settings.endpoint
        self._headers = settings.headers
        self._owns_connections = session is None
        self._connections = connect(settings) if session is None else session
        self._requests = RequestsUnderWay()

    def attempt(self, body: Body, timeout: float) -> Outcome | Problem:
        """Send `body` once and give the answer within `timeout` seconds."""
        headers = {name.lower(): value for name, value in self._connections.headers.items()} | self._headers
        if body.encoding != Compression.NoCompression.value:
            # Not always what was configured: a receiver may not know that.
            headers["content-encoding"] = body.encoding
        with self._requests.request():
            try:
                answer = self._connections.urlopen(
                    "POST",
                    self._endpoint,
                    body=body.content,
                    headers=headers,
                    timeout=urllib3.Timeout(total=timeout),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
            except exceptions.HTTPError as error:
                if self._requests.are_cut_off:
                    return Problem("no answer before the end of shutdown", type(error).__qualname__, retryable=True)
                return _problem_of_error(error)
            response = read_response(answer)
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return _problem_of_status(response)
        if response.body is None or not response.carries_protobuf:
            return accepted(b"", response.body_problem)
        return accepted(response.body)

    def close(self) -> None:
        """Close idle connections and cut off requests under way. A session is left as it is."""
        if self._owns_connections:
            self._requests.cut_off()
            self._connections.clear()

    def renew_after_fork(self) -> None:
        """Replace the connections in a forked child."""
        self._requests.renew_after_fork()
        self._connections = with_fresh_connections(self._connections)


def _problem_of_status(response: Response) -> Problem:
    explanation = response.title
    message = error_message(response)
    if message:
        explanation += f": {message}"
    too_large = response.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or (
        response.status == HTTPStatus.BAD_REQUEST and _SIZE_REFUSAL in message
    )
    if response.location is not None and HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
        explanation += f"; redirects are not followed, Location: {printable(response.location)}"
    return Problem(
        explanation,
        str(response.status),
        status={STATUS_ATTRIBUTE: response.status},
        retry_after=retry_after_seconds(response.retry_after),
        retryable=response.status in RETRYABLE_STATUSES,
        too_large=too_large,
        encoding_refused=response.status in ENCODING_REFUSALS
        and response.tracezip_state in ("", "refused")
        and not too_large,
        state_lost=response.status == HTTPStatus.CONFLICT and response.tracezip_state == "reset",
    )


def _problem_of_error(error: exceptions.HTTPError) -> Problem:
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
    name = type(error).__qualname__
    return Problem(
        printable(f"{name}: {_CONNECTION_REPR.sub('', str(error))}"),
        name,
        retryable=isinstance(error, _CONNECTION_ERRORS) and not bad_certificate,
        connection_broke=isinstance(error, exceptions.ClosedPoolError)
        or (isinstance(error, exceptions.ProtocolError) and any(isinstance(c, ConnectionError) for c in error.args)),
    )
