"""What `make` says on a machine that lacks something: PATH is a folder that holds no more than a test puts there.

The environment is a fake, too, where nothing is to be installed: its programs write down how they were called.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nox.project import load_toml

PROJECT = Path(__file__).resolve().parents[2]
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
PYTHON = sys.executable
BASICS = ("make", "sh", "find", "test", "touch", "env", "cat")
NO_INDEX = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


class Machine:
    """A machine with some programs, and perhaps an environment in which everything is installed."""

    def __init__(self, directory: Path) -> None:
        self.programs = directory / "programs"
        self.environment = directory / "environment"
        self.calls = directory / "calls"
        self.programs.mkdir()
        for name in BASICS:
            self.programs.joinpath(name).symlink_to(shutil.which(name) or pytest.skip(f"needs {name}"))
        self.has(python3=f'exec {PYTHON} "$@"')
        self.has(rustc="echo rustc 1.95.0", cargo=f'echo cargo "$@" >> {self.calls}', cc="exit 1", go="exit 1")

    def has(self, **programs: str) -> None:
        """Put shell scripts onto the machine."""
        for name, script in programs.items():
            self.lacks(name)
            self.write(self.programs / name, script)

    def lacks(self, *programs: str) -> None:
        """Take programs away."""
        for name in programs:
            self.programs.joinpath(name).unlink(missing_ok=True)

    def has_environment(self, *, pip: str = "") -> None:
        """All is installed already. pytest, nox and `pip install` are noted, the rest is done by this test's Python."""
        (self.environment / "bin").mkdir(parents=True)
        note = f'echo "$@" >> {self.calls}'
        python = f'case "$2 $3" in "pytest "*) {note};; "pip install") {pip or note};; *) exec {PYTHON} "$@";; esac'
        self.write(self.environment / "bin" / "python", python)
        self.write(self.environment / "bin" / "nox", note)
        (self.environment / ".installed").touch()

    @staticmethod
    def write(path: Path, script: str) -> None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run make in the project, with an environment elsewhere."""
        command = ["make", "--no-print-directory", f"VENV={self.environment}", *arguments]
        variables = {"PATH": str(self.programs), "HOME": str(self.programs), **environment}
        return subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True)

    def called(self) -> str:
        """What the fake programs were asked to do."""
        return self.calls.read_text(encoding="utf-8") if self.calls.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_help_names_every_target_that_a_user_calls() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    parts = {"help", "test-rust", "test-python", "test-oldest-sdk"}
    assert set(re.findall(r'^\t@echo "make ([\w-]+) ', MAKEFILE, re.MULTILINE)) == set(phony.split()) - parts
    assert set(phony.split()) == set(re.findall(r"^([a-z][\w-]*):(?!=)", MAKEFILE, re.MULTILINE))


def test_build_requirements_are_those_of_the_project() -> None:
    (line,) = re.findall(r"^BUILD_REQUIRES := (.*)$", MAKEFILE, re.MULTILINE)
    assert re.findall(r"'([^']+)'", line) == load_toml(PROJECT / "pyproject.toml")["build-system"]["requires"]


def test_oldest_rust_is_said_everywhere_alike() -> None:
    (oldest,) = re.findall(r'\nrust-version = "([\d.]+)"', (PROJECT / "Cargo.toml").read_text(encoding="utf-8"))
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    for text in (MAKEFILE, readme):
        assert set(re.findall(r"Rust (\d+\.\d+)", text)) <= {oldest}
    assert f"Rust {oldest}+" in MAKEFILE


@pytest.mark.parametrize("target", ["demo", "test", "lint", "wheels", "bench", "test-rust"])
@pytest.mark.parametrize(
    ("missing", "said"),
    [("cargo", "cargo was not found: Rust 1.88 or newer is needed (https://rustup.rs"),
     ("cc", "a C compiler is needed, and cc was not found (apt install gcc")],
)  # fmt: skip
def test_missing_tool_is_named_with_how_to_get_it(target: str, missing: str, said: str, machine: Machine) -> None:
    machine.lacks(missing)
    result = machine.make(target)
    assert result.returncode != 0
    assert result.stderr.count(said) == 1
    assert not machine.environment.exists()
    assert not machine.called()


@pytest.mark.parametrize("target", ["bench-kernels", "compat", "lint", "valgrind", "wheels"])
def test_rust_that_went_missing_later_is_named_too(target: str, machine: Machine) -> None:
    machine.has_environment()
    machine.lacks("cargo")
    result = machine.make(target, **NO_INDEX)
    assert result.returncode != 0
    assert result.stderr.count("cargo was not found: Rust 1.88 or newer is needed (https://rustup.rs") == 1
    assert "Traceback" not in result.stderr
    assert not machine.called()


def test_python_border_goes_under_valgrind_without_rust(machine: Machine) -> None:
    machine.has_environment()
    machine.lacks("cargo")
    result = machine.make("valgrind", "PARTS=border")
    assert "cargo" not in result.stderr
    assert "valgrind: the program was not found" in result.stderr


def test_all_that_is_missing_is_said_at_once(machine: Machine) -> None:
    machine.lacks("cargo", "cc")
    said = machine.make("demo").stderr
    assert "cargo was not found" in said
    assert "cc was not found" in said


@pytest.mark.parametrize(
    ("rustc", "said"),
    [("echo rustc 1.70.0 '(90c541806 2023-05-31)'", "rustc 1.70 is too old: Rust 1.88 or newer is needed"),
     ("echo error: no default toolchain >&2; exit 1", "answers 'error: no default toolchain': Rust 1.88")],
)  # fmt: skip
def test_rust_that_cannot_build_it_is_named(rustc: str, said: str, machine: Machine) -> None:
    machine.has(rustc=rustc)
    assert said in machine.make("demo").stderr


@pytest.mark.parametrize("target", ["demo", "test-rust"])
def test_missing_and_old_python_are_named(target: str, machine: Machine) -> None:
    machine.lacks("python3")
    assert "python3 was not found: Python 3.10 or newer is needed" in machine.make(target).stderr
    machine.has(python3="exit 1")
    assert "python3 cannot be run or is too old" in machine.make(target).stderr
    assert "python3.99 was not found" in machine.make(target, "PYTHON=python3.99").stderr


def test_benchmarks_run_on_behind_a_promise_that_is_not_kept_and_fail_at_the_end(machine: Machine) -> None:
    machine.has_environment()
    note = f'echo "$@" >> {machine.calls}'
    machine.write(machine.environment / "bin" / "python", f'{note}; case "$1" in *report.py|*reading.py) exit 1;; esac')
    result = machine.make("bench")
    assert result.returncode == 2
    assert [call.split()[0] for call in machine.called().splitlines()] == [
        "-m",
        *(f"benchmarks/{name}.py" for name in ("report", "reading", "tracezip", "report", "unkept")),
    ]
    assert result.stderr.splitlines()[0] == (
        "otlp-fast: promises not kept, or not measured, as said above: benchmarks/report.py --record --readme; "
        "benchmarks/reading.py --record --page; benchmarks/report.py --plot"
    )


@pytest.mark.parametrize("target", ["demo", "fuzz-python"])
def test_installing_without_an_index_says_so(target: str, machine: Machine) -> None:
    machine.has_environment(pip="exit 1")
    if target == "demo":
        (machine.environment / ".installed").unlink()
    result = machine.make(target, **NO_INDEX)
    assert result.returncode != 0
    assert "otlp-fast: pip reaches no package index" in result.stderr
    assert (machine.environment / ".installed").exists() == (target == "fuzz-python")


def test_new_sources_are_built_without_an_environment_that_pip_would_have_to_fetch(machine: Machine) -> None:
    machine.has_environment()
    (machine.environment / ".installed").unlink()
    assert machine.make("test-python").returncode == 0
    requirements, project, tests = machine.called().splitlines()
    assert requirements.endswith("maturin>=1.9.4,<2 cython>=3.1")
    assert project.endswith("--no-build-isolation --editable .[test,benchmarks]")
    assert tests.startswith("-m pytest")


def test_tests_go_on_without_rust_and_without_an_index_and_name_what_they_skip(machine: Machine) -> None:
    machine.has_environment()
    machine.lacks("cargo", "cc", "go")
    result = machine.make("test", **NO_INDEX)
    assert result.returncode == 0, result.stderr
    assert "otlp-fast: skipped test-oldest-sdk: pip reaches no package index" in result.stderr
    assert "otlp-fast: skipped test-rust: cargo was not found" in result.stderr
    assert "otlp-fast: skipped test-rust: a C compiler is needed" in result.stderr
    assert machine.called() == "-m pytest -n auto --dist worksteal\n"


def test_tests_skip_nothing_where_all_is_there(machine: Machine) -> None:
    machine.has_environment()
    # A folder that answers as an index does, with a release of pip.
    index = machine.environment / "index" / "pip"
    index.mkdir(parents=True)
    index.joinpath("index.html").write_text('<a href="pip-99-py3-none-any.whl">pip-99-py3-none-any.whl</a>')
    result = machine.make("test", PIP_INDEX_URL=index.parent.as_uri(), PIP_FIND_LINKS="")
    assert result.returncode == 0, result.stderr
    assert "skipped" not in result.stderr
    assert "--session oldest_sdk" in machine.called()
    assert "cargo test --locked" in machine.called()


@pytest.mark.parametrize("target", ["compat", "wheels"])
def test_what_cannot_do_without_an_index_ends_with_its_name(target: str, machine: Machine) -> None:
    machine.has_environment()
    result = machine.make(target, **NO_INDEX)
    assert result.returncode != 0
    assert "pip reaches no package index" in result.stderr
    assert not machine.called()


def test_lint_names_the_components_of_rust_that_are_missing(machine: Machine) -> None:
    machine.has_environment()
    machine.has(cargo="exit 101")
    assert "`rustup component add clippy rustfmt` installs that" in machine.make("lint").stderr


def test_program_named_by_cc_is_looked_for(machine: Machine) -> None:
    machine.lacks("cc")
    assert "and my-cc was not found" in machine.make("demo", CC="my-cc -O2").stderr
