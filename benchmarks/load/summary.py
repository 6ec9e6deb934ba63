"""What is printed of a run."""

from __future__ import annotations

from typing import Any

from benchmarks.load.latencies import LONGEST
from benchmarks.load.verdict import memory_of


def summary(record: dict[str, Any]) -> str:
    """Write a record in lines for a terminal."""
    made = sum(sender["made"] for sender in record["senders"])
    exported = sum(sender["exporter"]["exported"] for sender in record["senders"])
    arrived = sum(record["receiver"]["distinct"])
    behind = max(sender["most_behind_seconds"] for sender in record["senders"])
    queued, gateway, memory = max(record["samples"]["queued"]), record["gateway"], memory_of(record)
    return "\n".join(
        [
            f"{made:,} spans made, {exported:,} exported, {arrived:,} arrived; "
            f"{record['receiver']['repeated']:,} twice, {record['receiver']['wrong']:,} wrong",
            f"senders at most {behind:.2f} s behind the clock, at most {queued:,} spans queued",
            f"gateway: requests {gateway['requests']}, {gateway['wire_bytes'] / made:.1f} bytes per span on the wire, "
            f"{gateway['otlp_bytes'] / made:.0f} as OTLP",
            f"end to end: {percentile_text(record['receiver']['latency']['whole'])}",
            f"exporter's requests: {percentile_text(record['round_trips'])}",
            *(
                f"{name}: {cores:.2f} cores; {memory[name].second_quarter:.1f} MiB at most in the second quarter, "
                f"{memory[name].last_quarter:.1f} in the last, {memory[name].climb:+.2f} over the second half"
                for name, cores in record["cores"].items()
            ),
        ]
    )


def percentile_text(percentiles: dict[str, float]) -> str:
    """Write percentiles, in milliseconds."""
    parts = [f"{LONGEST if name == LONGEST else f'{name} %'} {figure:,.4g} ms" for name, figure in percentiles.items()]
    return ", ".join(parts)
