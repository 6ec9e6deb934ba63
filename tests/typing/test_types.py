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
traces = otlp_fast.decode_traces(b"")
reveal_type(traces)
reveal_type(traces.start_time_unix_nano)
reveal_type(traces.trace_id)
reveal_type(traces.name)
reveal_type(traces.name == "GET")
reveal_type(traces.attributes["http.route"])
reveal_type(traces.resource["service.name"] == "shop")
reveal_type(traces.scope.name)
reveal_type(traces[0])
reveal_type(traces[0].name)
reveal_type(traces[0].kind)
reveal_type(traces[1:2])
reveal_type([span.start_time for span in traces])
reveal_type(traces.filter(traces.status_code == 2))
reveal_type(type(traces).concat([traces]))
reveal_type(otlp_fast.decode_logs(b"").body[0])
reveal_type(otlp_fast.decode_logs(b"")[0].timestamp)
reveal_type(otlp_fast.decode_metrics(b"").metric.unit)
reveal_type(otlp_fast.decode_metrics(b"").exemplars.double)
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
    "otlp_fast.columns.traces.Traces",
    "ndarray[uint64]",
    "ndarray[void]",
    "otlp_fast.columns.text.TextColumn",
    "ndarray[bool]",
    "otlp_fast.columns.attributes.ValueColumn",
    "ndarray[bool]",
    "otlp_fast.columns.text.TextColumn",
    "otlp_fast.columns.spans.Span",
    "str",
    "otlp_fast.columns.spans.SpanKind",
    "otlp_fast.columns.traces.Traces",
    "list[int]",
    "otlp_fast.columns.traces.Traces",
    "otlp_fast.columns.traces.Traces",
    "Any",
    "int",
    "otlp_fast.columns.text.TextColumn",
    "ndarray[float64]",
]


def shortened(revealed: str) -> str:
    """A type without the module of builtins, and an array by the type of its elements, whatever NumPy calls it."""
    revealed = re.sub(r"builtins\.", "", revealed)
    element = re.fullmatch(r"numpy\.ndarray\[.*numpy\.dtype\[(?:numpy\.)?(\w+)(.*)\]\]", revealed)
    if element is None:
        return revealed
    # An unsigned integer of 64 bits has no name of its own in NumPy's types.
    name, size = element[1], re.search(r"_(\d+)Bit", element[2])
    return f"ndarray[{name if size is None else {'unsignedinteger': 'uint', 'floating': 'float'}[name] + size[1]}]"


@pytest.mark.parametrize("module", ["otlp_fast._core", "otlp_fast._sdk"])
def test_stubs_match_the_built_module(module: str, tmp_path: Path) -> None:
    # The buffer protocol has had names in Python only since 3.12 (PEP 688); type checkers know them for all versions.
    allowed = tmp_path / "allowed"
    allowed.write_text(
        "" if sys.version_info >= (3, 12) else r"otlp_fast\._core\.(Array|Buffer)\.__(release_)?buffer__"
    )
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
    revealed = [shortened(found) for found in re.findall(r'Revealed type is "([^"]+)"', output)]
    assert revealed == REVEALED
