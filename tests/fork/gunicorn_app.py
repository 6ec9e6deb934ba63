"""A service under gunicorn with `preload_app`: run by test_fork_gunicorn.py.

Arguments: the endpoint, the socket to bind to, and how many spans and log records are to be made before the fork, at
the start of a worker, and for a request. Prints a line for each worker that is ready.

The application is loaded in the master before it forks its workers, so the providers are made there, and so are the
first spans and log records. Nothing flushes by hand: master and workers end as gunicorn ends them.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.app.base import BaseApplication

from tests.fork.program import emit, show

# Python 3.12 and later warn of what this is about, and gunicorn of what it does itself.
warnings.simplefilter("ignore")

SOCKET = sys.argv[2]
BEFORE_THE_FORK, AT_WORKER_START, PER_REQUEST = map(int, sys.argv[3:])


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request, with spans and log records named after its path."""
    emit(environ["PATH_INFO"], PER_REQUEST)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"worker %d" % os.getpid()]


def worker_started(worker: Any) -> None:
    """Make spans and log records named after the worker, and say so."""
    emit(f"worker {worker.pid}", AT_WORKER_START)
    show(f"worker {worker.pid}")


class Service(BaseApplication):  # type: ignore[misc]
    """The application and gunicorn's settings in one."""

    def load_config(self) -> None:
        settings = {
            "bind": f"unix:{SOCKET}",
            "workers": 2,
            "preload_app": True,
            "post_worker_init": worker_started,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Callable[..., Iterable[bytes]]:
        emit("preload", BEFORE_THE_FORK)
        return answer


if __name__ == "__main__":
    Service().run()
