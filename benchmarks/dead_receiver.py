"""Memory while nobody takes the spans: our processor at a high rate, for a long time, against a dead receiver.

python benchmarks/dead_receiver.py --seconds 600 --record

The receiver is dead in the worst way: connections are taken, by the kernel, and no answer ever comes, so each request
is held until the exporter's timeout. Once a second the size of the process and of the queue are written down. It fails
if the queue was ever larger than its limits, if the process grew by more than these limits explain, or if a span is
neither queued nor delivered nor counted as lost.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import psutil  # type: ignore[import-untyped]
from rich.console import Console
from rich.progress import Progress

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.environment import environment
from benchmarks.record import RECORDS, write_record
from benchmarks.web_service import WebService
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.processor import BatchSpanProcessor

MEBIBYTE = 1024 * 1024

MOST_PER_QUEUED_BYTE = 1.5
"""Resident bytes for each byte that the queue may hold: buffers are not full to the last byte."""

MOST_BESIDES = 32 * MEBIBYTE
"""What else the process may grow by: a request on its way, compressed and not, threads, the allocator."""

ENVELOPES = 1.01
"""The queue counts a request's envelopes after it has let its last span in."""

SHUTDOWN_MILLIS = 2_000

SECONDS_TO_ACCOUNT = 60
"""More than the exporter's timeout."""

SAMPLED = ("seconds", "resident_bytes", "queued_spans", "queued_bytes", "dropped_spans")
"""What is written down once a second."""


@contextmanager
def dead_receiver() -> Iterator[str]:
    """Give the endpoint of a receiver that never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/traces"


def measure(
    seconds: int,
    per_second: int,
    queue_bytes: int,
    queue_items: int,
    on_second: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Make spans for so many seconds, then shut down: samples of each second, and what became of the spans."""
    process = psutil.Process()
    with dead_receiver() as endpoint:
        exporter = OTLPSpanExporter(endpoint, compression="gzip")
        processor = BatchSpanProcessor(exporter, max_queue_size=queue_items, max_queue_bytes=queue_bytes)
        service = WebService(processor)
        service.handle(1)
        before, begin = process.memory_info().rss, time.monotonic()
        made = 1
        samples: dict[str, list[float]] = {name: [] for name in SAMPLED}
        for _ in range(seconds):
            made += service.handle_steadily(per_second, 1.0)
            stats = processor.stats()
            figures = (
                round(time.monotonic() - begin, 2),
                process.memory_info().rss,
                stats["queued_items"],
                stats["queued_bytes"],
                stats["dropped_queue_full"],
            )
            for name, figure in zip(SAMPLED, figures, strict=True):
                samples[name].append(figure)
            on_second()
        processor.shutdown(SHUTDOWN_MILLIS)
        # The worker may be in a request at the deadline; that one's spans are accounted for when it ends.
        patience = time.monotonic() + SECONDS_TO_ACCOUNT
        while sum(exporter.stats().values()) < processor.stats()["handed_to_exporter"] and time.monotonic() < patience:
            time.sleep(0.1)
        return {
            "made": made,
            "resident_bytes_before": before,
            "samples": samples,
            "processor": processor.stats(),
            "exporter": exporter.stats(),
        }


def faults(measured: dict[str, Any], queue_bytes: int, queue_items: int) -> list[str]:
    """Say what is not as it must be."""
    found = []
    largest = {name: max(figures) for name, figures in measured["samples"].items()}
    growth = largest["resident_bytes"] - measured["resident_bytes_before"]
    allowed = int(queue_bytes * MOST_PER_QUEUED_BYTE) + MOST_BESIDES
    if growth > allowed:
        found.append(f"the process grew by {growth:,} bytes, {allowed:,} were to be expected at most")
    if largest["queued_bytes"] > queue_bytes * ENVELOPES:
        found.append(f"{largest['queued_bytes']:,} bytes were queued, the limit is {queue_bytes:,}")
    if largest["queued_spans"] > queue_items:
        found.append(f"{largest['queued_spans']:,} spans were queued, the limit is {queue_items:,}")
    processor, exporter = measured["processor"], measured["exporter"]
    dropped = processor["dropped_queue_full"] + processor["dropped_at_shutdown"]
    if measured["made"] != dropped + sum(exporter.values()):
        found.append(f"{measured['made']:,} spans made, {dropped:,} dropped, in the exporter: {exporter}")
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seconds", default=600, show_default=True, help="How long.")
@click.option("--per-second", default=10_000, show_default=True, help="Spans per second.")
@click.option("--queue-bytes", default=64 * MEBIBYTE, show_default=True, help="The processor's max_queue_bytes.")
@click.option("--queue-items", default=131_072, show_default=True, help="The processor's max_queue_size.")
@click.option("--record", "keep", is_flag=True, help="Write a record.")
@click.option(
    "--records",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=RECORDS / "dead_receiver",
    help="Other records.",
)
def main(*, seconds: int, per_second: int, queue_bytes: int, queue_items: int, keep: bool, directory: Path) -> None:
    """Run our processor against a receiver that never answers, and see that memory stays within its limits."""
    surroundings = environment()
    console = Console()
    with Progress(console=console) as progress:
        task = progress.add_task("seconds", total=seconds)
        measured = measure(seconds, per_second, queue_bytes, queue_items, lambda: progress.advance(task))
    found = faults(measured, queue_bytes, queue_items)
    record = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **surroundings,
        "method": {
            "seconds": seconds,
            "per_second": per_second,
            "queue_bytes": queue_bytes,
            "queue_items": queue_items,
        },
        **measured,
        "faults": found,
    }
    largest = max(measured["samples"]["resident_bytes"])
    console.print(
        f"{measured['made']:,} spans made, grown by {(largest - measured['resident_bytes_before']) / MEBIBYTE:.0f} MiB "
        f"at most; processor {measured['processor']}, exporter {measured['exporter']}",
        highlight=False,
        soft_wrap=True,
    )
    if keep:
        console.print(f"record: {write_record(record, directory)}", soft_wrap=True)
    if found:
        raise click.ClickException("; ".join(found))


if __name__ == "__main__":
    main()
