"""What a receiver that knows tracezip answers, for a script of `scripted_receiver`."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from otlp_fast import compression
from otlp_fast.tracezip import CompressionError, Decoder, RepeatedFrameError, StateLostError, read_header
from scripted_receiver import Answer, Handler, Reply, Request, reset

STATE_LOST = Reply(409, headers={"Tracezip-State": "reset"})


class TracezipReceiver:
    """Takes frames, and requests in other encodings, and keeps the requests that it took.

    Each request that it takes is answered with `reply`, and each in an encoding that it does not know with `refusal`.
    """

    def __init__(self, encodings: Sequence[str] = ("tracezip", "zstd", "gzip"), refusal: int = 415) -> None:
        self.taken: list[bytes] = []
        self.encodings = encodings
        self.reply = Reply()
        self._refusal = Reply(refusal)
        self._decoders: dict[bytes, Decoder] = {}
        self._lock = threading.Lock()

    def __call__(self, handler: Handler, request: Request) -> None:
        self.answer(request)(handler, request)

    def but_answers(self, answer: Answer = reset) -> Answer:
        """Take a request, and have its sender see another answer: a broken connection by default."""

        def take(handler: Handler, request: Request) -> None:
            self.answer(request)
            answer(handler, request)

        return take

    def restart(self) -> None:
        """Forget all streams."""
        self._decoders.clear()

    def answer(self, request: Request) -> Reply:
        """Take a request, and give the answer to it."""
        encoding = request.headers.get("content-encoding", "none")
        if encoding not in self.encodings:
            return self._refusal
        if encoding != "tracezip":
            self.taken.append(compression.decompress(request.body, encoding))
            return self.reply
        with self._lock:
            try:
                decoder = self._decoders.setdefault(read_header(request.body).stream_id, Decoder())
                self.taken.append(decoder.decode(request.body))
            except RepeatedFrameError:
                return self.reply
            except (StateLostError, CompressionError):
                return STATE_LOST
            decoder.commit()
        return self.reply
