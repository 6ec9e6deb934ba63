"""`otlp-fast gateway` as users run it: it starts, forwards and ends, and says what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from gateway_process import RUN_MAIN, WAIT_SECONDS, blocking_hop, gateway_process, get, post

from otlp_fast import compression
from otlp_fast.cli.gateway import command
from otlp_fast.tracezip import Encoder
from tests import captured
from tests.unit.exporter.certificates import make_certificate, openssl

REQUEST = captured.traces()
FORWARD = ("--forward", "http://127.0.0.1:9")


def run(*options: str, **environment: str) -> tuple[int, str]:
    """Run a gateway that ends by itself."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_MAIN, "gateway", *options],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stderr or done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_forwards_and_ends(number: int) -> None:
    encoder = Encoder("traces")
    with blocking_hop() as hop, gateway_process("--forward", hop.url, "--forward-encoding", "zstd") as running:
        assert hop.url in running.announced
        for _ in range(3):
            status, headers = post(running.url, encoder.encode(REQUEST), Content_Encoding="tracezip")
            assert (status, headers["Tracezip-State"]) == (200, "understood")
            encoder.commit()
        assert get(f"{running.url}/health") == 200
        code, said = running.end(number)
    assert code == 0
    assert "Traceback" not in said
    assert [compression.decompress(body, "zstd") for body in hop.bodies] == [REQUEST] * 3


def test_what_is_under_way_is_finished_before_it_ends() -> None:
    with (
        blocking_hop(opened=False) as hop,
        gateway_process("--forward", hop.url, "--admin-listen", "127.0.0.1:0") as running,
        ThreadPoolExecutor() as threads,
    ):
        admin = running.urls[1]
        assert get(f"{admin}/health") == 200
        assert get(f"{running.url}/health") == 404
        sent = threads.submit(post, running.url, REQUEST)
        assert hop.arrived.wait(WAIT_SECONDS)
        running.process.send_signal(signal.SIGTERM)
        until(lambda: get(f"{admin}/health") == 503)
        until(lambda: refuses_connections(running.url))
        assert not sent.done()
        hop.opened.set()
        assert sent.result(WAIT_SECONDS)[0] == 200
        code, said = running.wait()
    assert (code, len(hop.bodies)) == (0, 1)
    assert "shutting down" in said


def test_what_takes_too_long_at_the_end_is_answered_so_that_it_comes_again() -> None:
    with (
        blocking_hop(opened=False) as hop,
        gateway_process("--forward", hop.url, "--shutdown-timeout", "0.2") as running,
        ThreadPoolExecutor() as threads,
    ):
        sent = threads.submit(post, running.url, Encoder("traces").encode(REQUEST), Content_Encoding="tracezip")
        assert hop.arrived.wait(WAIT_SECONDS)
        code, said = running.end(signal.SIGTERM)
        status, headers = sent.result(WAIT_SECONDS)
    assert (code, status, headers["Retry-After"]) == (0, 503, "5")
    assert "1 requests were still under way" in said
    assert "Traceback" not in said


def test_second_signal_cuts_the_end_short() -> None:
    with (
        blocking_hop(opened=False) as hop,
        gateway_process("--forward", hop.url, "--drain-delay", "1000", "--shutdown-timeout", "1000") as running,
        ThreadPoolExecutor() as threads,
    ):
        sent = threads.submit(post, running.url, REQUEST)
        assert hop.arrived.wait(WAIT_SECONDS)
        running.process.send_signal(signal.SIGTERM)
        until(lambda: get(f"{running.url}/health") == 503)  # it still listens, so that a load balancer sees it
        code, _ = running.end(signal.SIGINT)
        assert sent.result(WAIT_SECONDS)[0] == 503
    assert code == 0


@pytest.mark.skipif(openssl is None, reason="needs the openssl command to make certificates")
def test_tls_of_both_sides(tmp_path: Path) -> None:
    certificate, key = map(str, make_certificate(tmp_path, "gateway"))
    client_certificate, client_key = map(str, make_certificate(tmp_path, "client"))
    tls = ("--tls-cert", certificate, "--tls-key", key)
    anonymous = ssl.create_default_context(cafile=certificate)
    known = ssl.create_default_context(cafile=certificate)
    known.load_cert_chain(client_certificate, client_key)
    with (
        blocking_hop() as hop,
        gateway_process("--forward", hop.url, *tls, "--tls-client-ca", client_certificate) as far,
        gateway_process("--forward", far.url, "--forward-ca", certificate) as unknown_to_far,
        gateway_process("--forward", hop.url, *tls) as open_to_all,
        gateway_process("--forward", open_to_all.url, "--forward-ca", certificate) as near,
    ):
        assert far.url.startswith("https://")
        assert post(far.url, REQUEST, known)[0] == 200
        with pytest.raises(OSError):
            post(far.url, REQUEST, anonymous)
        # A gateway in front of another one: by TLS, and without the certificate that the far one asks for.
        assert post(near.url, REQUEST)[0] == 200
        assert post(unknown_to_far.url, REQUEST)[0] == 503
    assert len(hop.bodies) == 2


def until(condition: object) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def refuses_connections(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), WAIT_SECONDS).close()
    except ConnectionError:
        return True
    return False


def test_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = run("--listen", address, *FORWARD)
    assert code == 1
    assert said == f"Error: {address}: Address already in use\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Missing option '--forward'"),
        (("--forward", "collector"), "--forward: 'collector' is no URL such as http://collector:4318"),
        ((*FORWARD, "--listen", "4318"), "'4318' is no address to listen on, such as :4318"),
        ((*FORWARD, "--forward-header", "Bearer secret"), "not NAME=VALUE"),
        ((*FORWARD, "--forward-header", "Host=a"), "--forward-header: Host is for the gateway to set"),
        ((*FORWARD, "--peer-header", "a"), "--peer-header and --trusted-proxy belong together"),
        ((*FORWARD, "--max-memory", "100"), "below 3 times --max-request-size"),
        ((*FORWARD, "--tls-cert", __file__), "--tls-cert and --tls-key belong together"),
        ((*FORWARD, "--tls-client-ca", __file__), "--tls-client-ca needs --tls-cert"),
        ((*FORWARD, "--token-file", "nothing"), "'nothing' does not exist"),
    ],
)
def test_wrong_option_is_named(options: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 2
    assert said in result.output
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--listen", "nowhere.invalid:0"), "Error: nowhere.invalid:0: "),
        (("--tls-cert", __file__, "--tls-key", __file__), f"Error: {__file__}, {__file__}: no certificate"),
        (("--forward", "https://a", "--forward-ca", __file__), f"Error: {__file__}: no certificates"),
        (("--token-file", __file__), f"Error: {__file__}: line "),
    ],
)
def test_what_keeps_it_from_starting_is_one_line(options: tuple[str, ...], said: str) -> None:
    code, message = run(*FORWARD, "--listen", "127.0.0.1:0", *options)
    assert (code, message.count("\n")) == (1, 1), message
    assert message.startswith(said)


def test_missing_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['starlette'] = None")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    code, said = run(*FORWARD, PYTHONPATH=path)
    assert code == 1
    assert "pip install 'otlp-fast[gateway]'" in said
    assert run("--help", PYTHONPATH=path)[0] == 0


def test_help_teaches() -> None:
    code, said = run("--help")
    assert code == 0
    for word in ("Examples:", "tracezip", "/metrics", "--token-file", "Exit status:", "SIGTERM"):
        assert word in said
