"""Cutting off requests that other threads have under way.

A thread that waits in a socket, for a connection, a TLS handshake, room to send, or an answer, wakes when the
connection is shut down below it. So the connections of `connection.py` register every socket that a request uses,
before it waits there for the first time.

What is kept of it is a second descriptor of the same connection, which nobody else knows. The first would not do: TLS
takes it out of its socket object, and the thread of the request may close it at any moment, after which its number
can be that of another file.

Linux wakes a thread that is still connecting; elsewhere it may wait for its timeout.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Protocol


class HasDescriptor(Protocol):
    """A socket, or what TLS within TLS has in its place."""

    def fileno(self) -> int:
        """Give the descriptor of the connection."""


_register: ContextVar[Callable[[HasDescriptor], None]] = ContextVar("otlp_fast_register_socket")


def register_socket(sock: HasDescriptor) -> None:
    """Have `sock` shut down if the request of this thread is cut off; ConnectionAbortedError if it was already."""
    _register.get()(sock)


class RequestsUnderWay:
    """The requests of one transport, all of which can be cut off. Safe to use from several threads."""

    def __init__(self) -> None:
        self.are_cut_off = False
        self._connections: set[socket.socket] = set()
        self.renew_after_fork()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Keep hold of the sockets that are registered in the body."""
        connections: list[socket.socket] = []

        def register(sock: HasDescriptor) -> None:
            # Of which family is all the same to a shutdown.
            connections.append(socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM))
            with self._lock:
                if self.are_cut_off:
                    raise ConnectionAbortedError("the exporter was shut down")
                self._connections.add(connections[-1])

        token = _register.set(register)
        try:
            yield
        finally:
            _register.reset(token)
            with self._lock:
                self._connections.difference_update(connections)
                _close(connections)

    def cut_off(self) -> None:
        """Shut down every connection in use, now, and let no request use another one."""
        with self._lock:
            self.are_cut_off = True
            for connection in self._connections:
                # One that is not there yet, or was ended by the other side, cannot be shut down.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def renew_after_fork(self) -> None:
        """Let go of the parent's connections in a forked child. A shutdown would end them for the parent, too."""
        # Reentrant: the handler of a signal may cut off the request that it interrupted.
        self._lock = threading.RLock()
        _close(self._connections)
        self._connections = set()


def _close(connections: Iterable[socket.socket]) -> None:
    for connection in connections:
        connection.close()
