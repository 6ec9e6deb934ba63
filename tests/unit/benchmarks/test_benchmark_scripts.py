"""The benchmarks that are scripts: what goes wrong is one line, and no traceback."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from benchmarks import compression, reading, rivals
from benchmarks.kernels import record as kernels
from benchmarks.rival_process import RivalError
from benchmarks.table import NoPlaceError
from otlp_fast.bench.measure import WrongAnswerError

MEASURING: list[tuple[ModuleType, str]] = [
    (compression, "measure"),
    (kernels, "run"),
    (reading, "measure"),
    (rivals, "build"),
]


@pytest.fixture(autouse=True)
def _command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["script"])
    for script in (reading, rivals):
        monkeypatch.setattr(script, "missing_corpora", lambda *names: [])


def ended_by(script: Any, function: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    """Run a script in which a function fails, and give what it exits with."""

    def fail(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(script, function, fail)
    with pytest.raises(SystemExit) as ended:
        script.main()
    return ended.value.code


@pytest.mark.parametrize(("script", "function"), MEASURING)
def test_interruption_is_one_line(
    script: ModuleType, function: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_by(script, function, KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err.startswith("otlp-fast: interrupted")


@pytest.mark.parametrize(
    ("script", "function", "error", "said"),
    [
        (compression, "measure", WrongAnswerError("gzip 6"), "wrong answer: gzip 6"),
        (reading, "measure", WrongAnswerError("attributes"), "wrong answer: attributes"),
        (rivals, "build", WrongAnswerError("decode prost"), "wrong answer: decode prost"),
        (rivals, "build", RivalError("no answer to 'sums'"), "no answer to 'sums'"),
        (rivals, "build", NoPlaceError("expected a and then b"), "expected a and then b"),
        (kernels, "run", FileNotFoundError("no cargo"), "no cargo"),
    ],
)
def test_what_went_wrong_is_one_line(
    script: ModuleType, function: str, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended_by(script, function, error, monkeypatch) == f"otlp-fast: {said}"


@pytest.mark.parametrize("script", [reading, rivals])
@pytest.mark.parametrize("rounds", ["0", "-1"])
def test_no_rounds_are_a_wrong_option(script: Any, rounds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["script", "--rounds", rounds])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert ended.value.code == 2


@pytest.mark.parametrize("script", [reading, rivals])
def test_missing_corpora_are_named_before_anything_is_done(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "missing_corpora", lambda *names: ["some-traces", "some-logs"])
    with pytest.raises(SystemExit) as ended:
        script.main()
    assert str(ended.value.code).startswith("otlp-fast: some-traces, some-logs: not in ")
