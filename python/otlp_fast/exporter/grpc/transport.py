"""One attempt over gRPC: a unary call of raw bytes, and what its status means.

Requests and responses stay bytes, so no message class and no protobuf is involved. Which statuses are worth a retry
says the OTLP specification; RESOURCE_EXHAUSTED only where the receiver names a delay. The same status tells of a
request that was too large, in words only, which differ by implementation: see `_SIZE_REFUSAL`.

**Fork.** gRPC can be forked only while no thread is inside it. So before a fork no call is begun, those under way get
a moment to end and are cancelled then; the parent repeats them. The child gets a new channel, and keeps the parent's
without closing it: that could end the parent's connection.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response
"""

from __future__ import annotations

import os
import re
import threading
import weakref

import grpc

from otlp_fast import DecodeError
from otlp_fast._core import read_retry_delay
from otlp_fast.exporter.body import Body
from otlp_fast.exporter.configuration import Compression
from otlp_fast.exporter.grpc.configuration import GRPCSettings
from otlp_fast.exporter.log_lines import printable
from otlp_fast.exporter.outcome import Outcome, Problem, accepted

MAX_RESPONSE_SIZE = 4 * 1024 * 1024

RETRYABLE_CODES = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)

STATUS_ATTRIBUTE = "rpc.response.status_code"

# What receivers say to a message over their limit: gRPC for C++ and Python, for Go, for Java, and for Rust (which says
# it with OUT_OF_RANGE).
_SIZE_REFUSAL = re.compile(
    r"message (after decompression )?larger than max|message exceeds maximum size|message length too large|too large",
    re.IGNORECASE,
)
_SIZE_REFUSAL_CODES = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.OUT_OF_RANGE})

# What gRPC says of a response over our limit, after the receiver took the request.
_RESPONSE_TOO_LARGE = re.compile(r"CLIENT: Received message larger than max")

# What gRPC says of a connection that ended under a call.
_CONNECTION_BROKE = re.compile(r"socket closed|stream removed|connection reset|broken pipe|goaway", re.IGNORECASE)

# How gRPC begins what it says of a connection that it did not get. The log line has the address already.
_CONNECTING = re.compile(r"^failed to connect to all addresses; last error: \w+: \S+: ")

# A certificate that does not verify will not verify a second later.
_BAD_CERTIFICATE = "CERTIFICATE_VERIFY_FAILED"

_STATUS_DETAILS = "grpc-status-details-bin"

_SHUT_DOWN = Problem("the exporter was shut down", "ClosedChannel", retryable=True)

_FORK_GRACE_SECONDS = 0.5
_FORK_CANCEL_SECONDS = 5.0

_EXPORTER_OPTIONS = {
    "grpc.max_receive_message_length": MAX_RESPONSE_SIZE,
    # Connections of a channel's own, which a child of a fork does not find in a pool.
    "grpc.use_local_subchannel_pool": 1,
    # gRPC's own backoff grows to two minutes, in which every attempt fails without a try. The exporter has its own.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 5000,
}


class GRPCTransport:
    """Calls to one receiver, over a channel that is kept. Safe to use from several threads."""

    def __init__(self, settings: GRPCSettings) -> None:
        headers = dict(settings.headers)
        self._target = settings.endpoint
        self._method = settings.signal.grpc_method
        self._credentials = settings.credentials
        self._compression = (
            grpc.Compression.Gzip if settings.compression is Compression.Gzip else grpc.Compression.NoCompression
        )
        self._options = tuple(
            {
                "grpc.primary_user_agent": headers.pop("user-agent"),
                **_EXPORTER_OPTIONS,
                **dict(settings.channel_options),
            }.items()
        )
        self._metadata = tuple(headers.items())
        self._retryable_codes = RETRYABLE_CODES if settings.retryable_codes is None else settings.retryable_codes
        self._retries_exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED in (settings.retryable_codes or ())
        self._closed = False
        self._open()
        _transports.add(self)

    def attempt(self, body: Body, timeout: float) -> Outcome | Problem:
        """Send `body` once and give the answer within `timeout` seconds."""
        if not threading.main_thread().is_alive():
            return self._attempt_at_exit(body.content, timeout)
        with self._changed:
            self._changed.wait_for(lambda: not self._is_forking)
            if self._closed:
                return _SHUT_DOWN
            call = self._call.future(body.content, timeout=timeout, metadata=self._metadata)
            self._under_way.add(call)
        try:
            response: bytes = call.result()
        except grpc.FutureCancelledError:
            return Problem("the call was cancelled", "CANCELLED", retryable=True, connection_broke=True)
        except grpc.RpcError as error:
            return self._judge(error)
        finally:
            with self._changed:
                self._under_way.discard(call)
                self._changed.notify_all()
        return accepted(response)

    def _attempt_at_exit(self, request: bytes, timeout: float) -> Outcome | Problem:
        """Do as `attempt` in an atexit handler. CPython 3.12 starts no thread there, and `future` would need one."""
        try:
            return accepted(self._call(request, timeout=timeout, metadata=self._metadata))
        except grpc.RpcError as error:
            return self._judge(error)
        except ValueError:
            return _SHUT_DOWN

    def close(self) -> None:
        """Begin no more calls, and cancel those under way."""
        with self._changed:
            self._closed = True
        self._channel.close()

    def pause_for_fork(self) -> None:
        """Keep threads out of gRPC until `resume_after_fork` or, in the child, `renew_after_fork`."""
        self._changed.acquire()
        self._is_forking = True
        if not self._changed.wait_for(lambda: not self._under_way, _FORK_GRACE_SECONDS):
            for call in self._under_way:
                call.cancel()
            self._changed.wait_for(lambda: not self._under_way, _FORK_CANCEL_SECONDS)

    def resume_after_fork(self) -> None:
        """Let the threads of the parent go on."""
        self._is_forking = False
        self._changed.notify_all()
        self._changed.release()

    def renew_after_fork(self) -> None:
        """Open a channel of its own in a forked child."""
        _inherited.append(self._channel)
        self._open()

    def _open(self) -> None:
        if self._credentials is None:
            self._channel = grpc.insecure_channel(self._target, self._options, self._compression)
        else:
            self._channel = grpc.secure_channel(self._target, self._credentials, self._options, self._compression)
        # Without serializers, what goes in and comes out are bytes.
        self._call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(self._method)
        self._changed = threading.Condition()
        self._is_forking = False
        self._under_way: set[grpc.Future[bytes]] = set()

    def _judge(self, error: grpc.RpcError) -> Outcome | Problem:
        code, details = error.code(), error.details() or ""
        if _RESPONSE_TOO_LARGE.search(details):
            return accepted(b"", "response over 4 MiB")
        retry_after = _retry_delay(error)
        too_large = code in _SIZE_REFUSAL_CODES and retry_after is None and bool(_SIZE_REFUSAL.search(details))
        return Problem(
            printable(f"{code.name}: {_CONNECTING.sub('', details)}"),
            code.name,
            status={STATUS_ATTRIBUTE: code.name},
            retry_after=retry_after,
            retryable=not too_large and _BAD_CERTIFICATE not in details and self._is_retryable(code, retry_after),
            connection_broke=code is grpc.StatusCode.UNAVAILABLE and bool(_CONNECTION_BROKE.search(details)),
            too_large=too_large,
        )

    def _is_retryable(self, code: grpc.StatusCode, retry_after: float | None) -> bool:
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self._retries_exhausted or retry_after is not None
        return code in self._retryable_codes


def _retry_delay(error: grpc.RpcError) -> float | None:
    """Seconds that the google.rpc.RetryInfo in a status asks for, None where it holds none."""
    for entry in error.trailing_metadata() or ():
        if entry.key == _STATUS_DETAILS:
            try:
                return read_retry_delay(entry.value)
            except DecodeError:
                return None
    return None


_transports: weakref.WeakSet[GRPCTransport] = weakref.WeakSet()
_paused: list[GRPCTransport] = []
# Channels of the parent, in a child.
_inherited: list[grpc.Channel] = []


def _pause_all() -> None:
    for transport in list(_transports):
        transport.pause_for_fork()
        _paused.append(transport)


def _resume_all() -> None:
    while _paused:
        _paused.pop().resume_after_fork()


# gRPC's own hooks are registered by then. Those before a fork run in reverse order: ours while gRPC is still at work.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause_all, after_in_parent=_resume_all, after_in_child=_paused.clear)
