"""The Python border against bytes and objects of any kind: a few of what `make fuzz-python` tries by the million."""

from __future__ import annotations

import random

import pytest

import otlp_fast
from fuzz.python import checks
from fuzz.python.objects import Objects, Seeded


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_objects_of_any_kind_become_a_request_or_an_encode_error(signal: str) -> None:
    before = otlp_fast.encode_stats()
    for seed in range(150):
        checks.check_objects(Objects(Seeded(seed)), signal)
    # Otherwise nothing was odd.
    assert otlp_fast.encode_stats()["attributes_dropped"] > before["attributes_dropped"]


@pytest.mark.parametrize("signal", range(3))
def test_any_bytes_are_read_or_refused_by_documented_errors(signal: int) -> None:
    source = random.Random(signal)
    for _ in range(60):
        checks.check(bytes([signal, 0, 0, 0, 0]) + source.randbytes(source.randint(0, 60)), Seeded)
