"""The benchmark of rivals: no wrong answer is measured, promises are judged, the page shows the record.

The programs in Rust and Go take minutes to build; here a program stands for them that answers as it is told to.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

import otlp_fast
from benchmarks import rivals
from benchmarks.record import newest_record
from benchmarks.rival_process import RivalError, Rivals, packed, unpacked
from otlp_fast.bench.measure import WrongAnswerError
from tests.compat.spans import make_span

REQUESTS = [otlp_fast.encode_spans([make_span()]), otlp_fast.encode_spans([make_span(), make_span()])]

# FILE, the sums, then for each engine its name, the ns that it takes for the requests, and the file of its answer.
PROGRAM = """
import shutil, sys
_, sums, *engines = sys.argv
engines = {name: (int(ns), answer) for name, ns, answer in (engine.split("|") for engine in engines)}
for line in sys.stdin:
    command, _, rest = line.rstrip("\\n").partition(" ")
    argument, _, name = rest.partition(" ")
    if command == "engines":
        print("\\t".join(engines), flush=True)
    elif command == "sums":
        print(sums, flush=True)
    elif command == "write":
        shutil.copy(engines[name][1], argument)
        print("done", flush=True)
    elif command == "run":
        print(int(argument) * engines[name][0], 0, flush=True)
    else:
        sys.exit(command)
"""

TAKEN = {
    "encode prost": 40_000_000,
    "encode prost, one buffer": 30_000_000,
    "encode otlp-fast": 10_000_000,
    "decode prost": 80_000_000,
    "decode otlp-fast views": 20_000_000,
    "sum prost": 90_000_000,
    "sum otlp-fast views": 30_000_000,
}


def program(folder: Path, *, sums: str = "5 5", **wrong: list[bytes]) -> Rivals:
    """Start a program all of whose answers are right, but for those of the engines `wrong`, with _ for a blank."""
    engines = []
    for name, nanoseconds in TAKEN.items():
        answer = folder / name
        answer.write_bytes(packed(wrong.get(name.replace(" ", "_"), [] if name in rivals.READERS else REQUESTS)))
        engines.append(f"{name}|{nanoseconds}|{answer}")
    return Rivals([sys.executable, "-c", PROGRAM, sums, *engines])


def test_right_answers_are_let_pass(tmp_path: Path) -> None:
    with program(tmp_path) as peer:
        rivals.check([peer], REQUESTS, "traces", tmp_path)


@pytest.mark.parametrize("name", ["encode_prost", "encode_otlp-fast", "decode_prost"])
def test_answer_that_lacks_a_span_ends_the_run(tmp_path: Path, name: str) -> None:
    with program(tmp_path, **{name: [REQUESTS[0], REQUESTS[0]]}) as peer, pytest.raises(WrongAnswerError):
        rivals.check([peer], REQUESTS, "traces", tmp_path)


def test_sums_that_differ_end_the_run(tmp_path: Path) -> None:
    with program(tmp_path, sums="5 6") as peer, pytest.raises(WrongAnswerError, match="5 by messages of prost, 6 by"):
        rivals.check([peer], REQUESTS, "traces", tmp_path)


def test_program_that_ends_is_named_with_what_it_was_asked(tmp_path: Path) -> None:
    with program(tmp_path) as peer, pytest.raises(RivalError, match="no answer to 'dance'"):
        peer.ask("dance")


def test_records_are_read_back() -> None:
    assert unpacked(packed(REQUESTS)) == REQUESTS


def measured(folder: Path) -> dict[str, Any]:
    with program(folder) as peer:
        return rivals.summary(rivals.measure([peer], 3, Random(0)), 1_000)


def test_times_are_per_item_and_ratios_of_the_same_round(tmp_path: Path) -> None:
    figures = measured(tmp_path)
    assert figures["us_per_item"]["encode prost"]["rounds"] == [40.0] * 3
    assert figures["times"]["encode"]["encode prost, one buffer"]["rounds"] == [3.0] * 3
    assert rivals.against_prost(figures, "encode")["median"] == 3.0, "prost in its faster way"


def test_promise_that_is_not_kept_is_named(tmp_path: Path) -> None:
    corpora = {"some": measured(tmp_path)}
    assert rivals.broken_promises(corpora) == []
    slow = copy.deepcopy(corpora)
    slow["some"]["times"]["decode"]["decode prost"]["median"] = 2.5
    assert rivals.broken_promises(slow) == ["decode of some: at least 3 (2.5)"]


def test_page_shows_the_newest_record() -> None:
    assert rivals.markdown(newest_record(rivals.KEPT)) in rivals.PAGE.read_text(encoding="utf-8")
