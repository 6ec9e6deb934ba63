"""`otlp-fast bench`: tables, record and plot, what is never overwritten, exit codes, and Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import otlp_fast
from otlp_fast.bench import effort, outputs
from otlp_fast.cli.group import group
from tests.captured import archive_of, traces
from tests.unit.bench.conftest import LITTLE

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]
RUN_MAIN = "from otlp_fast.cli import main; main()"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(effort, "QUICK", LITTLE)
    monkeypatch.setattr(effort, "FULL", replace(LITTLE, rounds=4, seconds=60.0))


def bench(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["bench", "--quick", *map(str, arguments)])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_everything_is_measured_shown_and_written(tmp_path: Path) -> None:
    result = bench()
    assert result.exit_code == 0, result.stderr
    for words in (
        "official encoder",
        "SDK's processor",
        "FromString",
        "json_format",
        "tracezip",
        "Where this misleads",
    ):
        assert words in result.stdout
    assert "no plot" not in result.stderr
    assert names(tmp_path) == ["otlp-fast-bench.json", "otlp-fast-bench.svg"]
    record = json.loads((tmp_path / "otlp-fast-bench.json").read_text())
    assert record["versions"]["otlp-fast"] == otlp_fast.__version__
    assert {figure["part"] for figure in record["figures"]} == {"encode", "processor", "decode", "json"}
    for figure in record["figures"]:
        assert figure["ratio"]["median"] == pytest.approx(median(figure["ratio"]["rounds"]), rel=1e-3)
        for ratio, theirs, ours in zip(
            figure["ratio"]["rounds"],
            figure["rival_us"]["cpu"]["rounds"],
            figure["otlp_fast_us"]["cpu"]["rounds"],
            strict=True,
        ):
            assert ratio == pytest.approx(theirs / ours, rel=1e-3)
    assert {len(stream["encodings"]) for stream in record["encodings"]} == {5}
    assert "web spans" in (tmp_path / "otlp-fast-bench.svg").read_text()


def test_full_effort_makes_more_rounds() -> None:
    result = CliRunner().invoke(group, ["bench", "--only", "json", "--json", "--no-files"])
    assert {len(figure["ratio"]["rounds"]) for figure in json.loads(result.stdout)["figures"]} == {4}


def test_second_run_writes_beside_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        assert bench("--only", "compress").exit_code == 0
    assert names(tmp_path) == [
        "otlp-fast-bench-2.json",
        "otlp-fast-bench-2.svg",
        "otlp-fast-bench.json",
        "otlp-fast-bench.svg",
    ]


@pytest.mark.parametrize("option", ["--record", "--plot"])
def test_named_file_is_replaced_only_by_force(option: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.svg"
    path.write_text("kept")
    refused = bench("--only", "compress", "--no-files", option, path)
    assert (refused.exit_code, path.read_text()) == (1, "kept")
    assert refused.stderr == f"Error: {path}: there is such a file already, --force replaces it\n"
    assert bench("--only", "compress", "--no-files", "--force", option, path).exit_code == 0
    assert path.read_text() != "kept"
    assert names(tmp_path) == ["kept.svg"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_one_line_below_the_tables_and_the_other_file_is_written(tmp_path: Path) -> None:
    result = bench("--only", "compress", "--no-files", "--record", "/dev/full", "--plot", "a.svg")
    assert result.exit_code == 1
    assert "tracezip" in result.stdout
    assert result.stderr.endswith("FAILED: /dev/full: No space left on device\n")
    assert names(tmp_path) == ["a.svg"]


def test_plot_that_cannot_be_drawn_is_one_line_and_the_record_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> bytes:
        raise RuntimeError("no such font")

    monkeypatch.setattr(outputs, "draw", fail)
    result = bench("--only", "compress")
    assert result.exit_code == 1
    assert "tracezip" in result.stdout
    assert result.stderr.endswith("FAILED: otlp-fast-bench.svg: RuntimeError: no such font\n")
    assert names(tmp_path) == ["otlp-fast-bench.json"]


def test_file_that_another_run_wrote_in_the_meantime_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(*arguments: object) -> bytes:
        (tmp_path / "otlp-fast-bench.json").write_text("of another run")
        return b"drawn"

    monkeypatch.setattr(outputs, "draw", drawn)
    result = bench("--only", "compress")
    assert result.exit_code == 1
    assert "otlp-fast-bench.json: such a file was written in the meantime, --force replaces it\n" in result.stderr
    assert (tmp_path / "otlp-fast-bench.json").read_text() == "of another run"
    assert names(tmp_path) == ["otlp-fast-bench.json", "otlp-fast-bench.svg"]


def test_key_of_an_attribute_is_shown_as_it_is(tmp_path: Path) -> None:
    message = ExportTraceServiceRequest.FromString(traces(3))
    key = "cost[/b] [red]$x_1$ :smile:"
    for span in message.resource_spans[0].scope_spans[0].spans:
        del span.attributes[:]
        span.attributes.add(key=key).value.string_value = "a"
    (tmp_path / "mine.otlp").write_bytes(archive_of([message.SerializeToString()]))
    result = bench("--spans", "mine.otlp", "--only", "decode")
    assert result.exit_code == 0, result.stderr
    assert f"spans: column {key}" in result.stdout
    texts = re.findall(r"<text[^>]*>([^<]*)<", (tmp_path / "otlp-fast-bench.svg").read_text())
    assert f"decode: spans: column {key}" in texts
    assert not [text for text in texts if "mathdefault" in text], "the numbers of the axis are formulas"


@pytest.mark.parametrize(("name", "begins"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.svg", b"<?xml")])
def test_plot_is_what_its_name_says(name: str, begins: bytes, tmp_path: Path) -> None:
    assert bench("--only", "compress,encode", "--no-files", "--plot", name).exit_code == 0
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_name_of_a_plot_and_folder_are_looked_at_before_anything_is_measured() -> None:
    for arguments, said in (
        (("--plot", "a.xlsx"), "the name of a plot ends with one of .svg, .png, .pdf"),
        (("--record", "no/such/folder.json"), "No such file or directory"),
    ):
        result = bench(*arguments)
        assert result.exit_code == 1
        assert said in result.stderr
        assert "telemetry" not in result.stderr


def test_unknown_part_is_a_wrong_option() -> None:
    result = bench("--only", "encode,sing")
    assert result.exit_code == 2
    assert "sing: choose from encode, processor, decode, json, compress." in result.stderr


def test_own_telemetry_is_measured(tmp_path: Path) -> None:
    (tmp_path / "mine.otlp").write_bytes(archive_of([traces(40)]))
    result = bench("--spans", "mine.otlp", "--json", "--no-files")
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert record["source"]["items"] == {"traces": 40}
    assert record["figures"][0]["name"] == "spans, 40 again and again"
    assert record["problems"] == []
    assert names(tmp_path) == ["mine.otlp"]


def test_absent_file_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    result = bench("--spans", "absent.otlp")
    assert result.exit_code == 1
    assert result.stderr.endswith("Error: absent.otlp: No such file or directory\n")
    assert names(tmp_path) == []


def test_answers_that_differ_are_told_and_make_the_exit_status_1(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(otlp_fast, "from_json", lambda text, signal: b"")
    result = bench("--only", "json")
    assert result.exit_code == 1
    assert "FAILED: web spans from JSON: the answers differ" in result.stderr
    assert len(json.loads((tmp_path / "otlp-fast-bench.json").read_text())["problems"]) == 3


def test_variables_of_opentelemetry_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")
    assert bench("--only", "encode,processor", "--no-files").exit_code == 0


def run_without(tmp_path: Path, modules: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process in which some modules are not to be had."""
    blocker = (
        f"import sys\nblocked = {modules!r}\n"
        "class Blocker:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name in blocked: raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Blocker())\n"
    )
    script = blocker + RUN_MAIN
    command = [sys.executable, "-c", script, "bench", "--quick", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)


def test_without_any_rival_compression_is_measured_and_the_rest_named(tmp_path: Path) -> None:
    (tmp_path / "mine.otlp").write_bytes(archive_of([traces(40)]))
    missing = ("opentelemetry", "google", "google.protobuf", "matplotlib", "numpy")
    result = run_without(tmp_path, missing, "--spans", "mine.otlp")
    assert result.returncode == 0, result.stderr
    assert "There will be no plot: it needs the module matplotlib" in result.stderr
    for part in ("encode", "processor", "decode", "json"):
        assert f"  {part}: needs the module " in result.stdout
    assert "pip install 'otlp-fast[bench]'" in result.stdout
    assert "tracezip" in result.stdout
    assert names(tmp_path) == ["mine.otlp", "otlp-fast-bench.json"]


def test_plot_that_cannot_be_drawn_is_refused_at_once(tmp_path: Path) -> None:
    result = run_without(tmp_path, ("matplotlib",), "--plot", "a.svg")
    assert result.returncode == 1
    assert result.stderr == (
        "Error: 'otlp-fast bench --plot' needs the module matplotlib, which is not installed: "
        "pip install 'otlp-fast[bench]'\n"
    )


def test_made_up_telemetry_needs_the_sdk(tmp_path: Path) -> None:
    result = run_without(tmp_path, ("opentelemetry.sdk",))
    assert result.returncode == 1
    assert result.stderr == (
        "Error: made-up telemetry needs the module opentelemetry.sdk, which is not installed: "
        "pip install 'otlp-fast[bench]'; --spans FILE measures without it\n"
    )


def test_interrupted_it_ends_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN_MAIN, "bench"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # In the middle of the first figure.
        while not process.stderr.readline().startswith("encode web spans"):
            assert process.poll() is None
        assert len(names(tmp_path)) == 2
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait() == 130
    assert said == "Interrupted: nothing was written.\n"
    assert names(tmp_path) == []
