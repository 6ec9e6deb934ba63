"""Requests that arrive as frames of tracezip, and what their senders are told: docs/tracezip-http.md.

A frame counts when its request was delivered, and only then: the decoder commits behind the answer of the next hop. So
a sender that hears of success may build on the frame, and one that hears nothing may send it again: a frame that counts
already is answered as it was, and delivered no second time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from otlp_fast.gateway.answers import Answer, Refused, error
from otlp_fast.gateway.streams import Stream, StreamTable
from otlp_fast.gateway.threads import Threads
from otlp_fast.tracezip import (
    CompressionError,
    Decoder,
    LimitError,
    Limits,
    RepeatedFrameError,
    StateLostError,
    read_header,
)

Deliver = Callable[[bytes], Awaitable[Answer]]
"""Hands plain OTLP to the next hop."""

_STATE = "Tracezip-State"


class FrameReceiver:
    """Takes frames."""

    def __init__(self, streams: StreamTable, limits: Limits, threads: Threads) -> None:
        """Take frames within `limits` of the streams of a table, and decode them in threads."""
        self._streams = streams
        self._limits = limits
        self._threads = threads

    async def take(self, frame: bytes, peer: str, signal: str, deliver: Deliver) -> Answer:
        """Give the answer to a frame, after its request was delivered where that can be."""
        try:
            answer = await self._take(frame, peer, signal, deliver)
        except LimitError as problem:
            return error(400, "refused", f"tracezip: {problem}").with_header(_STATE, "refused")
        except StateLostError as problem:
            return error(409, "reset", f"tracezip: {problem}").with_header(_STATE, "reset")
        except CompressionError as problem:
            return error(409, "damaged", f"tracezip: {problem}").with_header(_STATE, "reset")
        except Refused as refused:
            answer = refused.answer
        # Who says this knows tracezip: a 400 of the next hop must not look like one of a receiver that does not.
        return answer.with_header(_STATE, "understood")

    async def _take(self, frame: bytes, peer: str, signal: str, deliver: Deliver) -> Answer:
        header = read_header(frame, self._limits)
        if header.signal != signal:
            message = f"a frame of {header.signal} was sent to /v1/{signal}"
            raise Refused(error(400, "malformed", message))
        if header.is_stateless:
            return await deliver(await self._threads.run(Decoder(self._limits).decode, frame))
        async with self._streams.use(peer, header.stream_id, begins=header.is_reset) as stream:
            return await self._take_of_stream(frame, stream, deliver)

    async def _take_of_stream(self, frame: bytes, stream: Stream, deliver: Deliver) -> Answer:
        try:
            request = await self._threads.run(stream.decoder.decode, frame)
        except RepeatedFrameError:
            assert stream.answer is not None  # a frame is a repeat only of one that was committed
            return stream.answer._replace(outcome="repeated")
        answer = await deliver(request)
        if answer.is_success:
            stream.commit(answer)
        return answer
