"""The HTTP requests that the demo sends to its service, and the client that sends them.

The sequence is seeded: both exporters' services get the same requests in the same order, from the same number of
connections. Requests come in shuffled decks with a fixed number of each kind, so also a short run has all of them. Each
answer's status is checked, since a service that only fails would still make spans.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from otlp_fast.demo.database import AUTHORS, BOOK_COUNT, GENRES, TAKEN_ORDER_NUMBER
from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.server import LOOPBACK

CONNECTIONS = 4

_TIMEOUT_SECONDS = 30.0
_SEARCH_TERMS = ("Book 1", "Lem", "naïve", "Прага", "数学", "☕ and 📚")
_FIRST_ORDER_NUMBER = 1000
_SECONDS_BETWEEN_REPORTS = 0.1


@dataclass(frozen=True)
class HttpRequest:
    """One request, and the status that the service should answer it with."""

    method: str
    path: str
    status: HTTPStatus = HTTPStatus.OK
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def plan_requests(count: int) -> list[HttpRequest]:
    """Give the first `count` requests of the sequence."""
    choose = random.Random("the visitors of the bookshop")
    planned: list[HttpRequest] = []
    while len(planned) < count:
        makers = [make for make, copies in _DECK for _ in range(copies)]
        choose.shuffle(makers)
        planned += [make(choose, number) for number, make in enumerate(makers, start=len(planned))]
    return planned[:count]


class Traffic:
    """Sends planned requests from a few connections at once."""

    def __init__(self, port: int, planned: Sequence[HttpRequest]) -> None:
        self._port = port
        self._planned = planned
        self._lock = threading.Lock()
        self._next = 0
        self._answered = 0
        self._problem: BaseException | None = None

    def send_all(self, report_answered: Callable[[int], None]) -> None:
        """Send everything, calling `report_answered` with the number of answers so far some times a second.

        Raises:
            DemoError: The service did not answer, or with another status than planned.
        """
        threads = [threading.Thread(target=self._send_some, daemon=True) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(_SECONDS_BETWEEN_REPORTS)
                    report_answered(self._answered)
        except BaseException as error:
            self._stop(error)
            raise
        if self._problem is not None:
            raise DemoError(f"the demo's service failed: {self._problem}")

    def _send_some(self) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            while (request := self._take()) is not None:
                _send(connection, request)
                with self._lock:
                    self._answered += 1
        except (OSError, http.client.HTTPException, DemoError) as error:
            self._stop(error)
        finally:
            connection.close()

    def _take(self) -> HttpRequest | None:
        with self._lock:
            if self._problem is not None or self._next == len(self._planned):
                return None
            self._next += 1
            return self._planned[self._next - 1]

    def _stop(self, problem: BaseException) -> None:
        with self._lock:
            self._problem = self._problem or problem


def _send(connection: http.client.HTTPConnection, request: HttpRequest) -> None:
    connection.request(request.method, request.path, request.body, request.headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != request.status:
        raise DemoError(
            f"{request.method} {request.path} was answered with {answer.status}, not with {request.status.value}"
        )


def _request(
    choose: random.Random, path: str, status: HTTPStatus = HTTPStatus.OK, body: dict[str, int] | None = None
) -> HttpRequest:
    """Make a GET request, or a POST request where there is a body; half of all continue a trace of the client's."""
    headers = {}
    if choose.random() < 0.5:
        headers["traceparent"] = f"00-{choose.getrandbits(128) | 1:032x}-{choose.getrandbits(64) | 1:016x}-01"
        headers["tracestate"] = f"shop={choose.getrandbits(32):x},campaign=autumn"
    if body is None:
        return HttpRequest("GET", path, status, headers=headers)
    return HttpRequest("POST", path, status, json.dumps(body).encode(), headers | {"Content-Type": "application/json"})


def _list(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/books?genre={choose.choice(GENRES)}&page={choose.randrange(3)}")


def _show(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/books/{choose.randint(1, BOOK_COUNT)}")


def _show_author(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/authors/{quote(choose.choice(AUTHORS))}")


def _search(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/search/{quote(choose.choice(_SEARCH_TERMS))}")


def _order(choose: random.Random, number: int) -> HttpRequest:
    order = {"number": _FIRST_ORDER_NUMBER + number, "book_id": choose.randint(1, BOOK_COUNT), "copies": 2}
    return _request(choose, "/orders", HTTPStatus.CREATED, order)


def _order_with_taken_number(choose: random.Random, number: int) -> HttpRequest:
    order = {"number": TAKEN_ORDER_NUMBER, "book_id": choose.randint(1, BOOK_COUNT), "copies": 1}
    return _request(choose, "/orders", HTTPStatus.CONFLICT, order)


def _unknown_book(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/books/{BOOK_COUNT + choose.randint(1, 1000)}", HTTPStatus.NOT_FOUND)


def _unknown_page(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/{quote('café')}/{choose.randrange(1000)}", HTTPStatus.NOT_FOUND)


def _failing_report(choose: random.Random, number: int) -> HttpRequest:
    return _request(choose, f"/reports/{choose.randint(1990, 2020)}", HTTPStatus.INTERNAL_SERVER_ERROR)


# How many requests of each kind are in a deck.
_DECK: tuple[tuple[Callable[[random.Random, int], HttpRequest], int], ...] = (
    (_show, 13),
    (_list, 8),
    (_search, 5),
    (_show_author, 4),
    (_order, 4),
    (_unknown_book, 2),
    (_order_with_taken_number, 1),
    (_unknown_page, 2),
    (_failing_report, 1),
)
