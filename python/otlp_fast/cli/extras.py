"""Says which extra is needed, where it is not installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import click


def require_extra(extra: str, modules: Iterable[str], command: str) -> None:
    """Check that `modules` can be found, without importing more of them than their parent packages.

    Raises:
        click.ClickException: One cannot: the message names it and the extra that has it.
    """
    missing = missing_extra(extra, modules)
    if missing is not None:
        raise click.ClickException(f"'otlp-fast {command}' needs {missing}")


def missing_extra(extra: str, modules: Iterable[str]) -> str | None:
    """Name the first of `modules` that cannot be found and the extra that has it; None where all are there."""
    for module in modules:
        try:
            found = find_spec(module) is not None
        except ImportError:
            found = False
        if not found:
            return f"the module {module}, which is not installed: pip install 'otlp-fast[{extra}]'"
    return None
