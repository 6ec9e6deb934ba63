"""The README's examples run as they stand, and what it says of errors and commands is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import otlp_fast
from tests.compat.spans import make_span

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")

# What the examples take as given.
GIVEN = """
from types import SimpleNamespace
from tests.compat.spans import make_span
spans = [make_span(), make_span()]
sent = []
socket = SimpleNamespace(sendall=lambda data: sent.append(bytes(data)))
"""
CHECK = """
if "data" in globals():
    assert sent == [data] and len(data) > 100
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", blocks("python"))
def test_example_runs(example: str) -> None:
    script = f"{GIVEN}\n{example}\n{CHECK}"
    result = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")


def test_there_are_examples() -> None:
    assert len(blocks("python")) == 2


def test_error_message_is_the_one_shown() -> None:
    with pytest.raises(otlp_fast.EncodeError) as caught:
        otlp_fast.encode_spans([make_span(), "a string"])
    assert f"otlp_fast.errors.EncodeError: {caught.value}" in blocks("text")[0]


def test_make_targets_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"`?make ([a-z-]+)", README))
    assert targets >= {"demo", "test", "bench"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", README):
        assert (PROJECT / link).exists(), link
