"""The Python border against bytes and objects of any kind: a few of what `make fuzz-python` tries by the million."""

from __future__ import annotations

import random

import pytest

import otlp_fast
from fuzz.python import checks
from fuzz.python.objects import Objects, Seeded
from tests.compat.spans import make_span


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
def test_objects_of_any_kind_become_a_request_or_an_encode_error(signal: str) -> None:
    before = otlp_fast.encode_stats()
    for seed in range(150):
        checks.check_objects(Objects(Seeded(seed), signal))
    # Otherwise nothing was odd.
    assert otlp_fast.encode_stats()["attributes_dropped"] > before["attributes_dropped"]


@pytest.mark.parametrize("signal", range(3))
def test_any_bytes_are_read_or_refused_by_documented_errors(signal: int) -> None:
    source = random.Random(signal)
    for _ in range(60):
        checks.check(bytes([signal, 0, 0, 0, 0]) + source.randbytes(source.randint(0, 60)), Seeded)


def test_refusal_of_what_is_an_item_goes_on_to_the_fuzzer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise otlp_fast.EncodeError("spans[0] is not a span")

    monkeypatch.setattr(otlp_fast, "encode_spans", refuse)
    made = [Objects(Seeded(seed), "traces") for seed in range(20)]
    assert {objects.are_items for objects in made} == {True, False}
    for objects in made:
        if objects.are_items:
            with pytest.raises(otlp_fast.EncodeError):
                checks.check_objects(objects)
        else:
            checks.check_objects(objects)


@pytest.mark.parametrize(("function", "said"), [("split", "items of all parts"), ("merge", "merged with itself")])
def test_item_that_says_something_else_goes_on_to_the_fuzzer(
    function: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, other = (otlp_fast.encode_spans([make_span(name=name)]) for name in ("one", "other"))
    checks.check_request(request, "traces")
    answers = {"split": [other], "merge": otlp_fast.merge([request, other], "traces")}
    monkeypatch.setattr(otlp_fast, function, lambda *_, **__: answers[function])
    with pytest.raises(AssertionError, match=said):
        checks.check_request(request, "traces")
