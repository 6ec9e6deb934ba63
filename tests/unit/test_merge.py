"""`merge` and `count`: one request with the items of many, judged by protobuf's own parser."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otlp_fast
from tests.compat.spans import make_span
from tests.corpora import CORPORA, read_requests
from tests.property.strategies.requests import requests
from tests.request_items import MESSAGES, items_of


def groups_of(data: bytes, signal: str) -> list[tuple[bytes, ...]]:
    """What tells the resource groups of a request apart."""
    message, resource_field, _, _ = MESSAGES[signal]
    parsed = message.FromString(data)
    return [
        (group.resource.SerializeToString(deterministic=True), group.schema_url.encode())
        for group in getattr(parsed, resource_field)
    ]


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_keep_their_items_and_take_less(name: str) -> None:
    signal = CORPORA[name]
    several = list(itertools.islice(read_requests(name), 0, 30, 3))
    merged = otlp_fast.merge(several, signal)
    one_behind_the_other = b"".join(several)
    assert Counter(items_of(merged, signal)) == Counter(items_of(one_behind_the_other, signal))
    assert otlp_fast.count(merged, signal) == sum(otlp_fast.count(data, signal) for data in several)
    assert list(dict.fromkeys(groups_of(one_behind_the_other, signal))) == groups_of(merged, signal)
    assert len(merged) <= len(one_behind_the_other)
    assert otlp_fast.merge([merged], signal) == merged


@settings(max_examples=100)
@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_merging_keeps_every_item_with_what_is_around_it(signal: str, data: st.DataObject) -> None:
    few = data.draw(st.lists(requests(signal), max_size=3))
    # Requests that share resources and scopes, as those of one process do.
    drawn: list[Any] = data.draw(st.lists(st.sampled_from(few), max_size=5)) if few else []
    several = [request.SerializeToString() for request in drawn]
    merged = otlp_fast.merge(several, signal)
    assert Counter(items_of(merged, signal)) == Counter(items_of(b"".join(several), signal))
    assert otlp_fast.merge([merged], signal) == merged
    # Putting together what is put together already changes nothing.
    half = len(several) // 2
    parts = [otlp_fast.merge(several[:half], signal), otlp_fast.merge(several[half:], signal)]
    assert otlp_fast.merge(parts, signal) == merged


def test_parts_of_a_request_become_the_request_again() -> None:
    data = bytes(otlp_fast.encode_spans([make_span() for _ in range(100)]))
    parts = otlp_fast.split(data, "traces", max_bytes=2000)
    assert len(parts) > 3
    assert otlp_fast.merge(parts, "traces") == data
    assert otlp_fast.merge(iter(parts), "traces") == data
    assert otlp_fast.merge([memoryview(part) for part in parts], "traces") == data


def test_unknown_fields_are_kept() -> None:
    # Field 1000 of a resource group once held spans: two such groups are not one.
    group = b"\x0a\x0a\x0a\x00\xc2\x3e\x05spans"
    assert otlp_fast.merge([group, group], "traces") == group + group
    assert otlp_fast.merge([b"\x50\x07", b"\x0a\x00", b"\x50\x08"], "traces") == b"\x0a\x00\x50\x07\x50\x08"


def test_malformed_request_is_refused_by_its_number_and_place() -> None:
    with pytest.raises(otlp_fast.DecodeError, match="past the end") as caught:
        otlp_fast.merge([b"", b"\x0a\x00", b"\x0a\x02\x12\x01"], "traces")
    assert (caught.value.offset, caught.value.path) == (3, "requests[2].resource_spans")
    with pytest.raises(otlp_fast.DecodeError) as caught:
        otlp_fast.merge([b"<html>"], "logs")
    assert (caught.value.offset, caught.value.path) == (0, "requests[0]")


def test_wrong_arguments_are_refused() -> None:
    assert otlp_fast.merge([], "logs") == b""
    with pytest.raises(ValueError, match="unknown signal"):
        otlp_fast.merge([], "spans")
    for requests_of_no_kind in (None, b"\x0a\x00", ["text"], 7):
        with pytest.raises(TypeError):
            otlp_fast.merge(requests_of_no_kind, "traces")  # type: ignore[arg-type]
