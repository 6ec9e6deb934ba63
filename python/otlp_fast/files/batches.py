"""Requests of equal length: what is too long is cut, what is too short is joined with what follows."""

from __future__ import annotations

from collections.abc import Iterator

from otlp_fast._core import merge, split_request
from otlp_fast.files.reader import Request

_MAX_BYTES = 64 * 1024 * 1024


class Batches:
    """Collects requests and gives out such with as many items as were asked for, or with 64 MiB.

    Items keep their order. Where another signal begins, a request is shorter.
    """

    def __init__(self, items: int) -> None:
        """Begin with nothing; `items` is how many each request gets."""
        self._wanted = items
        self._held: list[Request] = []
        self._items = 0
        self._bytes = 0

    def add(self, request: Request, items: int) -> Iterator[Request]:
        """Add a request with so many items, and give the requests that are ready.

        Raises:
            DecodeError: it is no such request.
            EncodeError: it cannot be cut: its parts would repeat long resources too often.
        """
        if self._held and self._held[0].signal != request.signal:
            yield from self.finish()
        if request.signal is None:
            yield request
            return
        self._held.append(request)
        self._items += items
        self._bytes += len(request.data)
        if self._items < self._wanted and self._bytes < _MAX_BYTES:
            return
        parts = self._cut()
        (last, last_items) = parts[-1]
        if self._items >= self._wanted > last_items:
            parts.pop()
            self._held, self._items, self._bytes = [last], last_items, len(last.data)
        else:
            self._clear()
        yield from (part for part, _ in parts)

    def finish(self) -> Iterator[Request]:
        """Give what is left; errors are those of `add`."""
        parts = self._cut() if self._held else []
        self._clear()
        yield from (part for part, _ in parts)

    def _cut(self) -> list[tuple[Request, int]]:
        """Give all that is held as requests of at most the wanted length, with their items."""
        first = self._held[0]
        assert first.signal is not None
        joined = first.data if len(self._held) == 1 else merge([held.data for held in self._held], first.signal)
        parts = split_request(joined, first.signal, max_items=self._wanted)
        return [(first._replace(data=data), items) for data, items in parts]

    def _clear(self) -> None:
        self._held, self._items, self._bytes = [], 0, 0
