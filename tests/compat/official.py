"""The official encoders, as far as they differ from release to release."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

SHOWN = (1, 45)
"""The release that the tests show the losses of, and any after it, so that one which mends a loss is noticed."""

RELEASE = tuple(int(number) for number in version("opentelemetry-exporter-otlp-proto-common").split(".")[:2])


def assert_official_encoder_loses_the_batch(encode: Callable[[Any], Any], batch: Any) -> None:
    """It gives no bytes; older releases, which take some of what later ones refuse, are not asked."""
    if RELEASE >= SHOWN:
        with pytest.raises(Exception):  # noqa: B017 - which one differs from field to field
            encode(batch).SerializeToString()
