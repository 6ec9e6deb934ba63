"""What tracezip makes of streams of telemetry, beside gzip and zstd: bytes, CPU time, memory.

python benchmarks/tracezip.py --record --page
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from random import Random
from typing import Any

import click
import zstandard

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.environment import ROOT, environment
from benchmarks.record import RECORDS, newest_record, write_record
from benchmarks.streams.bookshop import ANSWERS, bookshop_streams
from benchmarks.streams.encoding_cpu import measure_cpu
from benchmarks.streams.end_memory import measure_flood
from benchmarks.streams.floods import FLOODS, ITEMS
from benchmarks.streams.promises import LOGS, METRICS, TRACES, Judgement, judge
from benchmarks.streams.stream import captured, cut_anew
from benchmarks.streams.table import BEGIN, END, markdown
from benchmarks.streams.wire import ENCODINGS, RESETTING, Wire, by_tracezip
from benchmarks.table import NoPlaceError, with_table
from otlp_fast.bench.measure import WrongAnswerError
from otlp_fast.bench.record import significant
from otlp_fast.bench.telemetry import Stream
from tests.corpora import CORPORA, FOLDER, missing_corpora

PAGE = ROOT / "docs" / "compression.md"
KEPT = RECORDS / "tracezip"
USUAL_CUT = 100
"""Items per request of the stream that is also reset every 50 frames, and whose CPU time is measured."""


@dataclass(frozen=True)
class Effort:
    """How much is measured: what is published by default."""

    requests: int | None = None
    """Of each corpus; None for all."""
    cuts: tuple[int, ...] = (10, 30, USUAL_CUT, 300, 1_000, 3_000)
    """Spans per request, for the plot."""
    rounds: int = 9
    flood_items: int = ITEMS
    answers: int = ANSWERS


QUICK = Effort(requests=12, cuts=(10, USUAL_CUT), rounds=1, flood_items=5_000, answers=100)
"""Enough to see that everything runs."""


def make_record(effort: Effort) -> dict[str, Any]:
    """Measure everything, telling each figure when it is there.

    Raises:
        WrongAnswerError: something did not come out as it went in.
    """
    surroundings = environment()
    surroundings["versions"] |= {
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "zstandard": zstandard.__version__,
        "zstd of zstandard": ".".join(map(str, zstandard.ZSTD_VERSION)),
    }
    corpora = {corpus: captured(corpus, effort.requests) for corpus in CORPORA}
    cuts = {items: cut_anew(corpora[TRACES], items) for items in effort.cuts}
    streams = [*corpora.values(), *cuts.values(), *bookshop_streams(effort.answers)]
    timed = [corpora[TRACES], cuts[USUAL_CUT], corpora[METRICS], corpora[LOGS]]
    return {
        "format": 2,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **surroundings,
        "method": {
            **asdict(effort),
            "per_item": "all bytes of all bodies, headers and frames counted, by span, log record or data point",
            "starts": "bodies that build on nothing sent before: for a stream its first one, and one for each reset",
            "shares": "CPU time of tracezip's encoder / that of the rival, within a round",
            "decoded_mb_per_second": "MB of OTLP by second of CPU time",
            "state": "peak growth of a process with a stateful end, less that with a stateless end, in bytes",
        },
        "streams": {stream.name: tell_sizes(stream, cuts) for stream in streams},
        "sweep": {str(items): stream.name for items, stream in cuts.items()},
        "cpu": {stream.name: tell_cpu(stream, effort.rounds) for stream in timed},
        "memory": {name: tell_memory(name, effort.flood_items) for name in FLOODS},
    }


def tell_sizes(stream: Stream, cuts: dict[int, Stream]) -> dict[str, Any]:
    """Measure the bytes of a stream under every encoding, and print them."""
    wires = {name: encode(stream) for name, encode in ENCODINGS.items()}
    if stream is cuts[USUAL_CUT]:
        wires[RESETTING] = by_tracezip(stream, reset_every=50)
    items = stream.items
    texts = [f"{name} {wire.bytes / items:.2f} ({wire.starts:,})" for name, wire in wires.items()]
    count = f"in {len(stream.requests):,} bodies (so many of them start anew)"
    click.echo(f"{stream.name}: bytes per {stream.item} {count}: {', '.join(texts)}")
    return {
        "signal": stream.signal,
        "item": stream.item,
        "requests": len(stream.requests),
        "items": items,
        "bytes": sum(map(len, stream.requests)),
        "encodings": {name: summary(wire, items) for name, wire in wires.items()},
    }


def summary(wire: Wire, items: int) -> dict[str, float]:
    """Give what was sent, for the record."""
    return {**wire._asdict(), "per_item": significant(wire.bytes / items)}


def tell_cpu(stream: Stream, rounds: int) -> dict[str, Any]:
    """Measure the CPU time of a stream, and print it."""
    figures = measure_cpu(stream, rounds, Random(0))
    shares = [
        f"{share['median']:.2f} of {rival} ({share['lower_quartile']:.2f} to {share['upper_quartile']:.2f})"
        for rival, share in figures["shares"].items()
    ]
    rate = figures["decoded_mb_per_second"]["median"]
    click.echo(f"{stream.name}: CPU time of encoding {', '.join(shares)}; decoding {rate:,.0f} MB/s")
    return figures


def tell_memory(flood: str, items: int) -> dict[str, Any]:
    """Measure the memory of both ends under a flood, and print it."""
    figures = measure_flood(flood, items)
    texts = [
        f"{end} {figures[end]['stateful'] / 1024:,.0f} KiB, {figures[end]['state'] / 1024:,.0f} of it state"
        for end in ("encoder", "decoder")
    ]
    raw = f"{figures['raw_frames']} of {figures['frames']} frames raw"
    click.echo(f"flood of {flood}: grown by {', '.join(texts)}; {raw}")
    return figures


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--record", "keep", is_flag=True, help="Measure everything (about two minutes) and write a record.")
@click.option("--page", "rewrite", is_flag=True, help="Rewrite docs/compression.md's table from the newest record.")
@click.option("--quick", is_flag=True, help="Measure a little of everything: does it run? Nothing is judged or kept.")
@click.option("--page-file", type=click.Path(path_type=Path, dir_okay=False), default=PAGE, help="Another page.")
@click.option(
    "--records", "directory", type=click.Path(path_type=Path, file_okay=False), default=KEPT, help="Other records."
)
def main(*, keep: bool, rewrite: bool, quick: bool, page_file: Path, directory: Path) -> None:
    """Measure what tracezip makes of streams of telemetry, beside gzip and zstd: bytes, CPU time, memory.

    \b
    python benchmarks/tracezip.py                     measure, and say which promises are kept
    python benchmarks/tracezip.py --record --page   the same, keep it, publish it
    python benchmarks/tracezip.py --page              publish the newest record again
    python benchmarks/report.py --plot                draw the newest record

    Bytes are those of captured telemetry (../shared/corpora or OTLP_FAST_CORPORA) and of the demo's bookshop. Every
    body is decoded and compared byte for byte; a wrong byte ends the run. CPU times are of interleaved rounds, and
    memory is that of processes of their own under a flood of values that never come again.

    A promise that is not kept makes the exit status 1; the record is written all the same.
    """  # noqa: D301 (click looks for the character itself)
    if quick and (keep or rewrite):
        raise click.UsageError("--quick measures too little to be kept: choose it or --record and --page")
    judgements: list[Judgement] = []
    try:
        if keep or quick or not rewrite:
            if missing := ", ".join(missing_corpora()):
                raise FileNotFoundError(f"{missing}: not in {FOLDER}; OTLP_FAST_CORPORA names another folder")
            record = make_record(QUICK if quick else Effort())
            judgements += [] if quick else judge(record)
            for judgement in judgements:
                click.echo(judgement)
            if keep:
                click.echo(f"record: {write_record(record, directory)}")
        if rewrite:
            text = page_file.read_text(encoding="utf-8")
            page_file.write_text(with_table(text, markdown(newest_record(directory)), BEGIN, END), encoding="utf-8")
    except (WrongAnswerError, FileNotFoundError, NoPlaceError) as error:
        raise click.ClickException(str(error)) from error
    broken = sum(not judgement.is_kept for judgement in judgements)
    if broken:
        raise click.ClickException(f"{broken} of {len(judgements)} promises not kept, see above")


if __name__ == "__main__":
    main()
