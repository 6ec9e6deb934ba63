"""What the encodings cost and save, beside gzip level 9 of Python's zlib, with which the official exporter sends.

    python benchmarks/compression.py

What `otlp_fast.compression` does by itself was chosen by this; docs/architecture.md keeps the table. gzip must take
less CPU than level 9 of zlib and give at most 3 % more bytes, on every data set. Before anything is timed, what each
candidate wrote is read back and compared. Candidates take turns on the same requests, in an order shuffled anew each
round; the figure is CPU time, the median of the ratios that are formed within a round.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import otlp_fast
from otlp_fast import compression
from otlp_fast.bench.environment import cpu_model
from otlp_fast.bench.measure import WrongAnswerError, require
from otlp_fast.bench.workloads.by_name import WORKLOADS
from otlp_fast.cli.interruption import interruptible
from tests.corpora import CORPORA, missing_corpora, read_requests

ROUNDS = 9
MAX_REQUESTS = 60
"""Requests of a corpus that are measured, evenly spread over it."""

OFFICIAL = "Python gzip 9"
Compress = Callable[[bytes], bytes]


def candidates() -> dict[str, Compress]:
    """Give the rivals by name, the official one first."""
    ours = [("gzip", level) for level in (None, 5, 6, 7, 8, 9)] + [("zstd", 1), ("zstd", 3), ("lz4", 1)]
    return {
        OFFICIAL: lambda data: gzip.compress(data, 9, mtime=0),
        "Python gzip 6": lambda data: gzip.compress(data, 6, mtime=0),
    } | {
        f"{encoding} {level or '(chosen)'}": lambda data, encoding=encoding, level=level: compression.compress(  # type: ignore[misc]
            data, encoding, level=level
        )
        for encoding, level in ours
    }


def data_sets() -> Iterator[tuple[str, list[bytes]]]:
    """Give requests by name: generated spans and logs, and the captured corpora where they are there."""
    for name in ("web", "database", "error", "text", "tiny"):
        yield f"{name} spans", [otlp_fast.encode_spans(WORKLOADS[name].build().content)]
    for name in ("requests", "exceptions"):
        yield f"{name} logs", [otlp_fast.encode_logs(WORKLOADS[name].build().content)]
    for name in [corpus for corpus in CORPORA if corpus not in missing_corpora()]:
        requests = list(read_requests(name))
        yield name, list(islice(requests, 0, None, -(-len(requests) // MAX_REQUESTS)))


def check(rivals: dict[str, Compress], requests: list[bytes]) -> None:
    """See that everything that is about to be timed can be read back.

    Raises:
        WrongAnswerError: something came back otherwise.
    """
    for name, compress in rivals.items():
        encoding = name.split()[-2]
        for request in requests:
            require(compression.decompress(compress(request), encoding) == request, name)


def cpu_seconds(compress: Compress, requests: list[bytes]) -> float:
    """Compress all requests once."""
    start = time.process_time()
    for request in requests:
        compress(request)
    return time.process_time() - start


def measure() -> None:
    """Measure, and print one table per data set."""
    print(f"{cpu_model()}, {time.strftime('%Y-%m-%d')}; bytes and CPU time as shares of {OFFICIAL}")
    random = Random(0)
    rivals = candidates()
    for data_set, requests in data_sets():
        check(rivals, requests)
        sizes = {name: sum(len(compress(request)) for request in requests) for name, compress in rivals.items()}
        ratios: dict[str, list[float]] = {name: [] for name in rivals}
        names = list(rivals)
        for _ in range(ROUNDS):
            random.shuffle(names)
            times = {name: cpu_seconds(rivals[name], requests) for name in names}
            for name in names:
                ratios[name].append(times[name] / times[OFFICIAL])
        total = sum(map(len, requests))
        print(f"\n{data_set}: {len(requests)} requests, {total} bytes, {OFFICIAL} gives {sizes[OFFICIAL]}")
        for name in rivals:
            share = sizes[name] / sizes[OFFICIAL]
            print(f"  {name:14} {share - 1:+7.1%} bytes   {statistics.median(ratios[name]):5.2f} of the CPU time")


def main() -> None:
    """Measure, and say what went wrong in one line."""
    try:
        with interruptible("otlp-fast: interrupted"):
            measure()
    except WrongAnswerError as error:
        sys.exit(f"otlp-fast: wrong answer: {error}")


if __name__ == "__main__":
    main()
