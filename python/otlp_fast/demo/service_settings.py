"""What the parent tells a service process; apart from `service`, so that the parent need not import the SDK."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceSettings:
    """What a service process is told on its command line."""

    exporter: str
    """`official` or `otlp_fast`."""
    endpoint: str
    compression: str
    database: str
