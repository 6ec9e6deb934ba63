"""The report: records keep what was measured, and the README shows the newest record and nothing else."""

from __future__ import annotations

import copy
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks import import_time, report
from benchmarks.engines import official, otlp_fast_batch
from benchmarks.record import file_name, make_record, newest_record, steps, write_record
from benchmarks.table import BEGIN, END, NoPlaceError, markdown, with_table


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """A record of very little, made by the real code."""
    done: list[str] = []
    made = make_record(
        [official(), otlp_fast_batch()],
        rounds=3,
        import_rounds=1,
        spans=8,
        sample_seconds=1e-5,
        on_step=done.append,
    )
    assert len(done) == steps(rounds=3, import_rounds=1)
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
    assert record["workloads"]["web"]["spans"] == 8
    assert import_time.OTLP_FAST in record["imports"]


def test_written_record_is_read_back_and_keeps_one_line_per_series(record: dict[str, Any], tmp_path: Path) -> None:
    path = write_record(record, tmp_path)
    assert path.name == file_name(record)
    assert json.loads(path.read_text(encoding="utf-8")) == record == newest_record(tmp_path)
    series = sum(line.strip().startswith('"rounds": [') for line in path.read_text(encoding="utf-8").splitlines())
    # Two clocks for two engines on every workload, with the collector on and off, and for every import.
    assert series == 2 * 2 * 2 * len(record["workloads"]) + 2 * len(record["imports"])


def test_newest_record_is_the_one_with_the_latest_date_whatever_its_name(
    record: dict[str, Any], tmp_path: Path
) -> None:
    older = {**record, "date": "2020-02-01T00:00:00+00:00", "machine": {**record["machine"], "cpu": "zzz"}}
    write_record(older, tmp_path)
    write_record(record, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert newest_record(tmp_path)["date"] == record["date"]


def test_missing_record_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="--record"):
        newest_record(tmp_path)


def test_table_has_a_row_per_workload_and_names_date_processor_and_versions(record: dict[str, Any]) -> None:
    record = copy.deepcopy(record)
    web = record["workloads"]["web"]
    web["gc_on"]["official"]["cpu"]["median"] = 37.44
    web["gc_on"]["otlp_fast"]["cpu"]["median"] = 0.546
    web["gc_on"]["otlp_fast"]["ratio"] |= {"median": 68.4, "lower_quartile": 66.6, "upper_quartile": 70.2}
    web["bytes"] = 8 * 398
    table = markdown(record)
    assert "| web: server spans, 8 attributes | 8 | 37.4 | 0.55 | **68** (67–70) | 398 | yes |" in table  # noqa: RUF001
    assert sum(line.startswith("| ") for line in table.splitlines()) == 1 + len(record["workloads"])
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
    readme.write_text(readme.read_text(encoding="utf-8").replace("| 8 |", "| 9 |"), encoding="utf-8")
    code, output = run("--check", *places)
    assert code == 1
    assert "not that of the newest record" in output


def test_record_that_is_asked_for_is_written_and_shown(
    record: dict[str, Any], readme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "make_record", lambda engines, **options: record)
    code, output = run("--record", "--readme", "--readme-file", readme, "--records", tmp_path / "records")
    assert code == 0
    assert "kept: web: at least 60" in output.replace("NOT KEPT", "kept")
    assert newest_record(tmp_path / "records") == record
    assert markdown(record) in readme.read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [(), ("--quick", "--record")])
def test_nothing_to_do_and_contradictions_are_usage_errors(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def test_promises_are_judged_by_the_record(record: dict[str, Any]) -> None:
    record = copy.deepcopy(record)
    for workload, ratio in (("web", 60.0), ("wide", 44.9)):
        record["workloads"][workload]["gc_on"]["otlp_fast"]["ratio"]["median"] = ratio
    record["imports"][import_time.OTLP_FAST]["cpu"]["median"] = 15.1
    assert list(report.promises_kept(record).values()) == [True, False, False]


def test_readme_shows_the_newest_record() -> None:
    code, output = run("--check")
    assert code == 0, output
