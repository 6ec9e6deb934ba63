"""What the demo's processes find: the same for all, so that nothing but the pipeline differs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from otlp_fast.demo.database import create_database
from otlp_fast.demo.service_settings import ServiceSettings

if TYPE_CHECKING:
    from otlp_fast.demo.child import Child


@dataclass(frozen=True)
class Surroundings:
    """Where a service sends its telemetry, and what it is started with."""

    endpoint: str
    compression: str
    environment: Mapping[str, str]
    receiver: Child | None
    """None where the endpoint is the user's."""
    folder: Path
    """For databases; it is removed when the demo ends."""

    def settings(self, pipeline: str, name: str) -> ServiceSettings:
        """Make a fresh database, called `name`, and give the settings of a service with `pipeline`."""
        database = self.folder / f"{name}.sqlite"
        create_database(database)
        return ServiceSettings(pipeline, self.endpoint, self.compression, str(database))

    def take_counts(self) -> Mapping[str, Mapping[str, Any]] | None:
        """Give what the demo's receiver counted since the last call, or None where there is none."""
        return None if self.receiver is None else self.receiver.ask("take")


def child_environment(*, own_receiver: bool) -> dict[str, str]:
    """Give the environment of the child processes, without what would make one demo differ from another.

    The variables of OpenTelemetry and of proxies are taken away; for an endpoint of the user's those stay that are
    about reaching it. PYTHONSAFEPATH keeps modules in the current folder from standing in for those that are meant;
    by a hash seed of their own, two equal processes would lay out their dicts differently, and one be faster.
    """
    environment = {"PYTHONSAFEPATH": "1", "PYTHONHASHSEED": "0"}
    for name, value in os.environ.items():
        if name.startswith("OTEL_EXPORTER_OTLP_") or name.lower().endswith("_proxy"):
            kept = not own_receiver
        else:
            kept = not name.startswith("OTEL_")
        if kept:
            environment[name] = value
    return environment
