"""Prints what was found: tables for people, or JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from otlp_fast.inspection.run import Inspection
from otlp_fast.inspection.summary import ITEMS, Summary
from otlp_fast.inspection.tally import Tally

# Enough that no cell is wrapped. A file would be taken for a terminal of 80 columns.
_TABLE_WIDTH = 200
_LONGEST_NAME = 60
_NOTHING = "(none)"

_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_LEVELS_OF_SEVERITY = 4


def as_json(inspection: Inspection, top: int) -> dict[str, Any]:
    """Give everything as JSON has it; of long lists the first `top` entries."""
    summary = inspection.summary

    def listed(tally: Tally[Any], names: Sequence[str], figures: Sequence[str]) -> dict[str, Any]:
        rows = []
        for key, values in tally.top(top):
            named = key if isinstance(key, tuple) else (key,)
            rows.append(dict(zip(names, named, strict=True)) | dict(zip(figures, values, strict=True)))
        return {"distinct": len(tally), "top": rows}

    operation_figures = ("spans", "errors", "total_duration_ns", "max_duration_ns")
    return {
        "files": [vars(file) for file in inspection.files],
        "signals": {signal: vars(part) for signal, part in summary.signals.items() if part.requests},
        "services": listed(summary.services, ("service",), ("items", *ITEMS.values())),
        "operations": listed(summary.operations, ("service", "operation"), operation_figures),
        "severities": listed(summary.severities, ("severity_number",), ("log_records",)),
        "metrics": listed(summary.metrics, ("name", "kind", "unit", "temporality"), ("data_points",)),
        "attributes": listed(summary.attributes, ("table", "key"), ("bytes", "attributes")),
    }


def print_report(inspection: Inspection, top: int) -> None:
    """Print everything to stdout; of long tables the first `top` rows."""
    # Names are the sender's: nothing in them is markup, and lines are as long as they are.
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    console.width = max(console.width, _TABLE_WIDTH)
    for table in _tables(inspection, top):
        if table.row_count:
            console.print(table)


def _tables(inspection: Inspection, top: int) -> Iterable[Table]:
    summary = inspection.summary
    yield _files(inspection)
    yield _signals(summary)
    yield _services(summary, top)
    yield _operations(summary, top)
    yield _severities(summary)
    yield _metrics(summary, top)
    yield _attributes(summary, top)


def _files(inspection: Inspection) -> Table:
    table = _table("Files", "file", "format", "compression", ">bytes", ">requests", ">bytes of requests")
    for file in inspection.files:
        sizes = (file.bytes, file.requests, file.request_bytes)
        table.add_row(_printable(file.name), file.format, file.encoding, *map(_number, sizes))
    return table


def _signals(summary: Summary) -> Table:
    table = _table("Signals", "signal", ">requests", ">items", ">bytes", ">bytes per item", "from", "to", ">time")
    for signal, part in summary.signals.items():
        if part.requests:
            items = f"{part.items:,} {ITEMS[signal].replace('_', ' ')}"
            per_item = _number(part.bytes // part.items) if part.items else ""
            spread = part.last_unix_nano - part.first_unix_nano
            times = (_time(part.first_unix_nano), _time(part.last_unix_nano), _duration(max(spread, 0)))
            table.add_row(signal, _number(part.requests), items, _number(part.bytes), per_item, *times)
    return table


def _services(summary: Summary, top: int) -> Table:
    headings = (f">{items.replace('_', ' ')}" for items in ITEMS.values())
    table = _table(_title("Services", summary.services, top), "service", *headings)
    for service, (_, *counts) in summary.services.top(top):
        table.add_row(_shown(service), *map(_number, counts))
    return table


def _operations(summary: Summary, top: int) -> Table:
    title = _title("Operations", summary.operations, top)
    table = _table(title, "service", "operation", ">spans", ">errors", ">mean", ">longest")
    for (service, operation), (spans, errors, total, longest) in summary.operations.top(top):
        figures = (_number(spans), _number(errors), _duration(total // spans), _duration(longest))
        table.add_row(_shown(service), _shown(operation), *figures)
    return table


def _severities(summary: Summary) -> Table:
    table = _table("Severities", "severity", ">log records")
    for number, (records,) in sorted(summary.severities.top(len(summary.severities))):
        table.add_row(_severity(number), _number(records))
    return table


def _metrics(summary: Summary, top: int) -> Table:
    title = _title("Metrics", summary.metrics, top)
    table = _table(title, "metric", "kind", "unit", "temporality", ">data points")
    for (name, kind, unit, temporality), (points,) in summary.metrics.top(top):
        table.add_row(_shown(name), kind, _shown(unit, ""), temporality, _number(points))
    return table


def _attributes(summary: Summary, top: int) -> Table:
    title = _title("Attributes, the largest", summary.attributes, top)
    table = _table(title, "of", "key", ">bytes", ">of all bytes", ">attributes", ">bytes each")
    size = sum(part.bytes for part in summary.signals.values())
    for (owner, key), (weight, count) in summary.attributes.top(top):
        figures = (_number(weight), f"{100 * weight / size:.1f} %", _number(count), _number(weight // count))
        table.add_row(owner.replace("_", " "), _shown(key), *figures)
    return table


def _table(title: str, *headings: str) -> Table:
    """A table; of headings that begin with ">" the columns are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left")
    return table


def _title(name: str, tally: Tally[Any], top: int) -> str:
    return f"{name}: {top} of {len(tally):,}" if len(tally) > top else name


def _shown(name: str, nothing: str = _NOTHING) -> str:
    """A name that somebody else chose, without what would steer a terminal, and not too long."""
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
    return _printable(name) or nothing


def _printable(name: str) -> str:
    """A name without what would steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)


def _severity(number: int) -> str:
    level, fine = divmod(number - 1, _LEVELS_OF_SEVERITY)
    if 0 <= level < len(_SEVERITIES):
        return f"{number:2} {_SEVERITIES[level]}{fine + 1 if fine else ''}"
    return _NOTHING if number == 0 else str(number)


def _number(number: int) -> str:
    return f"{number:,}"


def _time(unix_nano: int) -> str:
    """A time in UTC, to the millisecond; as it is where no calendar has it."""
    if not unix_nano:
        return ""
    seconds, nanoseconds = divmod(unix_nano, 10**9)
    try:
        day = datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, ValueError):
        return f"{unix_nano} ns"
    return f"{day:%Y-%m-%d %H:%M:%S}.{nanoseconds // 10**6:03}Z"


def _duration(nanoseconds: int) -> str:
    """A duration with three digits or more, in the unit that suits it."""
    for unit, length in (("h", 3600 * 10**9), ("min", 60 * 10**9), ("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if nanoseconds >= length:
            return f"{nanoseconds / length:,.2f} {unit}"
    return f"{nanoseconds} ns"
