"""What is decoded is what protobuf reads: all tables, of captured requests and of generated ones."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otlp_fast
from tests.columns_oracle import expected_tables, plain_tables
from tests.corpora import CORPORA, read_requests
from tests.messages import requests

DECODE: dict[str, Any] = {
    "traces": otlp_fast.decode_traces,
    "logs": otlp_fast.decode_logs,
    "metrics": otlp_fast.decode_metrics,
}


def check(data: bytes, signal: str) -> None:
    decoded = DECODE[signal](data)
    found, expected = plain_tables(decoded.tables()), expected_tables(data, signal)
    assert found.keys() == expected.keys()
    for table, columns in expected.items():
        assert found[table] == columns, table
    assert decoded.to_bytes() is data


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_are_read_as_protobuf_reads_them(name: str) -> None:
    # The first ones, and some from everywhere; the whole corpora take minutes in the oracle.
    chosen = islice(read_requests(name), 0, 60, 4)
    for data in sorted(chosen, key=len)[:8]:
        check(data, CORPORA[name])


@pytest.mark.parametrize("signal", DECODE)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_generated_requests_are_read_as_protobuf_reads_them(signal: str, data: st.DataObject) -> None:
    check(data.draw(requests(signal)), signal)
