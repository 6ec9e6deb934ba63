"""How a request becomes the body that a client sends.

Most encodings are a function of the request, which is what `CompressingSender` is. One that both ends remember things
for has to learn what became of each body, too: `framing`.
"""

from __future__ import annotations

from typing import Protocol

from otlp_fast import Buffer
from otlp_fast.compression import compress
from otlp_fast.exporter.body import Body
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.outcome import Outcome
from otlp_fast.exporter.retry import MAX_ROUNDS


class Sender(Protocol):
    """Sends requests of one signal in an encoding. Safe to use from several threads."""

    def send(self, request: bytes | Buffer, deadline: float, max_rounds: int = MAX_ROUNDS) -> Outcome:
        """Encode and send `request`, and give the outcome before `deadline`, a value of `time.monotonic()`."""

    def stats(self) -> dict[str, int]:
        """Give what the encoding alone can tell."""


class CompressingSender:
    """Compresses each request by itself.

    Args:
        client: What sends.
        encoding: One of `otlp_fast.compression`; `none` where the transport compresses by itself.
    """

    def __init__(self, client: OTLPClient, encoding: str) -> None:
        self._client = client
        self.encoding = encoding

    def send(self, request: bytes | Buffer, deadline: float, max_rounds: int = MAX_ROUNDS) -> Outcome:
        """Encode and send `request`, and give the outcome before `deadline`, a value of `time.monotonic()`."""
        return self._client.send(Body(compress(request, self.encoding), self.encoding), deadline, max_rounds)

    def stats(self) -> dict[str, int]:
        """Give nothing: what became of the requests is in the exporter's own account."""
        return {}
