"""Fork in the middle of encoding: the child can encode, whatever the parent's other threads were doing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

SCRIPT = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")  # Python 3.12 and later warn of what this script is about
import otlp_fast
from tests.compat.spans import make_span

spans = [make_span(attributes={"text": "x" * 5000, "number": number}) for number in range(40)]
expected = otlp_fast.encode_spans(spans)
stop = threading.Event()

def work():
    encoder = otlp_fast.SpanEncoder()
    while not stop.is_set():
        otlp_fast.encode_spans(spans)
        encoder.add(spans[0])
        encoder.finish().release()

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
sys.setswitchinterval(1e-5)
failed = 0
for _ in range(40):
    child = os.fork()
    if child == 0:
        ok = all(otlp_fast.encode_spans(spans) == expected for _ in range(5))
        stats = otlp_fast.pool_stats()
        os._exit(0 if ok and stats["bytes_held"] <= stats["bytes_limit"] else 1)
    deadline = time.monotonic() + 20
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            failed += status != 0
            break
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            failed += 1
            break
        time.sleep(0.001)
stop.set()
for thread in threads:
    thread.join()
print("failed", failed)
"""


@pytest.mark.usefixtures("unmeasured_children")
def test_forked_child_encodes_while_the_parents_threads_do() -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=PROJECT, capture_output=True, text=True, timeout=300, check=True
    )
    assert result.stdout == "failed 0\n", result.stderr
