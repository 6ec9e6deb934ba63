"""What a gateway is told: checked at once, so that a mistake is a message at the start and not a failure later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from otlp_fast.compression import ENCODINGS

_MIB = 1 << 20
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
# What says what the body is, and whom it goes to, is the gateway's to say.
_OWN_HEADERS = re.compile(r"content-.*|transfer-encoding|connection|host|accept-encoding", re.IGNORECASE)
# A request is held as it came, as plain OTLP, and as it leaves.
_FORMS_HELD = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a gateway behaves. All sizes are in bytes, all times in seconds.

    Raises:
        ValueError: a value that cannot be right; the message names it.
    """

    forward: str
    """The base URL of the next hop; /v1/traces, /v1/logs and /v1/metrics are appended."""
    forward_encoding: str = "gzip"
    """"none", "gzip", "zstd" or "lz4": how requests to the next hop are compressed."""
    forward_headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of every request to the next hop, such as its authentication."""
    forward_ca: Path | None = None
    """Certificates that the next hop's is checked against; None for those of the system."""
    forward_timeout: float = 30.0
    """How long the next hop may take to answer."""
    read_timeout: float = 30.0
    """How long a client may take to send a request."""
    max_request_size: int = 64 * _MIB
    """The longest request, as it arrives and as plain OTLP."""
    max_in_flight: int = 256
    """How many requests are worked on at the same time."""
    max_memory: int = 256 * _MIB
    """How many bytes of requests are held at the same time."""
    max_streams: int = 256
    """How many tracezip streams are kept, each with up to 4 MiB of state."""
    max_streams_per_peer: int = 64
    """How many of them one authenticated peer may have. Without authentication nobody can be told apart."""
    stream_idle_timeout: float = 900.0
    """How long a stream is kept that sends nothing."""
    token_file: Path | None = None
    """Lines of `name:token`: clients send one of them as a bearer token."""
    peer_header: str | None = None
    """The header in which a trusted proxy names the client, such as the subject of its certificate."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of the proxies whose `peer_header` counts."""
    has_admin_endpoints: bool = True
    """Whether /health and /metrics are served beside OTLP, instead of on another address."""

    def __post_init__(self) -> None:
        """Check the values."""
        _check_url(self.forward)
        if self.forward_encoding not in ENCODINGS:
            raise ValueError(f"forward_encoding: {self.forward_encoding!r} is none of {', '.join(ENCODINGS)}")
        for name, value in self.forward_headers.items():
            _check_header(name, value)
        for name in ("forward_timeout", "read_timeout", "stream_idle_timeout"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name}: {getattr(self, name)} is no time in seconds above 0")
        for name in ("max_request_size", "max_in_flight", "max_streams", "max_streams_per_peer"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is below 1")
        if self.max_memory < self.max_request_size * _FORMS_HELD:
            raise ValueError(
                f"max_memory: {self.max_memory:,} bytes are below {_FORMS_HELD} times max_request_size "
                f"({self.max_request_size:,}): a request is held as it came, as plain OTLP and as it leaves"
            )
        if self.token_file is not None and self.peer_header is not None:
            raise ValueError("token_file and peer_header: a client is known by one of them, not by both")
        if (self.peer_header is None) != (not self.trusted_proxies):
            raise ValueError("peer_header and trusted_proxies belong together: the header counts only from that proxy")
        for address in self.trusted_proxies:
            ip_network(address)  # its own message names the address

    @property
    def has_authentication(self) -> bool:
        """Whether clients are told apart."""
        return self.token_file is not None or self.peer_header is not None


def _check_url(text: str) -> None:
    # Wherever it stands: a password with a / in it looks like a port and a path, and messages and log lines show those.
    if "@" in text:
        raise ValueError(
            "forward: a URL without user and password: put them into forward_headers, as Authorization"
            " (an @ in a path is written %40)"
        )
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as error:
        raise ValueError(f"forward: not a URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise ValueError(f"forward: {text!r} is no URL such as http://collector:4318")
    if url.query or url.fragment:
        raise ValueError(f"forward: {text!r} has a query or a fragment, but paths are appended to it")


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"forward_headers: {name!r} is no name of a header")
    if _OWN_HEADERS.fullmatch(name):
        raise ValueError(f"forward_headers: {name} is for the gateway to set")
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError(f"forward_headers: the value of {name} has characters that no header can carry")
