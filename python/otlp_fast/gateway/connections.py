"""A bound on how long a client may take for the head of a request, which uvicorn does not have.

Without it, connections that never say what they want are kept for as long as they like. The body has its own deadline,
see `bodies.read_body`; between two requests uvicorn's keep-alive time-out counts.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_SECONDS = 15.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 by h11, which also bounds the size of a head, until the patience ends."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin without a connection."""
        super().__init__(*args, **kwargs)
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait on where the head is not whole yet."""
        super().data_received(data)
        is_under_way = self.cycle is not None and not self.cycle.response_complete
        if is_under_way:
            self._stop_waiting()
        elif self._patience is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._patience = self.loop.call_later(HEAD_TIMEOUT_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
