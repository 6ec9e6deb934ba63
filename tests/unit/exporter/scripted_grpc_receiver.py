"""A gRPC receiver on a real socket whose answers each test scripts. Like everything here, it deals in bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

GRPC_LOGGER = "otlp_fast.exporter.grpc"


@dataclass
class Call:
    """What arrived in one call."""

    method: str
    metadata: dict[str, str]
    body: bytes
    peer: str


@dataclass
class Answer:
    """A status, or a response where the status is OK."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    details: str = ""
    response: bytes = b""
    status_details: bytes | None = None
    delay: float = 0.0

    def __call__(self, receiver: GRPCReceiver, context: Any) -> bytes:
        if self.delay:
            receiver.closing.wait(self.delay)
        if self.code is grpc.StatusCode.OK:
            return self.response
        if self.status_details is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", self.status_details),))
        context.abort(self.code, self.details)
        raise AssertionError("abort raises")


def retry_info(seconds: float) -> bytes:
    """Give a google.rpc.Status that asks to wait for `seconds`."""
    whole = int(seconds)
    status = Status(code=grpc.StatusCode.RESOURCE_EXHAUSTED.value[0], message="slow down")
    delay = Duration(seconds=whole, nanos=round((seconds - whole) * 1e9))
    status.details.add().Pack(RetryInfo(retry_delay=delay))
    return status.SerializeToString()


class GRPCReceiver:
    """An OTLP/gRPC receiver for one test: answers OK with an empty response where the script has no more to say."""

    def __init__(self, port: int = 0, credentials: grpc.ServerCredentials | None = None, options: Any = None) -> None:
        self.requests: list[Call] = []
        self.closing = threading.Event()
        self._script: list[Callable[..., bytes]] = []
        self._default: Callable[..., bytes] = Answer()
        self._lock = threading.Lock()
        self._server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0), *(options or ())])
        self._server.add_generic_rpc_handlers((_Handler(self),))
        address = f"127.0.0.1:{port}"
        if credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, credentials)
        self.url = f"{'http' if credentials is None else 'https'}://127.0.0.1:{self.port}"
        self._server.start()

    def script(self, *answers: Callable[..., bytes]) -> None:
        """Answer the next calls so."""
        self._script = list(answers)

    def always(self, answer: Callable[..., bytes]) -> None:
        """Answer every call after the script so."""
        self._default = answer

    def answer(self, call: Call, context: Any) -> bytes:
        with self._lock:
            self.requests.append(call)
            chosen = self._script.pop(0) if self._script else self._default
        return chosen(self, context)

    def close(self) -> None:
        self.closing.set()
        self._server.stop(0).wait(5)


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, receiver: GRPCReceiver) -> None:
        self._receiver = receiver

    def service(self, details: Any) -> Any:
        def run(body: bytes, context: Any) -> bytes:
            call = Call(details.method, dict(context.invocation_metadata()), body, context.peer())
            return self._receiver.answer(call, context)

        return grpc.unary_unary_rpc_method_handler(run)
