"""`otlp-fast inspect`: what it counts, against protobuf; what it says of damage, terminals and interruptions."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

import otlp_fast
from conftest import RUN_MAIN
from otlp_fast import compression
from otlp_fast.cli.group import group
from otlp_fast.inspection import tally
from otlp_fast.inspection.report import _duration, _severity, _shown, _time
from tests.captured import BY_HAND, MESSAGES, archive_of, captured, logs, metrics, traces
from tests.corpora import CORPORA, FOLDER

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]


def inspect(*arguments: str | Path) -> Result:
    return CliRunner().invoke(group, ["inspect", *map(str, arguments)])


def inspected(*arguments: str | Path) -> dict[str, Any]:
    result = inspect("--json", "--top", "1000000", *arguments)
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def write_archive(path: Path, requests: list[bytes]) -> Path:
    path.write_bytes(archive_of(requests))
    return path


def value_weight(value: Any) -> int:
    """The bytes of a value, without tags and lengths."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return len(value.string_value.encode())
    if kind == "bool_value":
        return 1
    if kind == "double_value":
        return 8
    if kind == "int_value":
        return len(value.SerializeToString()) - 1
    if kind == "bytes_value":
        return len(value.bytes_value)
    return 0 if kind is None else getattr(value, kind).ByteSize()


def attributes_in(message: Any, table: str, found: Counter[tuple[str, str]], weights: Counter[tuple[str, str]]) -> None:
    for attribute in message.attributes:
        found[table, attribute.key] += 1
        weights[table, attribute.key] += len(attribute.key.encode()) + value_weight(attribute.value)


def test_traces_are_counted_as_protobuf_reads_them(tmp_path: Path) -> None:
    requests = [data for _, data in captured("astronomy-traces", 4)]
    result = inspected(write_archive(tmp_path / "a", requests))
    message = MESSAGES["traces"].FromString(b"".join(requests))
    spans: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str]] = Counter()
    weights: Counter[tuple[str, str]] = Counter()
    every: list[Span] = []
    for group_ in message.resource_spans:
        services = [a.value.string_value for a in group_.resource.attributes if a.key == "service.name"]
        attributes_in(group_.resource, "resources", found, weights)
        for scope in group_.scope_spans:
            attributes_in(scope.scope, "scopes", found, weights)
            for span in scope.spans:
                every.append(span)
                key = ([*services, ""][0], span.name)
                spans[key] += 1
                errors[key] += span.status.code == 2
                total[key] += max(span.end_time_unix_nano - span.start_time_unix_nano, 0)
                for table, owners in (("spans", [span]), ("events", span.events), ("links", span.links)):
                    for owner in owners:
                        attributes_in(owner, table, found, weights)
    signals = result["signals"]
    assert list(signals) == ["traces"]
    assert signals["traces"] == {
        "requests": 4,
        "items": len(every),
        "bytes": sum(map(len, requests)),
        "first_unix_nano": min(span.start_time_unix_nano for span in every),
        "last_unix_nano": max(span.end_time_unix_nano for span in every),
    }
    operations = {(row["service"], row["operation"]): row for row in result["operations"]["top"]}
    assert {key: row["spans"] for key, row in operations.items()} == dict(spans)
    assert {key: row["errors"] for key, row in operations.items()} == dict(errors)
    assert {key: row["total_duration_ns"] for key, row in operations.items()} == dict(total)
    assert result["operations"]["distinct"] == len(spans) > 5
    by_service: Counter[str] = Counter()
    for (service, _), count in spans.items():
        by_service[service] += count
    assert {row["service"]: row["spans"] for row in result["services"]["top"]} == dict(by_service)
    attributes = {(row["table"], row["key"]): row for row in result["attributes"]["top"]}
    assert {key: row["attributes"] for key, row in attributes.items()} == dict(found)
    assert {key: row["bytes"] for key, row in attributes.items()} == dict(weights)


def test_attributes_of_every_type_weigh_their_keys_and_values(tmp_path: Path) -> None:
    values = [
        AnyValue(string_value="h\u00e9llo"),
        AnyValue(bool_value=True),
        AnyValue(double_value=1.5),
        AnyValue(bytes_value=bytes(9)),
        AnyValue(array_value={"values": [AnyValue(int_value=7)]}),
        AnyValue(),
        *(AnyValue(int_value=number) for number in (0, 127, 128, 2**63 - 1, -1)),
    ]
    attributes = [KeyValue(key=f"key {place}", value=value) for place, value in enumerate(values)]
    request = MESSAGES["traces"]()
    scope = request.resource_spans.add().scope_spans.add()
    # One span ends before it begins.
    scope.spans.add(attributes=attributes, start_time_unix_nano=5, end_time_unix_nano=3)
    scope.spans.add(attributes=attributes, start_time_unix_nano=5, end_time_unix_nano=12)
    result = inspected(write_archive(tmp_path / "a", [request.SerializeToString()]))
    weights = {row["key"]: (row["attributes"], row["bytes"]) for row in result["attributes"]["top"]}
    assert weights == {each.key: (2, 2 * (len(each.key) + value_weight(each.value))) for each in attributes}
    assert [weights[f"key {place}"][1] // 2 - 5 for place in range(9)] == [6, 1, 8, 9, 4, 0, 1, 1, 2]
    (operation,) = result["operations"]["top"]
    assert (operation["total_duration_ns"], operation["max_duration_ns"]) == (7, 7)


def test_logs_are_counted_as_protobuf_reads_them(tmp_path: Path) -> None:
    requests = [data for _, data in captured("otel-demo-logs", 19)] + [logs(5)]
    result = inspected(write_archive(tmp_path / "a", requests))
    message = MESSAGES["logs"].FromString(b"".join(requests))
    records = [r for group_ in message.resource_logs for scope in group_.scope_logs for r in scope.log_records]
    assert result["signals"]["logs"]["items"] == len(records)
    assert {row["severity_number"]: row["log_records"] for row in result["severities"]["top"]} == Counter(
        record.severity_number for record in records
    )
    times = [record.time_unix_nano or record.observed_time_unix_nano for record in records]
    assert result["signals"]["logs"]["first_unix_nano"] == min(times)
    assert result["signals"]["logs"]["last_unix_nano"] == max(times)


@pytest.mark.parametrize("name", ["hostandcollector-metrics", "metrics-exponential-histogram"])
def test_metrics_are_counted_as_protobuf_reads_them(tmp_path: Path, name: str) -> None:
    requests = [data for _, data in captured(name, 20)]
    result = inspected(write_archive(tmp_path / "a", requests))
    message = MESSAGES["metrics"].FromString(b"".join(requests))
    points: Counter[tuple[str, str, str]] = Counter()
    for group_ in message.resource_metrics:
        for scope in group_.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                points[metric.name, kind.replace("_", " "), metric.unit] += len(getattr(metric, kind).data_points)
    rows = result["metrics"]["top"]
    assert {(row["name"], row["kind"], row["unit"]): row["data_points"] for row in rows} == dict(points)
    assert result["signals"]["metrics"]["items"] == sum(points.values())


@pytest.mark.parametrize("name", CORPORA)
def test_corpora_are_inspected(name: str) -> None:
    path = FOLDER / f"{name}.otlp.zst"
    if not path.exists():
        pytest.skip(f"corpus {name} is not in {FOLDER}")
    result = inspect(path, "--top", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    (file,) = (line.split() for line in lines if str(path) in line)
    assert file[1:4] == ["archive", "zstd", f"{path.stat().st_size:,}"]
    (row,) = (line.split() for line in lines if line.split()[:1] == [CORPORA[name]])
    assert row[1] == file[4]
    (title,) = (line.strip() for line in lines if line.startswith("Attributes"))
    assert title.startswith("Attributes, the largest: 3 of ")
    assert "\N{HORIZONTAL ELLIPSIS}" not in result.stdout


def test_several_files_and_signals_are_counted_together(tmp_path: Path) -> None:
    mixed = write_archive(tmp_path / "a", [data for _, data in BY_HAND] + [b""])
    (tmp_path / "b").write_bytes(compression.compress(otlp_fast.to_json(traces(7), "traces"), "gzip"))
    result = inspected(mixed, tmp_path / "b")
    assert [(file["format"], file["encoding"], file["requests"]) for file in result["files"]] == [
        ("archive", "none", 4),
        ("ndjson", "gzip", 1),
    ]
    assert {signal: part["items"] for signal, part in result["signals"].items()} == {
        "traces": 10,
        "logs": 2,
        "metrics": 4,
    }
    assert result["services"]["top"] == [
        {"service": "shop", "items": 12, "spans": 10, "log_records": 2, "data_points": 0},
        {"service": "", "items": 4, "spans": 0, "log_records": 0, "data_points": 4},
    ]
    only = json.loads(inspect("--json", "--signal", "logs", mixed).stdout)
    assert list(only["signals"]) == ["logs"]


def test_top_shortens_lists_and_says_so(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a", [traces(service=f"service {number}") for number in range(12)])
    result = json.loads(inspect("--json", "--top", "2", path).stdout)
    assert (result["services"]["distinct"], len(result["services"]["top"])) == (12, 2)
    assert "Services: 2 of 12" in inspect("--top", "2", path).stdout
    assert "Services: 10 of 12" in inspect(path).stdout
    assert "\nServices\n" in inspect("--top", "12", path).stdout


def test_names_beyond_memory_count_for_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tally, "_MAX_KEYS", 2)
    path = write_archive(tmp_path / "a", [traces(1, service=f"service {number % 4}") for number in range(8)])
    result = inspected(path)
    assert [row["spans"] for row in result["services"]["top"]] == [2, 2]
    assert result["signals"]["traces"]["items"] == 8


def test_damaged_file_is_counted_up_to_the_damage(tmp_path: Path) -> None:
    good = archive_of([traces(3), logs(2)])
    broken = traces(3)[:-20]
    for damage, place in ((b"\0\0\0\x09abc", "the file ends inside the record"), (archive_of([broken]), "length")):
        path = tmp_path / "a"
        path.write_bytes(good + damage)
        (tmp_path / "b").write_bytes(archive_of([traces(1)]))
        result = inspect("--json", path, tmp_path / "b", tmp_path / "none")
        assert result.exit_code == 1
        counted = json.loads(result.stdout)
        assert counted["signals"]["traces"]["items"] == 4
        first, second = result.stderr.splitlines()
        assert first == f"Error: {tmp_path / 'none'}: No such file or directory"
        assert second.startswith(f"Error: {path}: record 3 at byte {len(good):,}: ")
        assert place in second
        assert counted["files"][0]["problem"] == second.removeprefix("Error: ")
        assert counted["files"][1]["problem"] is None


def test_item_that_is_damaged_inside_is_told_with_its_record(tmp_path: Path) -> None:
    # Behind the first item, whose inside tells the signal, nobody looks before it is decoded.
    data = traces(2).replace(b"GET /1", b"GET \xff1")
    result = inspect(write_archive(tmp_path / "a", [traces(1), data]))
    assert result.exit_code == 1
    assert f"record 2 at byte {len(traces(1)) + 4}: a string is not valid UTF-8" in result.stderr
    assert "resource_spans[0].scope_spans[0].spans[1].name" in result.stderr


def test_directories_and_strangers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(b"<html>")
    result = inspect(tmp_path, tmp_path / "page")
    assert result.exit_code == 1
    assert result.stdout.strip() == ""
    assert result.stderr.splitlines()[0] == f"Error: {tmp_path}: Is a directory"
    assert "page: this is none of: an OTLP request" in result.stderr


def test_standard_input_is_read() -> None:
    result = subprocess.run(
        [sys.executable, "-c", RUN_MAIN, "inspect", "-", "--json"],
        input=compression.compress(archive_of([metrics(9)]), "zstd"),
        capture_output=True,
        check=True,
        timeout=60,
    )
    counted = json.loads(result.stdout)
    assert counted["files"][0]["name"] == "standard input"
    assert counted["signals"]["metrics"]["items"] == 9


def test_names_of_others_do_not_steer_the_terminal(tmp_path: Path) -> None:
    evil = "\x1b[31m[bold]red[/bold]\r\n" + "x" * 100
    result = inspect(write_archive(tmp_path / "a", [traces(service=evil)]))
    assert "\x1b" not in result.stdout
    assert "\ufffd[31m[bold]red[/bold]\ufffd\ufffdxxx" in result.stdout
    assert inspected(tmp_path / "a")["services"]["top"][0]["service"] == evil
    assert _shown("x" * 60) == "x" * 60
    assert _shown("x" * 61) == "x" * 59 + "\N{HORIZONTAL ELLIPSIS}"
    assert _shown("") == "(none)"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (_duration(0), "0 ns"),
        (_duration(999), "999 ns"),
        (_duration(1_500), "1.50 us"),
        (_duration(59_990_000_000), "59.99 s"),
        (_duration(90 * 10**9), "1.50 min"),
        (_duration(10_000 * 3600 * 10**9), "10,000.00 h"),
        (_time(0), ""),
        (_time(1_700_000_000_123_999_999), "2023-11-14 22:13:20.123Z"),
        (_time(2**64 - 1), "2554-07-21 23:34:33.709Z"),
        (_severity(0), "(none)"),
        (_severity(1), " 1 TRACE"),
        (_severity(12), "12 INFO4"),
        (_severity(24), "24 FATAL4"),
        (_severity(25), "25"),
        (_severity(-3), "-3"),
    ],
)
def test_figures_are_readable(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(("missing", "extra"), [("rich", "cli"), ("numpy", "columns")])
def test_missing_extra_is_one_line(run_command: RunCommand, missing: str, extra: str) -> None:
    result = run_command("inspect", "x", without=(missing,))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert f"pip install 'otlp-fast[{extra}]'" in result.stderr


def test_progress_is_shown_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "many", [traces(10)] * 3)
    command = [sys.executable, "-c", RUN_MAIN, "inspect", "--json", str(path)]
    assert subprocess.run(command, capture_output=True, check=True, timeout=60).stderr == b""
    controlling, terminal = pty.openpty()
    with os.fdopen(controlling, "rb", buffering=0) as seen:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, env=environment) as process:
            stdout, _ = process.communicate(timeout=60)
        os.close(terminal)
        shown = b""
        # Linux ends a terminal whose other side is closed with an error.
        try:
            while piece := seen.read(4096):
                shown += piece
        except OSError:
            pass
    assert json.loads(stdout)["signals"]["traces"]["items"] == 30
    assert b"many" in shown
    assert b"\x1b[2K" in shown


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_interruption_is_one_line_and_exit_status_130(ending: signal.Signals) -> None:
    command = [sys.executable, "-c", RUN_MAIN, "inspect", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as process:
        assert process.stdin is not None
        # More than a pipe holds: what is left of it can only be written once the command is reading.
        process.stdin.write(archive_of([traces(1000)] * 20))
        process.send_signal(ending)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (stdout, stderr) == (b"", b"Interrupted: nothing was counted to the end.\n")


def test_help_teaches_by_examples() -> None:
    result = inspect("--help")
    assert result.exit_code == 0
    for taught in ("  Examples:\n    otlp-fast inspect capture.otlp.zst\n", "Exit status: 0", "--max-record-size MIB"):
        assert taught in result.output
