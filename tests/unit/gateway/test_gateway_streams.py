"""The table of streams: bounded under a flood, fair between peers, and closed between them."""

from __future__ import annotations

from pathlib import Path

import pytest
from gateway_client import gateway_and_hop

from otlp_fast.gateway.answers import Answer, Refused
from otlp_fast.gateway.streams import StreamTable
from otlp_fast.tracezip import Encoder, Limits, StateLostError
from tests import captured

pytestmark = pytest.mark.anyio

SUCCESS = Answer(200, "delivered")


class Table:
    """A table, and the senders of frames for it."""

    def __init__(self, max_streams: int = 100, max_per_peer: int = 100, idle_timeout: float = 1000) -> None:
        self.evictions = 0
        self.streams = StreamTable(
            Limits(),
            max_streams=max_streams,
            max_per_peer=max_per_peer,
            idle_timeout=idle_timeout,
            max_wait=10,
            on_eviction=self.count,
        )

    def count(self) -> None:
        self.evictions += 1

    async def begin(self, peer: str, stream_id: bytes) -> None:
        async with self.streams.use(peer, stream_id, begins=True) as stream:
            stream.decoder.decode(Encoder("traces", stream_id=stream_id).encode(b"\n\x00"))
            stream.commit(SUCCESS)

    async def knows(self, peer: str, stream_id: bytes) -> bool:
        try:
            async with self.streams.use(peer, stream_id, begins=False):
                return True
        except StateLostError:
            return False


def named(number: int) -> bytes:
    return number.to_bytes(16, "big")


async def test_flood_of_one_peer_is_bounded_and_spares_the_others() -> None:
    table = Table(max_streams=50, max_per_peer=10)
    await table.begin("victim", named(0))
    for number in range(1000):
        await table.begin("flood", named(number))
    assert len(table.streams) == 11
    assert await table.knows("victim", named(0))


async def test_flood_of_many_peers_takes_from_those_that_have_most() -> None:
    table = Table(max_streams=20, max_per_peer=8)
    await table.begin("victim", named(0))
    for number in range(300):
        await table.begin(f"flood-{number % 3}", named(number))
    assert len(table.streams) == 20
    assert table.evictions == 301 - 20
    assert await table.knows("victim", named(0))


async def test_stream_that_is_idle_for_longest_goes_first() -> None:
    table = Table(max_per_peer=3)
    for number in range(3):
        await table.begin("peer", named(number))
    assert await table.knows("peer", named(0))
    await table.begin("peer", named(3))
    assert [await table.knows("peer", named(number)) for number in range(4)] == [True, False, True, True]


async def test_stream_in_use_is_not_evicted() -> None:
    table = Table(max_per_peer=1)
    await table.begin("peer", named(0))
    async with table.streams.use("peer", named(0), begins=False):
        with pytest.raises(Refused) as refused:
            await table.begin("peer", named(1))
    assert refused.value.answer.status == 503
    assert await table.knows("peer", named(0))


async def test_idle_streams_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("otlp_fast.gateway.streams.time.monotonic", lambda: now)
    table = Table(idle_timeout=60)
    await table.begin("peer", named(0))
    now += 59
    await table.begin("peer", named(1))
    assert len(table.streams) == 2
    now += 2
    assert len(table.streams) == 1
    assert not await table.knows("peer", named(0))
    assert await table.knows("peer", named(1))


async def test_stream_without_a_delivered_frame_is_not_kept() -> None:
    table = Table()
    async with table.streams.use("peer", named(0), begins=True) as stream:
        stream.decoder.decode(Encoder("traces").encode(b"\n\x00"))
    with pytest.raises(ZeroDivisionError):
        async with table.streams.use("peer", named(1), begins=True):
            raise ZeroDivisionError
    assert len(table.streams) == 0


async def test_what_is_pending_at_the_end_is_rolled_back() -> None:
    table, encoder = Table(), Encoder("traces")
    async with table.streams.use("peer", named(0), begins=True) as stream:
        stream.decoder.decode(encoder.encode(b"\n\x00"))
        stream.commit(SUCCESS)
    encoder.commit()
    committed = stream.decoder.state_hash
    async with table.streams.use("peer", named(0), begins=False) as stream:
        stream.decoder.decode(encoder.encode(b"\n\x00"))
    stream.decoder.commit()
    assert stream.decoder.state_hash == committed


@pytest.mark.parametrize(("has_authentication", "kept"), [(False, 3), (True, 1)])
async def test_bound_per_peer_counts_where_peers_are_told_apart(
    tmp_path: Path, has_authentication: bool, kept: int
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("alice:secret\n")
    known = {"token_file": tokens} if has_authentication else {}
    async with gateway_and_hop(max_streams=3, max_streams_per_peer=1, **known) as (client, _):
        client.headers["authorization"] = "Bearer secret"
        for _ in range(5):
            reply = await client.post("/v1/traces", Encoder("traces").encode(captured.traces(1)), "tracezip")
            assert reply.status == 200
        metrics = (await client.get("/metrics")).body.decode()
    assert f"otlp_fast_gateway_streams {kept}.0" in metrics


async def test_peers_do_not_share_a_stream_of_the_same_id(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("alice:a-secret\nbob:b-secret\n")
    request = captured.traces()
    encoder = Encoder("traces")
    first = encoder.encode(request)
    async with gateway_and_hop(token_file=tokens) as (client, hop):

        async def send(frame: bytes, token: str) -> int:
            return (await client.post("/v1/traces", frame, "tracezip", authorization=f"Bearer {token}")).status

        assert await send(first, "a-secret") == 200
        encoder.commit()
        following = encoder.encode(request)
        # Bob has seen Alice's frames, and knows the id of her stream.
        assert await send(following, "b-secret") == 409
        assert await send(first, "b-secret") == 200
        assert await send(following, "a-secret") == 200
    assert len(hop.received) == 3


async def test_flood_of_streams_over_http_is_bounded() -> None:
    async with gateway_and_hop(max_streams=5) as (client, hop):
        for _ in range(30):
            reply = await client.post("/v1/traces", Encoder("traces").encode(captured.traces(1)), "tracezip")
            assert reply.status == 200
        metrics = (await client.get("/metrics")).body.decode()
    assert "otlp_fast_gateway_streams 5.0" in metrics
    assert "otlp_fast_gateway_evictions_total 25.0" in metrics
    assert len(hop.received) == 30
