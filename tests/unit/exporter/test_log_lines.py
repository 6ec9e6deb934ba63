"""Log lines of a batch that is lost every second, and of one that a log record about it loses again."""

from __future__ import annotations

import logging

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan

from otlp_fast.exporter import log_lines
from otlp_fast.exporter.http import OTLPLogExporter, OTLPSpanExporter
from scripted_receiver import LOGGER, Receiver, Reply
from telemetry import make_log_records


@pytest.fixture
def once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "LOSS_LINE_SECONDS", 60.0)


@pytest.mark.usefixtures("once_a_minute")
def test_losses_are_one_line_a_minute_that_counts_those_held_back(
    receiver: Receiver,
    exporter: OTLPSpanExporter,
    spans: list[ReadableSpan],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.always(Reply(400))
    for _ in range(4):
        exporter.export(spans)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("Failed to export 3 of 3 spans to ")
    assert "more spans lost" not in line

    clock = log_lines.time.monotonic() + 61
    monkeypatch.setattr(log_lines.time, "monotonic", lambda: clock)
    exporter._losses.log(logging.ERROR, 3, "Failed again")
    assert caplog.records[-1].getMessage() == "Failed again (9 more spans lost since the last such line)"


@pytest.mark.usefixtures("once_a_minute")
def test_shutdown_says_what_was_held_back(
    receiver: Receiver, exporter: OTLPSpanExporter, spans: list[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(Reply(400))
    for _ in range(3):
        exporter.export(spans)
    exporter.shutdown()
    assert caplog.records[-1].getMessage() == "6 more spans lost since the last such line"


@pytest.mark.usefixtures("once_a_minute")
@pytest.mark.parametrize("after_shutdown", [False, True])
def test_log_exporter_that_is_fed_by_its_own_logger_comes_to_an_end(
    receiver: Receiver, after_shutdown: bool, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(Reply(400))
    exporter = OTLPLogExporter(f"{receiver.base}/v1/logs")
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    own = provider.get_logger("own")

    class Feedback(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            own.emit(body=record.getMessage())

    handler = Feedback()
    logger = logging.getLogger(LOGGER)
    logger.addHandler(handler)
    try:
        if after_shutdown:
            exporter.shutdown()
        assert exporter.export(make_log_records(1)).name == "FAILURE"
    finally:
        logger.removeHandler(handler)
    assert len([record for record in caplog.records if record.name == LOGGER]) == 1
    assert len(receiver.requests) == (0 if after_shutdown else 2), "the batch, and the line about its loss"
    exporter.shutdown()


def test_text_of_others_is_made_printable_and_short() -> None:
    assert log_lines.printable("a\x00b\n\tc") == "a b c"
    assert log_lines.printable("é" * 500) == "é" * 200
