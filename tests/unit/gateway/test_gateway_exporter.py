"""The exporter and the gateway together: nothing of the protocol between them is played by a test."""

from __future__ import annotations

import signal

from gateway_process import blocking_hop, gateway_process

from otlp_fast import compression
from otlp_fast.exporter.http import OTLPSpanExporter
from tests import captured

REQUESTS = [captured.traces(count, f"service-{count}") for count in range(1, 7)]


def test_exporter_goes_on_through_a_restart_of_the_gateway() -> None:
    with blocking_hop() as hop:
        with gateway_process("--forward", hop.url) as first:
            port = first.url.rpartition(":")[2]
            exporter = OTLPSpanExporter(f"{first.url}/v1/traces", compression="tracezip")
            sent = [exporter.export_request(request, 1) for request in REQUESTS[:3]]
            before = exporter.stats()
            assert first.end(signal.SIGTERM)[0] == 0
        with gateway_process("--forward", hop.url, "--listen", f"127.0.0.1:{port}"):
            sent += [exporter.export_request(request, 1) for request in REQUESTS[3:]]
            after = exporter.stats()
        exporter.shutdown()
    assert sent == [True] * 6
    assert [compression.decompress(body, "gzip") for body in hop.bodies] == REQUESTS
    assert (before["tracezip_resets"], after["tracezip_resets"]) == (1, 2)
    assert (after["tracezip_frames"], after["tracezip_fallbacks"]) == (7, 0)
