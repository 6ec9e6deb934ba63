"""Keeps an exporter's own requests out of the traces.

Instrumentations look for a key in the current context before they start a span. opentelemetry-api names that key in
private constants (the same ones from 1.27 to 1.45), older instrumentations look for the plain string; all are set
here. `opentelemetry.instrumentation.utils.suppress_instrumentation` does the same but lives in a package that need
not be installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context

_KEYS = (
    "suppress_instrumentation",
    *(
        getattr(context, name)
        for name in ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY")
        if hasattr(context, name)
    ),
)


@contextmanager
def instrumentation_suppressed() -> Iterator[None]:
    """Run the body of the `with` statement in a context in which instrumentations start no spans."""
    suppressed = context.get_current()
    for key in _KEYS:
        suppressed = context.set_value(key, True, suppressed)
    token = context.attach(suppressed)
    try:
        yield
    finally:
        context.detach(token)
