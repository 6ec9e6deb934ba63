"""The sdist and the wheel that pip makes of it, as a user gets them: listed, installed in an empty environment, tested.

What else holds of published wheels is in `check_wheel.py`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_bytes
from pathlib import Path

import pytest
from nox.project import load_toml

from tests.packaging import check_wheel

PROJECT = Path(__file__).resolve().parents[2]
# What the tests that run there import, next to the package itself.
TEST_DEPENDENCIES = [
    *("pytest", "hypothesis", "psutil"),
    *("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http", "opentelemetry-exporter-otlp-proto-grpc"),
    *(f"opentelemetry-instrumentation-{name}" for name in ("grpc", "logging", "urllib3")),
]
TESTS = ["tests/compat", "tests/threads", "tests/unit/test_buffer.py", "-m", "not installs"]
# The environment must be empty: no packages of whoever runs the tests.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
# Compiled crates are kept between runs; what is built is decided by the sdist alone.
TARGET = {"CARGO_TARGET_DIR": str(PROJECT / "target" / "packaging")}

pytestmark = [
    pytest.mark.installs,
    pytest.mark.skipif(shutil.which("cargo") is None, reason="builds the wheel: needs Rust (https://rustup.rs)"),
]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command; its output is in the failure where it fails."""
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, env={**ENVIRONMENT, **environment}
    )
    assert result.returncode == 0, f"{command}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist."""
    out = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", out, PROJECT, cwd=out, **TARGET)
    (built,) = out.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip makes of the sdist, as for a user for whom there is no wheel."""
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, sdist, cwd=out, **TARGET)
    (built,) = out.glob("*.whl")
    return built


def test_sdist_holds_the_sources_and_nothing_else(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    wanted = {"Cargo.lock", "LICENSE", "README.md", "PKG-INFO", "native/sdk/build.rs", "native/sdk/src/_sdk.pyx",
              "native/sdk/src/spans.pxi", "native/sdk/src/abi.h", "python/otlp_fast/py.typed"}  # fmt: skip
    assert names >= wanted
    assert {name.split("/")[0] for name in names} <= {
        "Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "PKG-INFO", "pyproject.toml", "native", "python", "src",
    }  # fmt: skip
    assert not [name for name in names if name.endswith((".so", ".pyc", ".c"))]


@pytest.mark.parametrize("check", [check_wheel.check_contents, check_wheel.check_size], ids=["contents", "size"])
def test_wheel_is_small_and_holds_the_package_and_nothing_else(
    check: Callable[[Path], Iterator[str]], wheel: Path
) -> None:
    assert list(check(wheel)) == []


def test_metadata_says_what_the_project_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    project = load_toml(PROJECT / "pyproject.toml")["project"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE"]
    assert metadata["Requires-Python"] == project["requires-python"]
    assert metadata.get_all("Classifier") == project["classifiers"]
    assert metadata["Description-Content-Type"].startswith("text/markdown")
    assert metadata.get_payload().startswith("# otlp-fast\n")
    assert set(metadata.get_all("Provides-Extra")) == set(project["optional-dependencies"])


def test_package_built_from_the_sdist_passes_its_tests(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")

    # The core needs nothing: no dependency is installed with it.
    run(*pip, "--no-index", wheel, cwd=tmp_path)
    script = "import otlp_fast; print(otlp_fast.encode_spans([]), otlp_fast.__file__)"
    output = run(python, "-c", script, cwd=tmp_path)
    assert output.startswith("b'' ")
    assert str(environment) in output

    run(*pip, f"{wheel}[exporter,grpc]", *TEST_DEPENDENCIES, cwd=tmp_path)
    shutil.copytree(PROJECT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    output = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, cwd=tmp_path)
    assert " passed" in output
    assert " failed" not in output
