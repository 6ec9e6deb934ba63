"""What all signals have in common: texts, numbers, attributes, times, resources and scopes.

Each strategy comes in two kinds: what the official encoder takes, and, with `odd_` before its name, values that it
loses data over, or fails on, as well. Resources and scopes are drawn from small pools, equal but not identical ones
among them, so that grouping is exercised.
"""

from __future__ import annotations

import collections
import decimal
import enum
from typing import Any

from hypothesis import strategies as st
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope


class Colour(str, enum.Enum):
    """A str that is not exactly str."""

    RED = "röt"


class Level(enum.IntEnum):
    """An int that is not exactly int."""

    HIGH = 300


class Ratio(float):
    """A float that is not exactly float."""


class Blob(bytes):
    """bytes that are not exactly bytes."""


# Lengths around the places where a length needs another byte.
edge_texts = st.sampled_from([0, 1, 100, 111, 112, 119, 120, 125, 126, 127, 128, 129, 300, 16_380, 16_390]).map(
    "x".__mul__
)
texts = st.one_of(
    st.text(alphabet=st.characters(codec="ascii"), max_size=40),
    st.text(alphabet=st.characters(codec="latin-1"), max_size=60),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60),
    st.text(alphabet="aé東😀", max_size=90),
    edge_texts,
)
odd_texts = st.one_of(
    texts, st.text(alphabet=st.characters(), max_size=30), st.text(alphabet="a\ud800\udfff東😀", max_size=20)
)

int64 = st.integers(-(2**63), 2**63 - 1)
ints = st.one_of(int64, st.integers(-300, 300), st.integers(0, 63).map(lambda bit: 1 << bit).filter((2**63).__gt__))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    ints,
    st.floats(),
    texts,
    st.binary(max_size=200),
    st.sampled_from([Colour.RED, Level.HIGH, Ratio(0.5), Blob(b"\x00\xff")]),
)
odd_scalars = st.one_of(
    scalars,
    odd_texts,
    st.integers(-(2**80), 2**80),
    st.sampled_from([object(), {1, 2}, decimal.Decimal(1), 1j, ...]),
)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values with parts, of every kind that the official encoder takes for a sequence or a mapping."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=5),
            st.lists(inner, max_size=5).map(tuple),
            st.lists(inner, max_size=3).map(collections.deque),
            st.dictionaries(texts, inner, max_size=5),
            st.dictionaries(st.one_of(st.integers(), st.none(), texts), inner, max_size=3).map(collections.OrderedDict),
            st.binary(max_size=5).map(bytearray),
            st.integers(0, 5).map(range),
        ),
        max_leaves=8,
    )


values = nested(scalars)
odd_values = nested(odd_scalars)
mappings = st.dictionaries(texts, values, max_size=5)
odd_mappings = st.dictionaries(
    st.one_of(odd_texts, st.integers(0, 9), st.none(), st.binary(max_size=4)), odd_values, max_size=5
)


def containers(of: st.SearchStrategy[dict[Any, Any]]) -> st.SearchStrategy[Any]:
    """The forms in which attributes come: the SDK's own, some of them with drops, and plain dicts."""

    def bounded(attributes: dict[Any, Any], limit: int | None) -> BoundedAttributes:
        result = BoundedAttributes(limit, immutable=False)
        result._dict = dict(attributes)
        result.dropped = 0 if limit is None else limit * 1000
        return result

    return st.one_of(of, st.none(), st.builds(bounded, of, st.one_of(st.none(), st.integers(0, 9))))


times = st.one_of(st.none(), st.just(0), st.integers(0, 2**64 - 1), st.integers(10**18, 2 * 10**18))
odd_times = st.one_of(times, st.integers(), st.floats(), st.booleans(), odd_texts)
resources = st.builds(
    Resource,
    st.sampled_from(
        [{}, {"service.name": "shop"}, {"a": 1}, {"a": True}, {"a": 1.0}, {"b": 2, "a": 1}, {"a": 1, "b": 2}]
    ),
    st.sampled_from([None, "", "https://opentelemetry.io/schemas/1.27.0"]),
)
scopes = st.one_of(
    st.none(),
    st.builds(
        InstrumentationScope,
        st.sampled_from(["", "flask", "sqlite3", "größe"]),
        st.sampled_from([None, "", "0.66b1"]),
        st.sampled_from([None, "https://opentelemetry.io/schemas/1.27.0"]),
        st.sampled_from([None, {}, {"a": 1}, {"a": True}]),
    ),
)
