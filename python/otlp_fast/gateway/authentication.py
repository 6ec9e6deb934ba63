"""Who a client is: by its bearer token, by what a trusted proxy says, or nobody in particular.

The name decides whose streams a frame can reach, so it is never taken from anything that a client can choose, nor from
its address, which many share.
"""

from __future__ import annotations

import hmac
import logging
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Protocol

from starlette.requests import Request

from otlp_fast.gateway.settings import Settings

ANYONE = ""
"""The name of every client where there is no authentication."""

_MAX_TOKEN_FILE_SIZE = 1 << 20

_log = logging.getLogger(__name__)


class Authentication(Protocol):
    """A way to know a client."""

    def peer(self, request: Request) -> str | None:
        """Give the client's name, or None where it is not to be let in."""
        ...


def authentication(settings: Settings) -> Authentication:
    """Give the way that the settings ask for.

    Raises:
        OSError: the token file cannot be read.
        ValueError: it is not what it should be; the message names the line.
    """
    if settings.token_file is not None:
        return BearerTokens(settings.token_file)
    if settings.peer_header is not None:
        return ProxyHeader(settings.peer_header, settings.trusted_proxies)
    return NoAuthentication()


class NoAuthentication:
    """Lets everybody in."""

    def peer(self, request: Request) -> str | None:
        """Give the name of all clients."""
        return ANYONE


class BearerTokens:
    """Tokens of a file, which is read again whenever it changes; a broken one leaves those before it in force."""

    def __init__(self, path: Path) -> None:
        """Read the file."""
        self._path = path
        self._version: tuple[int, int, int] | None = self._version_on_disk()
        self._names = _read_tokens(path)

    def peer(self, request: Request) -> str | None:
        """Give the name that the request's token stands beside."""
        self._reread_if_changed()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        given = sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        name = None
        # All are looked at, so that the time says nothing about which one came close.
        for digest, owner in self._names.items():
            if hmac.compare_digest(digest, given):
                name = owner
        return name

    def _version_on_disk(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _reread_if_changed(self) -> None:
        try:
            version = self._version_on_disk()
            if version == self._version:
                return
            self._version = version
            self._names = _read_tokens(self._path)
            _log.info("%s: read again, %d tokens", self._path, len(self._names))
        except (OSError, ValueError) as error:
            if self._version is not None:
                _log.error("the tokens stay as they were: %s", error)
            self._version = None


class ProxyHeader:
    """A header that counts only from a proxy that is trusted: the proxy must remove it from what clients send."""

    def __init__(self, header: str, proxies: tuple[str, ...]) -> None:
        """Trust the header from these addresses or networks."""
        self._header = header
        self._proxies = [ip_network(proxy) for proxy in proxies]

    def peer(self, request: Request) -> str | None:
        """Give what the proxy says. A header that stands twice was not set by the proxy alone."""
        address = _address_of(request)
        if address is None or not any(address in proxy for proxy in self._proxies):
            return None
        values = request.headers.getlist(self._header)
        return values[0] if len(values) == 1 and values[0] else None


def _address_of(request: Request) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(request.client.host) if request.client is not None else None
    except ValueError:
        return None  # a socket without an address
    # Where one socket listens for both, IPv4 comes as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address


def _read_tokens(path: Path) -> dict[bytes, str]:
    """Give the names of a file of `name:token`, by the hash of the token. A name may have several, to change them."""
    with path.open("rb") as file:
        content = file.read(_MAX_TOKEN_FILE_SIZE + 1)
    if len(content) > _MAX_TOKEN_FILE_SIZE:
        raise ValueError(f"{path}: more than {_MAX_TOKEN_FILE_SIZE:,} bytes of tokens")
    names: dict[bytes, str] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        name, separator, token = line.partition(b":")
        if not (name.strip() and separator and token.strip() and line.isascii()):
            raise ValueError(f"{path}: line {number} is not name:token, in ASCII")
        digest = sha256(token.strip()).digest()
        if digest in names:
            raise ValueError(f"{path}: line {number} has the token of another line")
        names[digest] = name.strip().decode()
    if not names:
        raise ValueError(f"{path}: no line of name:token, so nobody would be let in")
    return names
