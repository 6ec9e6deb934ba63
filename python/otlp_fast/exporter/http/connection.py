"""The urllib3 pool behind an exporter: TLS, proxies, and a read timeout that is a deadline.

urllib3 hands its read timeout to the socket, where it bounds each `recv` and starts anew with every byte that
arrives: a receiver that sends one byte a second holds the caller for as long as it likes. The connections made here
read responses through `_DeadlineReader`, which gives every `recv` only what is left of the time that the response
began with. Nor does each address of a host get the whole timeout to connect.

They register their sockets, so that a request can be cut off, which is what a shutdown does in the end.

A pool manager that the user brings keeps its own connections, TLS settings and proxies.
"""

from __future__ import annotations

import codecs
import copy
import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError
from urllib3.util import create_urllib3_context, make_headers, parse_url
from urllib3.util.connection import allowed_gai_family

from otlp_fast.exporter.configuration import Configured, without_credentials
from otlp_fast.exporter.http.configuration import DEFAULT_PORTS, HTTPSettings
from otlp_fast.exporter.http.interruption import register_socket

# The name of a host is encoded with it. Threads that were the first to look it up, at the end of a process, were told
# at times that there is no such encoding, and lost what they had to send: https://github.com/psf/requests/issues/3578
codecs.lookup("idna")

# As many as `requests` keeps: an exporter is used from one thread, or from a few.
_KEPT_CONNECTIONS = 10


class _DeadlineReader(io.RawIOBase):
    """Reads a socket within the timeout that the socket had when reading began."""

    def __init__(self, connected: Any, raw: io.RawIOBase) -> None:
        timeout = connected.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._connected = connected
        self._raw = raw

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("timed out")
            self._connected.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *arguments: Any, **keywords: Any) -> None:
        super().__init__(sock, *arguments, **keywords)
        self.fp: io.BufferedReader = io.BufferedReader(_DeadlineReader(sock, self.fp.detach()))


class _DeadlineHTTPConnection(HTTPConnection):
    response_class = _DeadlineResponse

    def putrequest(self, *arguments: Any, **keywords: Any) -> None:
        """Begin a request, maybe on a connection that was kept."""
        if self.sock is not None:
            register_socket(self.sock)
        super().putrequest(*arguments, **keywords)

    def _new_conn(self) -> socket.socket:
        """Connect, and say what went wrong as urllib3 says it.

        urllib3's own method makes and connects the socket in one step, which nobody could cut off.
        """
        assert self.timeout is not None, "every attempt has a timeout"
        try:
            addresses = socket.getaddrinfo(self._dns_host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
            return _connect_to_one_of(addresses, self.timeout, self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError:
            raise LocationParseError(f"{self.host!r}, label empty or too long") from None
        except TimeoutError as error:
            message = f"Connection to {self.host} timed out. (connect timeout={self.timeout})"
            raise ConnectTimeoutError(self, message) from error
        except OSError as error:
            raise NewConnectionError(self, f"Failed to establish a new connection: {error}") from error


class _DeadlineHTTPSConnection(_DeadlineHTTPConnection, HTTPSConnection):
    """The same over TLS: what is registered is the connection below it."""


class _KeptConnections(queue.LifoQueue[Any]):
    """The queue of a pool, with a reentrant lock: a signal handler may export where it interrupts an export."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self.mutex = threading.RLock()  # type: ignore[assignment]
        self.not_empty = threading.Condition(self.mutex)
        self.not_full = threading.Condition(self.mutex)
        self.all_tasks_done = threading.Condition(self.mutex)

    def _get(self) -> Any:
        try:
            return super()._get()
        except IndexError:  # the handler took the last one after this call had looked
            raise queue.Empty from None


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _DeadlineHTTPConnection
    QueueCls = _KeptConnections


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _DeadlineHTTPSConnection
    QueueCls = _KeptConnections


def _connect_to_one_of(addresses: Sequence[Any], timeout: float, options: Iterable[tuple[Any, ...]]) -> socket.socket:
    """Connect to the first of `addresses`, as `getaddrinfo` gives them, that answers."""
    deadline = time.monotonic() + timeout
    *others, last = addresses
    for address in others:
        with suppress(OSError):
            return _connect_to(address, deadline, options)
    return _connect_to(last, deadline, options)


def _connect_to(address: Any, deadline: float, options: Iterable[tuple[Any, ...]]) -> socket.socket:
    family, kind, protocol, _, peer = address
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("timed out")
    sock = socket.socket(family, kind, protocol)
    try:
        for option in options:
            sock.setsockopt(*option)
        sock.settimeout(remaining)
        register_socket(sock)
        sock.connect(peer)
    except BaseException:
        sock.close()
        raise
    return sock


def connect(settings: HTTPSettings) -> urllib3.PoolManager:
    """Make the pool manager for `settings`. Raises ValueError where a certificate, key or proxy cannot be used."""
    pool: dict[str, Any] = {"maxsize": _KEPT_CONNECTIONS}
    tls = _tls_context(settings)
    if tls is not None:
        pool["ssl_context"] = tls

    proxy = _proxy_for(settings.endpoint)
    manager = _proxied(proxy, pool) if proxy else urllib3.PoolManager(**pool)
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return manager


def with_fresh_connections(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Copy a pool manager without its open connections, for a forked child.

    `clear()` would not do: it takes a lock that another thread of the parent may have held at the fork.
    """
    fresh = copy.copy(manager)
    fresh.pools = type(manager.pools)(10)
    return fresh


def _tls_context(settings: HTTPSettings) -> ssl.SSLContext | None:
    """Load certificates and keys, also where the endpoint is http and will not use them: a wrong path is a mistake."""
    authority, key, certificate = (
        settings.certificate_file,
        settings.client_key_file,
        settings.client_certificate_file,
    )
    if key is not None and certificate is None:
        raise ValueError(f"{key.source}: {key.value!r} is a client key without a client certificate")
    if not (settings.endpoint.startswith("https:") or authority or certificate):
        return None

    tls = create_urllib3_context()
    if authority is None:
        tls.load_default_certs()
    else:
        path = Path(authority.value)
        location = {"capath": str(path)} if path.is_dir() else {"cafile": str(path)}
        try:
            tls.load_verify_locations(**location)
        except (OSError, ValueError) as error:
            raise _unreadable(error, authority) from error
    if certificate is not None:
        try:
            # Without a password given, OpenSSL would stop and ask for one on the terminal.
            tls.load_cert_chain(certificate.value, key.value if key else None, password="")
        except (OSError, ValueError) as error:
            raise _unreadable(error, certificate, key) from error
    return tls


def _unreadable(error: Exception, *files: Configured | None) -> ValueError:
    named = " with ".join(f"{file.source} {file.value!r}" for file in files if file)
    return ValueError(f"{named}: cannot be loaded: {error}")


def _proxy_for(endpoint: str) -> str | None:
    """Give the URL of the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY choose for `endpoint`."""
    url = parse_url(endpoint)
    scheme = url.scheme or "http"
    host = (url.host or "").strip("[]")
    if proxy_bypass(f"{host}:{url.port or DEFAULT_PORTS[scheme]}"):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _proxied(proxy: str, pool: dict[str, Any]) -> urllib3.ProxyManager:
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    shown = without_credentials(proxy)
    try:
        url = parse_url(proxy)
        credentials = make_headers(proxy_basic_auth=unquote(url.auth)) if url.auth else None
        return urllib3.ProxyManager(url._replace(auth=None).url, proxy_headers=credentials, **pool)
    except (urllib3.exceptions.ProxySchemeUnknown, urllib3.exceptions.LocationParseError, UnicodeEncodeError):
        raise ValueError(
            f"proxy variables: {shown!r} is not an http or https proxy; for another kind pass a pool manager as"
            " session, such as urllib3.contrib.socks.SOCKSProxyManager"
        ) from None
