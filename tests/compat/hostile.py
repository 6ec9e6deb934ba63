"""Values that no encoder is glad to see: their code raises, or they have no end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class HostileSequence(Sequence[int]):
    """A sequence whose code fails after its first element."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: Any) -> Any:
        if index == 0:
            return 1
        # A new one each time: the traceback of an exception that is raised again would grow.
        raise type(self.error)(*self.error.args)


class HostileMapping(Mapping[str, Any]):
    """A mapping whose code fails when it is iterated over."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("no item")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no keys")


class Truthless:
    """An object that cannot even be asked whether it is true."""

    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")


class Silent:
    """An object that has no text."""

    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


class Finishing(dict[str, Any]):
    """A mapping that ends the request of the encoder which is reading it."""

    def __init__(self, encoder: Any) -> None:
        super().__init__(key=1)
        self.encoder = encoder

    def items(self) -> Any:
        """Its items, as if nothing had been."""
        self.encoder.finish()
        return super().items()


def nested_lists(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def nested_mappings(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"k": value}
    return value


def cyclic_values() -> list[Any]:
    listed: list[Any] = [1]
    listed.append(listed)
    mapped: dict[str, Any] = {"k": 1}
    mapped["self"] = mapped
    twofold: list[Any] = []
    twofold += [twofold, twofold]
    return [listed, mapped, twofold, nested_lists(100_000)]


def multiplying_value() -> Any:
    """A small value that takes 2**30 times its size to write."""
    value: Any = "x" * 1000
    for _ in range(30):
        value = [value, value]
    return value
