"""Processor configuration: what arguments and the variables OTEL_BSP_* and OTEL_BLRP_* say, checked.

An argument comes before the variable. An empty variable counts as unset. Where the official processors log a variable
that is not a number and go on with a default, this raises ValueError, as for everything else that cannot be right;
every message names the argument or variable and the value.

Specification: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import NamedTuple

from otlp_fast.exporter.configuration import MAX_TIMEOUT_SECONDS, from_variables

DEFAULT_MAX_QUEUE_SIZE = 131_072
"""Items. The specification's 2048 are less than a second of a busy service; what bounds memory here are bytes."""

DEFAULT_MAX_EXPORT_BATCH_SIZE = 512
DEFAULT_EXPORT_TIMEOUT_MILLIS = 30_000
DEFAULT_MAX_QUEUE_BYTES = 64 * 1024 * 1024

_MAX_MILLIS = MAX_TIMEOUT_SECONDS * 1000


@dataclass(frozen=True)
class BatchSettings:
    """Everything a batch processor needs to know, checked."""

    max_queue_size: int
    """Items in the queue at most."""
    max_queue_bytes: int
    """Bytes in the queue at most."""
    max_export_batch_size: int
    """Items in a request at most."""
    schedule_delay: float
    """Seconds after which an item is handed to the exporter at the latest, while that one keeps up."""
    export_timeout: float
    """Seconds for one request; infinite where only the exporter's own timeout holds."""


class _Number(NamedTuple):
    value: float
    source: str
    """`argument max_queue_size`, or a variable's name."""


def resolve_settings(
    prefix: str,
    *,
    max_queue_size: object,
    schedule_delay_millis: object,
    max_export_batch_size: object,
    export_timeout_millis: object,
    max_queue_bytes: object,
    default_schedule_delay_millis: float,
) -> BatchSettings:
    """Give the settings from arguments, and from the variables that begin with `prefix` (`OTEL_BSP`)."""
    queue_size = _count("max_queue_size", max_queue_size, f"{prefix}_MAX_QUEUE_SIZE", DEFAULT_MAX_QUEUE_SIZE)
    batch_size = _count(
        "max_export_batch_size",
        max_export_batch_size,
        f"{prefix}_MAX_EXPORT_BATCH_SIZE",
        DEFAULT_MAX_EXPORT_BATCH_SIZE,
    )
    if batch_size.value > queue_size.value:
        raise ValueError(
            f"{batch_size.source}: {batch_size.value} must be less than or equal to the {queue_size.value} of"
            f" {queue_size.source}"
        )
    delay = _millis(
        "schedule_delay_millis", schedule_delay_millis, f"{prefix}_SCHEDULE_DELAY", default_schedule_delay_millis
    )
    if delay.value == 0:
        raise ValueError(f"{delay.source}: {delay.value} is not a positive number of milliseconds")
    timeout = _millis(
        "export_timeout_millis", export_timeout_millis, f"{prefix}_EXPORT_TIMEOUT", DEFAULT_EXPORT_TIMEOUT_MILLIS
    )
    return BatchSettings(
        max_queue_size=int(queue_size.value),
        max_queue_bytes=int(_count("max_queue_bytes", max_queue_bytes, None, DEFAULT_MAX_QUEUE_BYTES).value),
        max_export_batch_size=int(batch_size.value),
        schedule_delay=delay.value / 1000,
        export_timeout=timeout.value / 1000 or math.inf,
    )


def _count(argument: str, value: object, variable: str | None, default: int) -> _Number:
    number = _configured(argument, value, variable, default)
    if not (isinstance(number.value, int) and 0 < number.value <= sys.maxsize):
        raise ValueError(f"{number.source}: {number.value!r} is not a positive integer")
    return number


def _millis(argument: str, value: object, variable: str, default: float) -> _Number:
    number = _configured(argument, value, variable, default)
    if not 0 <= number.value <= _MAX_MILLIS:
        raise ValueError(f"{number.source}: {number.value!r} is not a number of milliseconds up to {_MAX_MILLIS}")
    return number


def _configured(argument: str, value: object, variable: str | None, default: float) -> _Number:
    source = f"argument {argument}"
    if value is None and variable is not None and (setting := from_variables((variable,))) is not None:
        value, source = _parsed(setting.value), variable
    if value is None:
        value = default
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(f"{source}: {value!r} is not a number")
    return _Number(value, source)


def _parsed(text: str) -> int | float | str:
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text
