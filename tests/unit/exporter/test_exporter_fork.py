"""An exporter in a forked child: its own connection, its own locks, its own counts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from otlp_fast.tracezip import read_header
from scripted_receiver import Receiver, Reply
from tracezip_receiver import TracezipReceiver

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

PREAMBLE = """
import os, signal, sys, threading, time
import urllib3
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from otlp_fast.exporter.http import OTLPSpanExporter

span = TracerProvider().get_tracer("t").start_span("span")
span.end()

def export(exporter, who):
    print(who, exporter.export([span]).name, exporter.stats()["exported"], flush=True)

def fork(run):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            run()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def run(program: str, receiver: Receiver) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + program, receiver.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("session", ["None", "urllib3.PoolManager()"])
def test_child_exports_on_its_own_connection_and_counts_from_zero(receiver: Receiver, session: str) -> None:
    program = f"""
exporter = OTLPSpanExporter(sys.argv[1], session={session})
export(exporter, "parent")
print(fork(lambda: (export(exporter, "child"), export(exporter, "child"))), flush=True)
export(exporter, "parent")
"""
    assert run(program, receiver) == [
        "parent SUCCESS 1",
        "child SUCCESS 1",
        "child SUCCESS 2",
        "0",
        "parent SUCCESS 2",
    ]
    assert [request.connection for request in receiver.requests] == [0, 1, 1, 0]


@pytest.mark.parametrize("session", ["None", "urllib3.PoolManager()"])
def test_child_does_not_inherit_held_locks(receiver: Receiver, session: str) -> None:
    program = f"""
exporter = OTLPSpanExporter(sys.argv[1], session={session})
export(exporter, "parent")
held, done = threading.Event(), threading.Event()

def hold():
    client = exporter._client
    with exporter._stats_lock, client._transport._connections.pools.lock, client._stopped._cond:
        held.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
print(fork(lambda: (export(exporter, "child"), exporter.shutdown())), flush=True)
done.set()
thread.join()
"""
    assert run(program, receiver) == ["parent SUCCESS 1", "child SUCCESS 1", "0"]


def test_exporter_that_was_shut_down_stays_so_in_the_child(receiver: Receiver) -> None:
    program = """
exporter = OTLPSpanExporter(sys.argv[1])
exporter.shutdown()
print(fork(lambda: export(exporter, "child")), flush=True)
"""
    assert run(program, receiver) == ["child FAILURE 0", "0"]


def test_exporter_that_is_gone_is_not_kept_for_children(receiver: Receiver) -> None:
    program = """
import gc, weakref
gone = weakref.ref(OTLPSpanExporter(sys.argv[1]))
gc.collect()
print(gone() is None, fork(lambda: None), flush=True)
"""
    assert run(program, receiver) == ["True 0"]


def test_child_that_shuts_down_leaves_a_request_of_the_parent_alone(receiver: Receiver) -> None:
    program = """
exporter = OTLPSpanExporter(sys.argv[1])
thread = threading.Thread(target=export, args=(exporter, "parent"))
thread.start()
while not exporter._client._transport._requests._connections:
    time.sleep(0.001)
time.sleep(0.2)
print(fork(exporter.shutdown), flush=True)
thread.join()
"""
    receiver.script(Reply(200, delay=2))
    assert run(program, receiver) == ["0", "parent SUCCESS 1"]
    assert len(receiver.requests) == 1


def test_child_has_tracezip_streams_of_its_own(receiver: Receiver, peer: TracezipReceiver) -> None:
    program = """
exporter = OTLPSpanExporter(sys.argv[1], compression="tracezip")

def work(who):
    export(exporter, who)
    print(exporter.stats()["tracezip_frames"], exporter.stats()["tracezip_resets"], flush=True)

work("parent")
held, done = threading.Event(), threading.Event()

def hold():
    with exporter._sender._lock, exporter._sender._streams._lock:
        held.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
print(fork(lambda: (work("child"), work("child"))), flush=True)
done.set()
thread.join()
work("parent")
"""
    assert run(program, receiver) == [
        *("parent SUCCESS 1", "1 1"),
        *("child SUCCESS 1", "1 1", "child SUCCESS 2", "2 1", "0"),
        *("parent SUCCESS 2", "2 1"),
    ]
    parent, child, again, last = (read_header(request.body) for request in receiver.requests)
    assert parent.stream_id == last.stream_id != child.stream_id == again.stream_id
    assert [frame.seq for frame in (parent, child, again, last)] == [0, 0, 1, 1]
    assert len(peer.taken) == 4
