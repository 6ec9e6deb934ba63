"""Exporter configuration: what both transports read alike from arguments and OTEL_EXPORTER_OTLP_* variables.

An argument comes before the variable of the signal (OTEL_EXPORTER_OTLP_TRACES_TIMEOUT), which comes before the
generic one (OTEL_EXPORTER_OTLP_TIMEOUT). An empty argument or variable counts as unset. Headers of the argument are
merged over those of a variable.

Where the official exporters log a warning and go on with a default, this raises ValueError: an exporter that
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from otlp_fast import __version__
from otlp_fast.exporter.signals import Signal

_logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT_SECONDS = 10.0
# What a socket can be told to wait: 31 bits of milliseconds, 24 days.
MAX_TIMEOUT_SECONDS = (2**31 - 1) // 1000
DEFAULT_SPOOL_BYTES = 1024 * 1024 * 1024

USER_AGENT = f"OTel-OTLP-Exporter-Python-otlp-fast/{__version__}"

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


class Compression(Enum):
    """How requests are compressed: the values of OTEL_EXPORTER_OTLP_COMPRESSION."""

    NoCompression = "none"
    Gzip = "gzip"
    Zstd = "zstd"
    Lz4 = "lz4"
    Tracezip = "tracezip"


@dataclass(frozen=True)
class Settings:
    """What an exporter needs to know whatever its transport is, checked."""

    signal: Signal
    endpoint: str
    """Where to send to, without credentials: those have become a header."""
    address: str
    """The endpoint for log lines: without a query, where some backends expect a key."""
    server: tuple[str, int | None]
    """Host and port of the endpoint, for metrics."""
    headers: dict[str, str] = field(repr=False)
    """Complete request headers, with lower-case names."""
    timeout: float
    """Seconds for one call of `export`, retries included."""
    compression: Compression
    max_request_size: int
    """Bytes of a request before compression; 0 is no limit."""


class HeaderRules(NamedTuple):
    """What a transport can send in a header."""

    name: re.Pattern[str]
    """Of the lower-case name."""
    value_problem: Callable[[str], str | None]
    """Gives what a value must not contain but does, in words."""
    reserved: re.Pattern[str]
    """Names that are the exporter's to set."""


def without_credentials(url: str) -> str:
    """Give `url` with what stands before its last @ masked: a password may hold an @ or a / that is not encoded."""
    return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1***@", url, flags=re.DOTALL)


def variable_names(signal: Signal, setting: str) -> tuple[str, str]:
    """Give the variable of the signal and the generic one for `setting`."""
    return f"OTEL_EXPORTER_OTLP_{signal.name.upper()}_{setting}", f"OTEL_EXPORTER_OTLP_{setting}"


def configured(signal: Signal, argument: str, value: object, setting: str) -> Configured | None:
    """Give the text that was configured for `argument`, or None where nothing was."""
    if value is not None and value != "":
        if not isinstance(value, (str, os.PathLike)):
            raise ValueError(f"argument {argument}: {value!r} is a {type(value).__name__}, expected a str")
        return Configured(os.fspath(value), f"argument {argument}")
    return from_variables(variable_names(signal, setting))


def from_variables(variables: Iterable[str]) -> Configured | None:
    """Give the value of the first of `variables` that is set and not empty."""
    for variable in variables:
        text = os.environ.get(variable, "").strip()
        if text:
            return Configured(text, variable)
    return None


def resolve_compression(signal: Signal, argument: Enum | str | None, supported: Iterable[Compression]) -> Compression:
    """Give the compression of requests, which must be one of those that the transport has."""
    value: object = argument.value if isinstance(argument, Enum) else argument
    source = "argument compression"
    if value is None or value == "":
        setting = configured(signal, "compression", None, "COMPRESSION")
        if setting is None:
            return Compression.NoCompression
        value, source = setting
    if isinstance(value, str):
        for member in supported:
            if member.value == value.strip().lower():
                return member
    accepted = ", ".join(repr(member.value) for member in supported)
    raise ValueError(f"{source}: {value!r} is not supported, expected one of {accepted}")


def resolve_timeout(signal: Signal, argument: object) -> float:
    """Give the seconds for one call of `export`."""
    value, source = argument, "argument timeout"
    if value is None:
        setting = configured(signal, "timeout", None, "TIMEOUT")
        if setting is None:
            return DEFAULT_TIMEOUT_SECONDS
        value, source = setting
    seconds = math.nan
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            seconds = float(value)
        except (ValueError, OverflowError):
            seconds = math.nan
    if not 0 < seconds <= MAX_TIMEOUT_SECONDS:
        raise ValueError(f"{source}: {value!r} is not a number of seconds above 0 and up to {MAX_TIMEOUT_SECONDS}")
    return seconds


def resolve_count(argument: str, value: object, default: int, unit: str) -> int:
    """Give a limit, where None is the default and 0 or less is no limit, which is 0."""
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"argument {argument}: {value!r} is not a number of {unit} (int)")
    return max(value, 0)


def resolve_headers(
    signal: Signal,
    argument: Iterable[tuple[object, object]] | str | None,
    credentials: str | None,
    own: Mapping[str, str],
    rules: HeaderRules,
) -> dict[str, str]:
    """Give the complete headers, with lower-case names.

    Args:
        signal: Whose variables are read.
        argument: Pairs of name and value, or a list in the form of the variables.
        credentials: The `user:password` of the endpoint.
        own: What the exporter sets, whatever was configured.
        rules: What the transport can send.
    """
    headers = {"user-agent": USER_AGENT}
    if credentials is not None:
        headers["authorization"] = f"Basic {b64encode(unquote_to_bytes(credentials)).decode()}"
    for name, value, source in _configured_headers(signal, argument, rules):
        if not rules.reserved.fullmatch(name):
            headers[name] = value
        elif value.lower() != own.get(name):
            _logger.warning("%s: header %s is ignored, it is set by the exporter", source, name)
    return {**headers, **own}


def _configured_headers(
    signal: Signal, argument: Iterable[tuple[object, object]] | str | None, rules: HeaderRules
) -> Iterator[tuple[str, str, str]]:
    """Give (lower-case name, value, source) of every configured header, the ones that win last."""
    setting = configured(signal, "headers", None, "HEADERS")
    if setting is not None:
        yield from _listed_headers(*setting, rules)
    source = "argument headers"
    if isinstance(argument, str):
        yield from _listed_headers(argument, source, rules)
        return
    for name, value in argument or ():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError(f"{source}: header {name!r} is a {type(value).__name__}, expected str to str")
        yield _checked_header(name, value, source, rules)


def _listed_headers(text: str, source: str, rules: HeaderRules) -> Iterator[tuple[str, str, str]]:
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
        yield _checked_header(name.strip(), value.strip(), source, rules)


def _checked_header(name: str, value: str, source: str, rules: HeaderRules) -> tuple[str, str, str]:
    """Check here what the transport would refuse at every request, with a message that shows the value."""
    if not rules.name.fullmatch(name.lower()):
        raise ValueError(f"{source}: {name!r} is not a header name")
    problem = rules.value_problem(value)
    if problem is not None:
        raise ValueError(f"{source}: the value of header {name!r} contains {problem} (value not shown)")
    return name.lower(), value, source
