"""Addresses to listen on, and sockets for them: opened before anything else, so that a taken port is a message."""

from __future__ import annotations

import os
import re
import socket
from typing import NamedTuple

_BACKLOG = 2048
_MAX_PORT = 65_535
_ADDRESS = re.compile(r"(?:\[(?P<bracketed>[0-9a-fA-F:.]+)\]|(?P<host>[^:\[\]]*)):(?P<port>\d{1,5})")


class Address(NamedTuple):
    """Where to listen."""

    host: str
    """A name or an address; empty for all interfaces."""
    port: int
    """0 for any that is free."""

    def __str__(self) -> str:
        """Give the address as it is written."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read HOST:PORT, :PORT or [IPV6]:PORT.

    Raises:
        ValueError: it is none of them.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _MAX_PORT:
        raise ValueError(f"{text!r} is no address to listen on, such as :4318, localhost:4318 or [::1]:4318")
    return Address(match["bracketed"] or match["host"], int(match["port"]))


def open_socket(address: Address) -> socket.socket:
    """Listen; on all interfaces by IPv4 and IPv6 alike where the machine has both.

    Raises:
        OSError: the port is taken, or not for this user, or the host is not known here; `filename` is the address.
    """
    try:
        listener = _listen(*address)
    except socket.gaierror as error:
        raise OSError(error.errno, error.strerror, str(address)) from None
    except OSError as error:
        # The message of `create_server` has more in it than people need.
        raise OSError(error.errno, os.strerror(error.errno or 0), str(address)) from None
    # Connections inherit it: no part of an answer waits until the client has confirmed the part before, which takes
    # 40 ms. asyncio sets it where it is told that the protocol is TCP; of these sockets Python says that it is 0.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _listen(host: str, port: int) -> socket.socket:
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
    family, *_, resolved = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(resolved[:2], family=family, backlog=_BACKLOG)


def shown(listener: socket.socket, scheme: str) -> str:
    """Give the URL of a socket, for people."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
