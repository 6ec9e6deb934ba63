"""The report: records keep what was measured, and the README shows the newest record and nothing else."""

from __future__ import annotations

import copy
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import otlp_fast
from benchmarks import import_time, promises, report
from benchmarks.processors import CONFIGURATIONS, FASTOTEL, NONE, OFFICIAL, OTLP_FAST
from benchmarks.record import Effort, file_name, make_record, newest_record, write_record
from benchmarks.table import BEGIN, END, SHOWN, NoPlaceError, markdown, with_table
from otlp_fast.bench.batch import Signal
from otlp_fast.bench.engines import Engine, official, otlp_fast_batch

LITTLE = Effort(
    rounds=3,
    rounds_without_gc=3,
    import_rounds=1,
    items=8,
    sample_seconds=1e-5,
    process_rounds=1,
    process_seconds=0.1,
    burst_rounds=1,
    burst_spans=200,
    on_end_rounds=3,
    on_end_spans=32,
)


def two_engines(signal: Signal) -> list[Engine]:
    return [official(signal), otlp_fast_batch(signal)]


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """A record of very little, made by the real code."""
    done: list[str] = []
    configurations = [CONFIGURATIONS[name] for name in (NONE, OFFICIAL, OTLP_FAST)]
    made = make_record(two_engines, configurations, LITTLE, done.append)
    assert len(done) == LITTLE.steps(len(configurations))
    return made


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(f"# Title\n\n{BEGIN}\n{END}\n\nThe rest.\n", encoding="utf-8")
    return path


def test_summary_of_a_record_follows_from_its_rounds(record: dict[str, Any]) -> None:
    for workload in record["workloads"].values():
        for collector in ("gc_on", "gc_off"):
            for figures in workload[collector].values():
                assert figures["cpu"]["median"] == statistics.median(figures["cpu"]["rounds"])
            official_rounds = workload[collector]["official"]["cpu"]["rounds"]
            own_rounds = workload[collector]["otlp_fast"]["cpu"]["rounds"]
            ratios = [one / other for one, other in zip(official_rounds, own_rounds, strict=True)]
            expected = pytest.approx(statistics.median(ratios), rel=1e-3)
            assert workload[collector]["otlp_fast"]["ratio"]["median"] == expected


def test_record_says_where_and_of_what_it_was_made(record: dict[str, Any]) -> None:
    assert set(record["machine"]) == {"cpu", "cores", "os", "python"}
    assert {"otlp-fast", "opentelemetry-sdk", "protobuf"} <= set(record["versions"])
    assert record["build"]["simd"]
    assert record["workloads"]["web"]["items"] == 8
    assert record["configurations"][OTLP_FAST]["version"] == record["versions"]["otlp-fast"]
    assert import_time.OTLP_FAST in record["imports"]


def test_written_record_is_read_back_and_keeps_one_line_per_series(record: dict[str, Any], tmp_path: Path) -> None:
    path = write_record(record, tmp_path)
    assert path.name == file_name(record)
    assert json.loads(path.read_text(encoding="utf-8")) == record == newest_record(tmp_path)
    series = sum(line.strip().startswith('"rounds": [') for line in path.read_text(encoding="utf-8").splitlines())
    # Two clocks for two engines on every workload, with the collector on and off, and for every import.
    encoding = 2 * 2 * 2 * len(record["workloads"]) + 2 * len(record["imports"])
    # CPU, net, share of the official one and pace for three processes; share and pace of two bursts; two of on_end.
    assert series == encoding + 4 * 3 + 2 * 2 + 2 * 3


def test_newest_record_is_the_one_with_the_latest_date_whatever_its_name(
    record: dict[str, Any], tmp_path: Path
) -> None:
    older = {**record, "date": "2020-02-01T00:00:00+00:00", "machine": {**record["machine"], "cpu": "zzz"}}
    write_record(older, tmp_path)
    write_record(record, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert newest_record(tmp_path)["date"] == record["date"]


def test_record_of_an_older_form_is_passed_over(record: dict[str, Any], tmp_path: Path) -> None:
    write_record(record, tmp_path)
    write_record({**record, "format": 1, "date": "2999-01-01T00:00:00+00:00"}, tmp_path)
    assert newest_record(tmp_path)["date"] == record["date"]


def test_missing_record_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--record"):
        newest_record(tmp_path)


def test_net_price_of_a_process_is_what_it_takes_above_the_one_that_exports_nothing(record: dict[str, Any]) -> None:
    processes = record["whole_process"]
    cpu = {name: figures["cpu"]["median"] for name, figures in processes.items()}
    net = {name: figures["net"]["median"] for name, figures in processes.items()}
    # Each of the three figures is kept with five digits, so it is off by half of 1e-4 of itself at most.
    assert net == {
        name: pytest.approx(cpu[name] - cpu[NONE], abs=1e-4 * max(cpu[name], cpu[NONE]), rel=0) for name in cpu
    }
    share = processes[OTLP_FAST]["share_of"][OFFICIAL]["median"]
    assert share == pytest.approx(net[OTLP_FAST] / net[OFFICIAL], rel=1e-2)


def test_processes_deliver_what_they_made(record: dict[str, Any]) -> None:
    for name in (OFFICIAL, OTLP_FAST):
        steady, burst = record["whole_process"][name], record["burst"][name]
        assert steady["delivered"] == steady["made"] == [500]
        assert burst["delivered"] == burst["made"] == [200]
        assert burst["share"]["median"] == 1.0


def test_table_has_the_chosen_rows_and_names_date_processor_and_versions(record: dict[str, Any]) -> None:
    record = copy.deepcopy(record)
    web = record["workloads"]["web"]["gc_on"]
    web["official"]["cpu"]["median"] = 37.44
    web["otlp_fast"]["cpu"]["median"] = 0.546
    web["otlp_fast"]["ratio"] |= {"median": 68.4, "lower_quartile": 66.6, "upper_quartile": 70.2}
    for name, net, added, burst in ((OFFICIAL, 75.2, 4.71, 0.4312), (OTLP_FAST, 5.04, 0.94, 1.0)):
        record["whole_process"][name]["net"]["median"] = net
        record["on_end"][name]["added"]["median"] = added
        record["burst"][name]["share"]["median"] = burst
    record["whole_process"][OTLP_FAST]["share_of"][OFFICIAL] |= {
        "median": 0.0668,
        "lower_quartile": 0.0625,
        "upper_quartile": 0.0714,
    }
    table = markdown(record)
    for row in (
        "| encode a span | web: server spans, 8 attributes | 37.4 µs | – | 0.55 µs | **68** (67–70) |",  # noqa: RUF001
        "| export a span | whole process, web spans, gzip, above no exporter | 75.2 µs | – | 5.0 µs | **15** (14–16) |",  # noqa: RUF001
        "| end a span | what the processor adds to the request's thread | 4.7 µs | – | 0.9 µs |  |",  # noqa: RUF001
        "| a burst of 200 spans | delivered with default settings | 43% | – | 100% |  |",  # noqa: RUF001
    ):
        assert row in table
    assert sum(line.startswith("| ") for line in table.splitlines()) == 1 + len(SHOWN) + 3
    for fact in (
        record["date"][:10],
        record["machine"]["cpu"],
        record["versions"]["protobuf"],
        record["build"]["simd"],
    ):
        assert fact in table


def test_table_goes_between_the_markers_and_leaves_the_rest(record: dict[str, Any]) -> None:
    text = with_table(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new")
    assert text == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert with_table(text, "new") == text


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_markers_that_are_not_one_pair_are_an_error(text: str) -> None:
    with pytest.raises(NoPlaceError):
        with_table(text, "table")


def run(*arguments: object) -> tuple[int, str]:
    finished = CliRunner().invoke(report.main, [str(argument) for argument in arguments])
    return finished.exit_code, finished.output


def test_check_fails_until_the_readme_shows_the_newest_record(
    record: dict[str, Any], readme: Path, tmp_path: Path
) -> None:
    records = tmp_path / "records"
    write_record(record, records)
    places = ("--readme-file", readme, "--records", records)
    assert run("--check", *places)[0] == 1
    assert run("--readme", *places)[0] == 0
    assert run("--check", *places)[0] == 0
    assert markdown(record) in readme.read_text(encoding="utf-8")
    readme.write_text(readme.read_text(encoding="utf-8").replace("| 100% |", "| 99% |"), encoding="utf-8")
    code, output = run("--check", *places)
    assert code == 1
    assert "not that of the newest record" in output


def test_record_that_is_asked_for_is_written_and_shown_and_judged(
    record: dict[str, Any], readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = with_figures(record)
    monkeypatch.setattr(report, "make_record", lambda *arguments: record)
    arguments = ("--record", "--readme", "--readme-file", readme, "--records", tmp_path / "records")
    code, output = run(*arguments)
    assert code == 0, output
    assert "kept: web: at least 60 times faster (60.0)" in output
    assert newest_record(tmp_path / "records") == record
    assert markdown(record) in readme.read_text(encoding="utf-8")
    record["on_end"][OTLP_FAST]["added"]["median"] = 1.6
    code, output = run(*arguments)
    assert code == 1
    assert "promises not kept: on_end: at most 1.5 µs (1.60)" in output
    assert newest_record(tmp_path / "records") == record


@pytest.mark.parametrize("arguments", [(), ("--quick", "--record")])
def test_nothing_to_do_and_contradictions_are_usage_errors(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def with_figures(record: dict[str, Any]) -> dict[str, Any]:
    """Give the record with figures that just keep every promise."""
    record = copy.deepcopy(record)
    for workload, least in promises.TIMES_FASTER.items():
        record["workloads"][workload]["gc_on"]["otlp_fast"]["ratio"]["median"] = least
    record["imports"][import_time.OTLP_FAST]["cpu"]["median"] = 15.0
    record["whole_process"][OTLP_FAST]["share_of"] = {OFFICIAL: {"median": 0.1}, FASTOTEL: {"median": 0.5}}
    record["whole_process"][OTLP_FAST]["share_of"][OFFICIAL] |= {"lower_quartile": 0.1, "upper_quartile": 0.1}
    record["on_end"][OTLP_FAST]["added"]["median"] = 1.5
    record["burst"][OTLP_FAST]["share"]["least"] = 1.0
    return record


def test_promises_are_judged_by_the_record(record: dict[str, Any]) -> None:
    record = with_figures(record)
    assert set(report.promises_kept(record).values()) == {True}
    record["workloads"]["requests"]["gc_on"]["otlp_fast"]["ratio"]["median"] -= 0.1
    record["imports"][import_time.OTLP_FAST]["cpu"]["median"] += 0.1
    record["whole_process"][OTLP_FAST]["share_of"][OFFICIAL]["median"] += 0.001
    record["whole_process"][OTLP_FAST]["share_of"][FASTOTEL]["median"] += 0.001
    record["on_end"][OTLP_FAST]["added"]["median"] += 0.01
    record["burst"][OTLP_FAST]["share"]["least"] -= 0.001
    broken = [promise.split(":")[0] for promise, kept in report.promises_kept(record).items() if not kept]
    assert broken == ["requests", "import otlp_fast", "whole process", "whole process", "on_end", "burst"]


def test_readme_shows_the_newest_record() -> None:
    code, output = run("--check")
    assert code == 0, output
    assert newest_record()["versions"]["otlp-fast"] == otlp_fast.__version__
