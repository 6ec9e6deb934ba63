"""Gives objects that hold sockets or locks a fresh start in a forked child.

A child inherits the parent's sockets, on which both would then speak, and locks in whatever state some other thread
of the parent held them. One hook is registered when this module is imported, not one per object: a hook cannot be
taken back, so it would outlive the object, and a hook registered early runs before those of the SDK's batch
processors, which start an exporting thread in the child.
"""

from __future__ import annotations

import logging
import os
import weakref
from contextlib import suppress
from typing import Protocol

_logger = logging.getLogger(__name__)


class ForkAware(Protocol):
    """Something that has to replace what a forked child must not share."""

    def renew_after_fork(self) -> None:
        """Replace sockets and locks. Runs in the child, before any other thread exists there."""


# In the order of registration, so that an exporter is renewed before the processor that it was given to.
_registered: weakref.WeakKeyDictionary[ForkAware, None] = weakref.WeakKeyDictionary()


def renew_in_forked_children(thing: ForkAware) -> None:
    """Have `thing.renew_after_fork()` called in every child forked while `thing` is alive."""
    _registered[thing] = None


def _renew_all() -> None:
    failures: list[tuple[ForkAware, Exception]] = []
    for thing in list(_registered):
        try:
            thing.renew_after_fork()
        except Exception as error:
            failures.append((thing, error))
    # A line may be a log record, whose exporter has to be renewed, too.
    for thing, failure in failures:
        with suppress(Exception):
            _logger.error("Failed to renew a %s in a forked child", type(thing).__qualname__, exc_info=failure)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
