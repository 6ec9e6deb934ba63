"""Coverage-guided fuzzing on the stable toolchain: `make fuzz`, or `python3 fuzz/run.py --help`.

cargo-fuzz asks for the nightly toolchain because of its sanitizers. Coverage alone is a pass of LLVM that stable has,
and libFuzzer comes as a crate. So this builds `fuzz/guided` with the pass, writes inputs to begin with, runs each
target for its time, and prints what was reached. What is found is kept as a file, and how to see it again is printed.

What a run learned is kept in target/fuzz/corpus, and the next run goes on from there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "target" / "fuzz"
TARGETS = {
    "wire": "reader, writer and kernels against the plainest code for the same",
    "views": "requests through tables, cutting, the writer, JSON, selection and merging",
    "json": "text as OTLP/JSON",
    "tracezip": "requests through both ends of a stream, frames into a decoder",
}
# What cargo-fuzz passes besides its sanitizers: counters of edges, their addresses, and the operands of comparisons.
COVERAGE = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
]
# Longer inputs of the same fields reach no other code, and are mutated less often.
MAX_LEN = 4096
# An input that takes longer is a finding, in seconds.
TIMEOUT = 20


@dataclass
class Ended:
    """What a target came to."""

    target: str
    seconds: float
    runs: int
    edges: int
    all_edges: int
    inputs: int
    findings: list[Path]
    is_interrupted: bool


def host() -> str:
    """The platform to build for. Named, so that build scripts and macros are not built with coverage."""
    told = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^host: (.+)$", told, re.MULTILINE)[0]


def build() -> Path:
    """Builds all targets. Gives the folder of the programs."""
    triple = host()
    environment = os.environ | {"RUSTFLAGS": " ".join(COVERAGE), "CARGO_TARGET_DIR": str(FOLDER / "build")}
    command = ["cargo", "build", "--locked", "--release", "--target", triple]
    subprocess.run(command, cwd=PROJECT / "fuzz" / "guided", env=environment, check=True)
    return FOLDER / "build" / triple / "release"


def write_inputs(corpora: Path | None) -> Path:
    """Writes inputs for every target to begin with."""
    inputs = FOLDER / "inputs"
    command = ["cargo", "run", "--locked", "--quiet", "-p", "otlp-fuzz", "--", "--inputs", str(inputs)]
    if corpora is not None:
        command += ["--corpus", str(corpora)]
    subprocess.run(command, cwd=PROJECT, check=True)
    return inputs


def fuzz(programs: Path, inputs: Path, target: str, seconds: int) -> Ended:
    """Runs a target for its time."""
    corpus, findings = FOLDER / "corpus" / target, FOLDER / "findings" / target
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    log = FOLDER / f"{target}.log"
    command = [str(programs / target), str(corpus), str(inputs / target)]
    command += [f"-max_total_time={seconds}", f"-max_len={MAX_LEN}", f"-timeout={TIMEOUT}", "-print_final_stats=1"]
    command.append(f"-artifact_prefix={findings}/")
    if target == "json":
        command.append(f"-dict={inputs / 'json.dict'}")
    begin = time.monotonic()
    is_interrupted = False
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                time.sleep(1)
                show_progress(target, time.monotonic() - begin, seconds, *progress(log))
        except KeyboardInterrupt:
            is_interrupted = True
            # It may have had the same Ctrl-C; either way it tells what it did.
            process.send_signal(signal.SIGINT)
            process.wait()
    print(file=sys.stderr)
    runs, edges = progress(log)
    told = log.read_text(errors="replace")
    # Named by its content: what was found before and is there still is written over the same file.
    found = sorted({Path(path) for path in re.findall(r"Test unit written to (.+)$", told, re.MULTILINE)})
    if process.returncode != 0 and not is_interrupted and not found:
        raise SystemExit(f"fuzz: {target} did not run (exit status {process.returncode}):\n{told[-2000:]}")
    all_edges = sum(
        int(count) for count in re.findall(r"Loaded \d+ modules\s+\((\d+) inline 8-bit counters\)", told)[:1]
    )
    inputs_kept = len(list(corpus.iterdir()))
    elapsed = time.monotonic() - begin
    return Ended(target, elapsed, runs, edges, all_edges, inputs_kept, found, is_interrupted)


def progress(log: Path) -> tuple[int, int]:
    """The runs and edges of libFuzzer's last lines."""
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - 20_000))
        told = lines.read().decode(errors="replace")
    status = re.findall(r"^#(\d+)[:\s].*?cov: (\d+)", told, re.MULTILINE)
    runs, edges = map(int, status[-1]) if status else (0, 0)
    final = re.findall(r"stat::number_of_executed_units:\s+(\d+)", told)
    return (int(final[-1]) if final else runs), edges


def show_progress(target: str, elapsed: float, seconds: int, runs: int, edges: int) -> None:
    """One line, written over."""
    print(
        f"\r{target}: {elapsed:.0f} of {seconds} s, {runs:,} runs, {edges:,} edges ",
        end="",
        file=sys.stderr,
        flush=True,
    )


def parse() -> argparse.Namespace:
    """The arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told = "\n".join(f"  {name:10}{what}" for name, what in TARGETS.items())
    parser.epilog = f"targets:\n{told}"
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="which targets to run (all)")
    parser.add_argument("--time", type=int, default=60, metavar="SECONDS", help="how long to run each (60)")
    corpora = os.environ.get("OTLP_FAST_CORPORA")
    default = Path(corpora) if corpora else PROJECT.parent / "shared" / "corpora"
    parser.add_argument(
        "--corpora", type=Path, default=default, metavar="FOLDER", help="captured requests to begin with (%(default)s)"
    )
    options = parser.parse_args()
    for target in options.targets:
        if target not in TARGETS:
            parser.error(f"there is no target {target}: choose from {', '.join(TARGETS)}")
    if options.time < 1:
        parser.error("--time is at least 1")
    return options


def main() -> int:
    """Builds, runs, and prints what was reached. Gives 1 where something was found."""
    options = parse()
    for program, what in (("cargo", "Rust: https://rustup.rs"), ("c++", "a C++ compiler, such as the package g++")):
        if shutil.which(program) is None:
            print(f"fuzz: {program} was not found; this needs {what}", file=sys.stderr)
            return 2
    corpora = options.corpora if options.corpora.is_dir() else None
    if corpora is None:
        print(f"fuzz: {options.corpora} is not there; beginning with made-up requests only", file=sys.stderr)
    ended: list[Ended] = []
    try:
        programs, inputs = build(), write_inputs(corpora)
        for target in options.targets or TARGETS:
            ended.append(fuzz(programs, inputs, target, options.time))
            if ended[-1].is_interrupted:
                raise KeyboardInterrupt
    except subprocess.CalledProcessError as error:
        print(f"fuzz: {error.cmd[0]} ended with {error.returncode}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("fuzz: interrupted; the corpus is kept", file=sys.stderr)
    for target in ended:
        print(
            f"{target.target:10}{target.runs:>14,} runs in {target.seconds:,.0f} s  {target.edges:,} of "
            f"{target.all_edges:,} edges  {target.inputs:,} inputs kept  {len(target.findings)} findings"
        )
        for path in target.findings:
            print(f"  {path}\n  again: {programs / target.target} {path}")
    return int(any(target.findings for target in ended))


if __name__ == "__main__":
    sys.exit(main())
