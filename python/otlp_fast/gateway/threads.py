"""Threads for what would hold up the event loop: compression, JSON, tracezip. All of it runs without the GIL."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Threads:
    """As many threads as there are processors: more would only take more memory at the same time."""

    def __init__(self) -> None:
        """Prepare; threads begin with the work."""
        self._executor = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="otlp-fast-gateway")

    async def run(
        self, function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Call `function` in one of the threads."""
        future = self._executor.submit(function, *args, **kwargs)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads end when they are done."""
        self._executor.shutdown(wait=False, cancel_futures=True)
