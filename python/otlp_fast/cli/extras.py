"""Says in one line which extra a command needs, where it is not installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

import click


def require_extra(extra: str, modules: Iterable[str], command: str) -> None:
    """Check that `modules` can be found, without importing more of them than their parent packages.

    Raises:
        click.ClickException: One cannot: the message names it and the extra that has it.
    """
    for module in modules:
        try:
            found = find_spec(module) is not None
        except ImportError:
            found = False
        if not found:
            raise click.ClickException(
                f"'otlp-fast {command}' needs the module {module}, which is not installed: "
                f"pip install 'otlp-fast[{extra}]'"
            )
