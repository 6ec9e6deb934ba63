"""Counters and log lines: every loss is counted, few are logged, and neither can harm the caller."""

from __future__ import annotations

import logging

import pytest

import otlp_fast
from otlp_fast import _diagnostics
from tests.compat.spans import make_span


def test_encoded_spans_are_counted() -> None:
    before = otlp_fast.encode_stats()["spans_encoded"]
    otlp_fast.encode_spans([make_span()] * 3)
    encoder = otlp_fast.SpanEncoder()
    encoder.add(make_span())
    with pytest.raises(otlp_fast.EncodeError):
        encoder.add("not a span")
    assert otlp_fast.encode_stats()["spans_encoded"] == before + 4


def test_losses_of_a_call_that_failed_are_not_counted() -> None:
    spoiled = make_span(attributes={"set": {1}})
    before = otlp_fast.encode_stats()
    with pytest.raises(otlp_fast.EncodeError):
        otlp_fast.encode_spans([spoiled, "not a span"])
    assert otlp_fast.encode_stats() == before
    otlp_fast.encode_spans([spoiled])
    assert otlp_fast.encode_stats()["attributes_dropped"] == before["attributes_dropped"] + 1


def test_every_kind_of_loss_has_a_counter() -> None:
    encoded = {"spans_encoded", "log_records_encoded", "data_points_encoded"}
    assert set(otlp_fast.encode_stats()) == encoded | set(_diagnostics.LOSSES)


def test_kinds_do_not_hold_back_each_other(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_diagnostics, "LOG_INTERVAL_SECONDS", 3600.0)
    otlp_fast.encode_spans([make_span(attributes={"set": {1}}), make_span(name=5), make_span(name=6)])
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["attributes dropped", "values repaired"]


def test_logging_handler_that_raises_does_not_cost_the_span(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError("no log")

    monkeypatch.setattr(logging.getLogger("otlp_fast"), "warning", refuse)
    assert otlp_fast.encode_spans([make_span(name=5)])
