"""Exporter configuration: arguments and OTEL_EXPORTER_OTLP_* variables resolved into one frozen `Settings`.

An argument comes before the variable of the signal (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT), which comes before the
generic one (OTEL_EXPORTER_OTLP_TIMEOUT). An empty argument or variable counts as unset. The generic endpoint is a
base to which `v1/<signal>` is appended; the other two are used as they are. Headers of the argument are merged over
those of a variable.

Where the official exporter logs a warning and goes on with a default, this raises ValueError: an exporter that
silently sends nowhere, or uncompressed, is found much later than one that does not start. Every message names the
argument or variable and the value, except for header values and credentials in URLs, which never appear in a message.

Specification: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import logging
import math
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

import urllib3
from urllib3.util import Url, parse_url

from otlp_fast import __version__
from otlp_fast.exporter.compression import Compression

_logger = logging.getLogger(__name__)

Signal = Literal["traces", "logs", "metrics"]

DEFAULT_ENDPOINT = "http://localhost:4318"
DEFAULT_TIMEOUT_SECONDS = 10.0
# What a socket can be told to wait: 31 bits of milliseconds, 24 days.
MAX_TIMEOUT_SECONDS = (2**31 - 1) // 1000
DEFAULT_MAX_REQUEST_SIZE = 64 * 1024 * 1024

CONTENT_TYPE = "application/x-protobuf"
USER_AGENT = f"OTel-OTLP-Exporter-Python-otlp-fast/{__version__}"

# What describes the body is the exporter's to say: a request that lies about its own encoding or length cannot be read.
_RESERVED_HEADERS = frozenset({"content-type", "content-encoding", "content-length", "transfer-encoding"})

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN_IN_HEADER_VALUE = re.compile(r"[\r\n\0]")

# The grammar of header lists in variables, and beside it the more liberal one that the official exporter falls back to:
# a value with spaces in it is taken as it stands, not as URL-encoded.
_LIST_SEPARATOR = re.compile(r"[ \t]*,[ \t]*")
_LIST_NAME = r"[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7a\x7c\x7e]+"
_ENCODED_ENTRY = re.compile(rf"({_LIST_NAME})[ \t]*=[ \t]*([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)")
_LIBERAL_ENTRY = re.compile(rf"({_LIST_NAME})[ \t]*=[ \t]*([\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)")


class Configured(NamedTuple):
    """A configured value and where it came from, for error messages: `argument timeout`, or a variable's name."""

    value: str
    source: str


@dataclass(frozen=True)
class Settings:
    """Everything an exporter needs to know, checked."""

    signal: Signal
    endpoint: str
    """Full URL, without credentials: those have become a header."""
    headers: dict[str, str] = field(repr=False)
    """Complete request headers, with lower-case names."""
    timeout: float
    """Seconds for one call of `export`, retries included."""
    compression: Compression
    max_request_size: int
    """Bytes of a request before compression; 0 is no limit."""
    certificate_file: Configured | None
    client_key_file: Configured | None
    client_certificate_file: Configured | None

    @property
    def address(self) -> str:
        """The endpoint for log lines: without the query, where some backends expect a key."""
        url = parse_url(self.endpoint)
        return Url(url.scheme, None, url.host, url.port, url.path).url


def resolve_settings(
    signal: Signal,
    *,
    endpoint: str | None = None,
    certificate_file: str | None = None,
    client_key_file: str | None = None,
    client_certificate_file: str | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    compression: Enum | str | None = None,
    max_request_size: int | None = None,
) -> Settings:
    """Resolve arguments and environment for `signal`. Raises ValueError on anything that cannot be right."""
    url, credentials = _endpoint(signal, endpoint)
    chosen_compression = _compression(signal, compression)
    return Settings(
        signal=signal,
        endpoint=url,
        headers=_headers(signal, headers, credentials, chosen_compression),
        timeout=_timeout(signal, timeout),
        compression=chosen_compression,
        max_request_size=_max_request_size(max_request_size),
        certificate_file=_configured(signal, "certificate_file", certificate_file, "CERTIFICATE"),
        client_key_file=_configured(signal, "client_key_file", client_key_file, "CLIENT_KEY"),
        client_certificate_file=_configured(
            signal, "client_certificate_file", client_certificate_file, "CLIENT_CERTIFICATE"
        ),
    )


def without_credentials(url: str) -> str:
    """Give `url` with what stands before the @ of its authority masked."""
    return re.sub(r"^([^/@]*//)?[^/@]*@", r"\1***@", url)


def _variable_names(signal: Signal, setting: str) -> tuple[str, str]:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{setting}", f"OTEL_EXPORTER_OTLP_{setting}"


def _configured(signal: Signal, argument: str, value: object, setting: str) -> Configured | None:
    if value is not None and value != "":
        if not isinstance(value, (str, os.PathLike)):
            raise ValueError(f"argument {argument}: {value!r} is a {type(value).__name__}, expected a str")
        return Configured(os.fspath(value), f"argument {argument}")
    for variable in _variable_names(signal, setting):
        text = os.environ.get(variable, "").strip()
        if text:
            return Configured(text, variable)
    return None


def _endpoint(signal: Signal, argument: str | None) -> tuple[str, str | None]:
    """Give the URL and the `user:password` that stood in it."""
    _, generic = _variable_names(signal, "ENDPOINT")
    configured = _configured(signal, "endpoint", argument, "ENDPOINT") or Configured(DEFAULT_ENDPOINT, generic)
    text, source = configured
    if source == generic:
        text = f"{text.removesuffix('/')}/v1/{signal}"
    shown = without_credentials(configured.value)
    try:
        url = parse_url(text)
    except urllib3.exceptions.LocationParseError:
        # Without its cause: that message repeats the URL, password included.
        raise ValueError(f"{source}: {shown!r} is not a URL") from None
    if url.scheme not in ("http", "https"):
        raise ValueError(f"{source}: {shown!r} has no scheme http:// or https://")
    if not url.host:
        raise ValueError(f"{source}: {shown!r} has no host")
    return url._replace(auth=None, fragment=None).url, url.auth


def _compression(signal: Signal, argument: Enum | str | None) -> Compression:
    value: object = argument.value if isinstance(argument, Enum) else argument
    source = "argument compression"
    if value is None or value == "":
        configured = _configured(signal, "compression", None, "COMPRESSION")
        if configured is None:
            return Compression.NoCompression
        value, source = configured
    if isinstance(value, str):
        for member in Compression:
            if member.value == value.strip().lower():
                return member
    accepted = ", ".join(repr(member.value) for member in Compression)
    raise ValueError(f"{source}: {value!r} is not supported, expected one of {accepted}")


def _timeout(signal: Signal, argument: object) -> float:
    value, source = argument, "argument timeout"
    if value is None:
        configured = _configured(signal, "timeout", None, "TIMEOUT")
        if configured is None:
            return DEFAULT_TIMEOUT_SECONDS
        value, source = configured
    seconds = math.nan
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except (ValueError, OverflowError):
            seconds = math.nan
    if not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        raise ValueError(f"{source}: {value!r} is not a number of seconds above 0 and up to {MAX_TIMEOUT_SECONDS}")
    return seconds


def _max_request_size(argument: object) -> int:
    if argument is None:
        return DEFAULT_MAX_REQUEST_SIZE
    if not isinstance(argument, int) or isinstance(argument, bool):
        raise ValueError(f"argument max_request_size: {argument!r} is not a number of bytes (int)")
    return max(argument, 0)


def _headers(
    signal: Signal, argument: Mapping[str, str] | None, credentials: str | None, compression: Compression
) -> dict[str, str]:
    own = {"content-type": CONTENT_TYPE}
    if compression is not Compression.NoCompression:
        own["content-encoding"] = compression.value

    headers = {"user-agent": USER_AGENT}
    if credentials is not None:
        headers["authorization"] = f"Basic {b64encode(unquote_to_bytes(credentials)).decode()}"
    for name, value, source in _configured_headers(signal, argument):
        if name not in _RESERVED_HEADERS:
            headers[name] = value
        elif value.lower() != own.get(name):
            _logger.warning("%s: header %s is ignored, it is set by the exporter", source, name)
    return headers | own


def _configured_headers(signal: Signal, argument: Mapping[str, str] | None) -> Iterator[tuple[str, str, str]]:
    """Give (lower-case name, value, source) of every configured header, the ones that win last."""
    configured = _configured(signal, "headers", None, "HEADERS")
    if configured is not None:
        yield from _listed_headers(*configured)
    if argument is None:
        return
    source = "argument headers"
    if not isinstance(argument, Mapping):
        raise ValueError(f"{source}: a {type(argument).__name__}, expected a mapping of str to str")
    for name, value in argument.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"{source}: header {name!r} is a {type(value).__name__}, expected str to str")
        yield _checked_header(name, value, source)


def _listed_headers(text: str, source: str) -> Iterator[tuple[str, str, str]]:
    for position, entry in enumerate(filter(None, _LIST_SEPARATOR.split(text)), start=1):
        if match := _ENCODED_ENTRY.fullmatch(entry.strip()):
            name, value = unquote(match[1]), unquote(match[2])
        elif match := _LIBERAL_ENTRY.fullmatch(entry.strip()):
            name, value = match[1], match[2]
        else:
            # The entry itself stays out of the message: it may be a token whose `name=` was forgotten.
            raise ValueError(
                f"{source}: entry {position} is not of the form name=value with a URL-encoded value (value not shown)"
            )
        yield _checked_header(name.strip(), value.strip(), source)


def _checked_header(name: str, value: str, source: str) -> tuple[str, str, str]:
    """Check here what http.client would refuse at every request, with a message that shows the value."""
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{source}: {name!r} is not a header name")
    problem = "a line break or NUL" if _FORBIDDEN_IN_HEADER_VALUE.search(value) else None
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        problem = "a character outside ISO 8859-1"
    if problem is not None:
        raise ValueError(f"{source}: the value of header {name!r} contains {problem} (value not shown)")
    return name.lower(), value, source
