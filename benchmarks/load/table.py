"""The table of docs/performance.md: made from a record, so that no figure in it is typed by hand."""

from __future__ import annotations

from typing import Any

from benchmarks.load.chain import COLLECTOR, GATEWAY, RECEIVER
from benchmarks.load.latencies import names
from benchmarks.load.verdict import OTHERS, OURS, Memory, memory_of
from benchmarks.table import row

BEGIN, END = "<!-- load:begin -->", "<!-- load:end -->"


def markdown(record: dict[str, Any], plot: str) -> str:
    """Give the text and the two tables of a record, with the plot of that name, and date and machine beneath."""
    return "\n\n".join(
        [
            outcome(record),
            latencies(record),
            memory(record),
            f"![Latency and memory over time]({plot})",
            footnote(record),
        ]
    )


def outcome(record: dict[str, Any]) -> str:
    """Give what was sent and what became of it."""
    method, receiver = record["method"], record["receiver"]
    made = sum(sender["made"] for sender in record["senders"])
    exported = sum(sender["exporter"]["exported"] for sender in record["senders"])
    return (
        f"{method['rate']:,} spans a second from {method['processes']} services with the SDK's tracer, our processor "
        f"and our exporter (`{method['compression']}`), through the gateway and the Collector "
        f"{record['versions']['Collector']}, for {method['seconds'] / 60:g} minutes: {made:,} spans made, "
        f"{exported:,} exported, {sum(receiver['distinct']):,} arrived behind the Collector, {receiver['repeated']:,} "
        f"of them twice, {receiver['wrong']:,} changed."
    )


def latencies(record: dict[str, Any]) -> str:
    """Give the table of percentiles."""
    figures = {
        "from the end of a span to behind the Collector": record["receiver"]["latency"]["whole"],
        "a request of the exporter, until it was answered": record["round_trips"],
    }
    heads = [name if name == names()[-1] else f"{name} %" for name in names()]
    return "\n".join(
        [
            row("ms", *heads),
            f"|---|{'--:|' * len(heads)}",
            *(row(what, *(f"{found[name]:,.4g}" for name in names())) for what, found in figures.items()),
        ]
    )


def memory(record: dict[str, Any]) -> str:
    """Give the table of processes: of the senders the one that grew most."""
    found = memory_of(record)
    senders = [name for name in found if name not in (GATEWAY, COLLECTOR, RECEIVER)]
    grown = max(senders, key=lambda name: found[name].climb)
    shown = {f"a service, of {len(senders)} the one that climbed most": grown, "the gateway": GATEWAY}
    shown |= {"the Collector": COLLECTOR, "the counting receiver": RECEIVER}
    return "\n".join(
        [
            "| resident MiB | most in the second quarter | most in the last | trend of the second half | cores |",
            "|---|--:|--:|--:|--:|",
            *(memory_row(what, found[name], record["cores"][name]) for what, name in shown.items()),
        ]
    )


def memory_row(what: str, found: Memory, cores: float) -> str:
    """Give the line of a process."""
    return row(what, f"{found.second_quarter:.1f}", f"{found.last_quarter:.1f}", f"{found.climb:+.2f}", f"{cores:.2f}")


def footnote(record: dict[str, Any]) -> str:
    """Give what is beneath the tables."""
    machine, versions = record["machine"], record["versions"]
    behind = max(sender["most_behind_seconds"] for sender in record["senders"])
    broken = "; ".join(record["faults"])
    kept = f"and this run did not keep everything: {broken}" if broken else "and this run kept all of it"
    return (
        f"Measured {record['date'][:10]} on {machine['cpu']} ({machine['cores']} cores, shared by all processes), "
        f"{machine['python']}: otlp-fast {versions['otlp-fast']}, opentelemetry-sdk {versions['opentelemetry-sdk']}. "
        "In the first line is the time in which a request fills with spans, in the second compression, the gateway and "
        "the Collector's answer. Spans are due by the clock: the services were at most "
        f"{behind:.2f} s behind it, which is in no latency. Memory has to stay within {OURS.climb:g} MiB of trend and "
        f"{OURS.peak:g} MiB of growth between the quarters, that of the Collector and of the counting receiver within "
        f"{OTHERS.climb:g} and {OTHERS.peak:g}, {kept} ([benchmarks/load](../benchmarks/load))."
    )
