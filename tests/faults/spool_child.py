"""Run by test_spool_kill.py, which kills it: appends and removes numbered requests, and says so after each call."""

from __future__ import annotations

import os
import random
import sys
from itertools import count

from otlp_fast.exporter.spool import Spool


def request_of(number: int) -> bytes:
    """The request of this number: of any size, so that its transaction writes from one to fifty pages."""
    random_numbers = random.Random(number)
    return b"%d " % number + random_numbers.randbytes(random_numbers.choice([10, 3_000, 50_000, 200_000]))


def say(word: str, number: int) -> None:
    """Write one line, in one call, to nobody's buffer."""
    os.write(1, f"{word} {number}\n".encode())


def main() -> None:
    directory, first_number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    spool = Spool(directory, "traces", 1 << 40)
    random_numbers = random.Random(seed)
    numbers = count(first_number)
    while True:
        for _ in range(random_numbers.randrange(4)):
            number = next(numbers)
            assert spool.append(request_of(number), number)
            say("appended", number)
        for _ in range(random_numbers.randrange(4)):
            record = spool.claim()
            if record is None:
                break
            assert record.request == request_of(record.item_count)
            say("claimed", record.item_count)
            if random_numbers.random() < 0.2:
                spool.release(record)
                say("released", record.item_count)
            else:
                spool.remove(record)
                say("removed", record.item_count)


if __name__ == "__main__":
    main()
