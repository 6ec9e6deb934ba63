"""Resources and scopes: as tables, and spread over the items that they enclose."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from otlp_fast.columns.attributes import Attributes, ValueColumn
from otlp_fast.columns.tables import U32, Table, column
from otlp_fast.columns.text import TextColumn


class WithAttributes(Table):
    """A table whose rows have attributes."""

    @cached_property
    def attributes(self) -> Attributes:
        """The attributes: `attributes["key"]` is a column with a value for each row."""
        return Attributes(self)


class Resources(WithAttributes):
    """The resources of a request, a row for each `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`."""

    _name = "resources"
    schema_url = column[TextColumn]("The schema URL of the resource and what is below it.")
    dropped_attributes_count = column[U32]("How many attributes were dropped.")


class Scopes(WithAttributes):
    """The instrumentation scopes of a request, a row for each `ScopeSpans`, `ScopeLogs` or `ScopeMetrics`."""

    _name = "scopes"
    resource = column[U32]("The row of each scope's resource.")
    name = column[TextColumn]("The name of the library.")
    version = column[TextColumn]("Its version.")
    schema_url = column[TextColumn]("The schema URL of the scope and its items.")
    dropped_attributes_count = column[U32]("How many attributes were dropped.")


class Enclosing:
    """What encloses each item, spread over the items: what is copied are row numbers and codes, not strings.

    Attributes:
        rows: uint32, shape (items,): the row of the enclosing table that each item belongs to.
    """

    def __init__(self, table: Table, rows: U32) -> None:
        """Spread a table over items by their rows in it."""
        self._table = table
        self.rows = rows

    def _make(self, name: str) -> Any:
        return getattr(self._table, name)[self.rows]

    def __repr__(self) -> str:
        """What it is in short."""
        return f"<{type(self).__name__} of {len(self.rows)} items>"


class EnclosingWithAttributes(Enclosing):
    """What encloses each item and has attributes: `enclosing["key"]` is a column with a value for each item."""

    _table: WithAttributes

    def __getitem__(self, key: str) -> ValueColumn:
        """The attribute of a key."""
        return self._table.attributes[key][self.rows]

    def keys(self) -> list[str]:
        """The keys, in the order in which they turn up."""
        return self._table.attributes.keys()

    def __contains__(self, key: object) -> bool:
        """Whether any of them has the key."""
        return key in self._table.attributes

    def __iter__(self) -> Iterator[str]:
        """The keys."""
        return iter(self.keys())


class ResourceOfItems(EnclosingWithAttributes):
    """The resource of each item: `resource["service.name"]`."""

    schema_url = column[TextColumn]("The schema URL of each item's resource.")


class ScopeOfItems(EnclosingWithAttributes):
    """The instrumentation scope of each item: `scope.name`, `scope["key"]`."""

    name = column[TextColumn]("The name of each item's scope.")
    version = column[TextColumn]("The version of each item's scope.")
    schema_url = column[TextColumn]("The schema URL of each item's scope.")
