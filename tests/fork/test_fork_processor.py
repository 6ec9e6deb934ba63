"""Processors in forked children: nothing is lost, nothing is sent twice, whenever the fork comes."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.fork.receiver import received_log_records, received_spans, run
from tests.unit.exporter.scripted_receiver import Handler, Receiver, Reply, Request

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


def once(**counts: int) -> Counter[str]:
    """Give what `emit(who, count)` should have made arrive."""
    return Counter(f"{who} {number}" for who, count in counts.items() for number in range(count))


def test_parent_sends_what_was_pending_and_the_child_what_is_its_own(receiver: Receiver) -> None:
    program = """
emit("before", 700)

def child():
    show(processor.stats()["accepted"], processor.stats()["queued_items"])
    emit("child", 600)
    assert tracers.force_flush() and loggers.force_flush()
    show(processor.stats()["accepted"], processor.stats()["handed_to_exporter"], exporter.stats()["exported"])

wait(fork(child))
emit("after", 3)
tracers.shutdown()
loggers.shutdown()
show(processor.stats()["handed_to_exporter"], exporter.stats()["exported"])
"""
    assert run(program, receiver) == ["0 0", "600 600 600", "703 703"]
    assert received_spans(receiver) == received_log_records(receiver) == once(before=700, child=600, after=3)


def test_child_of_a_fork_amid_an_export_sends_its_own(receiver: Receiver, tmp_path: Path) -> None:
    parent_has_sent = tmp_path / "parent has sent"
    child_was_answered = threading.Event()
    held: list[bool] = []

    def hold_until_the_child_was_answered(handler: Handler, request: Request) -> None:
        parent_has_sent.touch()
        held.append(child_was_answered.wait(30))
        Reply()(handler, request)

    def answer_the_child(handler: Handler, request: Request) -> None:
        Reply()(handler, request)
        child_was_answered.set()

    receiver.script(hold_until_the_child_was_answered, answer_the_child)
    program = f"""
emit("before", 512)
while not os.path.exists({str(parent_has_sent)!r}):
    time.sleep(0.001)

def child():
    emit("child", 5)
    assert tracers.force_flush()
    show(processor.stats()["handed_to_exporter"])

wait(fork(child))
tracers.shutdown()
show(exporter.stats()["exported"])
"""
    assert run(program, receiver) == ["5", "512"]
    assert held == [True]
    assert received_spans(receiver) == once(before=512, child=5)


def test_shutdown_in_the_child_leaves_the_parent_working(receiver: Receiver) -> None:
    program = """
emit("before")

def child():
    emit("child", 3)
    tracers.shutdown()
    show(processor.stats()["handed_to_exporter"], processor._worker._thread.is_alive())

wait(fork(child))
emit("after")
tracers.shutdown()
"""
    assert run(program, receiver) == ["3 False"]
    assert received_spans(receiver) == once(before=1, child=3, after=1)


def test_processor_that_was_shut_down_stays_so_in_the_child(receiver: Receiver) -> None:
    program = """
tracers.shutdown()

def child():
    emit("child", 3)
    assert not processor.force_flush()
    show(processor.stats()["after_shutdown"])
    processor._worker._thread.join()
    processor.shutdown()

wait(fork(child))
"""
    assert run(program, receiver) == ["3"]
    assert received_spans(receiver) == Counter()


def test_grandchildren_work_too(receiver: Receiver) -> None:
    program = """
emit("parent")

def grandchild():
    emit("grandchild")
    assert tracers.force_flush()

def child():
    emit("child")
    wait(fork(grandchild))
    assert tracers.force_flush()

wait(fork(child))
tracers.shutdown()
"""
    run(program, receiver)
    assert received_spans(receiver) == once(parent=1, child=1, grandchild=1)


@pytest.mark.usefixtures("unmeasured_children")
def test_children_forked_amid_the_spans_of_other_threads_neither_hang_nor_lose(receiver: Receiver) -> None:
    program = """
sys.setswitchinterval(1e-5)
stop = threading.Event()

def work(who):
    tracer = tracers.get_tracer("app")
    number = 0
    while not stop.is_set():
        tracer.start_span(f"{who} {number}").end()
        number += 1
        if number % 100 == 0:
            assert tracers.force_flush()
    made[who] = number

made = {}
threads = [threading.Thread(target=work, args=(f"thread{number}",)) for number in range(3)]
for thread in threads:
    thread.start()

def child(who):
    emit(who, 5)
    assert tracers.force_flush()

for number in range(30):
    wait(fork(lambda: child(f"child{number}")))
stop.set()
for thread in threads:
    thread.join()
tracers.shutdown()
show(*(f"{who} {count}" for who, count in made.items()))
"""
    (line,) = run(program, receiver)
    words = line.split()
    made = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert all(made.values())
    children = {f"child{number}": 5 for number in range(30)}
    assert received_spans(receiver) == once(**made, **children)


def test_processor_that_is_gone_is_not_kept_for_children(receiver: Receiver) -> None:
    program = """
import gc, weakref
other = BatchSpanProcessor(exporter)
gone = weakref.ref(other)
other._worker.stop(time.monotonic() + 60)
del other
gc.collect()
show(gone())
"""
    assert run(program, receiver) == ["None"]


def test_child_without_a_thread_for_one_processor_renews_all_others(receiver: Receiver) -> None:
    program = """
other = OTLPSpanExporter(exporter._settings.endpoint)
connections = other._client._transport._connections
emit("before")

def limited(thread):
    threading.Thread.start = start
    raise RuntimeError("can't start new thread")

def child():
    show(other._client._transport._connections is connections, processor._worker._thread.is_alive())
    emit("child", 3)
    assert tracers.force_flush()
    tracers.shutdown()

start, threading.Thread.start = threading.Thread.start, limited
wait(fork(child))
threading.Thread.start = start
tracers.shutdown()
"""
    assert run(program, receiver) == ["False False"]
    assert received_spans(receiver) == once(before=1, child=3)


def test_children_of_multiprocessing_flush_when_told(receiver: Receiver) -> None:
    program = """
import multiprocessing

def work(number):
    emit(f"child{number}", 600)
    assert tracers.force_flush() and loggers.force_flush()
    return processor.stats()["handed_to_exporter"]

emit("before", 10)
with multiprocessing.get_context("fork").Pool(2) as pool:
    results = pool.map(work, range(6), chunksize=1)
tracers.shutdown()
loggers.shutdown()
show(sorted(result % 600 for result in results))
"""
    assert run(program, receiver) == ["[0, 0, 0, 0, 0, 0]"]
    children = {f"child{number}": 600 for number in range(6)}
    assert received_spans(receiver) == received_log_records(receiver) == once(before=10, **children)
