"""Work in several threads whose results come in the order of the work, with little of it in memory at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(function: Callable[[Task], Result], tasks: Iterable[Task], jobs: int) -> Iterator[Result]:
    """Give the results of `function` for all `tasks`, each begun before it is asked for, `jobs` at a time.

    Beside the tasks that run, one result waits.
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    # It imports logging.
    from concurrent.futures import Future, ThreadPoolExecutor

    running: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(jobs, "otlp-fast-archive")
    try:
        for task in tasks:
            running.append(pool.submit(function, task))
            if len(running) > jobs:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
