"""The outline of a request, which is the same for all signals: items by resource and by scope.

Source: the `Export…ServiceRequest` messages below opentelemetry/proto/collector of opentelemetry-proto 1.11, and
`ResourceSpans`, `ScopeSpans` and their like, which give the same numbers to the same fields.
"""

from __future__ import annotations

from typing import Any

from otlp_fast.reference.common import resource, scope
from otlp_fast.reference.fields import optional_string
from otlp_fast.reference.wire import bytes_field


class Groups:
    """Encoded items by resource, then by scope, in first-seen order. What is equal is one group, in its first form."""

    def __init__(self) -> None:
        self._resources: dict[Any, dict[Any, list[bytes]]] = {}

    def scopes(self, of: Any) -> dict[Any, list[bytes]]:
        """The groups of one resource, which is in the request from now on, even without items."""
        return self._resources.setdefault(of, {})

    def items(self, of: Any, scope_of: Any) -> list[bytes]:
        """The items of one scope, which is in the request from now on, even without items."""
        return self.scopes(of).setdefault(scope_of or None, [])

    def request(self) -> bytes:
        """The message: `repeated ResourceSpans resource_spans = 1`, or that of another signal."""
        return b"".join(bytes_field(1, _of_resource(of, scopes)) for of, scopes in self._resources.items())


def _of_resource(of: Any, scopes: dict[Any, list[bytes]]) -> bytes:
    """The content of a `ResourceSpans` or its like: `resource = 1`, `scope_spans = 2`, `schema_url = 3`."""
    return (
        bytes_field(1, resource(of))
        + b"".join(bytes_field(2, _of_scope(scope_of, items)) for scope_of, items in scopes.items())
        + optional_string(3, getattr(of, "schema_url", None))
    )


def _of_scope(of: Any, items: list[bytes]) -> bytes:
    """The content of a `ScopeSpans` or its like: `scope = 1`, `spans = 2`, `schema_url = 3`."""
    return (
        bytes_field(1, scope(of))
        + b"".join(bytes_field(2, item) for item in items)
        + optional_string(3, getattr(of, "schema_url", None))
    )
