"""What users' type checkers see: stubs that match the built modules, and public names of the types that they say.

The files of `revealed/` are programs of users. Behind each `reveal_type` stands the type that mypy must find there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

# What is in the modules and not in their stubs, or the other way round.
ALLOWED = [
    # PyO3 makes the list for `import *`; users import from `otlp_fast`, which has its own.
    r"otlp_fast\._core\.__all__",
    # What Cython adds to each module, and the walker's own classes, which it cannot keep out of the module.
    r"otlp_fast\._sdk\.(__reduce_cython__|__setstate_cython__|__test__|GroupKey|Request|Scratch|SdkTypes|Walk)",
]
# The buffer protocol has had names in Python only since 3.12 (PEP 688); type checkers know them for all versions.
BEFORE_3_12 = r"otlp_fast\._core\.(Array|Buffer)\.__(release_)?buffer__"


def shortened(revealed: str) -> str:
    """A type as one would write it: no module of builtins, an array by its elements, a named tuple by its name."""
    revealed = revealed.replace("builtins.", "")
    # An unsigned integer of 64 bits has no name of its own in NumPy's types.
    revealed = re.sub(r"numpy\.unsignedinteger\[[\w.]*_(\d+)Bit\]", r"numpy.uint\1", revealed)
    revealed = re.sub(r"numpy\.floating\[[\w.]*_(\d+)Bit\]", r"numpy.float\1", revealed)
    revealed = re.sub(r"numpy\.ndarray\[.*?numpy\.dtype\[(?:numpy\.)?(\w+)(?:\[\w+\])?\]\]", r"ndarray[\1]", revealed)
    return re.sub(r"tuple\[[^\[\]]*, fallback=([\w.]+)\]", r"\1", revealed)


def test_stubs_match_the_built_modules(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.write_text("\n".join([*ALLOWED, *([] if sys.version_info >= (3, 12) else [BEFORE_3_12])]))
    options = ["--concise", "--allowlist", str(allowed)]
    command = [sys.executable, "-m", "mypy.stubtest", *options, "otlp_fast._core", "otlp_fast._sdk"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_public_names_have_the_types_that_they_say(tmp_path: Path) -> None:
    # Outside the project, so that the package is found where it is installed, as it is by its users.
    programs = sorted((HERE / "revealed").glob("*.py"))
    for program in programs:
        (tmp_path / program.name).write_text(program.read_text())
    command = [sys.executable, "-m", "mypy", "--strict", *(program.name for program in programs)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    revealed = {
        (name, int(line)): shortened(found)
        for name, line, found in re.findall(r'(?m)^(.+?):(\d+): note: Revealed type is "(.+)"$', result.stdout)
    }
    expected = {
        (program.name, number): line.partition("  # ")[2]
        for program in programs
        for number, line in enumerate(program.read_text().splitlines(), 1)
        if "reveal_type(" in line
    }
    assert revealed == expected
