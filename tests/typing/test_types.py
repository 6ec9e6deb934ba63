"""What users' type checkers see: stubs that match the built modules, and public names of the types that they say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

SNIPPET = """
import otlp_fast

reveal_type(otlp_fast.encode_spans([]))
encoder = otlp_fast.SpanEncoder()
reveal_type(encoder)
reveal_type(encoder.add(None))
reveal_type(encoder.item_count)
reveal_type(encoder.finish())
reveal_type(bytes(encoder.finish()))
reveal_type(otlp_fast.from_json("{}", "traces"))
reveal_type(otlp_fast.merge([b"", bytearray()], "traces"))
reveal_type(otlp_fast.count(b"", "traces"))
reveal_type(otlp_fast.pool_stats())
reveal_type(otlp_fast.encode_stats())
reveal_type(otlp_fast.EncodeError("x").path)
reveal_type(otlp_fast.DecodeError("x").offset)
reveal_type(otlp_fast.__version__)
"""
REVEALED = [
    "bytes",
    "otlp_fast._sdk.SpanEncoder",
    "None",
    "int",
    "otlp_fast._core.Buffer",
    "bytes",
    "bytes",
    "bytes",
    "int",
    "dict[str, int]",
    "dict[str, int]",
    "str",
    "int",
    "str",
]


@pytest.mark.parametrize("module", ["otlp_fast._core", "otlp_fast._sdk"])
def test_stubs_match_the_built_module(module: str, tmp_path: Path) -> None:
    # The buffer protocol has had names in Python only since 3.12 (PEP 688); type checkers know them for all versions.
    allowed = tmp_path / "allowed"
    allowed.write_text("" if sys.version_info >= (3, 12) else r"otlp_fast\._core\.Buffer\.__(release_)?buffer__")
    options = ["--ignore-missing-stub", "--concise", "--allowlist", str(allowed), "--ignore-unused-allowlist"]
    command = [sys.executable, "-m", "mypy.stubtest", *options, module]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_public_names_have_the_types_that_they_say(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--strict", "--allow-untyped-calls", str(snippet)]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert "error" not in output, output
    revealed = [re.sub(r"builtins\.", "", found) for found in re.findall(r'Revealed type is "([^"]+)"', output)]
    assert revealed == REVEALED
