"""What arrives at the next hop, and what its answers become."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from base64 import b64encode

import pytest
from aiohttp import web
from gateway_client import JSON, gateway, gateway_and_hop
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from scripted_next_hop import PROTOBUF, Received, answer, next_hop

import otlp_fast
from otlp_fast import compression
from otlp_fast.gateway import Settings
from otlp_fast.gateway.forwarding import NextHop
from otlp_fast.reference import wire
from otlp_fast.tracezip import Encoder
from tests import captured

pytestmark = pytest.mark.anyio

REQUESTS = {"traces": captured.traces(), "logs": captured.logs(), "metrics": captured.metrics()}
STATUS = wire.varint_field(1, 3) + wire.string_field(2, "no such thing")


def encoded(data: bytes, encoding: str | None, signal: str) -> bytes:
    if encoding == "tracezip":
        return Encoder(signal).encode(data)
    names = {None: "none", "identity": "none", "x-gzip": "gzip", " GZIP ": "gzip"}
    return compression.compress(data, names.get(encoding) or str(encoding))


@pytest.mark.parametrize("signal", REQUESTS)
@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        *itertools.product([PROTOBUF, JSON], [None, "identity", "gzip", "x-gzip", "zstd", "lz4", "tracezip"]),
        ("Application/X-Protobuf; charset=utf-8", " GZIP "),
    ],
)
async def test_every_form_arrives_as_the_same_bytes(signal: str, content_type: str, encoding: str | None) -> None:
    request = REQUESTS[signal]
    sent = otlp_fast.to_json(request, signal) if content_type == JSON else request
    async with gateway_and_hop() as (client, hop):
        reply = await client.post(f"/v1/{signal}", encoded(sent, encoding, signal), encoding, content_type)
    assert reply.status == 200
    assert hop.requests == [(f"/v1/{signal}", request)]


@pytest.mark.parametrize("arriving", ["none", "gzip", "zstd", "lz4"])
@pytest.mark.parametrize("leaving", ["none", "gzip", "zstd", "lz4"])
async def test_next_hop_gets_the_encoding_that_was_chosen(arriving: str, leaving: str) -> None:
    body = compression.compress(REQUESTS["traces"], arriving)
    async with gateway_and_hop(forward_encoding=leaving) as (client, hop):
        await client.post("/v1/traces", body, None if arriving == "none" else arriving)
    assert hop.received[0].headers.get("Content-Encoding", "none") == leaving
    assert hop.requests == [("/v1/traces", REQUESTS["traces"])]


async def test_body_that_has_the_right_encoding_is_not_compressed_again() -> None:
    body = compression.compress(REQUESTS["traces"], "gzip", level=1)
    async with gateway_and_hop() as (client, hop):
        await client.post("/v1/traces", body, "gzip")
    assert hop.received[0].body == body


async def test_next_hop_gets_headers_of_the_settings_and_none_of_the_client() -> None:
    async with gateway_and_hop(forward_headers={"Authorization": "Bearer next", "X-Tenant": "a"}) as (client, hop):
        await client.post("/v1/logs", REQUESTS["logs"], authorization="Bearer mine", cookie="c=1", x_forwarded_for="1")
    headers = hop.received[0].headers
    assert headers["Authorization"] == "Bearer next"
    assert headers["X-Tenant"] == "a"
    assert headers["Content-Type"] == PROTOBUF
    assert headers["User-Agent"].startswith("otlp-fast-gateway/")
    assert not {"Cookie", "X-Forwarded-For"} & set(headers)


async def test_base_of_the_next_hop_may_have_a_path() -> None:
    async with next_hop() as hop, gateway(hop, forward=f"{hop.url}/otlp/") as client:
        await client.post("/v1/traces", REQUESTS["traces"])
    assert hop.received[0].path == "/otlp/v1/traces"


@pytest.mark.parametrize("status", [400, 404, 413, 429, 500, 501, 503, 504])
async def test_error_of_the_next_hop_is_the_clients(status: int) -> None:
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(status, STATUS, Retry_After="17")
        reply = await client.post("/v1/traces", REQUESTS["traces"])
        in_json = await client.post("/v1/traces", b"{}", content_type=JSON)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (status, STATUS, PROTOBUF)
    assert reply.headers["retry-after"] == "17"
    assert (in_json.status, in_json.json) == (status, {"code": 3, "message": "no such thing"})


async def test_error_that_is_no_status_is_passed_on_as_it_is() -> None:
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(503, b"<h1>busy</h1>", "text/html")
        reply = await client.post("/v1/traces", b"{}", content_type=JSON)
    assert (reply.status, reply.body, reply.headers["content-type"]) == (503, b"<h1>busy</h1>", "text/html")


async def test_error_whose_status_is_damaged_still_has_its_code() -> None:
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(429, b"\xff\xff")
        reply = await client.post("/v1/traces", b"{}", content_type=JSON)
    assert (reply.status, reply.json) == (429, {"code": 2, "message": ""})


@pytest.mark.parametrize(
    ("signal", "response", "field"),
    [
        ("traces", ExportTraceServiceResponse, "rejectedSpans"),
        ("logs", ExportLogsServiceResponse, "rejectedLogRecords"),
        ("metrics", ExportMetricsServiceResponse, "rejectedDataPoints"),
    ],
)
async def test_partial_success_is_the_clients(signal: str, response: type, field: str) -> None:
    body = wire.bytes_field(1, wire.varint_field(1, 5) + wire.string_field(2, "too old"))
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(200, body)
        reply = await client.post(f"/v1/{signal}", REQUESTS[signal])
        in_json = await client.post(f"/v1/{signal}", b"{}", content_type=JSON)
    assert reply.body == body
    assert response.FromString(body).partial_success.error_message == "too old"  # type: ignore[attr-defined]
    assert in_json.json == {"partialSuccess": {field: "5", "errorMessage": "too old"}}


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [(200, b"", PROTOBUF), (202, b"taken", "text/plain"), (204, b"", PROTOBUF), (200, b"\xff\xff\xff", PROTOBUF)],
)
async def test_success_is_success_however_it_is_said(status: int, body: bytes, content_type: str) -> None:
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(status, body, content_type)
        reply = await client.post("/v1/traces", b"{}", content_type=JSON)
    assert (reply.status, reply.json, reply.headers["content-type"]) == (200, {}, JSON)


@pytest.mark.parametrize("status", [301, 307, 401, 403, 407, 415])
async def test_mistake_of_the_operator_loses_no_data_of_clients(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(status, STATUS, Location="http://elsewhere.example/")
        reply = await client.post("/v1/traces", REQUESTS["traces"])
    assert (reply.status, len(hop.received)) == (502, 1)
    assert str(status) in caplog.text


async def test_encoding_that_the_next_hop_does_not_know_loses_no_data_of_clients(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gateway_and_hop(forward_encoding="zstd") as (client, hop):
        hop.will_answer(400, b"unsupported Content-Encoding: zstd", "text/plain")
        reply = await client.post("/v1/traces", REQUESTS["traces"])
    assert (reply.status, reply.headers["retry-after"]) == (502, "5")
    assert "the next hop answers 400 to --forward-encoding zstd" in caplog.text


async def test_next_hop_that_is_not_there_is_503_and_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    async with gateway(forward=f"http://127.0.0.1:{port}") as client:
        with caplog.at_level(logging.WARNING):
            replies = [await client.post("/v1/traces", REQUESTS["traces"]) for _ in range(3)]
    assert {(reply.status, reply.headers["retry-after"]) for reply in replies} == {(503, "5")}
    assert caplog.text.count("cannot be reached") == 1


async def test_connection_that_breaks_before_the_answer_is_503() -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with (
        await asyncio.start_server(breaks, "127.0.0.1", 0) as server,
        gateway(forward=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}") as client,
    ):
        reply = await client.post("/v1/traces", REQUESTS["traces"])
    assert reply.status == 503


async def test_next_hop_that_is_silent_is_504() -> None:
    silence = asyncio.Event()

    async def waits(received: Received) -> web.StreamResponse:
        await silence.wait()
        return answer()

    async with gateway_and_hop(forward_timeout=0.2) as (client, hop):
        hop.answers = waits
        reply = await client.post("/v1/traces", REQUESTS["traces"])
        silence.set()
    assert (reply.status, reply.headers["retry-after"]) == (504, "5")


async def test_answer_that_is_too_long_or_a_bomb_is_only_its_status() -> None:
    bomb = compression.compress(bytes(5 << 20), "gzip")
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(200, bytes(5 << 20))
        long = await client.post("/v1/traces", REQUESTS["traces"])
        hop.will_answer(400, bomb, Content_Encoding="gzip")
        compressed = await client.post("/v1/traces", REQUESTS["traces"])
    assert (long.status, long.body) == (200, b"")
    assert (compressed.status, compressed.body) == (400, b"")


async def test_answer_in_gzip_is_read() -> None:
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(400, compression.compress(STATUS, "gzip"), Content_Encoding="gzip")
        reply = await client.post("/v1/traces", REQUESTS["traces"])
    assert reply.body == STATUS


async def test_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with next_hop() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        async with gateway(forward="http://collector.example:4318") as client:
            reply = await client.post("/v1/traces", REQUESTS["traces"])
    assert reply.status == 200
    assert proxy.received[0].headers["Host"] == "collector.example:4318"


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_password_of_the_proxy_arrives_and_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    heads: list[str] = []

    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuses, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv(f"{scheme}_proxy", f"http://us%C3%A9r:s3%2Fcr%40et@127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        async with gateway(
            forward=f"{scheme}://collector.example:4318", forward_headers={"Authorization": "token"}
        ) as client:
            reply = await client.post("/v1/traces", REQUESTS["traces"])
    # An https next hop is reached by CONNECT, whose refusal is an error of aiohttp's.
    assert reply.status == (503 if scheme == "https" else 502)
    credentials = b64encode("usér:s3/cr@et".encode()).decode()
    assert heads[0].startswith("CONNECT" if scheme == "https" else "POST")
    assert f"Proxy-Authorization: Basic {credentials}\r\n" in heads[0]
    assert ("\r\nAuthorization: token" in heads[0]) == (scheme == "http")
    assert "407" in caplog.text
    assert "s3" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3/cret@proxy:3128",
        "http://user:12/s3cret@proxy",
        "http://user:1#s3@proxy",
        "socks5://s3cret@proxy",
    ],
)
def test_proxy_that_cannot_be_used_is_said_at_once_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ValueError, match="http_proxy: no URL such as") as error:
        NextHop(Settings(forward="http://collector.example:4318"))
    assert "s3" not in str(error.value)


async def test_large_request_arrives_whole() -> None:
    request = REQUESTS["traces"] * 16_000  # protobuf joins what stands one behind the other
    assert len(request) > 4 << 20
    async with gateway_and_hop(forward_encoding="none") as (client, hop):
        reply = await client.post("/v1/traces", request)
    assert reply.status == 200
    assert hop.requests == [("/v1/traces", request)]
