"""The README's table: made from a record, so that no figure in it is typed by hand."""

from __future__ import annotations

from typing import Any

from benchmarks import import_time
from benchmarks.engines import OFFICIAL, OTLP_FAST
from benchmarks.record import Record

BEGIN = "<!-- benchmark:begin -->"
END = "<!-- benchmark:end -->"


class NoPlaceError(ValueError):
    """The text has no pair of markers, or more than one, for the table to go between."""


def markdown(record: Record) -> str:
    """Give the table of a record, with date, machine and versions beneath it."""
    rows = [
        "| workload | spans | official, µs/span | otlp-fast, µs/span | times faster | bytes per span | identical |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    rows += [row(name, workload) for name, workload in record["workloads"].items()]
    return "\n".join([*rows, "", *footnotes(record)])


def row(name: str, workload: dict[str, Any]) -> str:
    """Give one line of the table."""
    official, own = workload["gc_on"][OFFICIAL], workload["gc_on"][OTLP_FAST]
    ratio = own["ratio"]
    cells = (
        f"{name}: {workload['description']}",
        f"{workload['spans']:,}",
        f"{official['cpu']['median']:.1f}",
        f"{own['cpu']['median']:.2f}",
        f"**{ratio['median']:.0f}** ({ratio['lower_quartile']:.0f}–{ratio['upper_quartile']:.0f})",  # noqa: RUF001
        f"{workload['bytes'] / workload['spans']:.0f}",
        "yes" if workload["identical"] else "no",
    )
    return f"| {' | '.join(cells)} |"


def footnotes(record: Record) -> list[str]:
    """Give the lines beneath the table."""
    machine, versions, method = record["machine"], record["versions"], record["method"]
    own, official = (record["imports"][name]["cpu"]["median"] for name in (import_time.OTLP_FAST, "official encoder"))
    return [
        f"Measured {record['date'][:10]} on {machine['cpu']} ({machine['cores']} cores), {machine['os']}, "
        f"{machine['python']}: otlp-fast {versions['otlp-fast']} ({record['build']['simd']}), "
        f"opentelemetry-sdk {versions['opentelemetry-sdk']}, "
        f"official encoder {versions['opentelemetry-exporter-otlp-proto-common']}, protobuf {versions['protobuf']}. "
        f"CPU time, median of {method['rounds']} interleaved rounds, in brackets the quartiles; "
        "[how it is measured and where it misleads](benchmarks/README.md).",
        "",
        f"`import otlp_fast` takes {own:.0f} ms above an empty interpreter, importing the official encoder "
        f"{official:.0f} ms.",
    ]


def with_table(text: str, table: str) -> str:
    """Give `text` with `table` between the two markers.

    Raises:
        NoPlaceError: each marker must stand there once, the first one first.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise NoPlaceError(f"expected {BEGIN} and then {END}, each once")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"
