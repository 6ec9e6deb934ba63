"""Serves a gateway by uvicorn until it is told to end, and then ends in order.

At SIGTERM or SIGINT, /health turns to 503 and nothing else changes for as long as `drain_delay` says, so that a load
balancer sees it. Then no connection is accepted any more, and what is under way is finished; what takes longer than
`shutdown_timeout`, or until a second signal, is answered by 503, after which its senders try again elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from otlp_fast.gateway.application import Gateway
from otlp_fast.gateway.connections import PatientProtocol
from otlp_fast.gateway.listening import Address, open_socket, shown
from otlp_fast.gateway.settings import Settings

# Longer than the interval of most exporters, so that connections are used again.
_KEEP_ALIVE_SECONDS = 75
# For connections that do not close although everything on them was answered.
_LAST_WAIT_SECONDS = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How a gateway is served. All times are in seconds."""

    listen: Address
    admin_listen: Address | None = None
    """Where /health and /metrics are; None for beside OTLP."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """Certificates that those of clients are checked against; None for letting them come without."""
    shutdown_timeout: float = 30.0
    drain_delay: float = 0.0


class _Server(uvicorn.Server):
    """A server that leaves the signals to us."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(settings: Settings, serving: Serving, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is told the URLs as soon as they can be used.

    Raises:
        OSError: an address cannot be listened on, or a file cannot be read.
        ValueError: a file is not what it should be.
    """
    scheme = "https" if serving.tls_cert is not None else "http"
    listener = open_socket(serving.listen)
    admin_listener = open_socket(serving.admin_listen) if serving.admin_listen is not None else None
    text = f"listening on {shown(listener, scheme)}"
    if admin_listener is not None:
        text += f", health and metrics on {shown(admin_listener, 'http')}"
    gateway = Gateway(settings)
    server = _server(gateway.application(), serving, **_tls(serving))
    asyncio.run(_serve(gateway, server, listener, admin_listener, serving, lambda: announce(text)))


def _tls(serving: Serving) -> dict[str, Any]:
    return {
        "ssl_certfile": serving.tls_cert,
        "ssl_keyfile": serving.tls_key,
        "ssl_ca_certs": serving.tls_client_ca,
        "ssl_cert_reqs": ssl.CERT_NONE if serving.tls_client_ca is None else ssl.CERT_REQUIRED,
    }


def _server(application: Starlette, serving: Serving, **tls: Any) -> _Server:
    config = uvicorn.Config(
        application,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        log_level="error",
        access_log=False,
        # The address of a client must be the one that it connects from, see authentication.ProxyHeader.
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(serving.shutdown_timeout) + _LAST_WAIT_SECONDS,
        **tls,
    )
    try:
        config.load()
    except ssl.SSLError as error:
        files = ", ".join(str(file) for file in (serving.tls_cert, serving.tls_key, serving.tls_client_ca) if file)
        raise ValueError(
            f"{files}: no certificate and its key, or no certificates to check others by: {error}"
        ) from None
    return _Server(config)


async def _serve(
    gateway: Gateway,
    server: _Server,
    listener: socket.socket,
    admin_listener: socket.socket | None,
    serving: Serving,
    announce: Callable[[], None],
) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: (hurry if stop.is_set() else stop).set())
    hurried = asyncio.create_task(hurry.wait())
    main = asyncio.create_task(server.serve([listener]))
    admin_server = _server(gateway.admin_application(), serving)
    admin = asyncio.create_task(admin_server.serve([admin_listener])) if admin_listener is not None else None
    announce()
    await stop.wait()
    gateway.is_draining = True
    await asyncio.wait({hurried}, timeout=serving.drain_delay)
    _log.info("shutting down")
    server.should_exit = True
    await asyncio.wait({main, hurried}, timeout=serving.shutdown_timeout, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    if cut_off := gateway.abandon():
        _log.warning("%d requests were still under way, and were answered by 503", cut_off)
    await main
    if admin is not None:
        admin_server.should_exit = True
        await admin
