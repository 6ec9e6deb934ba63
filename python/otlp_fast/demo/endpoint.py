"""Checks the user's own receiver before the demo sends anything to it."""

from __future__ import annotations

import logging
import time

from otlp_fast.demo.errors import DemoError
from otlp_fast.demo.telemetry import path_of
from otlp_fast.exporter.body import Body
from otlp_fast.exporter.client import OTLPClient
from otlp_fast.exporter.http.configuration import resolve_settings
from otlp_fast.exporter.http.transport import HTTPTransport
from otlp_fast.exporter.signals import LOGS, METRICS, TRACES, Signal

_SECONDS_TO_ANSWER = 3.0


def checked_endpoint(endpoint: str) -> str:
    """Give the URL of a receiver without the paths of the signals, having sent it an empty request for each.

    A wrong endpoint is one line now and not a failed demo later. The URL of a signal will do as well.

    Raises:
        DemoError: The URL or a variable for exporters cannot be right, or the receiver did not take a request.
    """
    base = endpoint.rstrip("/")
    for signal in (TRACES, LOGS, METRICS):
        base = base.removesuffix(path_of(signal.name))
    for signal in (TRACES, LOGS, METRICS):
        _send_nothing(base, signal)
    return base


def _send_nothing(base: str, signal: Signal) -> None:
    try:
        settings = resolve_settings(signal, endpoint=base + path_of(signal.name), compression="none")
        transport = HTTPTransport(settings)
    except ValueError as error:
        raise DemoError(str(error)) from None
    client = OTLPClient(transport, signal.name, settings.address, logging.Logger("otlp_fast.demo", logging.CRITICAL))
    outcome = client.send(Body(b"", settings.compression.value), time.monotonic() + _SECONDS_TO_ANSWER)
    client.close()
    if not outcome.delivered:
        raise DemoError(f"{settings.address} does not take {signal.items}: {outcome.explanation}")
