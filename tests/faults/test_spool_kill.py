"""SIGKILL at 200 moments of a process that appends to a spool and drains it.

What it acknowledged before it died must hold for the next process: nothing appended is lost, nothing removed comes
back, and the order stays. Only the call that was under way may have happened or not.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from otlp_fast.exporter.spool import Spool
from tests.faults.spool_child import request_of

CHILD = Path(__file__).with_name("spool_child.py")
KILLS = 200


@dataclass
class Expectation:
    """What must be in the spool, by what the children said."""

    pending: deque[int] = field(default_factory=deque)
    uncertain: set[int] = field(default_factory=set)
    """Numbers whose append or removal was under way at a kill."""
    next_number: int = 1
    appended: int = 0
    removed: int = 0

    def note(self, word: str, number: int) -> None:
        """Check and note one line of a child."""
        if word == "appended":
            assert number == self.next_number
            self.pending.append(number)
            self.next_number += 1
            self.appended += 1
        elif word == "claimed":
            while self.pending[0] != number:
                missing = self.pending.popleft()
                assert missing in self.uncertain, f"{missing} was acknowledged, and {number} was claimed instead"
            self.uncertain.discard(number)
        elif word == "released":
            assert self.pending[0] == number
        else:
            assert word == "removed"
            assert self.pending.popleft() == number
            self.removed += 1

    def note_kill(self, last_word: str) -> None:
        """Note what may have happened or not: the removal of what was claimed, or else another append."""
        if last_word == "claimed":
            self.uncertain.add(self.pending[0])
        else:
            self.pending.append(self.next_number)
            self.uncertain.add(self.next_number)
            self.next_number += 1


def run_and_kill(directory: Path, expectation: Expectation, random_numbers: random.Random) -> None:
    """Let a child run for some lines and a little longer, kill it, and note all that it said."""
    arguments = [str(directory), str(expectation.next_number), str(random_numbers.randrange(1 << 30))]
    with subprocess.Popen([sys.executable, str(CHILD), *arguments], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(random_numbers.randrange(1, 30))]
        time.sleep(random_numbers.random() * 0.003)
        child.kill()
        lines += child.stdout.readlines()
    for line in lines:
        word, number = line.split()
        expectation.note(word, int(number))
    expectation.note_kill(lines[-1].split()[0])


def test_kill_at_any_moment_costs_at_most_the_record_being_written(tmp_path: Path) -> None:
    random_numbers = random.Random(3)
    expectation = Expectation()
    for _ in range(KILLS):
        run_and_kill(tmp_path, expectation, random_numbers)
    assert expectation.appended > KILLS
    assert expectation.removed > KILLS

    spool = Spool(tmp_path, "traces", 1 << 40)
    left = item_count = byte_count = 0
    counts = (len(spool), spool.item_count, spool.byte_count)
    while (record := spool.claim()) is not None:
        assert record.request == request_of(record.item_count)
        expectation.note("claimed", record.item_count)
        left, item_count, byte_count = left + 1, item_count + record.item_count, byte_count + len(record.request)
        spool.remove(record)
        expectation.note("removed", record.item_count)
    assert expectation.uncertain.issuperset(expectation.pending)
    assert counts == (left, item_count, byte_count)
    assert (spool.damaged, spool.damaged_databases) == (0, 0)
    spool.close()
    (file,) = tmp_path.glob("*.sqlite3")
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
