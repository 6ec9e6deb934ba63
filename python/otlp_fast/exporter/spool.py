"""Keeps requests on disk, in order, until a receiver has answered for them.

A `Spool` is a store and knows nothing of networks. An exporter appends what it could not send; whoever drains claims
the oldest record, sends it, and removes it, or releases it when that failed. The store is SQLite in WAL mode: an
append or a removal is one transaction, so a process that is killed at any moment costs at most the record that it was
writing, and a removed record never comes back.

**Power loss.** A transaction is with the operating system when the call returns, and on the disk when SQLite has
checkpointed (`synchronous=NORMAL`: about every 4 MB, and on close). Losing power may cost what was appended since, and
may bring back what was removed since; the database stays whole. An fsync for each record would slow down an exporter
in the very moment in which its receiver is already in trouble.

**Processes.** Any number of processes may share a directory. All of them append at any time; one at a time holds a
claim, by a file lock that the kernel takes back when the process dies. Records so leave in the order in which they
came, and a killed process blocks nobody. The directory has to be on a local file system, as WAL needs shared memory.
Several spools of one process may share it, too. The files of a database are opened and closed by SQLite alone: POSIX
takes all locks on a file from a process that closes any descriptor of it.

**Fork.** SQLite keeps its locks in tables of the process. A child would inherit the tables but not the locks, and a
connection that it opens anew would believe the tables. Forgetting the inherited connection is therefore not enough: the
connection is closed before the fork, and parent and child each open their own with their next call.

**Damage.** A record whose checksum does not fit is taken out of the queue, counted and logged. A database that SQLite
cannot read is renamed to `*.damaged` (the newest such file is kept) and a new one begins under a name that was never
used before: a process that still has the old one open deletes the log file of that *name* when it closes it.

https://www.sqlite.org/wal.html, https://www.sqlite.org/howtocorrupt.html
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from otlp_fast import Buffer, OtlpError

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)

# How long a call waits for other processes and threads. They need milliseconds, unless the disk or they hang.
_LOCK_SECONDS = 5.0
_LOCK_POLL_SECONDS = 0.01

# An emptied database gives its space back to the file system from this size on.
_KEPT_FREE_BYTES = 4 * 1024 * 1024

# Triggers keep the sums in the row of `pending` right within each transaction, so that no call has to add up records.
_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS record (
    identifier INTEGER PRIMARY KEY AUTOINCREMENT,
    item_count INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    request BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS pending AS SELECT 0 AS records, 0 AS items, 0 AS bytes;
CREATE TRIGGER IF NOT EXISTS record_comes AFTER INSERT ON record BEGIN
    UPDATE pending SET records = records + 1, items = items + new.item_count, bytes = bytes + length(new.request);
END;
CREATE TRIGGER IF NOT EXISTS record_goes AFTER DELETE ON record BEGIN
    UPDATE pending SET records = records - 1, items = items - old.item_count, bytes = bytes - length(old.request);
END;
CREATE TRIGGER IF NOT EXISTS record_changes AFTER UPDATE ON record BEGIN
    UPDATE pending SET items = items + new.item_count - old.item_count,
        bytes = bytes + length(new.request) - length(old.request);
END;
COMMIT;
"""
# After damage, which may have changed numbers that the triggers subtract.
_ADD_UP = """
UPDATE pending SET (records, items, bytes) = (
    SELECT count(*), ifnull(sum(item_count), 0), ifnull(sum(length(request)), 0) FROM record
)
"""


class SpoolError(OtlpError):
    """The disk or the database failed; the message names the file."""


@dataclass(frozen=True)
class SpooledRequest:
    """A request out of the spool."""

    identifier: int
    """Grows with each append, and is not used twice in one database."""
    request: bytes
    item_count: int
    checksum: int


class Spool:
    """A queue of requests in one directory, shared by all processes that name the same directory and `name`.

    Args:
        directory: Where the files lie, on a local file system; made, readable for its owner only, if it is not there.
        name: Tells the spools in a directory apart, such as the signal and the endpoint that the requests are for.
        max_bytes: Most bytes of requests that the spool holds. The files are a little larger. The space of removed
            records is used again, and given back when none is left.

    Raises:
        ValueError: The directory is none, or cannot be written to, or `max_bytes` is not positive.

    Every method may be called from any thread, and raises `SpoolError` where disk or database fail. Files are opened
    by the first call that needs them.
    """

    def __init__(self, directory: str | os.PathLike[str], name: str, max_bytes: int) -> None:
        if max_bytes <= 0:
            raise ValueError(f"spool size limit must be a positive number of bytes, not {max_bytes}")
        self._directory = _usable_directory(directory)
        self._prefix = hashlib.blake2s(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self._max_bytes = max_bytes
        self.damaged = 0
        """Records taken out of the queue by this process because their checksum did not fit."""
        self.damaged_databases = 0
        """Databases set aside by this process because SQLite could not read them."""
        # Reentrant: a log line from here may come back as a log record to be spooled.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file = self._directory
        self._inode = (0, 0)
        self._claimed: SpooledRequest | None = None
        self._claim_lock: int | None = None
        self._removal_is_due = False
        self._process = os.getpid()
        self._is_closed_for_fork = False
        self._is_unusable = False
        _spools.add(self)

    def append(self, request: bytes | Buffer, item_count: int) -> bool:
        """Add a request of `item_count` items at the end.

        Gives True when it is committed: a kill of the process does not lose it. Gives False, and adds nothing, where
        the spool would hold more than `max_bytes`.
        """
        row = (item_count, _checksum(request, item_count), request, len(request), self._max_bytes)
        statement = (
            "INSERT INTO record (item_count, checksum, request)"
            " SELECT ?, ?, ? WHERE (SELECT bytes FROM pending) + ? <= ?"
        )
        with self._lock:
            return self._run(lambda connection: connection.execute(statement, row).rowcount == 1)

    def claim(self) -> SpooledRequest | None:
        """Give the oldest record, which is this caller's until `remove` or `release`.

        Gives None where there is none, and while a record is claimed, in whatever thread or process.
        """
        with self._lock:
            if self._removal_is_due and self._claimed is not None:
                self._remove_claimed(self._claimed)
            if not self._lock_claims():
                return None
            try:
                self._claimed = self._run(self._oldest_whole_record)
            finally:
                if self._claimed is None:
                    self._unlock_claims()
            return self._claimed

    def remove(self, record: SpooledRequest) -> None:
        """Take the claimed `record`, which was answered for, out of the spool. It is committed when this returns.

        Where it fails, as a full disk can make it, the record stays claimed, so that nobody sends it again, and the
        next call of `claim` in this process tries again to remove it. A record whose claim `close` has given back
        meanwhile is removed all the same.
        """
        with self._lock:
            if record is self._claimed:
                self._removal_is_due = True
                self._remove_claimed(record)
            else:
                self._delete(record)

    def release(self, record: SpooledRequest) -> None:
        """Give back the claimed `record`, which was not sent: it is the oldest still."""
        with self._lock:
            if record is self._claimed:
                self._unlock_claims()

    def replace(self, record: SpooledRequest, request: bytes, item_count: int) -> None:
        """Put what is left of the claimed `record` in its place and give it back: it is the oldest still.

        Where it fails the whole record stays, and is given back too.
        """
        row = (item_count, _checksum(request, item_count), request, record.identifier, record.checksum)
        statement = "UPDATE record SET item_count = ?, checksum = ?, request = ? WHERE identifier = ? AND checksum = ?"
        with self._lock:
            try:
                self._run(lambda connection: connection.execute(statement, row))
            finally:
                if record is self._claimed:
                    self._unlock_claims()

    @property
    def item_count(self) -> int:
        """Number of items in all records."""
        return self._pending("items")

    @property
    def byte_count(self) -> int:
        """Number of bytes in the requests of all records."""
        return self._pending("bytes")

    def __len__(self) -> int:
        """Give the number of records, claimed or not."""
        return self._pending("records")

    def close(self) -> None:
        """Close the files and give back a claim. Another call would open them again."""
        with self._lock:
            self._unlock_claims()
            self._disconnect()

    def renew_after_fork(self) -> None:
        """Make this spool ready for use in a forked child, which holds none of the parent's claims.

        A fork calls it by itself. A second call in the same process does nothing.
        """
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        if self._claim_lock is not None:
            # Only closed: unlocking it would unlock it for the parent.
            os.close(self._claim_lock)
        self._forget_claim()
        if self._is_closed_for_fork or (self._connection is None and self._lock.acquire(blocking=False)):
            self._is_closed_for_fork = False
            self._lock.release()
        else:
            # A call did not end in time, or the fork was one that Python was told of only afterwards.
            self._is_unusable = True
            self._lock = threading.RLock()
            _inherited.append(self._connection)
            self._connection = None

    def _close_for_fork(self) -> None:
        if self._lock.acquire(timeout=_LOCK_SECONDS):
            self._disconnect()
            self._is_closed_for_fork = True

    def _resume_after_fork(self) -> None:
        if self._is_closed_for_fork:
            self._is_closed_for_fork = False
            self._lock.release()

    def _pending(self, column: str) -> int:
        statement = f"SELECT {column} FROM pending"
        with self._lock:
            count: int = self._run(lambda connection: connection.execute(statement).fetchone()[0])
            return count

    def _oldest_whole_record(self, connection: sqlite3.Connection) -> SpooledRequest | None:
        statement = "SELECT identifier, request, item_count, checksum FROM record ORDER BY identifier LIMIT 1"
        damaged = 0
        record = None
        while row := connection.execute(statement).fetchone():
            record = SpooledRequest(*row)
            if _is_whole(record):
                break
            connection.execute("DELETE FROM record WHERE identifier = ?", (record.identifier,))
            damaged += 1
            record = None
        if damaged:
            connection.execute(_ADD_UP)
            self.damaged += damaged
            _logger.error("Spool %s: %d records are lost, their checksums do not fit", self._file, damaged)
        return record

    def _remove_claimed(self, record: SpooledRequest) -> None:
        # Given, as a signal handler may close the spool here, which gives back the claim.
        self._delete(record)
        self._unlock_claims()
        with suppress(SpoolError):  # no room or another writer: the next time will do
            self._run(_give_back_space)

    def _delete(self, record: SpooledRequest) -> None:
        # The checksum too: in a database that was begun meanwhile, the identifier is another record's.
        statement = "DELETE FROM record WHERE identifier = ? AND checksum = ?"
        self._run(lambda connection: connection.execute(statement, (record.identifier, record.checksum)))

    def _lock_claims(self) -> bool:
        try:
            lock = os.open(self._directory / f"{self._prefix}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(lock)
                raise
        except BlockingIOError:
            return False
        except OSError as error:
            raise SpoolError(f"spool {self._directory}: {error}") from error
        self._claim_lock = lock
        return True

    def _unlock_claims(self) -> None:
        if self._claim_lock is not None:
            # A child process that is being started may have the file open for a moment longer.
            fcntl.flock(self._claim_lock, fcntl.LOCK_UN)
            os.close(self._claim_lock)
        self._forget_claim()

    def _forget_claim(self) -> None:
        self._claimed = None
        self._claim_lock = None
        self._removal_is_due = False

    def _run(self, operation: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `operation` on the live database; once more, on a new one, if the database turns out to be damaged."""
        if self._is_unusable:
            raise SpoolError(f"spool {self._directory}: cannot be used in a process forked during a call")
        try:
            try:
                return operation(self._live_connection())
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if not _tells_of_damage(error):
                    raise
                self._disconnect()
                with self._directory_locked():
                    was_first = self._set_aside()
                if was_first:
                    self.damaged_databases += 1
                    _logger.error(
                        "Spool %s is damaged (%s): what it held is lost; it is kept as *.damaged, and a new one begins",
                        self._file,
                        error,
                    )
                return operation(self._live_connection())
        except (sqlite3.Error, UnicodeDecodeError, OSError) as error:
            raise SpoolError(f"spool {self._file}: {error}") from error

    def _live_connection(self) -> sqlite3.Connection:
        """Give the connection to the database that all processes use: another may have begun a new one."""
        if self._connection is not None and _inode_of(self._file) != self._inode:
            self._disconnect()
        if self._connection is None:
            with self._directory_locked():
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        existing = self._directory.glob(f"{self._prefix}-*.sqlite3")
        self._file = max(existing, default=self._directory / f"{self._prefix}-{time.time_ns()}.sqlite3")
        # Made here and not by SQLite, as telemetry is not for everyone's eyes; its other files get the same mode. One
        # that is there is not opened: to close it would take away the locks of this process's other connections to it.
        with suppress(FileExistsError):
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        self._inode = _inode_of(self._file)
        connection = sqlite3.connect(self._file, _LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        connection.text_factory = bytes  # a damaged row may claim to hold text, which cannot be decoded
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _set_aside(self) -> bool:
        """Rename the damaged database, if no other process was first."""
        if _inode_of(self._file) != self._inode:
            return False
        for older in self._directory.glob(f"{self._prefix}-*.damaged*"):
            older.unlink()
        damaged = f"{self._file}.damaged"
        self._file.rename(damaged)
        with suppress(FileNotFoundError):
            Path(f"{self._file}-wal").rename(f"{damaged}-wal")
        Path(f"{self._file}-shm").unlink(missing_ok=True)
        return True

    @contextmanager
    def _directory_locked(self) -> Iterator[None]:
        """Keep other processes from opening or setting aside a database meanwhile."""
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            deadline = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise TimeoutError("another process keeps the directory locked") from None
                time.sleep(_LOCK_POLL_SECONDS)
            yield
        finally:
            os.close(directory)


def _usable_directory(directory: str | os.PathLike[str]) -> Path:
    path = Path(directory).absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"spool directory {path}: {error.strerror}") from error
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ValueError(f"spool directory {path}: this process may not write there")
    return path


def _checksum(request: bytes | Buffer, item_count: int) -> int:
    return zlib.crc32(request, zlib.crc32(item_count.to_bytes(8, "little", signed=True)))


def _is_whole(record: SpooledRequest) -> bool:
    """Whether the record is as it was appended. In a damaged row, any column may hold a value of any type."""
    return (
        isinstance(record.request, bytes)
        and isinstance(record.item_count, int)
        and record.checksum == _checksum(record.request, record.item_count)
    )


def _inode_of(file: Path) -> tuple[int, int]:
    """Give what tells a file from another one of the same name; zeros where there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (status.st_dev, status.st_ino)


def _tells_of_damage(error: Exception) -> bool:
    """Whether SQLite said SQLITE_CORRUPT or SQLITE_NOTADB: for all else, Python raises a subclass.

    Or SQLite quoted what it found, and Python could not decode that.
    """
    return type(error) in (sqlite3.DatabaseError, UnicodeDecodeError)


def _give_back_space(connection: sqlite3.Connection) -> None:
    """Shrink the file of an empty spool. What a VACUUM copies is nothing then, however large the file is."""
    (records,) = connection.execute("SELECT records FROM pending").fetchone()
    (free_pages,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    if records == 0 and free_pages * page_size > _KEPT_FREE_BYTES:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


_spools: weakref.WeakSet[Spool] = weakref.WeakSet()
# Connections of the parent, in a child: to close one would take its files from under the parent.
_inherited: list[sqlite3.Connection | None] = []


def _for_each_spool(do: Callable[[Spool], None]) -> Callable[[], None]:
    def run() -> None:
        for spool in list(_spools):
            do(spool)

    return run


os.register_at_fork(
    before=_for_each_spool(Spool._close_for_fork),
    after_in_parent=_for_each_spool(Spool._resume_after_fork),
    after_in_child=_for_each_spool(Spool.renew_after_fork),
)
