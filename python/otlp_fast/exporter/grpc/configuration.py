"""Configuration of the gRPC exporters.

The target is the host and port of an `http://` or `https://` URL, which has no path in gRPC, or a name in gRPC's own
notation: `collector:4317`, `unix:///run/collector.sock`, `dns:///collector:4317`.

Whether the connection is encrypted follows the official exporter: always for https, else as the argument `insecure`
says, or OTEL_EXPORTER_OTLP_TRACES_INSECURE, or OTEL_EXPORTER_OTLP_INSECURE, and else for everything but http.

Specification: https://opentelemetry.io/docs/specs/otel/protocol/exporter/,
https://github.com/grpc/grpc/blob/master/doc/naming.md
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

import grpc

from otlp_fast.exporter.configuration import (
    Compression,
    Configured,
    HeaderRules,
    Settings,
    configured,
    from_variables,
    resolve_compression,
    resolve_count,
    resolve_headers,
    resolve_timeout,
    variable_names,
    without_credentials,
)
from otlp_fast.exporter.grpc.credentials import resolve_credentials
from otlp_fast.exporter.signals import Signal

_logger = logging.getLogger(__name__)

DEFAULT_ENDPOINT = "http://localhost:4317"
DEFAULT_PORT = 443
"""What gRPC takes where a target names none."""

DEFAULT_MAX_REQUEST_SIZE = 4 * 1024 * 1024
"""Receivers refuse larger messages, unless they are told otherwise: 4 MiB is gRPC's default."""

RETRYABLE_CODES_VARIABLE = "OTEL_PYTHON_EXPORTER_OTLP_GRPC_RETRYABLE_ERROR_CODES"

# How gRPC's own notation begins. Without the list, the host of `localhost:4317` would be taken for a scheme.
_NAME_SCHEMES = ("unix", "unix-abstract", "dns", "ipv4", "ipv6", "vsock", "xds")

_COMPRESSIONS = (Compression.NoCompression, Compression.Gzip)

_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def _value_problem(value: str) -> str | None:
    return "a character that is not printable ASCII" if _NOT_ASCII.search(value) else None


_HEADER_RULES = HeaderRules(
    # A name that ends in -bin is one of binary metadata, which has bytes for a value.
    name=re.compile(r"(?!.*-bin$)[0-9a-z_.\-]+"),
    value_problem=_value_problem,
    reserved=re.compile(r"content-type|grpc-.*"),
)


@dataclass(frozen=True)
class GRPCSettings(Settings):
    """Everything a gRPC exporter needs to know, checked. The endpoint is a target as gRPC names it."""

    credentials: grpc.ChannelCredentials | None = field(repr=False)
    """None for a connection that is not encrypted."""
    channel_options: tuple[tuple[str, object], ...]
    """What the user wants other than the exporter would have it."""
    retryable_codes: frozenset[grpc.StatusCode] | None
    """What the user wants to be retried; None for what the specification says."""


def resolve_settings(
    signal: Signal,
    *,
    endpoint: str | None = None,
    insecure: bool | None = None,
    credentials: grpc.ChannelCredentials | None = None,
    headers: Sequence[tuple[str, str]] | Mapping[str, str] | str | None = None,
    timeout: float | None = None,
    compression: grpc.Compression | Enum | str | None = None,
    channel_options: Sequence[tuple[str, object]] | None = None,
    retryable_error_codes: Iterable[grpc.StatusCode] | None = None,
    max_request_size: int | None = None,
) -> GRPCSettings:
    """Resolve arguments and environment for `signal`. Raises ValueError on anything that cannot be right."""
    setting = configured(signal, "endpoint", endpoint, "ENDPOINT")
    target = _target(setting or Configured(DEFAULT_ENDPOINT, variable_names(signal, "ENDPOINT")[1]))
    is_insecure = _is_insecure(signal, target, insecure)
    if is_insecure and credentials is not None:
        _logger.warning(
            "argument credentials: not used, as the connection is not encrypted; say https:// or insecure=False"
        )
    return GRPCSettings(
        signal=signal,
        endpoint=target.name,
        address=target.name,
        server=target.server,
        headers=resolve_headers(signal, _header_pairs(headers), target.credentials, {}, _HEADER_RULES),
        timeout=resolve_timeout(signal, timeout),
        compression=resolve_compression(signal, _named(compression), _COMPRESSIONS),
        max_request_size=resolve_count("max_request_size", max_request_size, DEFAULT_MAX_REQUEST_SIZE, "bytes"),
        credentials=None if is_insecure else resolve_credentials(signal, credentials),
        channel_options=_channel_options(channel_options),
        retryable_codes=_retryable_codes(retryable_error_codes),
    )


@dataclass(frozen=True)
class _Target:
    name: str
    scheme: str
    """`http`, `https`, or nothing."""
    server: tuple[str, int | None]
    credentials: str | None = None


def _target(setting: Configured) -> _Target:
    text, source = setting
    shown = without_credentials(text)
    scheme, has_scheme, rest = text.partition("://")
    if text.startswith(tuple(f"{name}:" for name in _NAME_SCHEMES)):
        return _Target(text, "", (text.partition(":")[2].lstrip("/"), None))
    if has_scheme and scheme.lower() not in ("http", "https"):
        accepted = ", ".join(f"{name}:" for name in _NAME_SCHEMES)
        raise ValueError(f"{source}: {shown!r} has an unknown scheme, expected http://, https://, {accepted} or none")
    try:
        url = urlsplit(f"//{rest if has_scheme else text}")
        host, port = url.hostname, url.port
    except ValueError:
        # Without its cause, which may repeat a password.
        raise ValueError(f"{source}: {shown!r} is not a host and port") from None
    if not host:
        raise ValueError(f"{source}: {shown!r} has no host")
    if url.path.strip("/"):
        _logger.warning("%s: path %s of %r is ignored, gRPC has none", source, url.path, shown)
    credentials, _, name = url.netloc.rpartition("@")
    return _Target(name, scheme.lower() if has_scheme else "", (host, port or DEFAULT_PORT), credentials or None)


def _is_insecure(signal: Signal, target: _Target, argument: object) -> bool:
    if argument is not None and not isinstance(argument, bool):
        raise ValueError(f"argument insecure: {argument!r} is not True or False")
    setting = from_variables(variable_names(signal, "INSECURE"))
    if setting is not None and setting.value.lower() not in ("true", "false"):
        raise ValueError(f"{setting.source}: {setting.value!r} is not true or false")
    if target.scheme == "https":
        return False
    if argument is not None:
        return argument
    if setting is not None:
        return setting.value.lower() == "true"
    return target.scheme == "http"


def _header_pairs(headers: object) -> Iterable[tuple[object, object]] | str | None:
    if headers is None or isinstance(headers, str):
        return headers
    if isinstance(headers, Mapping):
        return headers.items()
    pairs = tuple(headers) if isinstance(headers, Iterable) else (headers,)
    if not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        raise ValueError("argument headers: expected a mapping, pairs of name and value, or a str like `name=value`")
    return pairs


def _named(compression: object) -> Enum | str | None:
    """Give gRPC's own members by their names: their values are numbers."""
    if isinstance(compression, grpc.Compression):
        return "none" if compression is grpc.Compression.NoCompression else compression.name.lower()
    return compression  # type: ignore[return-value]  # what is neither is refused with the value in the message


def _channel_options(argument: object) -> tuple[tuple[str, object], ...]:
    options = tuple(argument) if isinstance(argument, Iterable) and not isinstance(argument, str) else argument
    if options is None:
        return ()
    if not isinstance(options, tuple) or not all(
        isinstance(option, (tuple, list)) and len(option) == 2 and isinstance(option[0], str) for option in options
    ):
        raise ValueError(f"argument channel_options: {argument!r} is not a sequence of pairs (name, value)")
    return tuple((name, value) for name, value in options)


def _retryable_codes(argument: Iterable[grpc.StatusCode] | str | None) -> frozenset[grpc.StatusCode] | None:
    source = "argument retryable_error_codes"
    names: Iterable[object]
    if argument is None or isinstance(argument, str):
        setting = Configured(argument, source) if argument else from_variables([RETRYABLE_CODES_VARIABLE])
        if setting is None:
            return None
        source = setting.source
        names = filter(None, (name.strip() for name in setting.value.split(",")))
    else:
        names = argument
    return frozenset(_status_code(name, source) for name in names)


def _status_code(code: object, source: str) -> grpc.StatusCode:
    if isinstance(code, grpc.StatusCode):
        return code
    if isinstance(code, str) and code.upper() in grpc.StatusCode.__members__:
        return grpc.StatusCode[code.upper()]
    raise ValueError(f"{source}: {code!r} is not a gRPC status code")
