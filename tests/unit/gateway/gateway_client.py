"""Speaks ASGI to a gateway, so that a test decides when each piece of a body arrives, and from which address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from scripted_next_hop import PROTOBUF, NextHop, next_hop
from starlette.applications import Starlette

from otlp_fast.gateway import Settings, application

JSON = "application/json"
ADDRESS = "192.0.2.1"


@dataclass
class Reply:
    """What the gateway answered."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def state(self) -> str | None:
        """What it says of the tracezip stream."""
        return self.headers.get("tracezip-state")


@dataclass
class Client:
    """A client of a gateway."""

    application: Starlette
    address: str = ADDRESS
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> Reply:
        return await self.request("GET", path)

    async def post(
        self,
        path: str,
        body: bytes | AsyncIterator[bytes] = b"",
        encoding: str | None = None,
        content_type: str | None = PROTOBUF,
        **headers: str,
    ) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if encoding is not None:
            named["content-encoding"] = encoding
        if content_type is not None:
            named["content-type"] = content_type
        return await self.request("POST", path, body, named)

    async def request(
        self, method: str, path: str, body: bytes | AsyncIterator[bytes] = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        pieces = _pieces(body) if isinstance(body, bytes) else body
        reply = Reply()

        async def receive() -> dict[str, Any]:
            try:
                piece = await anext(pieces)
            except StopAsyncIteration:
                return {"type": "http.request", "body": b"", "more_body": False}
            return {"type": "http.request", "body": piece, "more_body": True}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                reply.body += message.get("body", b"")

        named = {**self.headers, **(headers or {})}
        if isinstance(body, bytes):
            named.setdefault("content-length", str(len(body)))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "client": (self.address, 40_000),
            "server": ("gateway", 4318),
        }
        await self.application(scope, receive, send)
        return reply


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def trickle(*pieces: bytes) -> AsyncIterator[bytes]:
    """A body that never ends."""
    for piece in pieces:
        yield piece
    await asyncio.Event().wait()


@asynccontextmanager
async def gateway(hop: NextHop | None = None, **settings: Any) -> AsyncIterator[Client]:
    """Run a gateway in front of a next hop, and give a client of it."""
    given = Settings(**{"forward": hop.url if hop is not None else "http://127.0.0.1:9", **settings})
    served = application(given)
    async with served.router.lifespan_context(served):
        yield Client(served)


@asynccontextmanager
async def gateway_and_hop(**settings: Any) -> AsyncIterator[tuple[Client, NextHop]]:
    """Run both."""
    async with next_hop() as hop, gateway(hop, **settings) as client:
        yield client, hop
