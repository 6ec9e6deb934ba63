"""Cutting off requests that other threads have under way.

A thread that waits in a socket, for a connection, a TLS handshake, room to send, or an answer, wakes when the
connection is shut down below it. So the connections of `connection.py` register every socket that a request uses,
before it waits there for the first time.

What is kept of it is a second descriptor of the same connection, which nobody else knows. The first is no good: TLS
takes it out of its socket object, and the thread of the request closes it at any moment, after which its number may
be that of another file.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Protocol


class HasDescriptor(Protocol):
    """A socket, or what TLS within TLS has in its place."""

    def fileno(self) -> int:
        """Give the descriptor of the connection."""


class RequestsUnderWay:
    """The requests of one transport, all of which can be cut off. Safe to use from several threads."""

    def __init__(self) -> None:
        # Reentrant: the handler of a signal may cut off the request that it interrupted.
        self._lock = threading.RLock()
        self._connections: set[socket.socket] = set()
        self.are_cut_off = False

    @contextmanager
    def request(self) -> Iterator[None]:
        """Keep hold of the connections that are used in the body."""
        request = _Request(self)
        token = _current.set(request)
        try:
            yield
        finally:
            _current.reset(token)
            with self._lock:
                self._connections.difference_update(request.connections)
                _close(request.connections)

    def register(self, connection: socket.socket) -> None:
        """Have `connection` cut off with the others. Raises ConnectionAbortedError where they are already."""
        with self._lock:
            if self.are_cut_off:
                raise ConnectionAbortedError("the exporter was shut down")
            self._connections.add(connection)

    def cut_off(self) -> None:
        """End every connection in use, at once, and let no request use another one."""
        with self._lock:
            self.are_cut_off = True
            for connection in self._connections:
                # Not connected yet, or ended by the other side.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def forget_after_fork(self) -> None:
        """Let go of the parent's connections in a forked child. To shut one down would end it for the parent."""
        _close(self._connections)


class _Request:
    def __init__(self, requests: RequestsUnderWay) -> None:
        self.connections: list[socket.socket] = []
        self._requests = requests

    def use(self, sock: HasDescriptor) -> None:
        connection = socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self.connections.append(connection)
        self._requests.register(connection)
