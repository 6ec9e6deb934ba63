"""The layers and fences of docs/architecture.md and docs/safety.md: who may use whom, and where `unsafe` may stand."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
RUST_FILES = sorted([*PROJECT.glob("src/**/*.rs"), *PROJECT.glob("native/*/src/**/*.rs")])
PYTHON_FILES = sorted((PROJECT / "python").rglob("*.py"))

UNSAFE_ALLOWED = {
    "native/wire/src/raw.rs",
    "native/sdk/src/abi.rs",
    "src/array.rs",
    "src/buffer.rs",
    "src/points.rs",
    "src/write.rs",
}
UNSAFE_ALLOWED_BELOW = ("native/wire/src/simd/",)

# Crates that each layer may name, by folder: those below it, and itself (in its own tests).
CRATES = {
    "native/wire": {"otlp_wire"},
    "native/otlp": {"otlp_wire", "otlp_schema"},
    "native/columns": {"otlp_wire", "otlp_schema", "otlp_columns"},
    "native/compression": {"otlp_compression"},
    "native/tracezip": {"otlp_wire", "otlp_schema", "otlp_tracezip"},
    "native/sdk": {"otlp_wire", "otlp_schema", "otlp_sdk"},
    "src": {"otlp_wire", "otlp_schema", "otlp_columns", "otlp_compression", "otlp_tracezip", "otlp_sdk", "pyo3"},
}
OPENTELEMETRY_ALLOWED_BELOW = (
    "otlp_fast/exporter/",
    "otlp_fast/processor/",
    "otlp_fast/compat.py",
    "otlp_fast/demo/",
    "otlp_fast/bench/",
)
APPLICATIONS = {"demo", "bench"}


def relative(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def code_of(path: Path) -> str:
    """The Rust of a file without comments."""
    return re.sub(r"//.*", "", path.read_text(encoding="utf-8"))


def uses_unsafe(path: Path) -> bool:
    return re.search(r"\bunsafe\b\s*(\{|fn|impl|extern|\()", code_of(path)) is not None


def test_there_are_files_to_look_at() -> None:
    assert len(RUST_FILES) > 15
    assert len(PYTHON_FILES) > 15


def test_unsafe_stands_only_inside_the_fence() -> None:
    found = {relative(path) for path in RUST_FILES if uses_unsafe(path)}
    outside = {name for name in found - UNSAFE_ALLOWED if not name.startswith(UNSAFE_ALLOWED_BELOW)}
    assert outside == set()
    assert found >= UNSAFE_ALLOWED, "a file of the fence has no unsafe any more: take it off the list"


@pytest.mark.parametrize("path", [path for path in RUST_FILES if uses_unsafe(path)], ids=relative)
def test_every_unsafe_block_names_its_duty(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.search(r"\bunsafe\s*\{", line.split("//")[0]):
            above = number - 1
            # The comment stands above the statement that holds the block, which may have begun some lines before.
            while above >= 0 and "SAFETY:" not in lines[above] and number - above < 12:
                above -= 1
            assert "SAFETY:" in lines[above], f"{relative(path)}:{number + 1}: unsafe without a SAFETY line"


@pytest.mark.parametrize("crate", ["native/otlp", "native/columns", "native/compression", "native/tracezip"])
def test_crates_outside_the_fence_forbid_unsafe(crate: str) -> None:
    assert "#![forbid(unsafe_code)]" in (PROJECT / crate / "src/lib.rs").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", sorted(CRATES))
def test_crate_names_only_layers_below_it(folder: str) -> None:
    ours = {"otlp_wire", "otlp_schema", "otlp_compression", "otlp_sdk", "otlp_columns", "otlp_tracezip", "pyo3"}
    for path in (PROJECT / folder).rglob("*.rs"):
        if path.name == "build.rs":
            continue
        named = {name for name in ours if re.search(rf"\b{name}\b", code_of(path))}
        assert named <= CRATES[folder], relative(path)


def imported_by(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", PYTHON_FILES, ids=relative)
def test_opentelemetry_is_imported_only_below_the_plug_ins(path: Path) -> None:
    inside = relative(path).removeprefix("python/").startswith(OPENTELEMETRY_ALLOWED_BELOW)
    for name in imported_by(path):
        assert inside or name.split(".")[0] != "opentelemetry", name


@pytest.mark.parametrize("path", [path for path in PYTHON_FILES if APPLICATIONS.isdisjoint(path.parts)], ids=relative)
def test_rivals_and_protobuf_are_never_imported_by_the_package(path: Path) -> None:
    unwanted = ("google.protobuf", "requests", "opentelemetry.proto", "opentelemetry.exporter", "lz4")
    # The reference has no native code of ours to compress with.
    if relative(path) != "python/otlp_fast/reference/tracezip/zblock.py":
        unwanted += ("zstandard",)
    for name in imported_by(path):
        assert not name.startswith(unwanted), name


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import otlp_fast", ["google", "numpy", "grpc", "opentelemetry", "urllib3", "logging", "click", "rich"]),
        # Of the standard library, too, nothing that takes longer to load than the package itself.
        ("import otlp_fast", ["typing", "re", "enum", "dataclasses", "contextlib", "functools", "collections"]),
        ("import otlp_fast.compression", ["gzip", "zlib", "lz4", "zstandard", "opentelemetry"]),
        ("from otlp_fast.exporter.http import OTLPSpanExporter", ["google", "numpy", "grpc", "requests", "sqlite3"]),
        ("from otlp_fast.exporter.grpc import OTLPSpanExporter", ["google", "numpy", "urllib3", "requests", "sqlite3"]),
        ("import otlp_fast.processor", ["google", "numpy", "grpc", "urllib3", "requests", "sqlite3"]),
        ("import otlp_fast.compat", ["google", "numpy", "grpc", "urllib3", "requests"]),
        ("import otlp_fast.columns", ["google", "pyarrow", "pandas", "polars", "grpc", "opentelemetry", "urllib3"]),
        ("import otlp_fast.files", ["google", "numpy", "pyarrow", "opentelemetry", "urllib3", "click", "rich"]),
        (
            "import otlp_fast.gateway",
            ["google", "numpy", "grpc", "opentelemetry", "urllib3", "uvicorn", "click", "rich"],
        ),
        ("import otlp_fast.bench.measure", ["google", "numpy", "click", "rich"]),
        ("import otlp_fast.reference", ["google", "numpy", "grpc", "opentelemetry", "xxhash", "zstandard"]),
        ("import otlp_fast.reference.tracezip", ["google", "numpy", "grpc", "opentelemetry"]),
    ],
)
def test_import_loads_nothing_that_was_not_asked_for(statement: str, unwanted: list[str]) -> None:
    script = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    loaded = {name.split(".")[0] for name in output.split()}
    assert "otlp_fast" in loaded
    assert loaded.isdisjoint(unwanted)
