"""Valgrind over the Rust tests of every native crate and over the Python border: `make valgrind`.

Property tests run with few cases: under valgrind each takes some thirty times as long, and what it looks for (memory
that was never written, or that is not ours) shows in the first of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "target" / "valgrind"
CRATES = ["otlp-wire", "otlp-schema", "otlp-columns", "otlp-compression", "otlp-tracezip"]
BORDER = "border"
# An exit status that no test has.
FOUND = 99
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={FOUND}", "--trace-children=no"]


def test_programs(crate: str) -> list[tuple[Path, Path]]:
    """Builds the tests of a crate. Gives each program and the folder of the crate, where Cargo runs it."""
    command = ["cargo", "test", "--locked", "--no-run", "--tests", "-p", crate, "--message-format=json"]
    told = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True).stdout
    messages = map(json.loads, told.splitlines())
    built = [message for message in messages if message.get("executable")]
    return [(Path(message["executable"]), Path(message["manifest_path"]).parent) for message in built]


def run(name: str, command: list[str], folder: Path, environment: dict[str, str]) -> bool:
    """Runs a program under valgrind, says how it ended, and gives whether all is well."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    log = FOLDER / f"{name}.log"
    print(f"{name}: ", end="", flush=True)
    begin = time.monotonic()
    with log.open("wb") as out:
        ended = subprocess.run(
            [*VALGRIND, *command], cwd=folder, env=os.environ | environment, stdout=out, stderr=subprocess.STDOUT
        )
    how = {0: "clean", FOUND: f"valgrind found something, see {log}"}
    print(how.get(ended.returncode, f"ended with {ended.returncode}, see {log}"), end="")
    print(f" ({time.monotonic() - begin:.0f} s)", flush=True)
    return ended.returncode == 0


def main() -> int:
    """Runs what was asked for. Gives 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = [*CRATES, BORDER]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)} (all)")
    parser.add_argument("--cases", type=int, default=4, help="cases of each property test (4)")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of the Python border (20)")
    options = parser.parse_args()
    for part in options.parts:
        if part not in parts:
            parser.error(f"there is no part {part}: choose from {', '.join(parts)}")
    if shutil.which("valgrind") is None:
        print("valgrind: the program was not found; the package is called valgrind", file=sys.stderr)
        return 2
    is_well = True
    try:
        for part in options.parts or parts:
            if part == BORDER:
                walk = [sys.executable, str(PROJECT / "fuzz/python/walk.py"), "--rounds", str(options.rounds)]
                inputs = PROJECT / "target/fuzz/inputs"
                if inputs.is_dir():
                    walk += ["--inputs", str(inputs)]
                # Objects in memory of their own, or valgrind sees CPython's arenas only.
                suppressions = f"--suppressions={PROJECT / 'fuzz/python.supp'}"
                is_well &= run(part, [suppressions, *walk], PROJECT, {"PYTHONMALLOC": "malloc"})
                continue
            for program, folder in test_programs(part):
                name = f"{part}-{program.name.rsplit('-', 1)[0]}"
                is_well &= run(name, [str(program)], folder, {"PROPTEST_CASES": str(options.cases)})
    except subprocess.CalledProcessError as error:
        print(f"valgrind: {error.cmd[0]} ended with {error.returncode}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nvalgrind: interrupted", file=sys.stderr)
        return 130
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
