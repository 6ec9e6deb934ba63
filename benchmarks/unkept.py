"""What the newest records do not keep of what is promised, put into docs/performance.md by `benchmarks/unkept.py`.

The promises stand beside what is measured: promises.py, reading.py, rivals.py, streams/promises.py, load/verdict.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

# Run as a script, Python puts benchmarks/ on the path, not the folder that holds it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import reading, report, rivals, tracezip
from benchmarks.environment import ROOT
from benchmarks.load.publish import KEPT as LOAD
from benchmarks.record import RECORDS, newest_record
from benchmarks.streams.promises import judge
from benchmarks.table import NoPlaceError, with_table

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- unkept:begin -->", "<!-- unkept:end -->"


def unkept() -> Iterator[tuple[str, list[str]]]:
    """Give by measurement the promises that its newest record does not keep.

    Raises:
        FileNotFoundError: of one there is no record.
    """
    promised = report.promises_kept(newest_record())
    yield "encoding and exporting", [promise for promise, is_kept in promised.items() if not is_kept]
    yield "reading", reading.broken_promises(newest_record(reading.KEPT)["figures"])
    yield "without Python", rivals.broken_promises(newest_record(rivals.KEPT)["corpora"])
    judgements = judge(newest_record(tracezip.KEPT))
    yield "tracezip", [judgement.words for judgement in judgements if not judgement.is_kept]
    yield "under load", newest_record(LOAD)["faults"]
    yield "a dead receiver", newest_record(RECORDS / "dead_receiver")["faults"]


def markdown() -> str:
    """Give the list for the page."""
    lines = [f"- {measured}: {promise}" for measured, broken in unkept() for promise in broken]
    return "\n".join(lines or ["All of them are kept."])


def main() -> None:
    """Rewrite the list."""
    try:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_table(text, markdown(), BEGIN, END), encoding="utf-8")
    except (FileNotFoundError, NoPlaceError) as error:
        sys.exit(f"otlp-fast: {error}")


if __name__ == "__main__":
    main()
