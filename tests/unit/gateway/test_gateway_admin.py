"""/health and /metrics."""

from __future__ import annotations

import pytest
from aiohttp import web
from gateway_client import Client, gateway, gateway_and_hop
from prometheus_client.parser import text_string_to_metric_families
from scripted_next_hop import Received, answer

from otlp_fast import compression
from otlp_fast.gateway import Settings
from otlp_fast.gateway.application import Gateway
from otlp_fast.tracezip import Encoder
from tests import captured

pytestmark = pytest.mark.anyio


async def figures(client: Client) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    reply = await client.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(reply.body.decode())
    samples = [sample for family in families for sample in family.samples]
    return {
        (sample.name.removeprefix("otlp_fast_gateway_"), *sample.labels.values()): sample.value for sample in samples
    }


async def test_metrics_say_what_came_of_requests() -> None:
    request = captured.traces(3)
    compressed = compression.compress(request, "zstd")
    encoder = Encoder("traces")
    frame = encoder.encode(request)
    async with gateway_and_hop() as (client, hop):
        await client.post("/v1/traces", compressed, "zstd")
        await client.post("/v1/traces", frame, "tracezip")
        await client.post("/v1/traces", frame, "tracezip")
        encoder.rollback()
        await client.post("/v1/traces", frame[:-1], "tracezip")
        await client.post("/v1/logs", b"", "br")
        hop.will_answer(503)
        await client.post("/v1/metrics", captured.metrics())
        found = await figures(client)
    requests = {labels[1:]: value for labels, value in found.items() if labels[0] == "requests_total"}
    assert requests == {
        ("zstd", "delivered", "traces"): 1,
        ("tracezip", "delivered", "traces"): 1,
        ("tracezip", "repeated", "traces"): 1,
        ("tracezip", "damaged", "traces"): 1,
        ("unknown", "unsupported", "logs"): 1,
        ("none", "next_hop_refused", "metrics"): 1,
    }
    assert found["wire_bytes_total", "zstd", "traces"] == len(compressed)
    assert found["otlp_bytes_total", "zstd", "traces"] == len(request)
    assert found["delivered_items_total", "traces"] == 6
    assert found["forward_seconds_count", "traces"] == 2
    assert found["forward_seconds_count", "metrics"] == 1
    assert (found["streams",], found["in_flight_requests",], found["in_flight_bytes",]) == (1, 0, 0)


@pytest.mark.parametrize("leaving", ["zstd", "none"])
async def test_bytes_are_held_as_they_came_as_otlp_and_as_they_leave(leaving: str) -> None:
    plain, seen = captured.traces(), {}
    async with gateway_and_hop(forward_encoding=leaving) as (client, hop):

        async def looks(received: Received) -> web.StreamResponse:
            seen.update(await figures(client))
            return answer()

        hop.answers = looks
        await client.post("/v1/traces", compression.compress(plain, "gzip"), "gzip")
    held = [len(compression.compress(plain, encoding)) for encoding in ("gzip", "none", leaving)]
    assert (seen["in_flight_bytes",], seen["in_flight_requests",]) == (sum(held), 1)


async def test_metrics_come_as_openmetrics_too() -> None:
    async with gateway() as client:
        reply = await client.request("GET", "/metrics", headers={"accept": "application/openmetrics-text"})
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


async def test_health_is_503_while_draining() -> None:
    served = Gateway(Settings(forward="http://127.0.0.1:9"))
    client = Client(served.application())
    assert (await client.get("/health")).status == 200
    served.is_draining = True
    assert (await client.get("/health")).status == 503


async def test_admin_endpoints_stand_elsewhere_where_that_is_asked_for() -> None:
    served = Gateway(Settings(forward="http://127.0.0.1:9", has_admin_endpoints=False))
    beside, elsewhere = Client(served.application()), Client(served.admin_application())
    assert {(await beside.get(path)).status for path in ("/health", "/metrics")} == {404}
    assert {(await elsewhere.get(path)).status for path in ("/health", "/metrics")} == {200}
    assert (await elsewhere.post("/v1/traces")).status == 404


async def test_two_gateways_in_one_process_count_for_themselves() -> None:
    async with gateway_and_hop() as (client, _), gateway() as other:
        await client.post("/v1/traces", captured.traces())
        assert ("requests_total", "none", "delivered", "traces") in await figures(client)
        assert ("requests_total", "none", "delivered", "traces") not in await figures(other)
