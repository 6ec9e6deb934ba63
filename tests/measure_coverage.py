"""What the tests run of the project's lines: of Python by the Python tests, of Rust by the Rust and the Python tests.

python tests/measure_coverage.py [arguments of pytest]

Coverage.py counts the Python lines, child processes included. The Rust lines are counted by rustc's instrumentation,
which cargo-llvm-cov switches on: in the crates' own tests, and in an instrumented copy of the extension that the Python
tests use instead of the installed one. The counts are read by `llvm-cov` and `llvm-profdata`, of the LLVM that rustc
was built with. Where Rust or one of these is missing, only Python is measured, and a line says how to get it.

Fails where a test failed, or where fewer of the lines were run than `LEAST` and setup.cfg say.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.packaging.prerequisites import PROJECT, rust

TARGET = PROJECT / "target" / "coverage"
PACKAGE = TARGET / "python"
"""A copy of python/ with the instrumented extension: the one that is in use stays fast."""
TOOLS = PROJECT / "target" / "tools"
CARGO_LLVM_COV = str(TOOLS / "bin" / "cargo-llvm-cov")
CARGO_LLVM_COV_VERSION = "0.9.1"

CRATES = ("otlp-wire", "otlp-schema", "otlp-columns", "otlp-compression", "otlp-tracezip")
"""Those with tests of their own; native/sdk and src/ are run by the Python tests."""

LEAST = 90
"""Percent of the Rust lines; that of the Python lines is in setup.cfg."""

console = Console(highlight=False)


def llvm_tools(environment: Mapping[str, str]) -> dict[str, str] | None:
    """Where LLVM's tools are: as the environment says, in rustup's component, or in a package of Debian's kind."""
    lack = rust()
    if lack is not None:
        say_without_rust(lack)
        return None
    if "LLVM_COV" in environment and "LLVM_PROFDATA" in environment:
        return {name: environment[name] for name in ("LLVM_COV", "LLVM_PROFDATA")}
    version, sysroot = output("rustc", "-vV"), output("rustc", "--print", "sysroot").strip()
    host, major = found(r"host: (.+)", version), found(r"LLVM version: (\d+)", version)
    for folder in (Path(sysroot, "lib", "rustlib", host, "bin"), Path("/usr/lib", f"llvm-{major}", "bin")):
        if (folder / "llvm-cov").exists():
            return {"LLVM_COV": str(folder / "llvm-cov"), "LLVM_PROFDATA": str(folder / "llvm-profdata")}
    say_without_rust(
        f"llvm-cov of LLVM {major} was not found. Get it by `rustup component add llvm-tools`, or "
        f"`apt install llvm-{major}`."
    )
    return None


def say_without_rust(reason: str) -> None:
    """Say why only Python is measured, and how to change that."""
    console.print(f"otlp-fast: the Rust lines are not measured: {reason}", style="yellow", soft_wrap=True)


def output(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a command prints, which must not fail."""
    return subprocess.run(command, cwd=PROJECT, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout


def found(pattern: str, text: str) -> str:
    """The first group of a pattern that the text has."""
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def install_cargo_llvm_cov() -> bool:
    """Install the version that is known to work; where it is there, that takes no time. False where it fails."""
    options = ["--locked", "--quiet", "--root", str(TOOLS), "--version", CARGO_LLVM_COV_VERSION]
    if subprocess.run(["cargo", "install", *options, "cargo-llvm-cov"], cwd=PROJECT).returncode == 0:
        return True
    say_without_rust(
        f"cargo-llvm-cov {CARGO_LLVM_COV_VERSION} was not installed. With a network, cargo does that once."
    )
    return False


def instrumented(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which cargo builds instrumented code, and that code writes down what was run."""
    own = {
        "CARGO_TARGET_DIR": str(TARGET),
        # Without, the Python tests would take several times as long. The counters are put in before the optimiser.
        "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
        "PYO3_PYTHON": sys.executable,
    }
    show = [CARGO_LLVM_COV, "llvm-cov", "show-env", "--sh", "--no-cfg-coverage"]
    words = shlex.split(output(*show, environment={**environment, **own}))
    shown = dict(word.split("=", 1) for word in words if "=" in word)
    # Eight files that all processes share, not one for each of thousands.
    shown["LLVM_PROFILE_FILE"] = re.sub(r"%p-%\d*m", "%8m", shown["LLVM_PROFILE_FILE"])
    return {**environment, **own, **shown}


def build_package(environment: Mapping[str, str]) -> None:
    """Compile the instrumented extension, and put it beside a copy of the Python files."""
    subprocess.run(["cargo", "build", "--locked", "--lib"], cwd=PROJECT, env=environment, check=True)
    shutil.rmtree(PACKAGE, ignore_errors=True)
    shutil.copytree(PROJECT / "python", PACKAGE, ignore=shutil.ignore_patterns("*.so"))
    library = TARGET / "debug" / f"lib_core.{'dylib' if sys.platform == 'darwin' else 'so'}"
    shutil.copy2(library, PACKAGE / "otlp_fast" / f"_core{sysconfig.get_config_var('EXT_SUFFIX')}")


def lines_run(lcov: str) -> Iterator[tuple[Path, dict[int, int]]]:
    """Each file of the project, and how often each of its lines was run: tests and their modules are left out."""
    for record in lcov.split("end_of_record"):
        source = re.search(r"(?m)^SF:(.+)$", record)
        path = Path(source[1]) if source else Path()
        if PROJECT not in path.parents:
            continue
        name = path.relative_to(PROJECT)
        if {"target", "tests", "tests.rs", "examples"} & set(name.parts):
            continue
        code = path.read_text(encoding="utf-8").partition("#[cfg(test)]\nmod tests {")[0]
        counts = {int(line): int(count) for line, count in re.findall(r"(?m)^DA:(\d+),(\d+)", record)}
        yield name, {line: counts[line] for line in counts if line <= code.count("\n")}


def spans_of(lines: list[int]) -> str:
    """Lines as one writes them: 3-5, 9."""
    spans: list[list[int]] = []
    for line in lines:
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def report_rust(lcov: str) -> bool:
    """Show the lines of each crate, and those that nothing ran; give whether they are enough."""
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for path, counts in sorted(lines_run(lcov)):
        crate = "src" if path.parts[0] == "src" else "/".join(path.parts[:2])
        missing = sorted(line for line, count in counts.items() if count == 0)
        if missing:
            console.print(f"{path}: {spans_of(missing)}", soft_wrap=True)
        for name in (crate, "all"):
            totals[name][0] += len(counts)
            totals[name][1] += len(counts) - len(missing)
    table = Table("crate", "lines", "run", "%")
    for name, (lines, run) in sorted(totals.items(), key=lambda total: (total[0] == "all", total[0])):
        table.add_row(name, f"{lines:,}", f"{run:,}", f"{100 * run / lines:.1f}")
    console.print(table)
    lines, run = totals["all"]
    if 100 * run < LEAST * lines:
        console.print(f"otlp-fast: fewer than {LEAST} % of the Rust lines were run", style="red")
        return False
    return True


def run_rust_tests(environment: Mapping[str, str]) -> int:
    """Run the crates' own tests, and make the package for the Python tests; give the exit code."""
    subprocess.run([CARGO_LLVM_COV, "llvm-cov", "clean", "--profraw-only"], cwd=PROJECT, env=environment, check=True)
    build_package(environment)
    packages = [argument for crate in CRATES for argument in ("-p", crate)]
    return subprocess.run(["cargo", "test", "--locked", *packages], cwd=PROJECT, env=environment).returncode


def run_python_tests(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the Python tests and show which lines they did not run; give 0 where they passed and ran enough."""
    # Distributions are built and tried in environments of their own, where nothing is measured.
    tests = ["-m", "pytest", "-n", "auto", "--dist", "worksteal", "--ignore=tests/packaging", *arguments]
    return max(
        abs(subprocess.run([sys.executable, "-m", "coverage", *step], cwd=PROJECT, env=environment).returncode)
        for step in (["erase"], ["run", *tests], ["combine", "--quiet"], ["report"])
    )


def main(pytest_arguments: list[str]) -> int:
    """Measure everything that can be measured here; 0 where all of it is as it should be."""
    tools = llvm_tools(os.environ)
    if tools is None or not install_cargo_llvm_cov():
        return run_python_tests(pytest_arguments, os.environ)
    cargo = instrumented({**os.environ, **tools})
    failed = run_rust_tests(cargo)
    with_package = {**os.environ, "LLVM_PROFILE_FILE": cargo["LLVM_PROFILE_FILE"], "PYTHONPATH": str(PACKAGE)}
    failed |= run_python_tests(pytest_arguments, with_package)
    # By itself it would leave out every crate but the one at the root.
    options = ["--lcov", "--no-default-ignore-filename-regex"]
    failed |= not report_rust(output(CARGO_LLVM_COV, "llvm-cov", "report", *options, environment=cargo))
    return int(bool(failed))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as failed:
        sys.exit(f"otlp-fast: coverage was not measured: {shlex.join(map(str, failed.cmd))} failed")
