"""What the Python examples take as given, as `from tests.docs.given import *`: telemetry, a socket, a receiver.

The exporters of an example send to `receiver`: the environment names it, as that of a service would.
"""

from __future__ import annotations

import os
from types import SimpleNamespace

import otlp_fast
from otlp_fast import compression, files
from tests.compat.spans import make_span
from tests.unit.exporter.scripted_receiver import Receiver

__all__ = ["data", "delivered", "receiver", "sent", "socket", "spans"]

receiver = Receiver()
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.base

spans = [make_span(), make_span()]
data = otlp_fast.encode_spans(spans)
with files.open_writer("capture.otlp.zst") as writer:
    writer.write(data, "traces")

sent: list[bytes] = []
socket = SimpleNamespace(sendall=lambda body: sent.append(bytes(body)))


def delivered() -> dict[str, bytes]:
    """Give what arrived, decompressed, by path."""
    return {
        request.path: compression.decompress(request.body, request.headers.get("content-encoding", "none"))
        for request in receiver.requests
    }
