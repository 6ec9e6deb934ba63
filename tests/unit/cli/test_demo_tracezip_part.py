"""The demo's third part: with a real service, gateway and receiver; and what is told where it cannot be run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3

import otlp_fast
from otlp_fast import compression
from otlp_fast.demo import tracezip_part
from otlp_fast.demo.child import Child
from otlp_fast.demo.digest import digest_of_all, digest_of_request
from otlp_fast.demo.encodings import describe_requests
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.progress import Progress
from otlp_fast.demo.telemetry import ITEMS
from otlp_fast.demo.tracezip_part import TracezipPart
from otlp_fast.demo.traffic import plan_requests
from otlp_fast.exporter.http import OTLPSpanExporter
from tests.compat.spans import make_span

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]

REQUESTS = 400
ENDLESS = """
import sys
from pathlib import Path
from otlp_fast.demo.progress import Progress
from otlp_fast.demo.tracezip_part import TracezipPart
from otlp_fast.demo.traffic import plan_requests

TracezipPart(Path(sys.argv[1]), Progress()).run(plan_requests(100_000))
"""


def test_what_was_encoded_arrives_behind_the_gateway_byte_for_byte(tmp_path: Path) -> None:
    part = TracezipPart(tmp_path, Progress())
    part.run(plan_requests(REQUESTS))
    assert part.failures == []
    assert part.result is not None
    assert part.result.first_message is None
    signals = part.result.signals
    assert set(signals) == set(ITEMS)
    # 40 requests have 113 spans and 46 log records.
    assert (signals["traces"].made, signals["logs"].made) == (113 * REQUESTS // 40, 46 * REQUESTS // 40)
    for framed in signals.values():
        assert framed.identical
        assert framed.made == framed.received.items > 0
        assert framed.requests == framed.received.requests > 0
        assert (framed.resets, framed.fallbacks) == (1, 0)
        sizes = framed.bytes
        assert 0 < sizes["tracezip"] < min(sizes["gzip_6"], sizes["zstd_3"]) < sizes["otlp"]
        # The gateway sends gzip on, which shows that the size of tracezip was not taken behind it.
        assert framed.received.bytes > sizes["tracezip"]


def test_a_gateway_that_does_not_start_is_a_failure_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Child] = []

    def start(name: str, *arguments: Any) -> Child:
        if name == "gateway":
            raise DemoError("the gateway process: cannot listen on loopback")
        started.append(Child(name, *arguments))
        return started[-1]

    monkeypatch.setattr(tracezip_part, "Child", start)
    part = TracezipPart(tmp_path, Progress())
    part.run(plan_requests(5))
    assert part.result is None
    assert part.failures == ["tracezip and the gateway: the gateway process: cannot listen on loopback"]
    assert [child._process.poll() for child in started] == [0]


def test_without_the_extra_of_the_gateway_the_part_is_left_out_by_name(run_command: RunCommand) -> None:
    completed = run_command("demo", "--requests", "5", "--burst", "500", "--json", without=("uvicorn",))
    assert completed.returncode == 0, completed.stderr
    assert "tracezip" not in completed.stderr
    result = json.loads(completed.stdout)
    needed = "the module uvicorn, which is not installed: pip install 'otlp-fast[gateway]'"
    assert (result["ok"], result["tracezip"], result["tracezip_left_out"]) == (True, None, needed)


def test_sizes_are_those_of_the_requests_of_the_batches() -> None:
    batches = [[make_span(name=f"span {number}") for _ in range(20)] for number in range(3)]
    requests = [otlp_fast.encode_spans(batch) for batch in batches]
    described = describe_requests("traces", batches)
    assert described["requests"] == 3
    assert described["digest"] == digest_of_all(map(digest_of_request, requests))
    sizes = described["bytes"]
    assert sizes["otlp"] == sum(map(len, requests))
    assert sizes["zstd_3"] == sum(len(compression.compress(request, "zstd", level=3)) for request in requests)
    assert 0.9 < sizes["gzip_6"] / sum(len(compression.compress(each, "gzip", level=6)) for each in requests) < 1.1
    # The stream is as one request.
    assert sizes["zstd_3_stream"] == pytest.approx(
        len(compression.compress(b"".join(requests), "zstd", level=3)), abs=8
    )


def test_digest_is_that_of_the_same_requests_in_any_order() -> None:
    one, two = digest_of_request(b"one"), digest_of_request(b"two")
    assert digest_of_all([one, two]) == digest_of_all([two, one])
    digests = [[], [one], [two], [one, one], [one, two], [one, two, two], [one, one, two]]
    assert len({digest_of_all(each) for each in digests}) == len(digests)


def test_gateway_forwards_and_counts_what_came(tmp_path: Path) -> None:
    with Child("receiver", "otlp_fast.demo.receiver", {}, os.environ) as receiver:
        forward = f"http://127.0.0.1:{receiver.greeting['port']}"
        with Child("gateway", "otlp_fast.demo.gateway", {"forward": forward}, os.environ) as gateway:
            url = gateway.greeting["url"]
            exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression="tracezip")
            exporter.export([make_span()])
            exporter.shutdown()
            sent = exporter.stats()["tracezip_bytes_out"]
            assert tracezip_part._wire_bytes(url) == {"traces": sent}
            with urllib3.PoolManager() as connections:
                body = otlp_fast.encode_spans([make_span()])
                connections.request(
                    "POST", f"{url}/v1/traces", body=body, headers={"Content-Type": "application/x-protobuf"}
                )
            assert tracezip_part._wire_bytes(url) == {"traces": sent + len(body)}
            process = gateway._process
        assert process.returncode == 0
        with pytest.raises(DemoError, match=r"the gateway does not say what it counted: .*refused"):
            tracezip_part._wire_bytes(url)
        assert receiver.ask("take")["traces"]["items"] == 2


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_part_leaves_no_process(tmp_path: Path, ending: signal.Signals) -> None:
    script = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{ENDLESS}"
    with (tmp_path / "stderr").open("w+") as stderr:
        process = subprocess.Popen([sys.executable, "-c", script, tmp_path], stderr=stderr, start_new_session=True)
        deadline = time.monotonic() + 30
        while "tracezip and the gateway, requests ..." not in (tmp_path / "stderr").read_text():
            assert process.poll() is None, (tmp_path / "stderr").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 3
        time.sleep(0.3)
        os.killpg(process.pid, ending)
        process.wait(20)
    _, alive = psutil.wait_procs(children, timeout=10)
    for child in alive:
        child.kill()
    assert alive == []
