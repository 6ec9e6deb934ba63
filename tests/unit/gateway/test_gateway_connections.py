"""Clients that take their time over the head of a request: uvicorn in the test's event loop, with short patience."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from otlp_fast.gateway import connections
from otlp_fast.gateway.connections import PatientProtocol
from otlp_fast.gateway.listening import Address, open_socket

pytestmark = pytest.mark.anyio

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"


@asynccontextmanager
async def connected(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to an application that answers with the body."""

    async def echo(scope: object, receive: object, send: object) -> None:
        message = await receive()  # type: ignore[operator]
        body = message["body"]
        while message["more_body"]:
            message = await receive()  # type: ignore[operator]
            body += message["body"]
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    monkeypatch.setattr(connections, "HEAD_TIMEOUT_SECONDS", 0.2)
    listener = open_socket(Address("127.0.0.1", 0))
    config = uvicorn.Config(echo, http=PatientProtocol, ws="none", lifespan="off", log_config=None, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    try:
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        yield reader, writer
        writer.close()
    finally:
        server.should_exit = True
        await serving


@pytest.mark.parametrize("sent", [b"", b"P", HEAD[:-2]])
async def test_head_that_does_not_end_closes_the_connection(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    async with connected(monkeypatch) as (reader, writer):
        writer.write(sent)
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_patience_begins_anew_with_the_next_head(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(monkeypatch) as (reader, writer):
        writer.write(HEAD + b"ok")
        await reader.readuntil(b"ok")
        writer.write(HEAD[:-2])
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_request_that_is_there_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(monkeypatch) as (reader, writer):
        for _ in range(2):
            writer.write(HEAD + b"o")
            await asyncio.sleep(0.4)  # longer than the patience with heads
            writer.write(b"k")
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200 OK")
            await asyncio.sleep(0.4)
