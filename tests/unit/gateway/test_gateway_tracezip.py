"""Tracezip over HTTP: what counts when, and what each answer promises. The protocol is docs/tracezip-http.md."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web
from gateway_client import Client, Reply, gateway, gateway_and_hop
from google.rpc.status_pb2 import Status
from scripted_next_hop import NextHop, Received, answer, next_hop

from otlp_fast.reference import wire
from otlp_fast.tracezip import Encoder, Limits
from tests import captured

pytestmark = pytest.mark.anyio

REQUESTS = [captured.traces(count, f"service-{count}") for count in range(1, 8)]
PARTIAL_SUCCESS = wire.bytes_field(1, wire.varint_field(1, 5) + wire.string_field(2, "too old"))


async def send(client: Client, frame: bytes, signal: str = "traces") -> Reply:
    return await client.post(f"/v1/{signal}", frame, "tracezip")


def delivered(hop: NextHop) -> list[bytes]:
    return [body for _, body in hop.requests]


class Gate:
    """Answers of a next hop that come when the test says so."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.opened = asyncio.Event()
        self.answer: Callable[[], web.Response] = answer

    async def __call__(self, received: Received) -> web.StreamResponse:
        self.arrived.set()
        await self.opened.wait()
        return self.answer()


async def test_stream_arrives_byte_for_byte() -> None:
    encoder = Encoder("traces")
    async with gateway_and_hop() as (client, hop):
        for request in REQUESTS:
            reply = await send(client, encoder.encode(request))
            assert (reply.status, reply.state) == (200, "understood")
            encoder.commit()
    assert delivered(hop) == REQUESTS
    assert encoder.stats().resets == 1


async def test_frame_counts_only_behind_the_answer_of_the_next_hop() -> None:
    encoder, gate = Encoder("traces"), Gate()
    frame = encoder.encode(REQUESTS[0])
    async with gateway_and_hop() as (client, hop):
        hop.answers = gate
        first = asyncio.create_task(send(client, frame))
        await gate.arrived.wait()
        assert not first.done()
        gate.opened.set()
        assert (await first).status == 200


@pytest.mark.parametrize("status", [400, 413, 429, 500, 503])
async def test_frame_that_the_next_hop_refused_does_not_count(status: int) -> None:
    encoder = Encoder("traces")
    async with gateway_and_hop() as (client, hop):
        await send(client, encoder.encode(REQUESTS[0]))
        encoder.commit()
        frame = encoder.encode(REQUESTS[1])
        hop.will_answer(status, Retry_After="3")
        refused = await send(client, frame)
        hop.will_answer(200)
        again = await send(client, frame)
        encoder.commit()
        following = await send(client, encoder.encode(REQUESTS[2]))
    assert (refused.status, refused.state, refused.headers["retry-after"]) == (status, "understood", "3")
    assert (again.status, following.status) == (200, 200)
    assert delivered(hop) == [REQUESTS[0], REQUESTS[1], REQUESTS[1], REQUESTS[2]]


async def test_request_that_was_given_up_leaves_the_stream_as_it_was() -> None:
    encoder = Encoder("traces")
    async with gateway_and_hop() as (client, hop):
        await send(client, encoder.encode(REQUESTS[0]))
        encoder.commit()
        hop.will_answer(400)
        await send(client, encoder.encode(REQUESTS[1]))
        encoder.rollback()
        hop.will_answer(200)
        assert (await send(client, encoder.encode(REQUESTS[2]))).status == 200


async def test_repeat_is_answered_as_before_and_delivered_once() -> None:
    encoder = Encoder("traces")
    frame = encoder.encode(REQUESTS[0])
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(200, PARTIAL_SUCCESS)
        first = await send(client, frame)
        hop.will_answer(503)
        second = await send(client, frame)
    assert (second.status, second.body, second.headers) == (200, PARTIAL_SUCCESS, first.headers)
    assert delivered(hop) == [REQUESTS[0]]


async def test_long_answer_to_success_is_not_kept_for_a_repeat() -> None:
    long = wire.bytes_field(1, wire.string_field(2, "x" * 100_000))
    frame = Encoder("traces").encode(REQUESTS[0])
    async with gateway_and_hop() as (client, hop):
        hop.will_answer(200, long)
        assert (await send(client, frame)).body == long
        again = await send(client, frame)
    assert (again.status, again.body, len(hop.received)) == (200, b"", 1)


@pytest.mark.parametrize("succeeds", [True, False])
async def test_repeat_that_overtakes_the_answer_waits_for_it(succeeds: bool) -> None:
    frame, gate = Encoder("traces").encode(REQUESTS[0]), Gate()
    gate.answer = lambda: answer(200 if succeeds else 503)
    async with gateway_and_hop() as (client, hop):
        hop.answers = gate
        sent = [asyncio.create_task(send(client, frame)) for _ in range(5)]
        await gate.arrived.wait()
        await asyncio.sleep(0.05)  # let the others come to where they wait; nothing below depends on it
        assert len(hop.received) == 1
        gate.opened.set()
        statuses = [(await task).status for task in sent]
    if succeeds:
        assert (statuses, delivered(hop)) == ([200] * 5, [REQUESTS[0]])
    else:
        # Nobody took it, so each repeat is a new try.
        assert (statuses, delivered(hop)) == ([503] * 5, [REQUESTS[0]] * 5)


async def test_frame_sent_instead_of_one_that_counted_costs_a_reset() -> None:
    encoder, gate = Encoder("traces"), Gate()
    async with gateway_and_hop() as (client, hop):
        await send(client, encoder.encode(REQUESTS[0]))
        encoder.commit()
        hop.answers = gate
        given_up = asyncio.create_task(send(client, encoder.encode(REQUESTS[1])))
        await gate.arrived.wait()
        encoder.rollback()
        instead = asyncio.create_task(send(client, encoder.encode(REQUESTS[2])))
        gate.opened.set()
        assert (await given_up).status == 200
        reply = await instead
        assert (reply.status, reply.state) == (409, "reset")
        encoder.reset()
        assert (await send(client, encoder.encode(REQUESTS[2]))).status == 200
    assert delivered(hop) == [REQUESTS[0], REQUESTS[1], REQUESTS[2]]


async def test_waiting_for_a_stream_ends() -> None:
    frame, gate = Encoder("traces").encode(REQUESTS[0]), Gate()
    async with gateway_and_hop(forward_timeout=0.3) as (client, hop):
        hop.answers = gate
        first = asyncio.create_task(send(client, frame))
        await gate.arrived.wait()
        waiting = [asyncio.create_task(send(client, frame)) for _ in range(3)]
        statuses = {(await task).status for task in [first, *waiting]}
        gate.opened.set()
    assert statuses <= {503, 504}


async def test_client_that_goes_away_does_not_stop_what_was_begun() -> None:
    frame, gate = Encoder("traces").encode(REQUESTS[0]), Gate()
    async with gateway_and_hop() as (client, hop):
        hop.answers = gate
        first = asyncio.create_task(send(client, frame))
        await gate.arrived.wait()
        first.cancel()
        repeat = asyncio.create_task(send(client, frame))
        gate.opened.set()
        assert (await repeat).status == 200
    assert delivered(hop) == [REQUESTS[0]]


async def test_stream_that_is_not_known_is_asked_to_reset() -> None:
    encoder = Encoder("traces")
    encoder.encode(REQUESTS[0])
    encoder.commit()
    async with gateway_and_hop() as (client, hop):
        reply = await send(client, encoder.encode(REQUESTS[1]))
        assert (reply.status, reply.state) == (409, "reset")
        assert Status.FromString(reply.body).code == 10
        encoder.reset()
        assert (await send(client, encoder.encode(REQUESTS[1]))).status == 200
    assert delivered(hop) == [REQUESTS[1]]


async def test_moved_stream_costs_one_reset() -> None:
    encoder = Encoder("traces")
    resets = 0
    async with next_hop() as hop, gateway(hop) as here, gateway(hop) as there:
        for client, request in zip([here, here, here, there, there, there, here], REQUESTS, strict=True):
            reply = await send(client, encoder.encode(request))
            if reply.status == 409:
                resets += 1
                encoder.reset()
                reply = await send(client, encoder.encode(request))
            assert reply.status == 200
            encoder.commit()
    assert resets == 2
    assert delivered(hop) == REQUESTS


async def test_damaged_frame_is_asked_for_again_and_goes_nowhere() -> None:
    frame = Encoder("traces").encode(REQUESTS[0])
    async with gateway_and_hop() as (client, hop):
        for place in range(0, len(frame), 7):
            damaged = frame[:place] + bytes([frame[place] ^ 0x55]) + frame[place + 1 :]
            reply = await send(client, damaged)
            assert (reply.status, reply.state) == (409, "reset"), place
        for length in range(0, len(frame), 11):
            assert (await send(client, frame[:length])).status == 409
        assert hop.received == []
        assert (await send(client, frame)).status == 200


async def test_limit_is_a_refusal_that_names_it() -> None:
    request = b"".join(REQUESTS)
    async with gateway_and_hop(max_request_size=len(request) - 1) as (client, hop):
        reply = await send(client, Encoder("traces").encode(request))
    assert (reply.status, reply.state, hop.received) == (400, "refused", [])
    assert "max_decoded_len" in Status.FromString(reply.body).message


async def test_request_above_the_limit_of_the_format_is_refused() -> None:
    bomb = Encoder("traces", limits=Limits(max_decoded_len=64 << 20)).encode(bytes(21 << 20))
    async with gateway_and_hop() as (client, hop):
        reply = await send(client, bomb)
    assert (reply.status, reply.state, hop.received) == (400, "refused", [])


async def test_frame_of_another_signal_is_refused() -> None:
    async with gateway_and_hop() as (client, hop):
        reply = await send(client, Encoder("logs").encode(captured.logs()))
    assert (reply.status, hop.received) == (400, [])
    assert "/v1/traces" in Status.FromString(reply.body).message


async def test_frames_without_state_need_no_table() -> None:
    encoder = Encoder("traces", stateless=True)
    async with gateway_and_hop(max_streams=1) as (client, hop):
        replies = await asyncio.gather(*(send(client, encoder.encode(request)) for request in REQUESTS))
        metrics = (await client.get("/metrics")).body.decode()
    assert {reply.status for reply in replies} == {200}
    assert sorted(delivered(hop)) == sorted(REQUESTS)
    assert "otlp_fast_gateway_streams 0.0" in metrics


async def test_streams_do_not_wait_for_each_other() -> None:
    gate = Gate()
    async with gateway_and_hop() as (client, hop):
        hop.answers = gate
        slow = asyncio.create_task(send(client, Encoder("traces").encode(REQUESTS[0])))
        await gate.arrived.wait()
        hop.will_answer(200)
        assert (await send(client, Encoder("traces").encode(REQUESTS[1]))).status == 200
        gate.opened.set()
        assert (await slow).status == 200
