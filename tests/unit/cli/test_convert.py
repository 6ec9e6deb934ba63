"""`otlp-fast convert`: forms by content and name, pipes, files that are there, damage, interruptions."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import otlp_fast
from conftest import RUN_MAIN
from otlp_fast import compression, files
from otlp_fast.cli.group import group
from tests.captured import BY_HAND, archive_of, canonical, captured, logs, metrics, traces
from tests.corpora import CORPORA

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = [sys.executable, "-c", RUN_MAIN, "convert"]
MIXED = archive_of([data for _, data in BY_HAND])


def convert(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["convert", *map(str, arguments)])


def converted(*arguments: str | Path) -> str:
    result = convert(*arguments)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    return result.stderr


def read(path: Path) -> list[files.Request]:
    with files.open_reader(path) as reader:
        return list(reader)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.otlp"
    path.write_bytes(MIXED)
    return path


@pytest.mark.parametrize("name", CORPORA)
def test_captured_requests_pass_through_every_form(tmp_path: Path, name: str) -> None:
    requests = [data for _, data in captured(name)]
    path = tmp_path / "source.otlp.zst"
    path.write_bytes(compression.compress(archive_of(requests), "zstd"))
    for target in ("1.ndjson.gz", "2.json.lz4", "3.pb", "4.otlp.zst", "5.json"):
        said = converted(path, tmp_path / target)
        items = sum(otlp_fast.count(data, CORPORA[name]) for data in requests)
        assert f"{items:,} items -> {tmp_path / target}, " in said
        path = tmp_path / target
    back = [request.data for request in read(path)]
    assert canonical(CORPORA[name], back) == canonical(CORPORA[name], requests)


@pytest.mark.parametrize("target", ["spans.arrow", "spans.arrow.zst", "spans.parquet"])
def test_tables_are_made_and_read(tmp_path: Path, target: str) -> None:
    pytest.importorskip("pyarrow")
    source = tmp_path / "a.otlp"
    source.write_bytes(archive_of([traces(30, f"service {number}") for number in range(4)]))
    converted(source, tmp_path / target, "--batch", "50")
    converted(tmp_path / target, tmp_path / "back.ndjson")
    back = read(tmp_path / "back.ndjson")
    assert sum(otlp_fast.count(request.data, "traces") for request in back) == 120
    names = {name for request in back for name in otlp_fast.decode_traces(request.data).resource["service.name"]}
    assert names == {f"service {number}" for number in range(4)}
    # One row group for all, where nobody says how many rows it gets.
    if target.endswith("parquet"):
        from pyarrow import parquet

        assert [parquet.ParquetFile(tmp_path / target).metadata.num_row_groups] == [3]
        converted(source, tmp_path / target, "--force")
        assert [parquet.ParquetFile(tmp_path / target).metadata.num_row_groups] == [1]


def test_summary_names_both_files_and_their_forms(tmp_path: Path, mixed: Path) -> None:
    target = tmp_path / "a.ndjson.gz"
    said = converted(mixed, target)
    size = target.stat().st_size
    assert said == f"{mixed}, archive: 3 requests, 9 items -> {target}, ndjson in gzip: {size:,} bytes\n"
    said = converted(mixed, target, "--force", "--signal", "logs")
    assert "1 requests (2 of other signals passed over), 2 items" in said
    assert converted(mixed, target, "--force", "--quiet") == ""


def test_options_stand_above_names(tmp_path: Path, mixed: Path) -> None:
    converted(mixed, tmp_path / "a.json", "--to", "archive", "--compression", "lz4")
    assert compression.decompress((tmp_path / "a.json").read_bytes(), "lz4") == MIXED
    converted(mixed, tmp_path / "b.otlp.zst", "--compression", "none")
    assert (tmp_path / "b.otlp.zst").read_bytes() == MIXED
    result = convert(mixed, tmp_path / "c.otlp", "--from", "json")
    assert result.exit_code == 1
    assert "record 1 at byte 0" in result.stderr


def test_records_get_as_many_items_as_asked(tmp_path: Path, mixed: Path) -> None:
    source = tmp_path / "a.otlp"
    source.write_bytes(archive_of([traces(5)] * 4))
    converted(source, tmp_path / "b.otlp", "--batch", "8")
    assert [otlp_fast.count(request.data, "traces") for request in read(tmp_path / "b.otlp")] == [8, 8, 4]


def test_pipes_are_read_and_written(mixed: Path) -> None:
    result = subprocess.run(
        [*COMMAND, "-", "-", "--to", "ndjson", "--compression", "gzip"],
        input=compression.compress(MIXED, "zstd"),
        capture_output=True,
        check=True,
        timeout=60,
    )
    lines = compression.decompress(result.stdout, "gzip").splitlines()
    assert [next(iter(json.loads(line))) for line in lines] == ["resourceSpans", "resourceLogs", "resourceMetrics"]
    assert result.stderr.startswith(b"standard input, archive in zstd: 3 requests, 9 items -> standard output, ndjson")


def test_reader_of_a_pipe_that_goes_is_no_traceback(tmp_path: Path) -> None:
    source = tmp_path / "a.otlp"
    source.write_bytes(archive_of([traces(1000)] * 20))
    with subprocess.Popen(
        [*COMMAND, str(source), "-", "--to", "ndjson"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1) == b"{"
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == 1
    assert b"Traceback" not in said


def test_bytes_are_not_written_to_a_terminal(mixed: Path) -> None:
    for options, code in (
        (["--to", "archive"], 1),
        (["--to", "ndjson", "--compression", "gzip"], 1),
        (["--to", "ndjson"], 0),
    ):
        controlling, terminal = pty.openpty()
        result = subprocess.run(
            [*COMMAND, str(mixed), "-", *options], stdout=terminal, stderr=subprocess.PIPE, timeout=60, check=False
        )
        os.close(terminal)
        shown = os.read(controlling, 100) if code == 0 else b""
        os.close(controlling)
        assert result.returncode == code
        assert (b"no bytes are written to a terminal" in result.stderr) is (code == 1)
        assert shown.startswith(b'{"resourceSpans"') is (code == 0)


def test_file_that_is_there_is_replaced_by_force_only(tmp_path: Path, mixed: Path) -> None:
    target = tmp_path / "a.ndjson"
    target.write_bytes(b"old")
    result = convert(mixed, target)
    assert result.exit_code == 1
    assert result.stderr == f"Error: {target}: there is such a file already, --force replaces it\n"
    assert target.read_bytes() == b"old"
    converted(mixed, target, "--force")
    assert target.read_bytes().count(b"\n") == 3
    # Also in its own place.
    converted(mixed, mixed, "--to", "ndjson", "--force")
    assert mixed.read_bytes() == target.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.otlp", "b.otlp"], "none.otlp: No such file or directory"),
        (["mixed.otlp", "b"], "b: its name does not say which format it should have"),
        (["mixed.otlp", "no/b.otlp"], "No such file or directory"),
        (["mixed.otlp", "b.json"], "b.json: it has traces and cannot take logs, too"),
        (
            ["logs.otlp", "b.otlp", "--signal", "traces"],
            "logs.otlp: it has no requests of traces, only of other signals",
        ),
        (["page", "b.otlp"], "page: this is none of: an OTLP request"),
        (
            ["mixed.otlp", "b.parquet.gz", "--signal", "logs"],
            "Parquet is compressed inside, and gets no gzip around it",
        ),
        (["empty.otlp", "b.parquet"], "b.parquet: there is no request that would say which columns it should have"),
        (
            ["long.otlp", "b.otlp", "--max-record-size", "1"],
            "record 2 at byte 4: longer than max_record_size, 1,048,576",
        ),
        (["spoilt.otlp", "b.ndjson"], "record 1 at byte 0: a string is not valid UTF-8"),
    ],
)
def test_errors_are_one_line_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mixed: Path, arguments: list[str], message: str
) -> None:
    if "parquet" in arguments[1]:
        pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    Path("logs.otlp").write_bytes(archive_of([logs()]))
    Path("page").write_bytes(b"<html>")
    Path("empty.otlp").write_bytes(b"")
    Path("long.otlp").write_bytes(archive_of([b"", bytes(1024 * 1024 + 1)]))
    Path("spoilt.otlp").write_bytes(archive_of([traces(2).replace(b"GET /1", b"GET \xff1")]))
    before = set(tmp_path.iterdir())
    result = convert(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr
    assert set(tmp_path.iterdir()) == before


def test_wrong_options_are_usage_errors(mixed: Path) -> None:
    for options in (["--to", "xml"], ["--compression", "brotli"], ["--batch", "0"], ["--signal", "spans"], []):
        result = convert(mixed, *(["x.otlp", *options] if options else []))
        assert result.exit_code == 2


def test_damaged_file_is_salvaged_when_asked(tmp_path: Path) -> None:
    source, target = tmp_path / "a.otlp.gz", tmp_path / "b.otlp"
    whole = archive_of([metrics(3), metrics(2)] * 20)
    source.write_bytes(compression.compress(whole, "gzip")[:-20])
    result = convert(source, target)
    assert result.exit_code == 1
    assert "cut off" in result.stderr
    assert not target.exists()
    result = convert(source, target, "--salvage")
    assert result.exit_code == 1
    said, error = result.stderr.splitlines()
    rescued = read(target)
    assert whole.startswith(target.read_bytes())
    assert 0 < len(rescued) <= 40
    assert f"{len(rescued)} requests" in said
    assert f"record {len(rescued) + 1} at byte " in error


@pytest.mark.parametrize(("missing", "extra"), [("rich", "cli"), ("numpy", "columns"), ("pyarrow", "columns")])
def test_missing_extra_is_one_line(
    run_command: RunCommand, tmp_path: Path, mixed: Path, missing: str, extra: str
) -> None:
    result = run_command("convert", str(mixed), str(tmp_path / "a.parquet"), "--signal", "logs", without=(missing,))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert f"pip install 'otlp-fast[{extra}]'" in result.stderr
    assert not (tmp_path / "a.parquet").exists()


def test_conversion_without_tables_needs_no_numpy(run_command: RunCommand, tmp_path: Path, mixed: Path) -> None:
    result = run_command("convert", str(mixed), str(tmp_path / "a.ndjson.zst"), without=("numpy", "pyarrow"))
    assert result.returncode == 0, result.stderr
    assert len(read(tmp_path / "a.ndjson.zst")) == 3


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("before", [None, b"old"])
def test_interruption_leaves_what_was_there(tmp_path: Path, ending: signal.Signals, before: bytes | None) -> None:
    target = tmp_path / "a.ndjson"
    if before is not None:
        target.write_bytes(before)
    with subprocess.Popen(
        [*COMMAND, "-", str(target), "--force"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(MIXED)
        process.stdin.flush()
        # It waits for more once there is a file beside the target.
        deadline = time.monotonic() + 60
        while not [path for path in tmp_path.iterdir() if path.suffix == ".part"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(ending)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (stdout, stderr.decode()) == (b"", f"Interrupted: {target} was not written.\n")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before] * (before is not None)


def test_help_teaches_by_examples() -> None:
    result = convert("--help")
    assert result.exit_code == 0
    for taught in (
        "  Examples:\n    otlp-fast convert capture.otlp.zst",
        "parquet   .parquet",
        "--salvage",
        "Exit status",
    ):
        assert taught in result.output
