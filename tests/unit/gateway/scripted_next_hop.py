"""A next hop on loopback that keeps what it gets and answers as a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestServer

from otlp_fast import compression

PROTOBUF = "application/x-protobuf"


class Received(NamedTuple):
    """A request that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def plain(self) -> bytes:
        """The body, decompressed."""
        return compression.decompress(self.body, self.headers.get("Content-Encoding", "none"))


def answer(status: int = 200, body: bytes = b"", content_type: str = PROTOBUF, **headers: str) -> web.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(status=status, body=body, headers={"Content-Type": content_type, **named})


async def success(received: Received) -> web.StreamResponse:
    return answer()


@dataclass
class NextHop:
    """What a next hop was sent, and what it answers."""

    url: str = ""
    answers: Callable[[Received], Awaitable[web.StreamResponse]] = success
    received: list[Received] = field(default_factory=list)

    @property
    def requests(self) -> list[tuple[str, bytes]]:
        """Path and plain OTLP of what arrived."""
        return [(received.path, received.plain) for received in self.received]

    def will_answer(self, *args: object, **kwargs: object) -> None:
        """Give one and the same answer to whatever comes."""

        async def answers(received: Received) -> web.StreamResponse:
            return answer(*args, **kwargs)  # type: ignore[arg-type]

        self.answers = answers

    async def _take(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.path, request.headers, await request.read())
        self.received.append(received)
        return await self.answers(received)


@asynccontextmanager
async def next_hop() -> AsyncIterator[NextHop]:
    """Serve for as long as the context lasts."""
    hop = NextHop()
    served = web.Application(client_max_size=256 << 20)
    served.router.add_route("*", "/{path:.*}", hop._take)
    server = TestServer(served)
    await server.start_server(auto_decompress=False)
    hop.url = str(server.make_url("")).rstrip("/")
    try:
        yield hop
    finally:
        await server.close()
