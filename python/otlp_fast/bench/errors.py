"""What stops the benchmarks, or one figure of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version


class BenchError(Exception):
    """The benchmarks cannot go on; the message is one line for the user."""


class RivalError(Exception):
    """A rival cannot do what is asked of it, so there is nothing to compare with."""


class OldSdkError(Exception):
    """The SDK that is installed has not what is needed of it."""


@contextmanager
def made_for_newer_sdk() -> Iterator[None]:
    """Turn what an import raises under a release of the SDK that lacks something into an `OldSdkError`."""
    try:
        yield
    except (ImportError, AttributeError, TypeError) as error:
        installed = f"opentelemetry-sdk {version('opentelemetry-sdk')}"
        raise OldSdkError(
            f"{installed} is too old for it ({error}): pip install --upgrade 'otlp-fast[bench]'"
        ) from error


@contextmanager
def asked_of(rival: str) -> Iterator[None]:
    """Turn whatever the code of a rival raises into a `RivalError` that names it."""
    try:
        yield
    except Exception as error:
        raise RivalError(f"{rival} fails on it: {type(error).__name__}: {error}") from error
