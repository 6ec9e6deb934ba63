"""`otlp-fast compress` and `decompress`: there and back, ranges, pipes, names, files that are there, damage, Ctrl-C."""

from __future__ import annotations

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
from otlp_fast.tracezip import archive
from tests.captured import BY_HAND, archive_of, logs, metrics, traces
from tests.corpora import CORPORA, FOLDER, read_requests

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]
MIXED = archive_of([data for _, data in BY_HAND])
COMMAND = [sys.executable, "-c", RUN_MAIN]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, list(map(str, arguments)))


def done(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    return result.stderr


def piped(*arguments: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], input=given, capture_output=True, check=True, timeout=60)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "mixed.otlp"
    path.write_bytes(MIXED)
    return path


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """An archive with twenty records."""
    path = tmp_path / "long.otlp.tz"
    with archive.Writer(path, records_per_restart=3) as writer:
        for number in range(20):
            writer.write(logs(2, f"service {number}"), "logs")
    return path


@pytest.mark.parametrize("name", CORPORA)
def test_corpora_come_back_byte_for_byte(tmp_path: Path, name: str) -> None:
    records = archive_of(read_requests(name))
    path = tmp_path / f"{name}.otlp.zst"
    path.write_bytes((FOLDER / path.name).read_bytes())
    packed = tmp_path / f"{name}.otlp.tz"
    said = done("compress", path, "--records-per-restart", "100", "--jobs", "3")
    assert f"{path}: " in said
    assert f" -> {packed}: {packed.stat().st_size:,} bytes (" in said
    done("decompress", packed, "--jobs", "2")
    assert (tmp_path / f"{name}.otlp").read_bytes() == records
    done("decompress", packed, "-o", tmp_path / "back.otlp.zst")
    whole = (tmp_path / "back.otlp.zst").read_bytes()
    assert compression.decompress(whole, "zstd", max_size=len(records)) == records


def test_summary_tells_sizes(tmp_path: Path, mixed: Path) -> None:
    packed = tmp_path / "mixed.otlp.tz"
    said = done("compress", mixed)
    size, content = packed.stat().st_size, len(MIXED) - 12
    assert said.startswith(
        f"{mixed}: 3 requests, 9 items, {content:,} bytes -> {packed}: {size:,} bytes "
        f"({size / content:.1%} of that, {size / len(MIXED):.1%} of INPUT), "
    )
    assert said.endswith(" MB/s\n")
    mixed.unlink()
    said = done("decompress", packed)
    assert said.startswith(
        f"{packed}: 3 requests, {content:,} bytes -> {mixed}, archive: {mixed.stat().st_size:,} bytes, "
    )
    assert done("compress", mixed, "--force", "--quiet") == ""
    assert done("decompress", packed, "--force", "--quiet") == ""
    assert mixed.read_bytes() == MIXED


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], range(20)),
        (["--from", "1", "--count", "1"], range(1)),
        (["--from", "6", "--count", "7"], range(5, 12)),
        (["--from", "20", "--count", "7"], range(19, 20)),
        (["--count", "100"], range(20)),
    ],
)
def test_records_are_given_from_the_middle(
    tmp_path: Path, long: Path, options: list[str], expected: range, jobs: str
) -> None:
    target = tmp_path / "some.otlp"
    some = archive_of(logs(2, f"service {number}") for number in expected)
    done("decompress", long, "-o", target, "--jobs", jobs, *options)
    assert target.read_bytes() == some
    assert piped("decompress", "-", *options, given=long.read_bytes()).stdout == some


def test_range_behind_the_end_is_an_error(tmp_path: Path, long: Path) -> None:
    result = run("decompress", long, "--from", "21")
    assert (result.exit_code, result.stderr) == (1, f"Error: {long}: it has no record 21\n")
    assert list(tmp_path.iterdir()) == [long]
    result = run("decompress", long, long, "-o", "x", "--count", "1")
    assert result.exit_code == 2
    assert "--from and --count are for a single INPUT" in result.stderr


def test_pipes_are_read_and_written() -> None:
    packed = piped("compress", "-", given=compression.compress(MIXED, "gzip"))
    assert packed.stderr.startswith(b"-: 3 requests, 9 items, ")
    assert b"-> standard output: " in packed.stderr
    back = piped("decompress", "-", "--compression", "lz4", given=packed.stdout)
    assert compression.decompress(back.stdout, "lz4") == MIXED


def test_every_form_is_compressed_and_named(tmp_path: Path, mixed: Path) -> None:
    source = tmp_path / "source.otlp"
    source.write_bytes(archive_of([traces(30)]))
    for name in ("a.ndjson.gz", "b.json", "c.pb.lz4", "d.bin", "e"):
        done("convert", source, tmp_path / name, *(["--to", "archive"] if name == "e" else []))
        done("compress", tmp_path / name)
        packed = tmp_path / (name[0] + ".otlp.tz")
        with files.open_reader(packed) as reader:
            (request,) = reader
        assert (reader.format, request.signal, otlp_fast.count(request.data, "traces")) == ("tracezip", "traces", 30)
        assert piped("convert", "-", "-", "--to", "archive", given=packed.read_bytes()).stdout == archive_of(
            [request.data]
        )


def test_several_inputs_become_one_output_or_one_each(tmp_path: Path, mixed: Path) -> None:
    other = tmp_path / "other.otlp"
    other.write_bytes(archive_of([traces(7)]))
    done("compress", mixed, other, "-o", tmp_path / "both.tz", "--records-per-restart", "2")
    with archive.Reader(tmp_path / "both.tz") as reader:
        assert list(reader) == [*(data for _, data in BY_HAND), traces(7)]
        assert [point.record for point in reader.restart_points] == [0, 2, 3]
    assert done("compress", mixed, other).count("\n") == 2
    mixed.unlink()
    other.unlink()
    done("decompress", tmp_path / "mixed.otlp.tz", tmp_path / "other.otlp.tz")
    assert (mixed.read_bytes(), other.read_bytes()) == (MIXED, archive_of([traces(7)]))
    done("decompress", tmp_path / "mixed.otlp.tz", tmp_path / "other.otlp.tz", "-o", tmp_path / "joined.otlp")
    assert (tmp_path / "joined.otlp").read_bytes() == mixed.read_bytes() + other.read_bytes()


def test_what_is_wrong_with_one_input_does_not_keep_the_others(tmp_path: Path, mixed: Path) -> None:
    result = run("compress", tmp_path / "none.otlp", mixed)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path / 'none.otlp'}: No such file or directory\n{mixed}: 3 requests")
    assert (tmp_path / "mixed.otlp.tz").exists()
    assert not (tmp_path / "none.otlp.tz").exists()


def test_records_that_are_no_requests_come_back(tmp_path: Path) -> None:
    records = archive_of([traces(), b"<html>", b"", b"{}", b"\x28\xb5\x2f\xfdno zstd", logs()])
    (tmp_path / "a.otlp").write_bytes(records)
    done("compress", tmp_path / "a.otlp")
    done("decompress", tmp_path / "a.otlp.tz", "--force")
    back = (tmp_path / "a.otlp").read_bytes()
    # A record that is JSON comes back as the request that it is.
    assert back == archive_of([traces(), b"<html>", b"", b"", b"\x28\xb5\x2f\xfdno zstd", logs()])


def test_records_that_the_collector_compressed_come_back_decompressed(tmp_path: Path) -> None:
    (tmp_path / "a.otlp").write_bytes(archive_of(compression.compress(data, "zstd") for _, data in BY_HAND))
    done("compress", tmp_path / "a.otlp")
    done("decompress", tmp_path / "a.otlp.tz", "--force")
    assert (tmp_path / "a.otlp").read_bytes() == MIXED


def test_one_signal_is_taken_when_asked(tmp_path: Path, mixed: Path) -> None:
    done("compress", mixed, "--signal", "metrics")
    with archive.Reader(tmp_path / "mixed.otlp.tz") as reader:
        assert list(reader) == [metrics()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compress", "mixed.otlp"], "mixed.otlp.tz: there is such a file already, --force replaces it"),
        (["compress", "page"], "page: this is none of: an OTLP request"),
        (["compress", "mixed.otlp", "mixed.otlp.gz"], "both mixed.otlp and mixed.otlp.gz would become mixed.otlp.tz"),
        (["compress", "mixed.otlp", "-o", "no/a.tz"], "No such file or directory"),
        (["compress", "short.otlp"], "short.otlp: record 2 at byte 7: the file ends inside the record"),
        (["decompress", "mixed.otlp.tz"], "mixed.otlp: there is such a file already, --force replaces it"),
        (["decompress", "mixed.otlp"], "mixed.otlp: its name has no .tz to take away: use --output"),
        (["decompress", "mixed.otlp", "-o", "a"], "mixed.otlp: this is no tracezip archive"),
        (["decompress", "empty", "-o", "a"], "empty: this is no tracezip archive"),
        (["decompress", "cut.otlp.tz"], "cut.otlp.tz: the archive has no index"),
        (["compress", "junk.otlp", "--salvage"], "junk.otlp: record 1 at byte 0: the file ends inside"),
        (["decompress", "mixed.otlp", "-o", "a", "--salvage"], "mixed.otlp: record 1 at byte 0: this is no tracezip"),
        (["decompress", "mixed.otlp.tz", "-o", "a.ndjson"], "a.ndjson: decompress writes archives"),
        (["decompress", "none.tz"], "none.tz: No such file or directory"),
    ],
)
def test_errors_are_one_line_and_leave_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mixed: Path, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done("compress", "mixed.otlp")
    Path("page").write_bytes(b"<html>")
    Path("empty").write_bytes(b"")
    Path("short.otlp").write_bytes(archive_of([b"abc", traces()])[:-1])
    Path("junk.otlp").write_bytes(b"\0\0\0\x09abc")
    Path("cut.otlp.tz").write_bytes(Path("mixed.otlp.tz").read_bytes()[:-1])
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].startswith("Error: ")
    assert message in result.stderr
    after = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert after == before


def test_wrong_options_are_usage_errors(mixed: Path) -> None:
    for options in (["--records-per-restart", "0"], ["--jobs", "0"], ["--signal", "spans"], ["--from", "1"]):
        assert run("compress", mixed, *options).exit_code == 2
    for options in (["--from", "0"], ["--count", "0"], ["--compression", "brotli"]):
        assert run("decompress", mixed, *options).exit_code == 2
    assert run("compress").exit_code == run("decompress").exit_code == 2


def test_damaged_files_are_salvaged_when_asked(tmp_path: Path, long: Path) -> None:
    whole = long.read_bytes()
    long.write_bytes(whole[: len(whole) // 2])
    assert run("decompress", long).exit_code == 1
    result = run("decompress", long, "--salvage")
    assert result.exit_code == 1
    said, error = result.stderr.splitlines()
    with files.open_reader(tmp_path / "long.otlp") as reader:
        rescued = [request.data for request in reader]
    assert rescued == [logs(2, f"service {number}") for number in range(len(rescued))]
    assert 5 < len(rescued) < 15
    assert f": {len(rescued)} requests" in said
    assert error.startswith(f"Error: {long}: record {len(rescued) + 1} at byte ")
    # And where it is compressed again.
    result = run("compress", long, "--salvage", "--force", "-o", long)
    assert result.exit_code == 1
    with archive.Reader(long) as reader:
        assert list(reader) == rescued


def test_bytes_are_not_written_to_a_terminal(mixed: Path) -> None:
    controlling, terminal = pty.openpty()
    result = subprocess.run(
        [*COMMAND, "compress", str(mixed), "-o", "-"], stdout=terminal, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(terminal)
    os.close(controlling)
    assert (result.returncode, b"no bytes are written to a terminal" in result.stderr) == (1, True)


def test_progress_is_shown_on_a_terminal(mixed: Path) -> None:
    for arguments in (["compress", str(mixed)], ["decompress", f"{mixed}.tz", "--force"]):
        controlling, terminal = pty.openpty()
        process = subprocess.run([*COMMAND, *arguments], stderr=terminal, timeout=60, check=True)
        os.close(terminal)
        shown = os.read(controlling, 100_000)
        os.close(controlling)
        assert process.returncode == 0
        assert b"\x1b[" in shown
        assert b"3 requests" in shown


@pytest.mark.parametrize("command", ["compress", "decompress"])
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("before", [None, b"old"])
def test_interruption_leaves_what_was_there(
    tmp_path: Path, long: Path, command: str, ending: signal.Signals, before: bytes | None
) -> None:
    given = long.read_bytes()[:1000] if command == "decompress" else MIXED
    long.unlink()
    target = tmp_path / "target.otlp"
    if before is not None:
        target.write_bytes(before)
    with subprocess.Popen(
        [*COMMAND, command, "-", "-o", str(target), "--force"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(given)
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


@pytest.mark.parametrize("command", ["compress", "decompress"])
def test_commands_need_neither_numpy_nor_pyarrow(
    run_command: RunCommand, tmp_path: Path, mixed: Path, long: Path, command: str
) -> None:
    source = mixed if command == "compress" else long
    assert run_command(command, str(source), without=("numpy", "pyarrow")).returncode == 0
    result = run_command(command, str(source), "--force", without=("rich",))
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "pip install 'otlp-fast[cli]'" in result.stderr


@pytest.mark.parametrize(
    ("command", "taught"),
    [
        ("compress", ["  Examples:\n    otlp-fast compress capture.otlp.zst", "--records-per-restart", "Exit status"]),
        ("decompress", ["  Examples:\n    otlp-fast decompress capture.otlp.tz", "--from RECORD", "Exit status"]),
    ],
)
def test_help_teaches_by_examples(command: str, taught: list[str]) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    for text in taught:
        assert text in result.output
