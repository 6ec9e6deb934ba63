"""What stops the benchmarks, or one figure of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class BenchError(Exception):
    """The benchmarks cannot go on; the message is one line for the user."""


class RivalError(Exception):
    """A rival cannot do what is asked of it, so there is nothing to compare with."""


@contextmanager
def asked_of(rival: str) -> Iterator[None]:
    """Turn whatever the code of a rival raises into a `RivalError` that names it."""
    try:
        yield
    except Exception as error:
        raise RivalError(f"{rival} fails on it: {type(error).__name__}: {error}") from error
