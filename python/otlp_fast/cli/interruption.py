"""Ctrl-C and `kill` end a command alike: cleaned up, with one line and exit status 130."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

EXIT_INTERRUPTED = 130


@contextmanager
def interruptible(message: str) -> Iterator[None]:
    """Say `message` on stderr and exit where what is in the context is interrupted."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        click.echo(message, err=True)
        raise SystemExit(EXIT_INTERRUPTED) from None
