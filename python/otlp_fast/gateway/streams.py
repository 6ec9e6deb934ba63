"""The table of tracezip streams: by peer and stream id, so that no frame of one tenant can reach the state of another.

A stream is used by one request at a time. A second one waits for the first: it is most likely its repeat, sent because
the answer took too long, and only what becomes of the first decides whether it is to be delivered or to be answered as
then.

The table is bounded, per peer and in total. The stream that is idle for longest goes first, of the peer that has the
most; it costs that sender one reset. A stream that never had a frame delivered goes with the request that began it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from otlp_fast.gateway.answers import Answer, Refused, error
from otlp_fast.tracezip import Decoder, Limits, StateLostError

_RETRY_AFTER_SECONDS = 1
# What is kept to answer a repeat. Answers to success are empty, or say in a sentence what was rejected.
_MAX_KEPT_ANSWER = 64 << 10


@dataclass(eq=False)
class Stream:
    """The receiving end of one stream."""

    decoder: Decoder
    answer: Answer | None = None
    """What the last frame that was committed was answered with; None before the first."""
    users: int = 0
    """Requests that use it or wait for it."""
    used_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def commit(self, answer: Answer) -> None:
        """Count the pending frame as delivered. Its repeat will get the same answer."""
        self.decoder.commit()
        self.answer = answer if len(answer.body) <= _MAX_KEPT_ANSWER else answer._replace(body=b"")


_Key = tuple[str, bytes]


class StreamTable:
    """The streams of all peers."""

    def __init__(
        self,
        limits: Limits,
        *,
        max_streams: int,
        max_per_peer: int,
        idle_timeout: float,
        max_wait: float,
        on_eviction: Callable[[], None],
    ) -> None:
        """Begin with none. `max_wait` is how many seconds a request waits for another one of its stream."""
        self._limits = limits
        self._max_streams = max_streams
        self._max_per_peer = max_per_peer
        self._idle_timeout = idle_timeout
        self._max_wait = max_wait
        # In the order of their last use.
        self._streams: OrderedDict[_Key, Stream] = OrderedDict()
        self._count_of_peer: Counter[str] = Counter()
        self._on_eviction = on_eviction

    def __len__(self) -> int:
        """Count the streams that are kept, after dropping those that were idle for too long."""
        self._drop_idle()
        return len(self._streams)

    @asynccontextmanager
    async def use(self, peer: str, stream_id: bytes, *, begins: bool) -> AsyncIterator[Stream]:
        """Have a stream for oneself. A frame that is pending at the end is rolled back.

        Args:
            peer: the name of the client.
            stream_id: what the client calls the stream.
            begins: whether the frame resets the stream, so that it can be one that is not here yet.

        Raises:
            StateLostError: there is no such stream, and the frame does not begin one.
            Refused: others used it for too long, or all streams are in use.
        """
        key = peer, stream_id
        stream = self._find(key, begins)
        stream.users += 1
        try:
            await self._lock(key, stream)
            try:
                yield stream
            except asyncio.CancelledError:
                # A thread may be at work in the decoder still, so nobody else can have it.
                self._drop(key, stream)
                raise
            finally:
                if self._streams.get(key) is stream:
                    stream.decoder.rollback()
                stream.lock.release()
        finally:
            stream.users -= 1
            if stream.users == 0 and stream.answer is None:
                self._drop(key, stream)

    def _find(self, key: _Key, begins: bool) -> Stream:
        self._drop_idle()
        stream = self._streams.get(key)
        if stream is None:
            if not begins:
                raise StateLostError("the stream is not known here: it must be reset")
            self._make_room(key[0])
            stream = self._streams[key] = Stream(Decoder(self._limits))
            self._count_of_peer[key[0]] += 1
        stream.used_at = time.monotonic()
        self._streams.move_to_end(key)
        return stream

    async def _lock(self, key: _Key, stream: Stream) -> None:
        try:
            with anyio.fail_after(self._max_wait):
                await stream.lock.acquire()
        except TimeoutError:
            message = "another request of this stream is still under way"
            raise Refused(error(503, "stream_busy", message, retry_after=_RETRY_AFTER_SECONDS)) from None
        if self._streams.get(key) is not stream:
            stream.lock.release()
            raise StateLostError("the stream was dropped in the middle of a request: it must be reset")

    def _make_room(self, peer: str) -> None:
        if self._count_of_peer[peer] >= self._max_per_peer:
            self._evict_one_of([peer])
        elif len(self._streams) >= self._max_streams:
            self._evict_one_of([name for name, _ in self._count_of_peer.most_common()])

    def _evict_one_of(self, peers: list[str]) -> None:
        for peer in peers:
            for key, stream in self._streams.items():
                if key[0] == peer and stream.users == 0:
                    self._drop(key, stream)
                    self._on_eviction()
                    return
        message = "as many streams as are allowed are in use"
        raise Refused(error(503, "streams_exhausted", message, retry_after=_RETRY_AFTER_SECONDS))

    def _drop_idle(self) -> None:
        oldest_allowed = time.monotonic() - self._idle_timeout
        while self._streams:
            key, stream = next(iter(self._streams.items()))
            if stream.used_at > oldest_allowed or stream.users:
                return
            self._drop(key, stream)

    def _drop(self, key: _Key, stream: Stream) -> None:
        if self._streams.get(key) is stream:
            del self._streams[key]
            self._count_of_peer[key[0]] -= 1
            if not self._count_of_peer[key[0]]:
                del self._count_of_peer[key[0]]
