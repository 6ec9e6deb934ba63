"""What pages show but nobody runs is true as well: errors are those that come, and every kind of block has its test."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import otlp_fast
from otlp_fast import tracezip
from otlp_fast.exporter.http import OTLPSpanExporter
from tests.compat.spans import make_span
from tests.docs.pages import BLOCKS, PAGES, PROJECT, Block, blocks

NAME_THAT_IS_NOT_UTF8 = b"\x0a\x0a\x12\x08\x12\x06\x30\x02\x2a\x02\xc3\x28"
KIND_THAT_IS_CUT_OFF = b"\x0a\x06\x12\x04\x12\x02\x30\xff"


def decode_frame_of_another_state() -> None:
    with tracezip.Encoder("traces") as encoder:
        frames = [encoder.encode(b"request") for _ in range(2)]
    tracezip.Decoder().decode(frames[1])


SHOWN: dict[str, Callable[[], Any]] = {
    "argument compression": lambda: OTLPSpanExporter(compression="br"),
    "spans[1] is not a span": lambda: otlp_fast.encode_spans([make_span(), "a string"]),
    "not valid UTF-8": lambda: otlp_fast.decode_traces(NAME_THAT_IS_NOT_UTF8),
    "the input ends": lambda: otlp_fast.decode_traces(KIND_THAT_IS_CUT_OFF),
    "StateLostError": decode_frame_of_another_state,
}
"""What makes the error of a block, by words of it."""

SPECIFICATIONS = {
    "docs/tracezip-format.md": "tests/unit/test_tracezip_vectors.py",
    "docs/tracezip-archive.md": "tests/unit/tracezip",
}
"""Pages whose blocks are grammars, rules and bytes, with the tests that hold these."""

ERRORS = [block for block in blocks("text") if block.page not in SPECIFICATIONS]


@pytest.mark.parametrize("block", ERRORS, ids=str)
def test_error_is_the_one_shown(block: Block) -> None:
    (make,) = (make for words, make in SHOWN.items() if words in block.text)
    with pytest.raises(ValueError) as caught:
        make()
    assert "".join(traceback.format_exception_only(caught.value)) == block.text


def test_every_error_is_shown_somewhere() -> None:
    assert all(any(words in block.text for block in ERRORS) for words in SHOWN)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_is_of_a_kind_that_is_tested(block: Block) -> None:
    assert block.language in ("python", "pycon", "sh", "text", ""), f"no test knows blocks in {block.language!r}"
    if not block.language:
        assert re.search("[─►◄▲▼│]", block.text), "without a language only pictures stand"
    if block.page in SPECIFICATIONS:
        assert (PROJECT / SPECIFICATIONS[block.page]).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_code_escapes_by_another_form(page: Any) -> None:
    outside = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert "```" not in outside
    assert "~~~" not in outside
    assert not re.search(r"^[^\n-]*\n\n(?: {4}|\t)\S", outside, re.MULTILINE), "code by indentation"
