"""The receiving ends of tracezip streams, as a receiver keeps them between its start and its stop."""

from __future__ import annotations

import threading

from otlp_fast.tracezip import Decoder, RepeatedFrameError, read_header
from tests.faults.ledger import Ledger, Receipt


class TracezipStreams:
    """Takes the requests of frames into a ledger, each once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._decoders: dict[bytes, Decoder] = {}
        self._last: dict[bytes, Receipt] = {}
        self._lock = threading.Lock()

    def take(self, frame: bytes, rejected: int) -> Receipt:
        """Take the request of `frame`, or find it as taken before. StateLostError where it builds on something else."""
        stream = read_header(frame).stream_id
        with self._lock:
            decoder = self._decoders.setdefault(stream, Decoder())
            try:
                request = decoder.decode(frame)
            except RepeatedFrameError:
                return self._last[stream]
            decoder.commit()
            self._last[stream] = self._ledger.take(request, rejected=rejected)
            return self._last[stream]

    def forget(self) -> None:
        """Know no stream any more."""
        with self._lock:
            self._decoders.clear()
            self._last.clear()
