"""What items of all signals have in common.

Items are for the few rows that somebody looks at. Each is read from the request when it is asked for, and has the names
that opentelemetry-sdk gives to its fields.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar, overload

if TYPE_CHECKING:
    from otlp_fast.columns.request import Request

T = TypeVar("T")

Attributes = dict[str, Any]
"""Keys and values: str, bool, int, float, bytes, list, dict, or None for an empty value."""


class OpenEnum(IntEnum):
    """An enum of OTLP. A number that this version of OTLP does not know is a member `UNKNOWN_<number>`."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return member


class Resource(NamedTuple):
    """What produced the telemetry."""

    attributes: Attributes
    schema_url: str


class InstrumentationScope(NamedTuple):
    """The library that produced the telemetry."""

    name: str
    version: str
    schema_url: str
    attributes: Attributes


class Item:
    """One item of a request."""

    __slots__ = ("_fields", "_index", "_request")
    _table: ClassVar[str]

    def __init__(self, request: Request[Any], index: int) -> None:
        """Read a row of a request."""
        self._request = request
        self._index = index
        self._fields: dict[str, Any] = request._columns.row(self._table, index)

    @property
    def resource(self) -> Resource:
        """What produced it."""
        return self._request._enclosing(int(self._request.scope.rows[self._index]))[0]

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        """The library that produced it."""
        return self._request._enclosing(int(self._request.scope.rows[self._index]))[1]


class field(Generic[T]):
    """A field of an item, by its name in the `.proto` files, and what stands for it where it is absent."""

    def __init__(self, name: str, absent: T, doc: str) -> None:
        """Declare a field with its documentation."""
        self.name = name
        self.absent = absent
        self.__doc__ = doc

    @overload
    def __get__(self, item: None, owner: type[Item]) -> field[T]: ...
    @overload
    def __get__(self, item: Item, owner: type[Item]) -> T: ...
    def __get__(self, item: Item | None, owner: type[Item]) -> field[T] | T:
        """The field of an item."""
        if item is None:
            return self
        value: T = item._fields.get(self.name, self.absent)
        return value


def attributes_of(fields: dict[str, Any], name: str = "attributes") -> Attributes:
    """The attributes of a message."""
    attributes: Attributes = fields.get(name, {})
    return attributes


def id_of(content: bytes | None) -> int:
    """An id as the SDK has it; 0 where there is none."""
    return int.from_bytes(content or b"", "big")
