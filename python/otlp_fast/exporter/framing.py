"""Sends requests as tracezip frames, and by other means where the receiver does not take these.

A frame builds on what the receiver has taken, so what became of each matters. A frame that was delivered counts on
this side too; one that was given up does not, although the receiver may have taken it: it will say so. Attempts repeat
the same bytes, by which a receiver knows a frame that it has taken already.

What the receiver answers decides what is done with a request, none of which is lost on the way:

- It does not have the state of the stream, after a restart or behind a load balancer, or the frame was damaged on its
  way: the stream begins anew, and the same request is sent once more.
- It does not know tracezip, or refuses this frame: the same request is sent with zstd, or with gzip where that is
  refused as well. Where it is taken then, so are the next ones, and tracezip is tried again after five minutes, later
  after ten, up to an hour. Where it is refused in every encoding, it was not the encoding's fault.

A request that is longer than frames may be goes with zstd or gzip, too.
"""

from __future__ import annotations

import logging
import threading

from otlp_fast import Buffer
from otlp_fast.exporter.body import Body
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.compressing import CompressingSender
from otlp_fast.exporter.configuration import Compression
from otlp_fast.exporter.fork import renew_in_forked_children
from otlp_fast.exporter.outcome import Outcome
from otlp_fast.exporter.pause import GrowingPause
from otlp_fast.exporter.retry import MAX_ROUNDS
from otlp_fast.exporter.streams import Streams
from otlp_fast.tracezip import Encoder, Limits, read_header

# gzip is the one that the specification names.
FALLBACKS = (Compression.Zstd, Compression.Gzip)

MAX_REQUEST_SIZE = Limits().max_decoded_len

_COUNTS = ("frames", "resets", "raw_frames", "stateless_frames", "fallbacks", "bytes_in", "bytes_out")


class FramingSender:
    """Sends requests of one signal as tracezip frames. Safe to use from several threads, and in forked children.

    Args:
        client: What sends.
        signal: Name of the signal.
        address: Of the receiver, for log lines.
        logger: For these.
    """

    def __init__(self, client: OTLPClient, signal: str, address: str, logger: logging.Logger) -> None:
        self._client = client
        self._signal = signal
        self._address = address
        self._logger = logger
        self._refusal = GrowingPause()
        self._fallbacks = [CompressingSender(client, encoding.value) for encoding in FALLBACKS]
        self.renew_after_fork()
        renew_in_forked_children(self)

    def renew_after_fork(self) -> None:
        """Begin streams of its own in a forked child: the parent goes on with the others."""
        # Reentrant: a signal handler may export while it interrupts an export.
        self._lock = threading.RLock()
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._streams = Streams(self._signal)

    def send(self, request: bytes | Buffer, deadline: float, max_rounds: int = MAX_ROUNDS) -> Outcome:
        """Encode and send `request`, and give the outcome before `deadline`, a value of `time.monotonic()`."""
        if len(request) > MAX_REQUEST_SIZE or self._refusal.is_on:
            return self._send_otherwise(request, deadline, max_rounds)
        outcome = self._send_as_frame(request, deadline, max_rounds)
        if outcome.delivered:
            self._come_back()
        elif outcome.encoding_refused or outcome.state_lost:
            refused = outcome.explanation
            outcome = self._send_otherwise(request, deadline, max_rounds)
            if outcome.delivered:
                self._fall_back(refused)
        return outcome

    def stats(self) -> dict[str, int]:
        """Give what was sent as frames, in frames and bytes, and how many requests were not."""
        with self._lock:
            return {f"tracezip_{name}": count for name, count in self._counts.items()}

    def _send_as_frame(self, request: bytes | Buffer, deadline: float, max_rounds: int) -> Outcome:
        streams = self._streams
        with streams.taken() as encoder:
            outcome = self._send_frame_of(encoder, request, deadline, max_rounds)
            if outcome.state_lost:
                self._report_loss(streams.state_was_lost())
                encoder.reset()
                outcome = self._send_frame_of(encoder, request, deadline, max_rounds)
            elif outcome.delivered:
                streams.state_was_kept()
            if outcome.delivered:
                encoder.commit()
        return outcome

    def _send_frame_of(self, encoder: Encoder, request: bytes | Buffer, deadline: float, max_rounds: int) -> Outcome:
        frame = encoder.encode(request)
        header = read_header(frame)
        self._count(
            frames=1,
            resets=header.is_reset,
            raw_frames=header.is_raw,
            stateless_frames=header.is_stateless,
            bytes_in=len(request),
            bytes_out=len(frame),
        )
        return self._client.send(Body(frame, Compression.Tracezip.value), deadline, max_rounds)

    def _send_otherwise(self, request: bytes | Buffer, deadline: float, max_rounds: int) -> Outcome:
        self._count(fallbacks=1)
        first, *others = self._fallbacks
        outcome = first.send(request, deadline, max_rounds)
        for other in others:
            if outcome.encoding_refused:
                outcome = other.send(request, deadline, max_rounds)
                if outcome.delivered:
                    self._fallbacks = [other]
        return outcome

    def _fall_back(self, refused: str) -> None:
        """Leave tracezip alone for a while, as the receiver took a request without it that it `refused` with it."""
        with self._lock:
            if self._refusal.is_on:
                return
            level = logging.DEBUG if self._refusal.count else logging.WARNING
            seconds = self._refusal.begin()
            # Frees the tables.
            self._streams = Streams(self._signal)
        message = "%s does not take tracezip for %s: %s; sending %s, and trying again in %.0f minutes"
        encoding = self._fallbacks[0].encoding
        self._logger.log(level, message, self._address, self._signal, refused, encoding, seconds / 60)

    def _come_back(self) -> None:
        with self._lock:
            was_refused = self._refusal.count > 0
            self._refusal.forget()
        if was_refused:
            self._logger.info("%s takes tracezip for %s again", self._address, self._signal)

    def _report_loss(self, seconds: float) -> None:
        if seconds:
            message = (
                "%s often lost the state of tracezip streams, as several receivers behind one address do;"
                " sending frames that need none for %.0f minutes"
            )
            self._logger.warning(message, self._address, seconds / 60)

    def _count(self, **counts: int) -> None:
        with self._lock:
            for name, count in counts.items():
                self._counts[name] += count
