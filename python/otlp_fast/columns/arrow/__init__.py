"""Requests as Arrow tables, and Arrow tables as requests. Needs pyarrow.

A table has a row for each item (span, log record, data point), with the columns of docs/columns.md under the same
names. What belongs to the item is inside the row, so that a table can be filtered, joined, cut and stored by anything
that knows Arrow:

- `resource`: struct of `attributes`, `dropped_attributes_count`, `schema_url`; `scope`: the same with `name` and
  `version`.
- Attributes: list of structs `key`, `type`, and of `text`, `int`, `double`, `bytes` the one that `type` says (0 empty,
  1 string, 2 bool, an `int` of 0 or 1, 3 int, 4 double, 5 array and 6 list of pairs, encoded in `bytes`, 7 bytes), the
  others null, `text` "".
- `events`, `links`, `exemplars`: lists of structs of their columns. `body` of a log record: a struct like that of an
  attribute.
- Of a metric's columns `name`, `description`, `unit`, `kind`, `aggregation_temporality`, `is_monotonic`, `metadata`
  stand in the row of each of its points. `double` and `int` are null where the value is not one; the parts of
  histograms and summaries are null in the rows of other points, lists of numbers for buckets and bounds, and of structs
  for `quantiles`.
- Times are uint64, ns since the Unix epoch. Ids are binary of fixed size, null where there is none. Strings are
  dictionaries.

Numbers, codes, strings and ids of the items are the memory of the decoded request itself; resources and scopes are
copied to their items, and that is refused where it would take more than 256 MiB and 64 times the length of the request.
What encloses no item is not in the table.

The way back takes the same columns in whatever of Arrow's types holds such values (large lists, views, plain strings,
timestamps, smaller integers), in any order, with null for what is absent. Columns that are missing are absent in every
row, unknown ones an error. Items whose resources, or scopes, or metrics are equal are put into one.
"""

from __future__ import annotations

try:
    import pyarrow as _pyarrow  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"Arrow needs the module {missing.name}: pip install 'otlp-fast[columns]'", name=missing.name
    ) from None

from otlp_fast.columns.arrow.arrays import value_array
from otlp_fast.columns.arrow.export import to_arrow
from otlp_fast.columns.arrow.reading import to_request

__all__ = ["to_arrow", "to_request", "value_array"]
