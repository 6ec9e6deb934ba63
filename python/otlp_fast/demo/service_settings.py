"""What the parent tells a service process; apart from the services, so that the parent need not import the SDK."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceSettings:
    """What a service process is told on its command line."""

    pipeline: str
    """`official` or `otlp_fast`; for `whole_service` also `none`."""
    endpoint: str
    """Of the receiver, without the paths of the signals."""
    compression: str
    database: str
    requests: int = 0
    """How many `whole_service` answers in all its turns."""
    requests_per_turn: int = 0
    burst_spans: int = 0
    """How many its `burst` makes."""
