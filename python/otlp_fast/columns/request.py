"""What traces, logs and metrics have in common: a decoded request, which is a table of its items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from otlp_fast import _core
from otlp_fast._decode import BytesLike
from otlp_fast.columns.groups import ResourceOfItems, Resources, ScopeOfItems, Scopes, WithAttributes
from otlp_fast.columns.items import InstrumentationScope, Resource
from otlp_fast.columns.tables import U32, Column, column_of

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import Self

Item = TypeVar("Item")

# What was decoded once is not hostile: a part of it, or several requests as one, are read without limits of the user's.
TRUSTED = {"max_bytes": 2**31 - 1, "max_items": 2**32 - 1, "max_depth": 500}


class Request(WithAttributes, Generic[Item]):
    """A decoded request: columns with a row for each item, and the items one by one.

    Columns are NumPy arrays, read-only views of memory that the native module made: they cost nothing to ask for, and
    keep that memory alive by themselves. `request[3]` and iteration give items, `request[10:20]` and `filter` requests.
    """

    _signal: ClassVar[str]
    _tables: ClassVar[tuple[str, ...]]
    """Its tables, see docs/columns.md."""

    @classmethod
    def decode(
        cls, data: BytesLike, *, max_bytes: int = 2**30, max_items: int = 50_000_000, max_depth: int = 100
    ) -> Self:
        """Decode a request; see `otlp_fast.decode_traces`."""
        limits = {"max_bytes": max_bytes, "max_items": max_items, "max_depth": max_depth}
        return cls(_core.decode(data, cls._signal, **limits))

    def to_bytes(self) -> bytes:
        """The request: the identical bytes, unknown fields and all, where it was decoded from bytes."""
        return self._columns.to_bytes()

    def filter(self, mask: npt.ArrayLike) -> Self:
        """The request with only the items whose `mask` is true.

        Items are copied as bytes. What encloses them stays as it is; resources, scopes and metrics without items are
        left out. Where all are wanted it is the same request.

        Args:
            mask: bool, shape (items,).

        Raises:
            TypeError: `mask` is not bool.
            ValueError: `mask` has another shape.
        """
        wanted = np.asarray(mask)
        if wanted.dtype != bool and wanted.size:
            raise TypeError(f"a mask is an array of bool, not of {wanted.dtype}")
        if wanted.shape != (len(self),):
            raise ValueError(f"a mask for {len(self)} items has the shape ({len(self)},), not {wanted.shape}")
        return self if wanted.all() else self.decode(self._columns.select(wanted.astype(bool).tobytes()), **TRUSTED)

    @classmethod
    def concat(cls, requests: Iterable[Self]) -> Self:
        """The items of several requests, one request after the other, as one.

        Resources and scopes are those of the parts: equal ones are not joined.
        """
        return cls.decode(b"".join(request.to_bytes() for request in requests), **TRUSTED)

    def table(self, name: str) -> dict[str, Column]:
        """All columns of a table by their names, both as docs/columns.md has them.

        Raises:
            KeyError: this signal has no such table.
        """
        if name not in self._tables:
            raise KeyError(f"no table {name!r}: {self._signal} have {', '.join(self._tables)}")
        owner, dot, _ = name.rpartition(".")
        found = self._columns.attributes(owner) if dot else self._columns.table(name)
        contents = (found or {}) | ({} if dot else self._columns.further(name) or {})
        return {column: column_of(content) for column, content in contents.items()}

    def tables(self) -> dict[str, dict[str, Column]]:
        """All tables by their names: what the function that writes this signal takes."""
        return {name: self.table(name) for name in self._tables}

    @cached_property
    def resources(self) -> Resources:
        """The resources, a row for each."""
        return Resources(self._columns)

    @cached_property
    def scopes(self) -> Scopes:
        """The instrumentation scopes, a row for each."""
        return Scopes(self._columns)

    @abstractmethod
    def _scope_rows(self) -> U32:
        """The scope of each item."""

    @cached_property
    def scope(self) -> ScopeOfItems:
        """The scope of each item: `scope.name`, `scope["key"]`, a row for each item."""
        return ScopeOfItems(self.scopes, self._scope_rows())

    @cached_property
    def resource(self) -> ResourceOfItems:
        """The resource of each item: `resource["service.name"]`, a row for each item."""
        return ResourceOfItems(self.resources, self.scopes.resource[self.scope.rows])

    @cached_property
    def _known_scopes(self) -> dict[int, tuple[Resource, InstrumentationScope]]:
        return {}

    def _enclosing(self, scope: int) -> tuple[Resource, InstrumentationScope]:
        """A scope and its resource as objects: the same ones for all items."""
        known = self._known_scopes.get(scope)
        if known is None:
            row = int(self.scopes.resource[scope])
            resource = self._columns.row("resources", row)
            library = self._columns.row("scopes", scope)
            known = self._known_scopes[scope] = (
                Resource(resource.get("attributes", {}), self.resources.schema_url[row]),
                InstrumentationScope(
                    library.get("name", ""),
                    library.get("version", ""),
                    self.scopes.schema_url[scope],
                    library.get("attributes", {}),
                ),
            )
        return known

    @abstractmethod
    def _item(self, index: int) -> Item:
        """The item of a row."""

    def __len__(self) -> int:
        """The number of items."""
        return len(self._columns)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Item | Self:
        """An item, or the request with some of them, in their order."""
        if not isinstance(index, slice):
            return self._item(range(len(self))[index])
        if index.step is not None and index.step < 0:
            raise ValueError("a request keeps the order of its items: the step of a slice must be positive")
        mask = np.zeros(len(self), dtype=bool)
        mask[index] = True
        return self.filter(mask)

    def __iter__(self) -> Iterator[Item]:
        """The items."""
        return map(self._item, range(len(self)))

    def to_arrow(self) -> pyarrow.Table:
        """The request as a pyarrow Table, see `otlp_fast.columns.arrow`.

        Raises:
            EncodeError: resources and scopes, copied to their items, would take more than 256 MiB and 64 times the
                length of the request.
        """
        from otlp_fast.columns import arrow

        return arrow.to_arrow(self)

    @classmethod
    def from_arrow(cls, table: Any) -> Self:
        """A request of a table in the form that `to_arrow` gives, see `otlp_fast.columns.arrow`.

        Args:
            table: a pyarrow Table, or anything else with `__arrow_c_stream__`: a polars DataFrame, a DuckDB relation.

        Raises:
            EncodeError: a column has another type or does not fit the others.
        """
        from otlp_fast.columns import arrow

        return cls.decode(arrow.to_request(table, cls._signal), **TRUSTED)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """`to_arrow` through the Arrow PyCapsule interface: polars and DuckDB read a request as it is."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        """The request in short."""
        return f"<{type(self).__name__} of {len(self)} {self._name.replace('_', ' ')}, {len(self.resources)} resources>"
