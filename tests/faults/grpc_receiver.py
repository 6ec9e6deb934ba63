"""A gRPC receiver that misbehaves as it is told. A behaviour is a function of one `Call`, and gives the response."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.faults.ledger import Ledger, Receipt


@dataclass
class Call:
    """One request, which gRPC has read."""

    body: bytes
    context: Any
    ledger: Ledger
    closing: threading.Event

    def take(self, rejected: int = 0, *, acknowledged: bool = True) -> Receipt:
        """Take the request, but its first `rejected` items. Is what the behaviour says then a yes?"""
        receipt = self.ledger.take(self.body, rejected=rejected)
        receipt.acknowledged = acknowledged
        return receipt

    def abort(self, code: grpc.StatusCode, details: str = "", retry_in: float | None = None) -> NoReturn:
        if retry_in is not None:
            status = Status(code=code.value[0], message=details)
            status.details.add().Pack(RetryInfo(retry_delay=Duration(nanos=round(retry_in * 1e9))))
            self.context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        self.context.abort(code, details)
        raise AssertionError("abort raises")


Behaviour = Callable[[Call], bytes]


class GRPCReceiver:
    """Does with each call what the script says next, and `default` after the script."""

    transport = "grpc"

    def __init__(
        self, port: int = 0, default: Behaviour | None = None, ledger: Ledger | None = None, max_message: int = -1
    ) -> None:
        self.ledger = ledger or Ledger()
        self.default = default or accept
        self.closing = threading.Event()
        self.is_running = False
        self.port = port
        self._max_message = max_message
        self.played: set[Behaviour] = set()
        self._script: list[Behaviour] = []
        self._lock = threading.Lock()
        self.start()

    def endpoint(self, signal: str) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, *behaviours: Behaviour) -> None:
        with self._lock:
            self._script = list(behaviours)

    def answer(self, body: bytes, context: Any) -> bytes:
        with self._lock:
            behaviour = self._script.pop(0) if self._script else self.default
            self.played.add(behaviour)
        return behaviour(Call(body, context, self.ledger, self.closing))

    def start(self) -> None:
        """Listen, on the same port as before."""
        self.closing.clear()
        options = [
            ("grpc.so_reuseport", 0),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", self._max_message),
        ]
        self._server = grpc.server(futures.ThreadPoolExecutor(8), [_Handlers(self)], options=options)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()
        self.is_running = True

    def stop(self) -> None:
        """Close the port and every connection. Calls under way get their answers: those were noted as given."""
        if not self.is_running:
            return
        self.is_running = False
        self.closing.set()
        self._server.stop(5).wait(10)


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, receiver: GRPCReceiver) -> None:
        self._receiver = receiver

    def service(self, details: Any) -> Any:
        # Without serializers, what comes in and goes out are bytes.
        return grpc.unary_unary_rpc_method_handler(self._receiver.answer)


def aborting(code: grpc.StatusCode, details: str = "", retry_in: float | None = None) -> Behaviour:
    """Do not take the request, and say so."""

    def play(call: Call) -> bytes:
        call.abort(code, details, retry_in)

    return play


def taking(response: bytes = b"") -> Behaviour:
    """Take the request and answer so."""

    def play(call: Call) -> bytes:
        call.take()
        return response

    return play


accept = taking()


def accept_in_part(call: Call) -> bytes:
    """Reject the first item of the request, whatever there is more."""
    call.take(rejected=1)
    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 1
    response.partial_success.error_message = "too old"
    return response.SerializeToString()


def accept_with_large_response(call: Call) -> bytes:
    """Give a response of 100 MiB."""
    call.take()
    return bytes(100 * 1024 * 1024)


def take_and_say_unavailable(call: Call) -> bytes:
    call.take(acknowledged=False)
    call.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost behind a proxy")


def raise_an_exception(call: Call) -> bytes:
    raise RuntimeError("a bug of the receiver")


def hang_before_taking(call: Call) -> bytes:
    call.closing.wait()
    call.abort(grpc.StatusCode.UNAVAILABLE)


def hang_after_taking(call: Call) -> bytes:
    call.take(acknowledged=False)
    call.closing.wait()
    return b""
