"""What is done under every supported CPython: the compat tests with every supported SDK, and the wheels of a release.

`nox` (or `make compat`) runs all compat tests; `nox -s "compat-3.11(sdk='1.27')"` one, after it built the wheel for it;
`nox -s compat -- tests/compat/test_lost_data.py` runs one file everywhere. `make wheels` builds into dist/ what is
published from this platform; `nox -s release_wheel-3.12 check_release` one wheel of it. A CPython that this machine
does not have is named and skipped. All else that is made lies in target/nox, where cargo compiles what has changed.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import nox

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
OLDEST = "1.27"
RELEASES = (OLDEST, "1.30", "1.33", "1.36", "1.39", "1.42", "newest")
INSTRUMENTATIONS = ("grpc", "logging", "urllib3")
TESTS = (
    "tests/compat",
    "tests/unit/processor/test_processor_sdk_versions.py::test_installed_sdk_can_use_the_processors",
)
# Warnings that these packages cause by themselves; pytest makes an error of every other.
WARNINGS_OF_OTHERS = (
    "ignore:Type google._upb:DeprecationWarning",  # protobuf 4 and 5 under CPython 3.12 and later
    "ignore:SelectableGroups:DeprecationWarning",  # opentelemetry-api 1.42 under CPython 3.10 and 3.11
)
# What published wheels for Linux run on: glibc 2.17 of 2012 or newer, musl 1.2 or newer.
GLIBC, MUSL = "manylinux_2_17", "musllinux_1_2"
DISTRIBUTIONS = Path("dist")
PROJECT = nox.project.load_toml("pyproject.toml")

# A command of pyenv, such as python3.12, answers only where that version is switched on: the versions themselves do.
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
INSTALLED_BY_PYENV = [str(path) for version in PYTHONS for path in PYENV.glob(f"versions/{version}.*/bin")]
os.environ["PATH"] = os.pathsep.join([*INSTALLED_BY_PYENV, os.environ.get("PATH", "")])

nox.options.default_venv_backend = "uv"
nox.options.download_python = "never"
nox.options.envdir = "target/nox"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["compat"]


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """Build the wheel for one CPython."""
    session.install("build", *PROJECT["build-system"]["requires"])
    wheels = wheels_of(session)
    shutil.rmtree(wheels, ignore_errors=True)
    target = session.cache_dir / "cargo" / str(session.python)
    command = ("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels)
    session.run(*command, env={"CARGO_TARGET_DIR": str(target)})


@nox.session(python=PYTHONS, requires=["wheel-{python}"])
@nox.parametrize("sdk", RELEASES)
def compat(session: nox.Session, sdk: str) -> None:
    """Test the wheel with one SDK and the official exporters of the same release."""
    (built,) = wheels_of(session).glob("*.whl")
    session.install(f"otlp-fast[exporter,grpc] @ {built.resolve().as_uri()}", *requirements(sdk))
    run_tests(session)


@nox.session
def release_sdist(session: nox.Session) -> None:
    """Build the sdist of a release into dist/."""
    session.install(*PROJECT["build-system"]["requires"])
    remove_distributions("*.tar.gz")
    session.run("maturin", "sdist", "--out", DISTRIBUTIONS)


@nox.session(python=PYTHONS)
def release_wheel(session: nox.Session) -> None:
    """Build the wheel of a release for one CPython into dist/.

    On Linux with glibc, zig is the C compiler and the linker: it has the symbols of each older glibc, so that no
    container with an old distribution is needed. All CPythons share a target folder: what knows nothing of Python is
    compiled once.
    """
    session.install(*PROJECT["build-system"]["requires"])
    options: tuple[str, ...] = ()
    if sys.platform == "linux":
        options = ("--compatibility", MUSL)
        if platform.libc_ver()[0] == "glibc":
            session.install("ziglang>=0.14")
            options = ("--zig", "--compatibility", GLIBC)
    remove_distributions(f"*-cp{str(session.python).replace('.', '')}-*.whl")
    session.run(
        *("maturin", "build", "--release", "--locked", "--out", DISTRIBUTIONS, "--interpreter", "python", *options),
        env={"CARGO_TARGET_DIR": str(session.cache_dir / "cargo" / "release")},
    )


@nox.session
def check_release(session: nox.Session) -> None:
    """Check what lies in dist/: its metadata, and each wheel by tests/packaging/check_wheel.py."""
    session.install("packaging>=24", "pyelftools>=0.31", "twine>=6")
    built = sorted(DISTRIBUTIONS.glob("otlp_fast-*"))
    if not built:
        session.error(f"{DISTRIBUTIONS}/ is empty: release_sdist and release_wheel build into it")
    session.run("twine", "check", "--strict", *built)
    if wheels := [path for path in built if path.suffix == ".whl"]:
        session.run("python", "tests/packaging/check_wheel.py", *wheels)


@nox.session
def oldest_sdk(session: nox.Session) -> None:
    """Test the otlp-fast that is installed beside nox with the oldest SDK: builds nothing, part of `make test`."""
    extras = PROJECT["project"]["optional-dependencies"]
    session.install(*extras["exporter"], *extras["grpc"], *requirements(OLDEST))
    # An editable install is a path and some metadata, so that copies of its files are one too.
    packages = Path(sysconfig.get_path("purelib", vars={"base": session.virtualenv.location}))
    for file in distribution("otlp-fast").files or ():
        if ".." not in file.parts:
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), packages / file)
    run_tests(session)


def wheels_of(session: nox.Session) -> Path:
    """Where the wheel for the CPython of a session lies."""
    return session.cache_dir / "wheels" / str(session.python)


def remove_distributions(pattern: str) -> None:
    """Remove what an earlier build left in dist/, so that no stale wheel is checked or published."""
    for path in DISTRIBUTIONS.glob(pattern):
        path.unlink()


def requirements(sdk: str) -> list[str]:
    """What the compat tests need, all of it from the day of one SDK; of the newest, what PyPI has."""
    stable, contrib = "", ""
    if sdk != "newest":
        # The contrib packages 0.48 came with SDK 1.27, and so on with every minor release.
        stable, contrib = f"=={sdk}.*", f"==0.{int(sdk.removeprefix('1.')) + 21}.*"
    return [
        *(f"opentelemetry-{name}{stable}" for name in ("sdk", "exporter-otlp-proto-grpc", "exporter-otlp-proto-http")),
        f"opentelemetry-distro{contrib}",
        *(f"opentelemetry-instrumentation-{name}{contrib}" for name in INSTRUMENTATIONS),
        "setuptools<81",  # the last that has pkg_resources, which opentelemetry-instrumentation 0.48 needs
        "hypothesis>=6.100",
        "pytest>=8",
    ]


def run_tests(session: nox.Session) -> None:
    """Run the tests, but for those that look after other releases by themselves."""
    filters = [f"-W{warning}" for warning in WARNINGS_OF_OTHERS]
    session.run("python", "-m", "pytest", "-q", "-m", "not installs", *filters, *(session.posargs or TESTS))
