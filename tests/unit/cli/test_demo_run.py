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


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_demo_delivers_every_span_and_gives_the_same_bytes(run_command: RunCommand, compression: str) -> None:
    completed = run_command("demo", "--requests", "40", "--compression", compression, "--json")
    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert result["ok"] is True
    assert result["problems"] == []
    runs = result["runs"]
    assert set(runs) == {"official", "otlp_fast"}
    for run in runs.values():
        # 40 requests are one deck, whose spans can be counted by hand: 40 of Flask, 68 of SQLite, 5 payments.
        assert run["spans_created"] == run["spans_delivered"] == run["received"]["spans"] == 113
        assert run["received"]["requests"] >= 1
        assert run["export_cpu_us_per_span"] > 0
        assert 0 < run["export_cpu_share"] < 1
        assert run["first_message"] is None
    encoding = result["encoding"]
    assert encoding["identical"] is True
    assert encoding["first_difference"] is None
    assert encoding["spans"] == 2 * 113
    assert encoding["ratio"] > 1
    sent = runs["otlp_fast"]["received"]["bytes"]
    assert (sent < encoding["bytes"] / 4) if compression == "gzip" else (sent > encoding["bytes"] / 4)


def test_demo_prints_a_table_and_how_to_switch_on(run_command: RunCommand) -> None:
    completed = run_command("demo", "--requests", "5")
    assert completed.returncode == 0, completed.stderr
    for text in ("spans created", "spans received", "CPU per span", "the same bytes", "OTEL_TRACES_EXPORTER=otlp_fast"):
        assert text in completed.stdout
    assert "otlp-fast exporter, requests: done in" in completed.stderr


def test_demo_ignores_exporter_variables_and_proxies_for_its_own_receiver(
    run_command: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "nonsense")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    completed = run_command("demo", "--requests", "5", "--json")
    assert completed.returncode == 0, completed.stderr


def test_endpoint_is_used_and_not_counted(run_command: RunCommand) -> None:
    with Child("receiver", "otlp_fast.demo.receiver", {}, os.environ) as receiver:
        endpoint = f"http://127.0.0.1:{receiver.greeting['port']}"
        completed = run_command("demo", "--requests", "40", "--endpoint", endpoint, "--json")
        counts = receiver.ask("take")
    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert result["endpoint"] == f"{endpoint}/v1/traces"
    assert [run["received"] for run in result["runs"].values()] == [None, None]
    assert counts["spans"] == 2 * 113


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


def test_endpoint_that_is_not_for_traces_is_one_line(run_command: RunCommand) -> None:
    with Child("receiver", "otlp_fast.demo.receiver", {}, os.environ) as receiver:
        completed = run_command("demo", "--endpoint", f"http://127.0.0.1:{receiver.greeting['port']}/elsewhere")
    assert completed.returncode == 1
    assert completed.stderr.count("\n") == 1
    assert "404" in completed.stderr


def test_endpoint_without_scheme_is_one_line(run_command: RunCommand) -> None:
    completed = run_command("demo", "--endpoint", "localhost:4318")
    assert completed.returncode == 1
    assert completed.stderr == "Error: argument endpoint: 'localhost:4318' has no scheme http:// or https://\n"


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
        if "official exporter, requests ..." in stderr.read_text():
            children = psutil.Process(process.pid).children(recursive=True)
            assert len(children) == 2
            time.sleep(0.3)
            return children
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the demo did not begin")
