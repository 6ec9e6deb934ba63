"""The wheel and the sdist, as a user gets them: built, listed, installed into empty environments, and tested there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# What the tests that run there import, next to the package itself.
TEST_DEPENDENCIES = [
    *("pytest", "hypothesis", "psutil"),
    *("opentelemetry-distro", "opentelemetry-exporter-otlp-proto-http", "opentelemetry-exporter-otlp-proto-grpc"),
    *(f"opentelemetry-instrumentation-{name}" for name in ("grpc", "logging", "urllib3")),
]
TESTS = ["tests/compat", "tests/threads", "tests/unit/test_buffer.py", "-m", "not installs"]
MAX_WHEEL_BYTES = 4 << 20


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command; its output is in the failure where it fails."""
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert result.returncode == 0, f"{command}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sdist, and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    # Compiled crates are kept between runs; what is built is decided by the sdist alone.
    run(
        sys.executable, "-m", "build", "--outdir", out, PROJECT,
        cwd=out, CARGO_TARGET_DIR=str(PROJECT / "target" / "packaging"),
    )  # fmt: skip
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


def test_sdist_holds_the_sources_and_nothing_else(distributions: dict[str, Path]) -> None:
    with tarfile.open(distributions["sdist"]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    wanted = {"Cargo.lock", "LICENSE", "README.md", "PKG-INFO", "native/sdk/build.rs", "native/sdk/src/_sdk.pyx",
              "native/sdk/src/spans.pxi", "native/sdk/src/abi.h", "python/otlp_fast/py.typed"}  # fmt: skip
    assert names >= wanted
    assert {name.split("/")[0] for name in names} <= {
        "Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "PKG-INFO", "pyproject.toml", "native", "python", "src",
    }  # fmt: skip
    assert not [name for name in names if name.endswith((".so", ".pyc", ".c"))]


def test_wheel_holds_the_package_and_nothing_else(distributions: dict[str, Path]) -> None:
    wheel = distributions["wheel"]
    assert wheel.stat().st_size <= MAX_WHEEL_BYTES
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"otlp_fast"}
    assert {Path(name).suffix for name in names if name.startswith("otlp_fast/")} == {".py", ".pyi", ".so", ".typed"}
    assert len([name for name in names if name.endswith(".so")]) == 1


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_package_passes_its_tests(kind: str, distributions: dict[str, Path], tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    target = {"CARGO_TARGET_DIR": str(PROJECT / "target" / "packaging")}
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")

    # The core needs nothing: no dependency is installed with it.
    run(*pip, distributions[kind], cwd=tmp_path, **target)
    script = "import otlp_fast; print(otlp_fast.encode_spans([]), otlp_fast.__file__)"
    output = run(python, "-c", script, cwd=tmp_path)
    assert output.startswith("b'' ")
    assert str(environment) in output

    run(*pip, f"{distributions[kind]}[exporter,grpc]", *TEST_DEPENDENCIES, cwd=tmp_path, **target)
    shutil.copytree(PROJECT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    output = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, cwd=tmp_path)
    assert " passed" in output
    assert " failed" not in output
