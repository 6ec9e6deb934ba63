"""A program of rivals (benchmarks/rust, benchmarks/go), which is told line by line what to run."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType


class RivalError(RuntimeError):
    """A program of rivals cannot be built, or does not answer."""


class Rivals:
    """A program that holds the requests of a corpus, and its engines."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Rivals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The end of its input is the end of the program.
        self._process.communicate()

    def ask(self, command: str) -> str:
        """Give the answer to a command.

        Raises:
            RivalError: the program has ended; what was wrong it has written to stderr.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise RivalError(f"no answer to {command!r}") from None
        answer = self._process.stdout.readline()
        if not answer:
            raise RivalError(f"no answer to {command!r}")
        return answer.rstrip("\n")

    def engines(self) -> list[str]:
        """Give the names of its engines."""
        return self.ask("engines").split("\t")

    def cpu_seconds(self, engine: str, repetitions: int) -> float:
        """Give the CPU time of going through all requests once, as the mean of so many times."""
        cpu, _wall = self.ask(f"run {repetitions} {engine}").split()
        return int(cpu) / 1e9 / repetitions

    def answer(self, engine: str, folder: Path) -> list[bytes]:
        """Give what an engine makes of the requests; nothing where the sums say it."""
        path = folder / "answer"
        self.ask(f"write {path} {engine}")
        return unpacked(path.read_bytes())


def packed(requests: Sequence[bytes]) -> bytes:
    """Give requests as records of a big-endian length and the bytes."""
    return b"".join(struct.pack(">I", len(request)) + request for request in requests)


def unpacked(records: bytes) -> list[bytes]:
    """Give the requests of such records."""
    found, place = [], 0
    while place < len(records):
        end = place + 4 + int.from_bytes(records[place : place + 4], "big")
        found.append(records[place + 4 : end])
        place = end
    return found
