"""Exporters with a spool: what is kept, when it is sent, and that every item is accounted for."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.sdk.trace import ReadableSpan

import otlp_fast
from otlp_fast.exporter import compressing, retry, spooling
from otlp_fast.exporter import grpc as grpc_exporters
from otlp_fast.exporter.http import OTLPLogExporter, OTLPSpanExporter
from otlp_fast.exporter.outcome import Outcome
from otlp_fast.exporter.spool import Spool, SpoolError
from scripted_grpc_receiver import Answer, GRPCReceiver
from scripted_receiver import Receiver, Reply, Request, Stopwatch
from telemetry import make_log_records, make_spans

GONE = Reply(503, headers={"Retry-After": "60"})
"""An answer after which a call ends at once, as the wait would pass its deadline."""

MakeExporter = Callable[..., OTLPSpanExporter]


def counted(exporter: Any) -> dict[str, int]:
    """Give the statistics that are not 0."""
    return {name: count for name, count in exporter.stats().items() if count}


@pytest.fixture
def make_spooling(make_exporter: MakeExporter, tmp_path: Path) -> Iterator[MakeExporter]:
    made: list[OTLPSpanExporter] = []

    def make(**arguments: Any) -> OTLPSpanExporter:
        made.append(make_exporter(spool_dir=str(tmp_path), **arguments))
        return made[-1]

    yield make
    for exporter in made:
        assert exporter._spooled is not None
        exporter._spooled.close()


@pytest.fixture
def spooling_exporter(make_spooling: MakeExporter) -> OTLPSpanExporter:
    return make_spooling()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the next call try at once, unless a test wants the pause."""
    monkeypatch.setattr(spooling, "MAX_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(spooling, "MAX_RETRY_AFTER_SECONDS", 0.0)


def bodies(receiver: Receiver) -> list[bytes]:
    return [request.body for request in receiver.requests]


def test_nothing_is_kept_while_the_receiver_answers(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, spans: list[ReadableSpan]
) -> None:
    receiver.script(Reply(200), Reply(400), Reply(413))
    for _ in range(2):
        spooling_exporter.export(spans)
    assert spooling_exporter.export(spans[:1]).name == "FAILURE"
    assert counted(spooling_exporter) == {"exported": 3, "failed": 3, "too_large": 1}


def test_batch_is_kept_and_sent_later_in_order(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    batches = [make_spans(count) for count in (1, 2, 3)]
    receiver.always(GONE)
    for batch in batches[:2]:
        assert spooling_exporter.export(batch).name == "SUCCESS", "it is safe on disk"
    assert counted(spooling_exporter) == {"spooled": 3}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]

    receiver.requests.clear()
    receiver.always(Reply(200))
    assert spooling_exporter.export(batches[2]).name == "SUCCESS"
    assert spooling_exporter.drain_spool() is True
    assert bodies(receiver) == [otlp_fast.encode_spans(batch) for batch in batches]
    assert counted(spooling_exporter) == {"spooled": 6, "sent_from_spool": 6}

    assert spooling_exporter.export(batches[0]).name == "SUCCESS"
    assert counted(spooling_exporter)["exported"] == 1, "nothing waits: it goes straight"


def leave_behind(exporter: OTLPSpanExporter, requests: int) -> None:
    """Put requests of one span into the spool, as an outage does."""
    assert exporter._spooled is not None
    for _ in range(requests):
        assert exporter._spooled._spool.append(otlp_fast.encode_spans(make_spans(1)), 1)


def test_call_after_call_sends_two_requests_of_a_backlog_each(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(spooling_exporter, 10)
    monkeypatch.setattr(spooling, "DRAIN_SECONDS", 0.0)
    receiver.always(Reply(200))
    for call in (1, 2, 3):
        assert spooling_exporter.export(make_spans(1)).name == "SUCCESS"
        assert len(receiver.requests) == 2 * call
    assert counted(spooling_exporter) == {"spooled": 3, "sent_from_spool": 6}


def test_call_sends_of_a_backlog_for_as_long_as_nobody_called(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(spooling_exporter, 5)
    monkeypatch.setattr(spooling, "DRAIN_SECONDS", 60.0)
    receiver.always(Reply(200, delay=0.5))
    spooling_exporter.export(make_spans(1))
    assert counted(spooling_exporter)["sent_from_spool"] == 6, "nobody called before"
    leave_behind(spooling_exporter, 5)
    spooling_exporter.export(make_spans(1))
    assert counted(spooling_exporter)["sent_from_spool"] == 8, "somebody called just before"


def test_idle_tick_is_brief(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(spooling_exporter, 5)
    monkeypatch.setattr(spooling, "DRAIN_SECONDS", 0.0)
    receiver.always(Reply(200))
    assert spooling_exporter.drain_spool() is False
    assert len(receiver.requests) == 2
    assert spooling_exporter.drain_spool(timeout=10) is True
    assert len(receiver.requests) == 5


def test_one_attempt_is_made_for_what_is_kept(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, spans: list[ReadableSpan]
) -> None:
    receiver.always(Reply(503))
    spooling_exporter.export(spans)
    assert len(receiver.requests) == retry.MAX_ROUNDS
    receiver.requests.clear()
    spooling_exporter.export(spans)
    assert len(receiver.requests) == 1
    assert counted(spooling_exporter) == {"spooled": 6}


def test_export_comes_back_at_once_during_the_pause(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, spans: list[ReadableSpan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "MAX_PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    receiver.always(GONE)
    spooling_exporter.export(spans)
    receiver.always(Reply(200))
    for _ in range(3):
        assert spooling_exporter.export(spans).name == "SUCCESS"
    assert spooling_exporter.drain_spool() is False
    assert len(receiver.requests) == 1
    assert counted(spooling_exporter) == {"spooled": 12}
    assert spooling_exporter.force_flush() is True, "a flush does not wait"
    assert counted(spooling_exporter) == {"spooled": 12, "sent_from_spool": 12}


def test_pause_grows_to_a_minute_and_ends_with_an_answer(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "MAX_PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 1.0)
    delivery = spooling_exporter._spooled
    assert delivery is not None
    pauses = []
    for _ in range(40):
        delivery._pause_longer(Outcome(delivered=False, receiver_unavailable=True))
        pauses.append(delivery._next_attempt_at - time.monotonic())
    assert 0.7 < pauses[0] < 1.3
    assert 3 < pauses[2] < 5
    assert all(59 < pause <= 60 for pause in pauses[7:])
    spooling_exporter.export(make_spans(1))
    assert delivery._next_attempt_at == 0


@pytest.mark.parametrize(("asked", "pause"), [("0", 20), ("5", 20), ("300", 300), ("86400", 600), ("1e300", 600)])
def test_pause_is_what_the_receiver_asks_for_up_to_ten_minutes(
    receiver: Receiver,
    spooling_exporter: OTLPSpanExporter,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    pause: float,
) -> None:
    monkeypatch.setattr(spooling, "MAX_PAUSE_SECONDS", 20.0)
    monkeypatch.setattr(spooling, "MAX_RETRY_AFTER_SECONDS", 600.0)
    monkeypatch.setattr(retry, "BACKOFF_BASE_SECONDS", 60.0)
    leave_behind(spooling_exporter, 1)
    receiver.always(Reply(503, headers={"Retry-After": asked}))
    spooling_exporter.export(make_spans(1))
    assert len(receiver.requests) == 1
    assert spooling_exporter._spooled is not None
    remaining = spooling_exporter._spooled._next_attempt_at - time.monotonic()
    assert pause - 15 < remaining <= pause
    assert spooling_exporter.drain_spool() is False
    assert len(receiver.requests) == 1, "an idle tick does not disturb it"
    receiver.always(Reply(200))
    assert spooling_exporter.force_flush() is True, "a flush does not wait"


def test_idle_tick_drains(receiver: Receiver, spooling_exporter: OTLPSpanExporter, spans: list[ReadableSpan]) -> None:
    receiver.script(GONE)
    spooling_exporter.export(spans)
    assert spooling_exporter.drain_spool(timeout=10) is True
    assert counted(spooling_exporter) == {"spooled": 3, "sent_from_spool": 3}
    assert spooling_exporter.drain_spool() is True


def test_exporter_without_a_spool_has_nothing_to_drain(exporter: OTLPSpanExporter) -> None:
    assert exporter.drain_spool() is True
    assert exporter.force_flush() is True


def test_refusal_of_a_kept_request_is_a_loss_for_its_reason(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(GONE)
    for count in (1, 2, 3):
        spooling_exporter.export(make_spans(count))
    receiver.script(Reply(400, b"bad"), Reply(200, b"\x0a\x02\x08\x01"))
    receiver.always(Reply(200))
    assert spooling_exporter.force_flush() is True
    assert counted(spooling_exporter) == {"spooled": 6, "sent_from_spool": 4, "lost_from_spool": 2}
    assert "Failed to export 2 spooled spans to " in caplog.text
    assert "1 not delivered: 400 Bad Request: bad" in caplog.text
    assert "1 rejected by the receiver" in caplog.text


def test_kept_request_is_cut_and_what_was_not_taken_stays(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter
) -> None:
    spans = make_spans(4)
    receiver.script(GONE)
    spooling_exporter.export(spans)
    receiver.requests.clear()
    receiver.script(Reply(413), Reply(200), GONE)
    assert spooling_exporter.force_flush() is False
    assert counted(spooling_exporter) == {"spooled": 4, "sent_from_spool": 2}
    assert spooling_exporter.force_flush() is True
    assert counted(spooling_exporter) == {"spooled": 4, "sent_from_spool": 4}
    last_two = otlp_fast.encode_spans(spans[2:])
    assert bodies(receiver)[2:] == [last_two, last_two]


def test_what_is_left_of_a_cut_request_is_sent_before_later_ones(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter
) -> None:
    spans, later = make_spans(4), make_spans(1)
    receiver.script(GONE)
    spooling_exporter.export(spans)
    receiver.script(Reply(413), Reply(200), GONE)
    spooling_exporter.export(later)
    receiver.requests.clear()
    assert spooling_exporter.force_flush() is True
    assert bodies(receiver) == [otlp_fast.encode_spans(spans[2:]), otlp_fast.encode_spans(later)]
    assert counted(spooling_exporter) == {"spooled": 5, "sent_from_spool": 5}


def test_unexpected_error_while_sending_gives_the_claim_back(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.script(GONE)
    spooling_exporter.export(make_spans(2))
    with monkeypatch.context() as broken:
        broken.setattr("otlp_fast.exporter.compressing.compress", lambda *_: 1 / 0)
        spooling_exporter.force_flush()
    assert spooling_exporter.force_flush() is True
    assert counted(spooling_exporter) == {"spooled": 2, "sent_from_spool": 2}


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), MemoryError(), KeyboardInterrupt()])
def test_unexpected_error_while_sending_costs_nothing(
    receiver: Receiver,
    make_spooling: MakeExporter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
) -> None:
    def send_two(*arguments: Any) -> Any:
        if sent:
            raise error
        sent.append(arguments)
        return compress(*arguments)

    sent: list[Any] = []
    compress = compressing.compress
    spans = make_spans(6, size=1000)
    exporter = make_spooling(max_request_size=len(otlp_fast.encode_spans(spans[:2])))
    receiver.always(Reply(200))
    with monkeypatch.context() as broken:
        broken.setattr(compressing, "compress", send_two)
        if isinstance(error, Exception):
            assert exporter.export(spans).name == "SUCCESS"
            assert "Failed to send from the spool to " in caplog.text
            assert caplog.records[-1].exc_info
        else:
            with pytest.raises(type(error)):
                exporter.export(spans)
        assert counted(exporter) == {"exported": 2, "spooled": 4}
    assert exporter.force_flush() is True
    assert counted(exporter) == {"exported": 2, "spooled": 4, "sent_from_spool": 4}


def test_exit_amid_a_drain_is_the_users_and_what_was_sent_is_counted(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*arguments: object) -> None:
        raise SystemExit(1)

    leave_behind(spooling_exporter, 1)
    receiver.always(Reply(200))
    monkeypatch.setattr(Spool, "remove", leave)
    with pytest.raises(SystemExit):
        spooling_exporter.force_flush()
    assert counted(spooling_exporter) == {"sent_from_spool": 1}


def test_parts_that_were_not_tried_are_kept(receiver: Receiver, make_spooling: MakeExporter) -> None:
    spans = make_spans(6, size=1000)
    exporter = make_spooling(max_request_size=len(otlp_fast.encode_spans(spans[:2])))
    receiver.script(Reply(200), GONE)
    assert exporter.export(spans).name == "SUCCESS"
    assert counted(exporter) == {"exported": 2, "spooled": 4}
    assert exporter.force_flush() is True
    assert counted(exporter) == {"exported": 2, "spooled": 4, "sent_from_spool": 4}


def test_full_spool_is_a_loss(
    receiver: Receiver, make_spooling: MakeExporter, caplog: pytest.LogCaptureFixture
) -> None:
    batch = make_spans(2)
    exporter = make_spooling(spool_max_bytes=2 * len(otlp_fast.encode_spans(batch)))
    receiver.always(GONE)
    results = [exporter.export(batch).name for _ in range(4)]
    assert results == ["SUCCESS", "SUCCESS", "FAILURE", "FAILURE"]
    assert counted(exporter) == {"spooled": 4, "spool_full": 4}
    assert "2 not delivered and the spool is full" in caplog.text
    receiver.always(Reply(200))
    assert exporter.export(batch).name == "SUCCESS", "the receiver is back and made room"
    assert counted(exporter) == {"spooled": 6, "spool_full": 4, "sent_from_spool": 6}


def test_broken_disk_is_a_loss_and_no_exception(
    receiver: Receiver,
    spooling_exporter: OTLPSpanExporter,
    spans: list[ReadableSpan],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*arguments: object) -> None:
        raise SpoolError("disk on fire")

    for name in ("append", "claim", "__len__", "close"):
        monkeypatch.setattr(Spool, name, broken)
    assert spooling_exporter.export(spans).name == "SUCCESS", "it needs no spool"
    receiver.always(GONE)
    assert spooling_exporter.export(spans).name == "FAILURE"
    spooling_exporter.force_flush()
    spooling_exporter.shutdown()
    assert counted(spooling_exporter) == {"exported": 3, "spool_failed": 3}
    assert "disk on fire" in caplog.text


def test_disk_that_takes_no_more_costs_nothing_while_the_receiver_answers(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> bool:
        raise SpoolError("no space left on device")

    batch = make_spans(2)
    leave_behind(spooling_exporter, 1)
    with monkeypatch.context() as disk:
        disk.setattr(Spool, "append", full)
        receiver.script(Reply(200), Reply(200), GONE)
        results = [spooling_exporter.export(batch).name for _ in range(3)]
        assert results == ["SUCCESS", "SUCCESS", "FAILURE"]
        assert bodies(receiver) == [otlp_fast.encode_spans(batch)] * 3, "nothing is sent from a disk like this"
        assert counted(spooling_exporter) == {"exported": 4, "spool_failed": 2}
    receiver.always(Reply(200))
    assert spooling_exporter.force_flush() is True
    assert counted(spooling_exporter) == {"exported": 4, "spool_failed": 2, "sent_from_spool": 1}


def test_spool_outlives_the_exporter(receiver: Receiver, make_spooling: MakeExporter) -> None:
    batch = make_spans(3)
    receiver.always(GONE)
    first = make_spooling()
    first.export(batch)
    first.shutdown()
    receiver.requests.clear()
    receiver.always(Reply(200))
    second = make_spooling()
    assert receiver.requests == [], "an exporter sends nothing when it is made"
    assert second.force_flush() is True
    assert bodies(receiver) == [otlp_fast.encode_spans(batch)]
    assert counted(second) == {"sent_from_spool": 3}


def test_signals_and_endpoints_do_not_drain_each_others_spools(
    receiver: Receiver, make_spooling: MakeExporter, tmp_path: Path
) -> None:
    receiver.always(GONE)
    make_spooling().export(make_spans(1))
    logs = OTLPLogExporter(f"{receiver.base}/v1/logs", spool_dir=tmp_path)
    logs.export(make_log_records(2))
    receiver.requests.clear()
    receiver.always(Reply(200))
    assert make_spooling(endpoint=f"{receiver.base}/elsewhere").force_flush() is True
    assert receiver.requests == []
    assert logs.force_flush() is True
    logs.shutdown()
    assert [request.path for request in receiver.requests] == ["/v1/logs"]


def test_shutdown_drains(receiver: Receiver, spooling_exporter: OTLPSpanExporter, spans: list[ReadableSpan]) -> None:
    receiver.script(GONE)
    spooling_exporter.export(spans)
    spooling_exporter.shutdown()
    assert counted(spooling_exporter) == {"spooled": 3, "sent_from_spool": 3}


def test_shutdown_ends_within_its_deadline(
    receiver: Receiver, spooling_exporter: OTLPSpanExporter, spans: list[ReadableSpan]
) -> None:
    receiver.script(GONE)
    spooling_exporter.export(spans)
    receiver.always(Reply(200, delay=30))
    with Stopwatch() as watch:
        spooling_exporter.shutdown(timeout_millis=300)
    assert watch.seconds < 10
    assert counted(spooling_exporter) == {"spooled": 3}


def test_batch_that_waits_for_a_retry_at_shutdown_is_kept(
    receiver: Receiver, make_spooling: MakeExporter, spans: list[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.always(Reply(503, headers={"Retry-After": "25"}))
    exporter = make_spooling(timeout=30)
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(exporter.export(spans).name))
    thread.start()
    while not any("Transient error" in record.getMessage() for record in list(caplog.records)):
        time.sleep(0.01)
    exporter.shutdown()
    thread.join(20)
    assert results == ["SUCCESS"]
    assert counted(exporter) == {"spooled": 3}


def test_threads_lose_nothing_and_send_nothing_twice(receiver: Receiver, spooling_exporter: OTLPSpanExporter) -> None:
    batches = [make_spans(2) for _ in range(6)]
    numbers = itertools.count()
    accepted: list[bytes] = []

    def answer_every_other(handler: Any, request: Request) -> None:
        if next(numbers) % 2:
            accepted.append(request.body)
            Reply(200)(handler, request)
        else:
            GONE(handler, request)

    receiver.always(answer_every_other)

    def work(batch: list[ReadableSpan]) -> None:
        for _ in range(8):
            spooling_exporter.export(batch)

    threads = [threading.Thread(target=work, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    receiver.always(Reply(200))
    before = len(receiver.requests)
    assert spooling_exporter.force_flush() is True
    accepted += bodies(receiver)[before:]

    stats = counted(spooling_exporter)
    assert stats.get("exported", 0) + stats["spooled"] == 96
    assert stats["spooled"] == stats["sent_from_spool"]
    assert sorted(accepted) == sorted(otlp_fast.encode_spans(batch) for batch in batches for _ in range(8))


def test_exporters_of_different_tenants_are_told_apart(
    make_spooling: MakeExporter, tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    first = make_spooling(headers={"x-scope-orgid": "one"})
    make_spooling(headers={"x-scope-orgid": "one"})
    make_spooling(headers={"x-scope-orgid": "two"}, endpoint=f"{receiver.base}/elsewhere")
    assert not caplog.records
    other = make_spooling(headers={"x-scope-orgid": "two"})
    (record,) = caplog.records
    assert f"Exporters with different headers share the spool in {tmp_path}" in record.getMessage()
    assert "orgid" not in caplog.text
    other.shutdown()
    make_spooling(headers={"x-scope-orgid": "one"})
    assert len(caplog.records) == 1, "the other one does nothing any more"
    assert first.has_spool


@pytest.mark.parametrize("directory", ["file", "file/below"])
def test_directory_that_cannot_be_used_is_an_error_when_the_exporter_is_made(tmp_path: Path, directory: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="file"):
        OTLPSpanExporter(spool_dir=str(tmp_path / directory))


def test_size_limit_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0"):
        OTLPSpanExporter(spool_dir=str(tmp_path), spool_max_bytes=0)


def test_grpc_exporter_spools_alike(grpc_receiver: GRPCReceiver, tmp_path: Path) -> None:
    grpc_receiver.always(Answer(grpc.StatusCode.UNAVAILABLE, "away"))
    exporter = grpc_exporters.OTLPSpanExporter(grpc_receiver.url, timeout=2, spool_dir=str(tmp_path))
    batch = make_spans(3)
    assert exporter.export(batch).name == "SUCCESS"
    assert counted(exporter) == {"spooled": 3}
    grpc_receiver.requests.clear()
    grpc_receiver.always(Answer())
    exporter.shutdown()
    assert [call.body for call in grpc_receiver.requests] == [otlp_fast.encode_spans(batch)]
    assert counted(exporter) == {"spooled": 3, "sent_from_spool": 3}


@pytest.mark.usefixtures("unmeasured_children")
def test_exporter_without_a_spool_does_not_import_sqlite() -> None:
    program = (
        "import sys; from otlp_fast.exporter.http import OTLPSpanExporter; OTLPSpanExporter();"
        "print('sqlite3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_forked_child_sends_what_is_kept_once(receiver: Receiver, tmp_path: Path) -> None:
    program = """
import os, signal, sys
from opentelemetry.sdk.trace import TracerProvider
from otlp_fast.exporter.http import OTLPSpanExporter
span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("span")
span.end()
exporter = OTLPSpanExporter(sys.argv[1], spool_dir=sys.argv[2])
print(exporter.export([span]).name, exporter.stats()["spooled"], flush=True)
child = os.fork()
if child == 0:
    signal.alarm(20)
    print(exporter.force_flush(), exporter.stats()["sent_from_spool"], flush=True)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
print(exporter.force_flush(), exporter.stats()["sent_from_spool"], flush=True)
exporter.shutdown()
"""
    receiver.script(GONE)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, receiver.url, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["SUCCESS 1", "True 1", "0", "True 0"]
    assert len(receiver.requests) == 2


def test_spool_is_refused_where_files_cannot_be_locked(
    make_exporter: MakeExporter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ValueError, match="spool_dir: a spool needs the file locks of POSIX"):
        make_exporter(spool_dir=str(tmp_path))
