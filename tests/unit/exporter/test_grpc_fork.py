"""A gRPC exporter and fork: the child's own channel, and calls of the parent that are under way.

Every program runs in a process of its own, as gRPC keeps state for the whole process.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scripted_grpc_receiver import Answer, GRPCReceiver

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

PREAMBLE = """
import os, signal, sys, threading, time, warnings
warnings.simplefilter("ignore")  # Python 3.12 and later warn of what these programs are about
from opentelemetry.sdk.trace import TracerProvider
from otlp_fast.exporter.grpc import OTLPSpanExporter

span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("span")
span.end()
exporter = OTLPSpanExporter(sys.argv[1], timeout=30)

def print(*parts, flush=True):
    # In one piece: threads and processes print here at the same time.
    os.write(1, (" ".join(map(str, parts)) + "\\n").encode())

def export(who):
    print(who, exporter.export([span]).name, exporter.stats()["exported"], flush=True)

def fork(run):
    child = os.fork()
    if child == 0:
        signal.alarm(40)
        try:
            run()
            sys.stdout.flush()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def run(program: str, receiver: GRPCReceiver) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + program, receiver.url],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_child_exports_on_its_own_channel_and_counts_from_zero(grpc_receiver: GRPCReceiver) -> None:
    program = """
export("parent")
print(fork(lambda: (export("child"), export("child"), exporter.shutdown())), flush=True)
export("parent")
exporter.shutdown()
"""
    assert run(program, grpc_receiver) == [
        "parent SUCCESS 1",
        "child SUCCESS 1",
        "child SUCCESS 2",
        "0",
        "parent SUCCESS 2",
    ]
    peers = [call.peer for call in grpc_receiver.requests]
    assert peers[0] == peers[3] != peers[1] == peers[2]


def test_exporter_that_was_never_used_works_in_the_child(grpc_receiver: GRPCReceiver) -> None:
    program = """
print(fork(lambda: export("child")), flush=True)
export("parent")
exporter.shutdown()
"""
    assert run(program, grpc_receiver) == ["child SUCCESS 1", "0", "parent SUCCESS 1"]


def test_grandchild_exports_too(grpc_receiver: GRPCReceiver) -> None:
    program = """
export("parent")
print(fork(lambda: (export("child"), print(fork(lambda: export("grandchild")), flush=True))), flush=True)
exporter.shutdown()
"""
    assert run(program, grpc_receiver) == [
        "parent SUCCESS 1",
        "child SUCCESS 1",
        "grandchild SUCCESS 1",
        "0",
        "0",
    ]


@pytest.mark.parametrize(("delay", "calls"), [(0.2, 2), (4.0, 3)])
def test_fork_during_a_call_loses_nothing(grpc_receiver: GRPCReceiver, delay: float, calls: int) -> None:
    # A call that ends within the moment that it is given is made once; a slower one is cancelled and made again.
    grpc_receiver.script(Answer(delay=delay))
    program = """
thread = threading.Thread(target=export, args=("parent",))
thread.start()
while not exporter._client._transport._under_way:
    time.sleep(0.01)
time.sleep(0.05)
print(fork(lambda: export("child")), flush=True)
thread.join()
exporter.shutdown()
"""
    assert sorted(run(program, grpc_receiver)) == ["0", "child SUCCESS 1", "parent SUCCESS 1"]
    assert len(grpc_receiver.requests) == calls


def test_forks_under_load_lose_nothing(grpc_receiver: GRPCReceiver) -> None:
    program = """
ended = threading.Event()

def work():
    while not ended.is_set():
        assert exporter.export([span]).name == "SUCCESS"

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
results = [fork(lambda: [exporter.export([span]) for _ in range(3)] and exporter.shutdown()) for _ in range(10)]
ended.set()
for thread in threads:
    thread.join()
print(results, exporter.stats()["failed"], exporter.stats()["exported"], flush=True)
exporter.shutdown()
"""
    (line,) = run(program, grpc_receiver)
    assert line.startswith(f"{[0] * 10} 0 ")
    exported = int(line.rpartition(" ")[2]) + 30
    assert len(grpc_receiver.requests) >= exported


def test_exporter_that_was_shut_down_stays_so_in_the_child(grpc_receiver: GRPCReceiver) -> None:
    program = """
exporter.shutdown()
print(fork(lambda: export("child")), flush=True)
"""
    assert run(program, grpc_receiver) == ["child FAILURE 0", "0"]
