"""`otlp-fast demo`, run for real with few requests: its result, its errors, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from otlp_fast.demo.child import Child

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]


# 40 requests are one deck, whose items can be counted by hand: of spans 40 of Flask, 68 of SQLite, 5 payments; of log
# records 40 for the requests, 4 orders, a number that is taken, the failing report's exception.
SPANS = 113
LOG_RECORDS = 46


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_demo_delivers_everything_and_gives_the_same_bytes(run_command: RunCommand, compression: str) -> None:
    completed = run_command("demo", "--requests", "40", "--burst", "500", "--compression", compression, "--json")
    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert result["ok"] is True
    assert result["problems"] == result["failures"] == []
    assert set(result["exporters"]) == set(result["whole"]) == {"official", "otlp_fast"}
    for run in result["exporters"].values():
        assert run["signals"]["traces"]["made"] == SPANS
        assert run["signals"]["logs"]["made"] == LOG_RECORDS
        # Flask's histogram has a point for each method and status at least, and the bookshop has five instruments.
        assert run["signals"]["metrics"]["made"] >= 12
        for part in run["signals"].values():
            assert part["made"] == part["delivered"] == part["received"]["items"]
            assert part["received"]["requests"] >= 1
            assert part["export_cpu_us_per_item"] > 0
        assert run["first_message"] is None
    assert len({run["signals"]["metrics"]["made"] for run in result["exporters"].values()}) == 1
    for name, encoding in result["encoding"].items():
        assert encoding["identical"] is True
        assert encoding["first_difference"] is None
        assert encoding["items"] == sum(run["signals"][name]["made"] for run in result["exporters"].values())
        assert encoding["bytes"]["official"] == encoding["bytes"]["otlp_fast"]
        assert encoding["ratio"] > 1
        sent = result["exporters"]["otlp_fast"]["signals"][name]["received"]["bytes"]
        half = encoding["bytes"]["otlp_fast"] / 2
        assert (sent < 0.7 * half) if compression == "gzip" else (sent > 0.7 * half)
    for whole in result["whole"].values():
        assert whole["made"] == whole["received"] == {"traces": SPANS, "logs": LOG_RECORDS}
        assert whole["burst_made"] == whole["burst_received"] == 500
        assert len(whole["cpu_us_per_request"]) == len(result["bare_differences"]) == 1
    framed = result["tracezip"]["signals"]
    assert [framed[signal]["made"] for signal in ("traces", "logs")] == [SPANS, LOG_RECORDS]
    assert [each["identical"] for each in framed.values()] == [True, True, True]


def test_demo_prints_a_table_and_how_to_switch_on(run_command: RunCommand) -> None:
    completed = run_command("demo", "--requests", "5", "--burst", "500")
    assert completed.returncode == 0, completed.stderr
    for text in ("spans made", "log records made", "data points made", "identical", "CPU per request", "burst of 500"):
        assert text in completed.stdout
    for text in ("tracezip and the gateway", "zstd-3, one stream", "OTEL_EXPORTER_OTLP_COMPRESSION=tracezip"):
        assert text in completed.stdout
    for name in ("TRACES", "LOGS", "METRICS"):
        assert f"OTEL_{name}_EXPORTER=otlp_fast_http" in completed.stdout
    assert "otlp-fast exporters, requests: done in" in completed.stderr


def test_a_rival_that_fails_is_reported_and_the_rest_still_told(run_command: RunCommand) -> None:
    missing = "opentelemetry.exporter.otlp.proto.http._log_exporter"
    completed = run_command("demo", "--requests", "40", "--burst", "500", "--json", without=(missing,))
    assert completed.returncode == 1
    result = json.loads(completed.stdout)
    assert set(result["exporters"]) == set(result["whole"]) == {"otlp_fast"}
    assert len(result["failures"]) == 2
    for failure, title in zip(result["failures"], ("official exporters", "official processors"), strict=True):
        assert failure.startswith(f"{title}: the service process ended unexpectedly")
        assert missing in failure
        assert f"FAILED: {failure}\n" in completed.stderr
    assert result["whole"]["otlp_fast"]["burst_received"] == 500
    assert result["whole_cpu_ratio"] is None


def test_demo_ignores_exporter_variables_and_proxies_for_its_own_receiver(
    run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "nonsense")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    completed = run_command("demo", "--requests", "5", "--burst", "500", "--json")
    assert completed.returncode == 0, completed.stderr


def test_endpoint_is_used_and_not_counted(run_command: RunCommand) -> None:
    with Child("receiver", "otlp_fast.demo.receiver", {}, os.environ) as receiver:
        endpoint = f"http://127.0.0.1:{receiver.greeting['port']}"
        completed = run_command(
            "demo", "--requests", "40", "--burst", "500", "--endpoint", f"{endpoint}/v1/traces", "--json"
        )
        counts = receiver.ask("take")
    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert result["endpoint"] == endpoint
    for run in result["exporters"].values():
        assert [part["received"] for part in run["signals"].values()] == [None, None, None]
    assert [run["received"] for run in result["whole"].values()] == [None, None]
    assert [run["burst_received"] for run in result["whole"].values()] == [None, None]
    # Twice by exporters and twice by processors; tracezip goes elsewhere.
    assert counts["traces"]["items"] == 4 * SPANS + 2 * 500
    assert counts["logs"]["items"] == 4 * LOG_RECORDS
    made = sum(run["signals"]["metrics"]["made"] for run in result["exporters"].values())
    assert counts["metrics"]["items"] == made


def test_unreachable_endpoint_is_one_line(run_command: RunCommand) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    completed = run_command("demo", "--endpoint", f"http://127.0.0.1:{port}/v1/traces")
    assert completed.returncode == 1
    assert completed.stdout == ""
    assert completed.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in completed.stderr
    assert "Connection refused" in completed.stderr


def test_endpoint_that_takes_no_telemetry_is_one_line(run_command: RunCommand) -> None:
    with Child("receiver", "otlp_fast.demo.receiver", {}, os.environ) as receiver:
        completed = run_command("demo", "--endpoint", f"http://127.0.0.1:{receiver.greeting['port']}/elsewhere")
    assert completed.returncode == 1
    assert completed.stderr.count("\n") == 1
    assert "404" in completed.stderr


def test_endpoint_without_scheme_is_one_line(run_command: RunCommand) -> None:
    completed = run_command("demo", "--endpoint", "localhost:4318")
    assert completed.returncode == 1
    assert (
        completed.stderr == "Error: argument endpoint: 'localhost:4318/v1/traces' has no scheme http:// or https://\n"
    )


@pytest.mark.parametrize(
    ("ending", "status", "message"),
    [
        (signal.SIGINT, 130, "Interrupted: the demo and its processes are stopped.\n"),
        (signal.SIGTERM, 130, "Interrupted: the demo and its processes are stopped.\n"),
        (signal.SIGKILL, -signal.SIGKILL, ""),
    ],
)
def test_an_ended_demo_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals, status: int, message: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    # A runner in the background of a shell ignores SIGINT, and its children inherit that; a terminal's do not.
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    script += "from otlp_fast.cli import main; main()"
    with (tmp_path / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", script, "demo", "--requests", "30000"],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        children = _wait_for_traffic(process, tmp_path / "stderr")
        # As a terminal does with Ctrl-C: the signal goes to the whole process group.
        os.killpg(process.pid, ending)
        assert process.wait(20) == status
    _, alive = psutil.wait_procs(children, timeout=10)
    for child in alive:
        child.kill()
    assert alive == []
    written = (tmp_path / "stderr").read_text()
    assert "Traceback" not in written
    assert written.endswith(message)
    if ending is not signal.SIGKILL:
        assert [entry.name for entry in tmp_path.iterdir()] == ["stderr"]


def _wait_for_traffic(process: subprocess.Popen[bytes], stderr: Path) -> list[psutil.Process]:
    """Wait until the requests run, and give the receiver's and the service's processes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, stderr.read_text()
        if "official exporters, requests ..." in stderr.read_text():
            children = psutil.Process(process.pid).children(recursive=True)
            assert len(children) == 2
            time.sleep(0.3)
            return children
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the demo did not begin")
