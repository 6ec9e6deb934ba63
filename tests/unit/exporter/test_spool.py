"""The spool on disk: what is appended comes out in order, once, whatever other threads, processes and disks do."""

from __future__ import annotations

import logging
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import otlp_fast
from otlp_fast.exporter import spool as spool_module
from otlp_fast.exporter.spool import Spool, SpooledRequest, SpoolError
from tests.compat.spans import make_span

MEGABYTE = 1024 * 1024

MakeSpool = Callable[..., Spool]


@pytest.fixture
def make_spool(tmp_path: Path) -> Iterator[MakeSpool]:
    """Open spools of one directory, closed at the end of the test."""
    made: list[Spool] = []

    def make(name: str = "traces http://collector", max_bytes: int = 100 * MEGABYTE) -> Spool:
        made.append(Spool(tmp_path / "spool", name, max_bytes))
        return made[-1]

    yield make
    for spool in made:
        spool.close()


@pytest.fixture
def spool(make_spool: MakeSpool) -> Spool:
    return make_spool()


def take(spool: Spool) -> SpooledRequest:
    """Claim and remove the oldest record."""
    record = spool.claim()
    assert record is not None
    spool.remove(record)
    return record


def append_from_a_log_handler(spool: Spool, request: bytes) -> logging.Handler:
    """Give a handler that spools what the spool logs, as a log exporter may."""
    handler = logging.Handler()
    handler.emit = lambda record: fill(spool, request)  # type: ignore[method-assign]
    return handler


def drain(spool: Spool) -> list[bytes]:
    return [take(spool).request for _ in range(len(spool))]


def fill(spool: Spool, *requests: bytes) -> None:
    for request in requests:
        assert spool.append(request, 1)


def database_of(spool: Spool) -> Path:
    (file,) = spool._directory.glob("*.sqlite3")
    return file


def change(spool: Spool, statement: str) -> None:
    """Change the database behind the spool's back."""
    connection = sqlite3.connect(database_of(spool), isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(statement)
    connection.close()


def test_records_leave_in_the_order_in_which_they_came(spool: Spool) -> None:
    for number in range(20):
        assert spool.append(b"request %d" % number, number)
    records = [take(spool) for _ in range(20)]
    assert [(record.request, record.item_count) for record in records] == [(b"request %d" % n, n) for n in range(20)]
    identifiers = [record.identifier for record in records]
    assert identifiers == sorted(set(identifiers))
    assert spool.claim() is None


def test_released_record_is_the_oldest_still(spool: Spool) -> None:
    fill(spool, b"first", b"second")
    for _ in range(3):
        record = spool.claim()
        assert record is not None
        assert record.request == b"first"
        spool.release(record)
    assert drain(spool) == [b"first", b"second"]


def test_replaced_record_is_the_oldest_still(spool: Spool) -> None:
    spool.append(b"first and second", 2)
    spool.append(b"third", 1)
    record = spool.claim()
    assert record is not None
    spool.replace(record, b"second", 1)
    assert (len(spool), spool.item_count, spool.byte_count) == (2, 2, len(b"second" + b"third"))
    for expected in (b"second", b"third"):
        record = spool.claim()
        assert record is not None
        assert (record.request, record.item_count) == (expected, 1)
        spool.remove(record)
    assert (len(spool), spool.item_count, spool.byte_count) == (0, 0, 0)


def test_counts_are_of_all_that_is_pending(spool: Spool) -> None:
    assert (len(spool), spool.item_count, spool.byte_count) == (0, 0, 0)
    spool.append(b"12345", 7)
    spool.append(b"", 0)
    spool.append(b"123", 2)
    assert (len(spool), spool.item_count, spool.byte_count) == (3, 9, 8)
    record = spool.claim()
    assert record is not None
    assert len(spool) == 3
    spool.remove(record)
    assert (len(spool), spool.item_count, spool.byte_count) == (2, 2, 3)


def test_what_is_spooled_outlives_the_spool(make_spool: MakeSpool) -> None:
    first = make_spool()
    fill(first, b"first", b"second")
    take(first)
    first.close()
    second = make_spool()
    assert (len(second), second.byte_count) == (1, 6)
    assert drain(second) == [b"second"]


def test_buffer_of_an_encoder_is_stored_as_its_bytes(spool: Spool) -> None:
    encoder = otlp_fast.SpanEncoder()
    encoder.add(make_span())
    with encoder.finish() as buffer:
        assert spool.append(buffer, 1)
    assert drain(spool) == [otlp_fast.encode_spans([make_span()])]


def test_spool_takes_no_more_than_its_limit(make_spool: MakeSpool) -> None:
    spool = make_spool(max_bytes=10)
    assert not spool.append(b"x" * 11, 1)
    assert spool.append(b"x" * 6, 1)
    assert not spool.append(b"y" * 5, 1)
    assert spool.append(b"z" * 4, 1)
    assert not spool.append(b"y", 1)
    assert (len(spool), spool.item_count, spool.byte_count) == (2, 2, 10)
    take(spool)
    assert spool.append(b"y" * 5, 1)
    assert drain(spool) == [b"z" * 4, b"y" * 5]


def disk_usage(spool: Spool) -> int:
    return sum(file.stat().st_size for file in spool._directory.iterdir())


def test_space_of_removed_records_is_used_again(spool: Spool) -> None:
    fill(spool, *[bytes(MEGABYTE)] * 3)
    for _ in range(30):
        fill(spool, bytes(MEGABYTE))
        take(spool)
    # Three records, and the log of the last transactions.
    assert disk_usage(spool) < 12 * MEGABYTE


def test_emptied_spool_gives_its_space_back(spool: Spool) -> None:
    fill(spool, *[bytes(MEGABYTE)] * 10)
    assert disk_usage(spool) > 9 * MEGABYTE
    assert len(drain(spool)) == 10
    assert disk_usage(spool) < MEGABYTE
    fill(spool, b"next")
    assert take(spool).identifier == 11


def test_removal_succeeds_where_giving_space_back_fails(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(spool_module, "_give_back_space", fail)
    fill(spool, b"first", b"second")
    assert drain(spool) == [b"first", b"second"]
    assert len(spool) == 0


def test_spools_of_different_names_hold_different_records(make_spool: MakeSpool) -> None:
    # A name out of the environment may hold what cannot be encoded.
    traces, logs, same = make_spool("traces"), make_spool("logs \udcff"), make_spool("traces")
    fill(traces, b"span")
    fill(logs, b"log record")
    fill(same, b"another span")
    assert drain(logs) == [b"log record"]
    assert drain(traces) == [b"span", b"another span"]
    assert len(same) == 0


def test_files_are_for_their_owner_only(spool: Spool) -> None:
    fill(spool, b"secret")
    spool.claim()
    modes = {file.suffix: stat.S_IMODE(file.stat().st_mode) for file in spool._directory.iterdir()}
    assert modes == {".sqlite3": 0o600, ".sqlite3-wal": 0o600, ".sqlite3-shm": 0o600, ".lock": 0o600}
    assert stat.S_IMODE(spool._directory.stat().st_mode) == 0o700


def test_directory_that_cannot_be_one_is_an_error_naming_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for directory in (file, file / "below"):
        with pytest.raises(ValueError, match=f"spool directory {directory}: "):
            Spool(directory, "traces", 1)
    with pytest.raises(ValueError, match="spool directory /proc/otlp-fast: "):
        Spool("/proc/otlp-fast", "traces", 1)


def test_directory_without_permission_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, who may write everywhere.
    monkeypatch.setattr(spool_module.os, "access", lambda path, mode: False)
    with pytest.raises(ValueError, match="may not write there"):
        Spool(tmp_path, "traces", 1)


@pytest.mark.parametrize("max_bytes", [0, -1])
def test_limit_that_lets_nothing_in_is_an_error(tmp_path: Path, max_bytes: int) -> None:
    with pytest.raises(ValueError, match=f"not {max_bytes}"):
        Spool(tmp_path, "traces", max_bytes)


def test_relative_directory_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spool = Spool("relative", "traces", 100)
    monkeypatch.chdir("/")
    fill(spool, b"request")
    spool.close()
    assert (tmp_path / "relative").is_dir()


# --- Claims


def test_claimed_record_keeps_everyone_from_claiming(make_spool: MakeSpool) -> None:
    one, other = make_spool(), make_spool()
    fill(one, b"first", b"second")
    record = one.claim()
    assert record is not None
    assert one.claim() is None
    assert other.claim() is None
    assert other.append(b"third", 1)
    one.remove(record)
    assert (take(other).request, take(one).request) == (b"second", b"third")


def test_only_the_claimant_can_release(make_spool: MakeSpool) -> None:
    one, other = make_spool(), make_spool()
    fill(one, b"first")
    stale = one.claim()
    assert stale is not None
    one.release(stale)
    record = one.claim()
    assert record is not None
    one.release(stale)
    other.release(record)
    assert other.claim() is None
    one.remove(record)


def test_record_that_was_sent_is_removed_even_after_close(make_spool: MakeSpool) -> None:
    spool = make_spool()
    fill(spool, b"first", b"second")
    record = spool.claim()
    assert record is not None
    spool.close()
    spool.release(record)
    spool.remove(record)
    spool.remove(record)
    assert drain(spool) == [b"second"]


def test_close_gives_the_claim_back(make_spool: MakeSpool) -> None:
    one, other = make_spool(), make_spool()
    fill(one, b"first")
    assert one.claim() is not None
    one.close()
    assert drain(other) == [b"first"]
    assert one.claim() is None


def test_record_that_cannot_be_removed_is_not_claimed_again(make_spool: MakeSpool) -> None:
    spool, other = make_spool(), make_spool()
    fill(spool, b"sent", b"next")
    record = spool.claim()
    assert record is not None
    assert spool._connection is not None
    spool._connection.execute("PRAGMA query_only = ON")  # as a full disk would: readable, not writable
    with pytest.raises(SpoolError, match="readonly database"):
        spool.remove(record)
    with pytest.raises(SpoolError, match="readonly database"):
        spool.claim()
    assert other.claim() is None
    spool._connection.execute("PRAGMA query_only = OFF")
    following = spool.claim()
    assert following is not None
    assert following.request == b"next"
    assert len(spool) == 1


def child(program: str, *arguments: object) -> subprocess.Popen[str]:
    preamble = "import os, sys, threading\nfrom otlp_fast.exporter.spool import Spool, SpoolError\n"
    return subprocess.Popen(
        [sys.executable, "-c", preamble + program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(program: str, *arguments: object) -> list[str]:
    process = child(program, *arguments)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.splitlines()


def test_killed_claimant_blocks_nobody(spool: Spool) -> None:
    fill(spool, b"first", b"second")
    claimant = child(
        "record = Spool(sys.argv[1], 'traces http://collector', 100).claim()\n"
        "print(record.request.decode(), flush=True)\n"
        "sys.stdin.read()",
        spool._directory,
    )
    with claimant:
        assert claimant.stdout is not None
        assert claimant.stdout.readline() == "first\n"
        assert spool.claim() is None
        assert spool.append(b"third", 1)
        claimant.kill()
    assert drain(spool) == [b"first", b"second", b"third"]


def test_killed_claimant_whose_child_lives_on_blocks_nobody(spool: Spool) -> None:
    fill(spool, b"first")
    claimant = child(
        "spool = Spool(sys.argv[1], 'traces http://collector', 100)\n"
        "record = spool.claim()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)",
        spool._directory,
    )
    with claimant:
        assert claimant.stdout is not None
        assert claimant.stdout.readline() == "ready\n"
        assert spool.claim() is None
        claimant.kill()
        claimant.wait()
        assert drain(spool) == [b"first"]


def test_processes_append_while_one_drains(spool: Spool) -> None:
    program = """
spool = Spool(sys.argv[1], "traces http://collector", 10**9)
for number in range(100):
    assert spool.append(f"{sys.argv[2]} {number} ".encode() * 1000, 1)
"""
    writers = [child(program, spool._directory, writer) for writer in "abc"]
    received: list[str] = []
    while True:
        are_done = all(writer.poll() is not None for writer in writers)
        while (record := spool.claim()) is not None:
            received.append(record.request.decode()[:-1])
            spool.remove(record)
        if are_done:
            break
    for writer in writers:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    for name in "abc":
        of_this_writer = [request for request in received if request.startswith(name)]
        assert of_this_writer == [(f"{name} {number} " * 1000)[:-1] for number in range(100)]
    assert len(received) == 300


def test_spools_of_one_process_keep_their_files_when_another_process_closes(make_spool: MakeSpool) -> None:
    one, other = make_spool(), make_spool()
    fill(one, b"first")
    assert len(other) == 1
    program = "spool = Spool(sys.argv[1], 'traces http://collector', 100); print(len(spool)); spool.close()"
    assert run(program, one._directory) == ["1"]
    # Nobody was the last to close: this goes into the log file that all others read.
    fill(one, b"second")
    assert run(program, one._directory) == ["2"]


def test_threads_share_a_spool(spool: Spool) -> None:
    def append(name: str) -> None:
        for number in range(100):
            assert spool.append(f"{name}{number}".encode(), 1)

    received: list[str] = []
    are_done = threading.Event()

    def take_all() -> None:
        while True:
            last_round = are_done.is_set()
            while (record := spool.claim()) is not None:
                received.append(record.request.decode())
                spool.remove(record)
            # No record, or another thread has one: it will look again.
            if last_round:
                return

    writers = [threading.Thread(target=append, args=(name,)) for name in "abc"]
    readers = [threading.Thread(target=take_all) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    are_done.set()
    for thread in readers:
        thread.join()
    assert len(received) == len(set(received)) == 300
    for name in "abc":
        assert [request for request in received if request.startswith(name)] == [f"{name}{n}" for n in range(100)]


# --- Damage


@pytest.mark.parametrize(
    "assignment",
    [
        "request = x'00'",
        "request = NULL",
        "request = 'text'",
        "request = CAST(x'ff' AS TEXT)",
        "item_count = 2",
        "item_count = -1",
        "item_count = NULL",
        "item_count = 'two'",
        "item_count = 0.5",
        "checksum = 0",
        "checksum = NULL",
    ],
)
def test_damaged_record_is_lost_counted_and_named_and_blocks_nothing(
    spool: Spool, assignment: str, caplog: pytest.LogCaptureFixture
) -> None:
    fill(spool, b"first", b"second")
    spool.close()
    # Damage respects no constraints.
    change(spool, "UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '')")
    change(spool, f"UPDATE record SET {assignment} WHERE identifier = 1")
    record = spool.claim()
    assert record is not None
    assert (record.request, spool.damaged) == (b"second", 1)
    assert "1 records are lost" in caplog.text
    assert (len(spool), spool.item_count, spool.byte_count) == (1, 1, 6)
    spool.remove(record)
    assert spool.claim() is None


def test_file_that_is_no_database_is_set_aside(make_spool: MakeSpool, caplog: pytest.LogCaptureFixture) -> None:
    spool = make_spool()
    fill(spool, b"lost")
    spool.close()
    file = database_of(spool)
    file.write_bytes(b"not a database " * 1000)
    fill(spool, b"kept")
    assert drain(spool) == [b"kept"]
    assert spool.damaged_databases == 1
    assert "is damaged (file is not a database)" in caplog.text
    assert Path(f"{file}.damaged").read_bytes().startswith(b"not a database")
    assert database_of(spool) != file


def test_damage_that_python_cannot_even_decode_is_set_aside(spool: Spool) -> None:
    fill(spool, b"lost")
    spool.close()
    file = database_of(spool)
    content = file.read_bytes()
    assert content.count(b"CREATE TABLE record") == 1
    file.write_bytes(content.replace(b"CREATE TABLE record", b"CREATE \xd2ABLE record"))
    fill(spool, b"kept")
    assert (drain(spool), spool.damaged_databases) == ([b"kept"], 1)


def test_log_lines_of_the_spool_can_be_spooled(spool: Spool) -> None:
    logger = logging.getLogger(spool_module.__name__)
    handler = append_from_a_log_handler(spool, b"log record")
    logger.addHandler(handler)
    try:
        fill(spool, b"first", b"second")
        change(spool, "UPDATE record SET checksum = 0 WHERE identifier = 1")
        assert drain(spool) == [b"second", b"log record"]
        spool.close()
        database_of(spool).write_bytes(b"not a database " * 1000)
        fill(spool, b"third")
    finally:
        logger.removeHandler(handler)
    assert drain(spool) == [b"log record", b"third"]


def damage_pages(file: Path) -> None:
    """Overwrite everything but the first page, which has the schema."""
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"\xa5" * (size - 4096))


def test_malformed_database_is_set_aside_by_all_who_use_it(make_spool: MakeSpool) -> None:
    one, other = make_spool(), make_spool()
    fill(one, *[b"lost" * 1000] * 20)
    assert len(other) == 20
    one.close()
    other.close()
    damage_pages(database_of(one))
    assert len(other) == 0
    fill(one, b"one")
    fill(other, b"other")
    assert drain(one) == [b"one", b"other"]
    assert (one.damaged_databases, other.damaged_databases) == (0, 1)


def test_process_with_the_old_database_open_moves_to_the_new_one(make_spool: MakeSpool) -> None:
    one, other = make_spool(), make_spool()
    fill(one, b"lost" * 1000)
    record = other.claim()
    assert record is not None
    # One notices first; the other has the old file open, and a record of it claimed: the new ones have its identifier.
    old = database_of(one).name
    assert one._set_aside()
    assert not other._set_aside()
    assert {file.name for file in one._directory.glob("*.sqlite3*")} == {f"{old}.damaged", f"{old}.damaged-wal"}
    fill(one, b"new")
    other.remove(record)
    fill(other, b"newer")
    one.close()
    assert drain(other) == [b"new", b"newer"]


def test_only_the_newest_damaged_database_is_kept(spool: Spool) -> None:
    for _ in range(3):
        fill(spool, b"lost")
        spool.close()
        database_of(spool).write_bytes(b"not a database " * 1000)
    fill(spool, b"kept")
    assert spool.damaged_databases == 3
    assert len(list(spool._directory.glob("*.damaged*"))) == 1


def test_spool_goes_on_when_its_files_are_deleted(spool: Spool) -> None:
    fill(spool, b"lost")
    for file in spool._directory.iterdir():
        file.unlink()
    assert len(spool) == 0
    fill(spool, b"kept")
    spool.close()
    assert drain(spool) == [b"kept"]


def test_spool_without_its_directory_is_a_spool_error(spool: Spool) -> None:
    spool._directory.rmdir()
    for call in (lambda: spool.append(b"request", 1), spool.claim, lambda: len(spool)):
        with pytest.raises(SpoolError, match=f"spool {spool._directory}"):
            call()


def test_database_that_stays_locked_is_a_spool_error(make_spool: MakeSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_LOCK_SECONDS", 0.05)
    spool = make_spool()
    fill(spool, b"first")
    writer = sqlite3.connect(database_of(spool), isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(SpoolError, match="database is locked"):
        spool.append(b"second", 1)
    writer.close()
    fill(spool, b"second")
    assert drain(spool) == [b"first", b"second"]


def test_database_is_opened_by_one_process_at_a_time(make_spool: MakeSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_LOCK_SECONDS", 0.05)
    one, other = make_spool(), make_spool()
    with one._directory_locked(), pytest.raises(SpoolError, match="another process keeps the directory locked"):
        other.append(b"request", 1)
    fill(other, b"request")
    with one._directory_locked():
        fill(other, b"another")  # it is open


def test_damage_anywhere_is_never_sent_and_never_blocks(tmp_path: Path) -> None:
    random_numbers = random.Random(7)
    damaged_records = damaged_databases = whole = errors = 0
    requests = [random_numbers.randbytes(random_numbers.randrange(9000)) for _ in range(12)]
    for round_number in range(150):
        spool = Spool(tmp_path / str(round_number), "traces", MEGABYTE)
        fill(spool, *requests)
        spool.close()
        file = database_of(spool)
        content = bytearray(file.read_bytes())
        for _ in range(random_numbers.choice([1, 4, 40])):
            content[random_numbers.randrange(len(content))] = random_numbers.randrange(256)
        file.write_bytes(content)

        received = []
        try:
            while (record := spool.claim()) is not None:
                received.append(record.request)
                spool.remove(record)
            assert spool.append(b"next", 1)
        except SpoolError:
            errors += 1
        assert all(request in requests for request in received)
        assert received == sorted(received, key=requests.index)
        damaged_records += spool.damaged
        damaged_databases += spool.damaged_databases
        whole += received == requests
        spool.close()
    assert damaged_records > 20
    assert damaged_databases > 5
    assert whole > 5
    # A schema that is still one, but another: nothing is lost by it that was not, and nothing is sent.
    assert errors < 5


# --- Fork

FORK = """
import signal

def fork(run):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            run()
            os._exit(0)
        finally:
            os._exit(1)
    return child

def wait(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

def show(*what):
    print(*what, flush=True)

spool = Spool(sys.argv[1], "traces", 10**9)
"""


def test_parent_and_child_both_use_the_spool_after_a_fork(tmp_path: Path) -> None:
    program = """
assert spool.append(b"before", 1)

def child():
    assert spool.append(b"child", 1)
    show("child", len(spool))

wait(fork(child))
assert spool.append(b"parent", 1)
spool.close()
while record := spool.claim():
    show(record.request.decode())
    spool.remove(record)
"""
    assert run(FORK + program, tmp_path) == ["child 2", "before", "child", "parent"]


def test_renewal_without_a_fork_changes_nothing(spool: Spool) -> None:
    fill(spool, b"first")
    record = spool.claim()
    assert record is not None
    spool.renew_after_fork()
    assert spool.claim() is None
    spool.remove(record)
    fill(spool, b"second")
    assert drain(spool) == [b"second"]


def test_nothing_is_lost_when_parent_or_child_closes_first(tmp_path: Path) -> None:
    """With a connection that crosses the fork, the parent takes itself for the last one and deletes the child's log."""
    program = """
assert spool.append(b"before", 1)
ready, go_on = os.pipe(), os.pipe()

def child():
    assert spool.append(b"child 1", 1)
    os.write(ready[1], b".")
    os.read(go_on[0], 1)
    assert spool.append(b"child 2", 1)

pid = fork(child)
os.read(ready[0], 1)
assert spool.append(b"parent", 1)
spool.close()
os.write(go_on[1], b".")
wait(pid)
while record := spool.claim():
    show(record.request.decode())
    spool.remove(record)
"""
    assert run(FORK + program, tmp_path) == ["before", "child 1", "parent", "child 2"]


def test_child_holds_none_of_the_parents_claims(tmp_path: Path) -> None:
    program = """
for number in range(2):
    assert spool.append(b"%d" % number, 1)
record = spool.claim()
looked, held = os.pipe(), os.pipe()

def child():
    spool.release(record)
    assert spool.claim() is None
    os.write(looked[1], b".")
    os.read(held[0], 1)  # outlives the parent's claim

pid = fork(child)
os.read(looked[0], 1)
spool.remove(record)
following = spool.claim()
show(following.request.decode())
spool.release(following)
os.write(held[1], b".")
wait(pid)
"""
    assert run(FORK + program, tmp_path) == ["1"]


def test_fork_amid_appends_of_other_threads_loses_nothing(tmp_path: Path) -> None:
    program = """
import warnings
warnings.simplefilter("ignore")  # Python 3.12 and later warn of what this program is about
stop = threading.Event()
counts = [0, 0]

def append(number):
    while not stop.is_set():
        assert spool.append(b"parent" * 5000, 1)
        counts[number] += 1

threads = [threading.Thread(target=append, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for _ in range(30):
    wait(fork(lambda: [spool.append(b"child", 1) for _ in range(3)]))
stop.set()
for thread in threads:
    thread.join()
received = []
while record := spool.claim():
    received.append(record.request)
    spool.remove(record)
show(received.count(b"child"), received.count(b"parent" * 5000) == sum(counts))
"""
    assert run(FORK + program, tmp_path) == ["90 True"]


def test_child_of_a_fork_that_could_not_wait_refuses_to_touch_the_files(tmp_path: Path) -> None:
    program = """
import gc
from otlp_fast.exporter import spool as spool_module
spool_module._LOCK_SECONDS = 0.05
assert spool.append(b"before", 1)
held, done = threading.Event(), threading.Event()

def hold():
    with spool._lock:
        held.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()

def child():
    try:
        spool.append(b"child", 1)
    except SpoolError as error:
        show(error)
    spool.close()
    gc.collect()
    show(any("sqlite3" in os.readlink(file) for file in os.scandir("/proc/self/fd") if os.path.exists(file)))
    Spool(sys.argv[1], "logs", 100).append(b"another spool works", 1)

wait(fork(child))
done.set()
thread.join()
assert spool.append(b"parent", 1)
show(len(spool))
"""
    lines = run("import warnings; warnings.simplefilter('ignore')\n" + FORK + program, tmp_path)
    # What was inherited is not even closed.
    assert lines == [f"spool {tmp_path}: cannot be used in a process forked during a call", "True", "2"]


# --- Import


@pytest.mark.usefixtures("unmeasured_children")
@pytest.mark.parametrize("module", ["otlp_fast", "otlp_fast.exporter.http"])
def test_sqlite_is_loaded_only_by_who_spools(module: str) -> None:
    assert run("print('sqlite3' in sys.modules)") == ["True"]
    output = subprocess.run(
        [sys.executable, "-c", f"import {module}, sys; print('sqlite3' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output == "False\n"
