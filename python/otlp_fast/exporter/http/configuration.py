"""Configuration of the HTTP exporters.

The generic endpoint is a base to which `v1/<signal>` is appended; the argument and the variable of the signal are
used as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import urllib3
from urllib3.util import Url, parse_url

from otlp_fast.exporter.configuration import (
    Compression,
    Configured,
    HeaderRules,
    Settings,
    configured,
    resolve_compression,
    resolve_count,
    resolve_headers,
    resolve_timeout,
    variable_names,
    without_credentials,
)
from otlp_fast.exporter.signals import Signal

DEFAULT_ENDPOINT = "http://localhost:4318"
DEFAULT_MAX_REQUEST_SIZE = 64 * 1024 * 1024
DEFAULT_PORTS = {"http": 80, "https": 443}

CONTENT_TYPE = "application/x-protobuf"

_FORBIDDEN_IN_HEADER_VALUE = re.compile(r"[\r\n\0]")


def _value_problem(value: str) -> str | None:
    """Say what http.client would refuse at every request, with a message that shows the value."""
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return "a character outside ISO 8859-1"
    return "a line break or NUL" if _FORBIDDEN_IN_HEADER_VALUE.search(value) else None


# What describes the body is the exporter's to say: a request that lies about its own encoding or length cannot be read.
_HEADER_RULES = HeaderRules(
    name=re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+"),
    value_problem=_value_problem,
    reserved=re.compile(r"content-type|content-encoding|content-length|transfer-encoding"),
)


@dataclass(frozen=True)
class HTTPSettings(Settings):
    """Everything an HTTP exporter needs to know, checked. The endpoint is a full URL."""

    certificate_file: Configured | None
    client_key_file: Configured | None
    client_certificate_file: Configured | None


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
) -> HTTPSettings:
    """Resolve arguments and environment for `signal`. Raises ValueError on anything that cannot be right."""
    url = _endpoint(signal, endpoint)
    without_secrets = url._replace(auth=None, fragment=None)
    chosen_compression = resolve_compression(signal, compression, Compression)
    own_headers = {"content-type": CONTENT_TYPE}
    if chosen_compression is not Compression.NoCompression:
        own_headers["content-encoding"] = chosen_compression.value
    if headers is not None and not isinstance(headers, Mapping):
        raise ValueError(f"argument headers: a {type(headers).__name__}, expected a mapping of str to str")
    return HTTPSettings(
        signal=signal,
        endpoint=without_secrets.url,
        address=Url(url.scheme, None, url.host, url.port, url.path).url,
        server=((url.host or "").strip("[]"), url.port or DEFAULT_PORTS[url.scheme or "http"]),
        headers=resolve_headers(signal, headers.items() if headers else None, url.auth, own_headers, _HEADER_RULES),
        timeout=resolve_timeout(signal, timeout),
        compression=chosen_compression,
        max_request_size=resolve_count("max_request_size", max_request_size, DEFAULT_MAX_REQUEST_SIZE, "bytes"),
        certificate_file=configured(signal, "certificate_file", certificate_file, "CERTIFICATE"),
        client_key_file=configured(signal, "client_key_file", client_key_file, "CLIENT_KEY"),
        client_certificate_file=configured(
            signal, "client_certificate_file", client_certificate_file, "CLIENT_CERTIFICATE"
        ),
    )


def _endpoint(signal: Signal, argument: str | None) -> Url:
    _, generic = variable_names(signal, "ENDPOINT")
    setting = configured(signal, "endpoint", argument, "ENDPOINT") or Configured(DEFAULT_ENDPOINT, generic)
    text, source = setting
    if source == generic:
        text = f"{text.removesuffix('/')}/v1/{signal.name}"
    shown = without_credentials(setting.value)
    try:
        url = parse_url(text)
    except urllib3.exceptions.LocationParseError:
        # Without its cause: that message repeats the URL, password included.
        raise ValueError(f"{source}: {shown!r} is not a URL") from None
    if url.scheme not in DEFAULT_PORTS:
        raise ValueError(f"{source}: {shown!r} has no scheme http:// or https://")
    if not url.host:
        raise ValueError(f"{source}: {shown!r} has no host")
    return url
