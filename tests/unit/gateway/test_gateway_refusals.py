"""What is refused, with which answer, and what it costs: mistakes, hostile bodies, too much at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from gateway_client import JSON, Reply, gateway, gateway_and_hop, trickle
from google.rpc.status_pb2 import Status
from scripted_next_hop import PROTOBUF, Received, answer

from otlp_fast import compression
from otlp_fast.tracezip import Encoder
from tests import captured

pytestmark = pytest.mark.anyio

REQUEST = captured.traces()
MIB = 1 << 20


def message_of(reply: Reply) -> str:
    return str(Status.FromString(reply.body).message)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/traces/", "/v1/profiles", "/V1/traces"])
async def test_unknown_path_is_404(path: str) -> None:
    async with gateway() as client:
        assert (await client.post(path, REQUEST)).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_other_method_is_405_and_names_post(method: str) -> None:
    async with gateway() as client:
        reply = await client.request(method, "/v1/traces")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "json"])
async def test_unknown_content_type_is_415_in_words(content_type: str | None) -> None:
    async with gateway() as client:
        reply = await client.post("/v1/traces", REQUEST, content_type=content_type)
    assert reply.status == 415
    assert reply.headers["content-type"].startswith("text/plain")
    assert b"application/x-protobuf or application/json" in reply.body


@pytest.mark.parametrize("encoding", ["br", "snappy", "deflate", "gzip, zstd", "*"])
async def test_unknown_encoding_is_400_and_names_the_known_ones(encoding: str) -> None:
    async with gateway() as client:
        reply = await client.post("/v1/traces", REQUEST, encoding)
    assert reply.status == 400
    assert "tracezip" in message_of(reply)


@pytest.mark.parametrize(
    ("body", "encoding", "content_type", "said"),
    [
        (b"\xff\xff\xff", None, PROTOBUF, "the request cannot be read"),
        (b"\x0a\x7f", None, PROTOBUF, "at offset 1"),
        (REQUEST, "gzip", PROTOBUF, "gzip: the compressed data is corrupt"),
        (compression.compress(REQUEST, "zstd")[:-3], "zstd", PROTOBUF, "zstd: the compressed data is cut off"),
        (b"", "lz4", PROTOBUF, "cut off"),
        (b"\xff\xff\xff", "tracezip-stateless", PROTOBUF, "the request cannot be read"),
    ],
)
async def test_body_that_is_not_what_it_should_be_is_400(
    body: bytes, encoding: str | None, content_type: str, said: str
) -> None:
    if encoding == "tracezip-stateless":
        body, encoding = Encoder("traces", stateless=True).encode(body), "tracezip"
    async with gateway_and_hop() as (client, hop):
        reply = await client.post("/v1/traces", body, encoding, content_type)
    assert (reply.status, hop.received) == (400, [])
    assert said in message_of(reply)
    assert Status.FromString(reply.body).code == 3


async def test_json_client_gets_its_error_in_json() -> None:
    async with gateway() as client:
        reply = await client.post("/v1/logs", b'{"resourceLogs": 7}', content_type=JSON)
    assert (reply.status, reply.headers["content-type"], reply.json["code"]) == (400, JSON, 3)
    assert "resourceLogs" in reply.json["message"]


async def test_announced_length_above_the_limit_is_413_before_the_body() -> None:
    async with gateway(max_request_size=1000) as client:
        reply = await client.post("/v1/traces", trickle(), content_length="1001")
        nonsense = await client.post("/v1/traces", trickle(), content_length="-1")
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    assert nonsense.status == 413


async def test_length_that_is_not_announced_is_413_at_the_limit() -> None:
    async with gateway(max_request_size=1000) as client:
        reply = await client.post("/v1/traces", trickle(bytes(600), bytes(600)))
    assert reply.status == 413


async def test_limit_is_exact() -> None:
    async with gateway_and_hop(max_request_size=len(REQUEST)) as (client, hop):
        assert (await client.post("/v1/traces", REQUEST)).status == 200
        assert (await client.post("/v1/traces", REQUEST + REQUEST)).status == 413
    assert len(hop.received) == 1


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4"])
async def test_bomb_is_413_and_goes_nowhere(encoding: str) -> None:
    bomb = compression.compress(bytes(2 * MIB), encoding)
    assert len(bomb) < MIB // 64
    async with gateway_and_hop(max_request_size=MIB) as (client, hop):
        reply = await client.post("/v1/traces", bomb, encoding)
    assert (reply.status, hop.received) == (413, [])


async def test_json_that_is_too_long_in_protobuf_is_413() -> None:
    bounds = b"1," * 200 + b"1"  # two bytes each, and eight in protobuf
    point = b'{"dataPoints":[{"explicitBounds":[' + bounds + b"]}]}"
    text = b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":' + point + b"}]}]}]}"
    async with gateway_and_hop(max_request_size=len(text)) as (client, hop):
        assert (await client.post("/v1/metrics", text, content_type=JSON)).status == 413
        assert (await client.post("/v1/metrics", b"{}", content_type=JSON)).status == 200
    assert len(hop.received) == 1


async def test_client_that_is_too_slow_may_try_again() -> None:
    async with gateway(read_timeout=0.1) as client:
        reply = await client.post("/v1/traces", trickle(b"\x0a"))
    assert (reply.status, reply.headers["retry-after"], reply.headers["connection"]) == (503, "5", "close")


async def test_more_requests_than_allowed_are_429_and_the_others_are_served() -> None:
    go_on, arrived = asyncio.Event(), asyncio.Event()

    async def waits(received: Received) -> web.StreamResponse:
        arrived.set()
        await go_on.wait()
        return answer()

    async with gateway_and_hop(max_in_flight=1) as (client, hop):
        hop.answers = waits
        first = asyncio.create_task(client.post("/v1/traces", REQUEST))
        await arrived.wait()
        second = await client.post("/v1/traces", REQUEST)
        go_on.set()
        assert (await first).status == 200
        assert (await client.post("/v1/traces", REQUEST)).status == 200
    assert (second.status, second.headers["retry-after"]) == (429, "1")
    assert Status.FromString(second.body).code == 8


async def test_more_bytes_than_allowed_are_429_however_they_come() -> None:
    begun = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield bytes(900)
        yield bytes(1)
        begun.set()
        await asyncio.Event().wait()

    async with gateway_and_hop(max_request_size=1000, max_memory=3000, read_timeout=60) as (client, hop):
        slow = []
        for _ in range(3):
            begun.clear()
            slow.append(asyncio.create_task(client.post("/v1/traces", slowly())))
            await begun.wait()
        reply = await client.post("/v1/traces", bytes(900))
        # The lifespan's end answers those that still wait.
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    assert {message_of(await task) for task in slow} == {"the gateway is shutting down"}
    assert hop.received == []


async def test_what_was_held_is_given_back() -> None:
    async with gateway_and_hop(max_request_size=1000, max_memory=3000) as (client, hop):
        for _ in range(20):
            assert (await client.post("/v1/traces", b"\x0a\x00" * 400)).status == 200
            assert (await client.post("/v1/traces", b"\xff" * 900)).status == 400
    assert len(hop.received) == 20


async def test_fault_of_the_gateway_itself_is_500_and_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **kwargs: object) -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr("otlp_fast.gateway.bodies.decompress", broken)
    async with gateway() as client:
        reply = await client.post("/v1/traces", REQUEST, "gzip")
    assert reply.status == 500
    assert "a bug" in caplog.text
    assert b"a bug" not in reply.body


async def test_no_memory_is_an_answer_that_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("otlp_fast.gateway.bodies.decompress", full)
    async with gateway() as client:
        reply = await client.post("/v1/traces", REQUEST, "gzip")
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
