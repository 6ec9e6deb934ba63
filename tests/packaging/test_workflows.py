"""The workflows on hosted machines are in step with the Makefile, noxfile.py and pyproject.toml. Nothing is run."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from nox.project import load_toml

from tests.packaging import check_wheel

PROJECT = Path(__file__).resolve().parents[2]
FILES = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {
    file.stem: yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) for file in FILES
}
JOBS = {f"{name}-{job}": body for name, workflow in WORKFLOWS.items() for job, body in workflow["jobs"].items()}
PROJECT_TABLE = load_toml(PROJECT / "pyproject.toml")["project"]


@pytest.fixture(scope="session")
def noxfile() -> dict[str, Any]:
    """Its names. It changes PATH, which is set back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.environ["PATH"])
        return runpy.run_path(str(PROJECT / "noxfile.py"))


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each step with its job."""
    for job, body in JOBS.items():
        yield from ((job, step) for step in body["steps"])


def test_there_are_the_two_workflows() -> None:
    assert set(WORKFLOWS) == {"ci", "wheels"}
    assert set(JOBS) == {"ci-lint", "ci-test", "wheels-sdist", "wheels-wheel", "wheels-musl", "wheels-publish"}


def test_every_matrix_has_the_pythons_that_the_project_says_it_supports(noxfile: dict[str, Any]) -> None:
    pythons = list(noxfile["PYTHONS"])
    assert [body["strategy"]["matrix"]["python"] for body in (JOBS["ci-test"], JOBS["wheels-wheel"])] == [pythons] * 2
    found = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", name) for name in PROJECT_TABLE["classifiers"]]
    assert [match[1] for match in found if match] == pythons
    assert PROJECT_TABLE["requires-python"] == f">={pythons[0]}"


def test_published_platforms_are_those_that_are_built_and_checked(noxfile: dict[str, Any]) -> None:
    images = {entry["image"] for entry in JOBS["wheels-musl"]["strategy"]["matrix"]["include"]}
    assert images == {f"quay.io/pypa/{noxfile['MUSL']}_{machine}" for machine in ("x86_64", "aarch64")}
    for platform in (noxfile["GLIBC"], noxfile["MUSL"]):
        assert re.fullmatch(check_wheel.PLATFORMS, f"{platform}_x86_64")
    assert noxfile["GLIBC"] == "manylinux_{}_{}".format(*check_wheel.MAX_GLIBC)
    runners = JOBS["wheels-wheel"]["strategy"]["matrix"]["runner"]
    assert [name.split("-")[0] for name in runners] == ["ubuntu", "ubuntu", "macos", "macos", "windows"]


def test_commands_are_targets_of_the_makefile_and_sessions_of_nox(noxfile: dict[str, Any]) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))
    called = {name for _, step in steps() for name in re.findall(r"^make ([\w-]+)", step.get("run", ""))}
    assert called == {"lint", "test"}
    assert called <= targets

    (wheels,) = re.findall(r"nox --session (.*)", makefile[makefile.index("\nwheels:") :])[:1]
    sessions = {
        re.sub(r"-\$.*", "", name)
        for _, step in steps()
        for line in re.findall(r"--session (.*)", step.get("run", ""))
        for name in line.replace("${{ matrix.python }}", "$").split()
    }
    assert sessions == set(wheels.split())
    assert all(callable(noxfile[name]) for name in sessions)


def test_nox_is_the_one_of_the_project() -> None:
    (wanted,) = (name for name in PROJECT_TABLE["optional-dependencies"]["test"] if name.startswith("nox"))
    named = [name for _, step in steps() for name in re.findall(r'"(nox[^"]*)"', step.get("run", ""))]
    assert named == [wanted] * 3


def test_actions_of_others_are_named_by_commit() -> None:
    used = {step["uses"] for _, step in steps() if "uses" in step}
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)] == []
    # One commit of each, and a comment that says which release that is.
    assert len({name.split("@")[0] for name in used}) == len(used)
    lines = [line for file in FILES for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert [line for line in lines if not re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


def test_jobs_may_read_the_sources_and_only_publishing_may_ask_the_index_for_trust() -> None:
    assert [workflow["permissions"] for workflow in WORKFLOWS.values()] == [{"contents": "read"}] * 2
    allowed = {job: body["permissions"] for job, body in JOBS.items() if "permissions" in body}
    assert allowed == {"wheels-publish": {"id-token": "write"}}
    assert all(
        step["with"]["persist-credentials"] == "false" for _, step in steps() if "checkout" in step.get("uses", "")
    )
    assert all("timeout-minutes" in body for body in JOBS.values())
    assert "secrets." not in "".join(file.read_text(encoding="utf-8") for file in FILES)


def test_only_a_tag_publishes_and_only_when_all_is_built_and_checked() -> None:
    publish = JOBS["wheels-publish"]
    assert publish["if"] == "github.event_name == 'push' && startsWith(github.ref, 'refs/tags/v')"
    assert {f"wheels-{job}" for job in publish["needs"]} | {"wheels-publish"} == {
        job for job in JOBS if job.startswith("wheels-")
    }
    assert all("check_release" in str(JOBS[f"wheels-{job}"]["steps"]) for job in publish["needs"])


def test_expressions_stand_in_no_shell_script_but_for_the_list_of_pythons() -> None:
    # A branch's or tag's name in a script is code of whoever named it.
    found = [name for _, step in steps() for name in re.findall(r"\$\{\{(.*?)\}\}", step.get("run", ""))]
    assert set(found) == {" matrix.python "}
