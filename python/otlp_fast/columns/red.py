"""Rate, errors and duration of spans, by any of their keys.

    >>> found = red(traces, by=("resource.service.name", "name"))                             # doctest: +SKIP
    >>> seconds = (found.end_time_unix_nano - found.start_time_unix_nano) / 1e9               # doctest: +SKIP
    >>> found.count / seconds, found.errors / found.count, found.quantile(0.99)               # doctest: +SKIP

Results can be merged: what is counted depends on the spans alone, not on their order, nor on how they were cut into
requests.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import numpy.typing as npt

from otlp_fast import _core
from otlp_fast.columns.tables import F64, I32, U32, U64, array_of, column
from otlp_fast.columns.traces import Traces

if TYPE_CHECKING:
    import pyarrow

MAX_GROUPS = 1_000_000
FIGURES = ("count", "errors", "reversed", "sum", "min", "max", "zero_count", "scale", "offset")
TEMPORALITIES = {"delta": 1, "cumulative": 2}


@dataclass(frozen=True)
class Group:
    """A group of spans.

    Attributes:
        keys: what its spans have in common: the value of each key.
        count: how many spans.
        errors: how many of them have the status code 2, error.
        reversed: how many of them end before they start. They count as spans that take no time.
        sum: of all durations, in ns; 2**64 - 1 where it would be more.
        min: the shortest duration, in ns.
        max: the longest duration, in ns.
        zero_count: how many durations are 0.
        scale: of the histogram. A bucket ends at `base = 2**(2**-scale)` times its start.
        offset: the index of the first bucket: bucket `i` of `bucket_counts` holds the durations that are above
            `base**(offset + i)` seconds and not above `base**(offset + i + 1)` seconds.
        bucket_counts: uint64, shape (buckets,).
    """

    keys: dict[str, Any]
    count: int
    errors: int
    reversed: int
    sum: int
    min: int
    max: int
    zero_count: int
    scale: int
    offset: int
    bucket_counts: U64


class Red:
    """Rate, errors and duration of groups of spans: columns with a row for each group, in the order of their keys.

    `red["name"]` is a key as an array of objects, None where a group has no such attribute. `red[3]` and iteration give
    groups. Two are equal where their keys, groups and figures are.

    Attributes:
        by: the keys.
    """

    __hash__ = None  # type: ignore[assignment]

    count = column[U64]("How many spans.")
    errors = column[U64]("How many of them have the status code 2, error.")
    reversed = column[U64]("How many of them end before they start. They count as spans that take no time.")
    sum = column[U64]("The sum of durations, in ns; 2**64 - 1 where it would be more.")
    min = column[U64]("The shortest duration, in ns.")
    max = column[U64]("The longest duration, in ns.")
    zero_count = column[U64]("How many durations are 0.")
    scale = column[I32]("The scale of the histogram: the finest at which it has no more than 160 buckets, at most 20.")
    offset = column[I32]("The index of the first bucket. Bucket 0 begins at one second.")
    bucket_offsets = column[U32]("Group `i` has the buckets `bucket_offsets[i]` to `bucket_offsets[i + 1]`.")
    bucket_counts = column[U64]("How many durations lie in each bucket, of one group behind the other.")

    def __init__(self, counted: _core.Red, by: tuple[str, ...]) -> None:
        """Look at what was counted."""
        self._counted = counted
        self.by = by

    @cached_property
    def _columns(self) -> dict[str, Any]:
        return self._counted.columns()

    def _make(self, name: str) -> Any:
        return array_of(self._columns[name])

    @property
    def start_time_unix_nano(self) -> int:
        """The earliest start of a span, in ns since the Unix epoch; 0 where none has one."""
        return self._counted.time_range()[0]

    @property
    def end_time_unix_nano(self) -> int:
        """The latest end of a span, in ns since the Unix epoch; 0 where none has one."""
        return self._counted.time_range()[1]

    def merge(self, *others: Red, max_groups: int = MAX_GROUPS) -> Red:
        """These and the other results as one, as if all their spans had been counted together.

        Merging many at once takes one pass over them: `Red.merge(*parts)`.

        Raises:
            ValueError: they were not grouped by the same keys, or there would be more groups than `max_groups`.
        """
        parts = [part._counted for part in (self, *others)]
        return Red(_core.Red.merge(parts, max_groups), self.by)

    def quantile(self, q: float) -> F64:
        """The duration in ns that a share `q` of each group's spans does not exceed: float64, shape (groups,).

        It is an estimate out of the histogram of what `numpy.quantile(durations, q, method="inverted_cdf")` would give,
        and off by no more than `(base - 1) / (base + 1)` of that, `base` being `2**(2**-scale)`: 1.1 % at scale 5 (the
        longest duration is less than 32 times the shortest), 2.2 % at scale 4, 4.4 % at scale 3 (a million times), 17.2
        % at worst. The shortest and the longest duration are exact.

        Raises:
            ValueError: `q` is not between 0 and 1.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"q must be between 0 and 1, not {q}")
        return np.array(self._counted.quantiles(q))

    def to_numpy(self) -> dict[str, npt.NDArray[Any]]:
        """All columns by their names: the keys, which are arrays of objects, then the figures."""
        names = (*FIGURES, "bucket_offsets", "bucket_counts")
        return {key: self[key] for key in self.by} | {name: getattr(self, name) for name in names}

    def to_arrow(self) -> pyarrow.Table:
        """A pyarrow Table: the keys, the figures, and `bucket_counts` as lists.

        A key whose values are all of one type has that type, strings as a dictionary; otherwise, and where there are
        arrays or lists of pairs, the values are strings, all but strings in JSON. A group that has no such attribute
        has null.
        """
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for place, key in enumerate(self.by):
            codes, values = self._counted.key(place)
            column = arrow_of(values).take(pa.array(array_of(codes)))
            columns[key] = column.dictionary_encode() if pa.types.is_string(column.type) else column
        columns |= {name: pa.array(getattr(self, name)) for name in FIGURES}
        offsets = pa.array(self.bucket_offsets.astype(np.int64))
        columns["bucket_counts"] = pa.LargeListArray.from_arrays(offsets, pa.array(self.bucket_counts))
        return pa.table(columns)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """`to_arrow` through the Arrow PyCapsule interface: polars and DuckDB read results as they are."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_otlp(
        self,
        *,
        start_time_unix_nano: int | None = None,
        time_unix_nano: int | None = None,
        temporality: Literal["delta", "cumulative"] = "delta",
    ) -> bytes:
        """An `ExportMetricsServiceRequest`, named as by the Collector's span metrics connector.

        The monotonic sum `traces.span.metrics.calls` and the exponential histogram `traces.span.metrics.duration`, in
        seconds, have a point for each group. Its attributes are the keys: `resource.KEY` and `attributes.KEY` are
        called KEY, `name` is `span.name`, `kind` is `span.kind` and `status_code` is `status.code`, both with the
        connector's names for their values. Of a group that was not made by status those calls that failed are a point
        of their own, with `status.code="STATUS_CODE_ERROR"`.

        Args:
            start_time_unix_nano: when counting began, in ns since the Unix epoch; the earliest start of a span.
            time_unix_nano: when it ended; the latest end of a span.
            temporality: whether these are the spans since the last results, "delta", or since counting began,
                "cumulative".

        Raises:
            MemoryError: the request would pass 2 GiB.
            ValueError: `temporality` is neither.
        """
        if temporality not in TEMPORALITIES:
            raise ValueError(f'temporality must be "delta" or "cumulative", not {temporality!r}')
        start = self.start_time_unix_nano if start_time_unix_nano is None else start_time_unix_nano
        end = self.end_time_unix_nano if time_unix_nano is None else time_unix_nano
        return self._counted.to_metrics(start, end, TEMPORALITIES[temporality])

    def __len__(self) -> int:
        """The number of groups."""
        return len(self._counted)

    @cached_property
    def _keys(self) -> dict[str, npt.NDArray[np.object_]]:
        keys = {}
        for place, key in enumerate(self.by):
            codes, values = self._counted.key(place)
            objects = np.empty(len(values), dtype=object)
            for code, value in enumerate(values):
                objects[code] = value
            keys[key] = objects[array_of(codes)]
        return keys

    @overload
    def __getitem__(self, key: str) -> npt.NDArray[np.object_]: ...
    @overload
    def __getitem__(self, key: int) -> Group: ...
    def __getitem__(self, key: str | int) -> npt.NDArray[np.object_] | Group:
        """A key of all groups by its name, or a group by its place."""
        if isinstance(key, str):
            return self._keys[key]
        group = range(len(self))[key]
        start, end = self.bucket_offsets[group : group + 2].tolist()
        figures = {name: int(getattr(self, name)[group]) for name in FIGURES}
        keys = {name: self[name][group] for name in self.by}
        return Group(keys=keys, bucket_counts=self.bucket_counts[start:end], **figures)

    def __iter__(self) -> Iterator[Group]:
        """The groups."""
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Whether the same spans, but for what is not counted, gave both."""
        return self._counted == other._counted if isinstance(other, Red) else NotImplemented

    def __repr__(self) -> str:
        """The results in short."""
        return f"<Red of {int(self.count.sum())} spans in {len(self)} groups by {', '.join(self.by) or 'nothing'}>"


def red(
    traces: Traces, by: str | Sequence[str] = ("resource.service.name", "name"), *, max_groups: int = MAX_GROUPS
) -> Red:
    """Count spans, errors and durations of each group of spans that have the same keys.

    Args:
        traces: the spans.
        by: the keys: "name", "kind", "status_code", "scope.name", "scope.version", and attributes as "resource.KEY",
            "scope.attributes.KEY" and "attributes.KEY". Values of different types are different. None at all gives one
            group of all spans.
        max_groups: the most groups there may be. A group takes 200 bytes, and 8 more for each of its up to 160 buckets.

    Raises:
        ValueError: a key that there is not or that is there twice, or more groups than `max_groups`.
    """
    keys = (by,) if isinstance(by, str) else tuple(by)
    return Red(_core.red(traces._columns, keys, max_groups), keys)


def arrow_of(values: Iterable[Any]) -> pyarrow.Array:
    """Values of a key as an Arrow array of one type."""
    import pyarrow as pa

    values = list(values)
    types: dict[type, Any] = {
        str: pa.string(),
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        bytes: pa.binary(),
    }
    found = {type(value) for value in values if value is not None} or {str}
    if len(found) == 1 and found <= types.keys():
        return pa.array(values, types[found.pop()])
    texts = [value if value is None or isinstance(value, str) else json_of(value) for value in values]
    return pa.array(texts, pa.string())


def json_of(value: Any) -> str:
    """A value in JSON, with byte strings in base64."""
    return json.dumps(value, ensure_ascii=False, default=lambda content: base64.b64encode(content).decode())
