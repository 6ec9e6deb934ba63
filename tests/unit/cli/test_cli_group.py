"""The group of commands, `--version` and `info`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner

import otlp_fast
from otlp_fast.cli.group import group

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]


def test_help_lists_every_command_with_its_summary() -> None:
    result = CliRunner().invoke(group, ["--help"])
    assert result.exit_code == 0
    for name in ("demo", "bench", "inspect", "convert", "compress", "decompress", "info"):
        assert f"\n  {name}  " in result.output


@pytest.mark.parametrize("name", ["demo", "bench", "inspect", "convert", "compress", "decompress", "info"])
def test_every_listed_command_has_help(name: str) -> None:
    result = CliRunner().invoke(group, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: group {name} ")
    assert group.get_command(click.Context(group), name) is not None


def test_help_imports_no_command_and_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['otlp-fast', '--help']\n"
        "from otlp_fast.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('opentelemetry', 'google', 'rich', 'flask', 'urllib3', 'otlp_fast.cli.demo', 'otlp_fast.demo',\n"
        "    'numpy', 'otlp_fast.files')\n"
        "print('imported:', sorted(set(heavy) & set(sys.modules)))\n"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "imported: []"


def test_version_prints_the_version_of_the_package(run_command: RunCommand) -> None:
    result = run_command("--version")
    assert (result.returncode, result.stdout) == (0, f"otlp-fast {otlp_fast.__version__}\n")


def test_info_shows_the_build_and_the_pool_limit() -> None:
    result = CliRunner().invoke(group, ["info"])
    assert result.exit_code == 0
    rows = {
        label.strip(): value.strip() for label, value in (line.split("  ", 1) for line in result.output.splitlines())
    }
    build = otlp_fast.build_info()
    assert rows["version"] == build["version"]
    assert rows["SIMD in use"] == build["simd"]
    assert rows["SIMD available"].split(", ") == build["simd_available"]
    assert rows["buffer pool keeps at most"] == f"{otlp_fast.pool_stats()['bytes_limit'] // 2**20} MiB"


def test_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(group, ["demonstrate"])
    assert result.exit_code == 2
    assert "No such command 'demonstrate'" in result.output


def test_missing_click_is_one_line_with_the_extra(run_command: RunCommand) -> None:
    result = run_command("--help", without=("click",))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert "pip install 'otlp-fast[cli]'" in result.stderr


@pytest.mark.parametrize(
    "missing",
    [
        "rich",
        "flask",
        "urllib3",
        "opentelemetry",
        "opentelemetry.instrumentation.logging",
        "opentelemetry.instrumentation.sqlite3",
    ],
)
def test_demo_without_its_extra_is_one_line_with_the_extra(run_command: RunCommand, missing: str) -> None:
    result = run_command("demo", without=(missing,))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert missing in result.stderr
    assert "pip install 'otlp-fast[demo]'" in result.stderr


def test_commands_that_need_no_extra_run_without_the_demo(run_command: RunCommand) -> None:
    result = run_command("info", without=("flask", "opentelemetry", "rich", "urllib3"))
    assert result.returncode == 0
    assert otlp_fast.__version__ in result.stdout
