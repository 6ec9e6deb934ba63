"""What this machine lacks for a target of the Makefile, and how to get it: `python prerequisites.py rust compiler`

Says all that is missing at once, a line each, and exits with 1. `--skip TARGET` in front says that TARGET is left out
for it. It runs before anything is installed, so it needs nothing but Python 3.10, for which the Makefile looks itself.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
INDEX_SECONDS = 10


def rust() -> str | None:
    """Cargo, and a compiler as new as Cargo.toml says."""
    (oldest,) = re.findall(r'\nrust-version = "([\d.]+)"', (PROJECT / "Cargo.toml").read_text(encoding="utf-8"))
    how = f"Rust {oldest} or newer is needed (https://rustup.rs installs it, `rustup update` renews it)"
    if shutil.which("cargo") is None:
        return f"cargo was not found: {how}"
    # A rustup without a toolchain has a cargo and a rustc, which say what they lack.
    _, answer = run("rustc", "--version")
    version = re.match(r"rustc (\d+)\.(\d+)", answer)
    if version is None:
        return f"`rustc --version` answers {answer!r}: {how}"
    if tuple(map(int, version.groups())) < tuple(map(int, oldest.split("."))):
        return f"{version[0]} is too old: {how}"
    return None


def rust_linters() -> str | None:
    """The components of Rust that `make lint` calls."""
    missing = [name for name in ("clippy", "fmt") if run("cargo", name, "--version")[0] != 0]
    if missing:
        components = " ".join(f"rust{name}" if name == "fmt" else name for name in missing)
        return f"cargo {' and cargo '.join(missing)} cannot be run: `rustup component add {components}` installs that"
    return None


def compiler() -> str | None:
    """A C compiler, with which Rust links as well, and the headers of this Python."""
    command = os.environ.get("CC", "cc").split()[0]
    if sys.platform != "win32" and shutil.which(command) is None:
        how = "xcode-select --install" if sys.platform == "darwin" else "apt install gcc, dnf install gcc"
        return f"a C compiler is needed, and {command} was not found ({how}; CC names another)"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        how = "apt install python3-dev, dnf install python3-devel"
        return f"the headers of Python are needed, and {header} is not there ({how})"
    return None


def go() -> str | None:
    """Go, of which the real Collector is built."""
    return None if shutil.which("go") else "go was not found: the real Collector is built with it (https://go.dev/dl)"


def index() -> str | None:
    """A package index that answers the pip of this Python."""
    pip = ("-m", "pip", "--disable-pip-version-check", "--retries", "0", "--timeout", str(INDEX_SECONDS))
    if run(sys.executable, *pip, "index", "versions", "pip")[0] == 0:
        return None
    return (
        "pip reaches no package index: the network, a proxy (HTTPS_PROXY) or PIP_INDEX_URL; "
        "what is installed already goes on working"
    )


NEEDS = {"rust": rust, "rust-linters": rust_linters, "compiler": compiler, "go": go, "index": index}


def run(*command: str) -> tuple[int, str]:
    """The exit status of a command, and what it says, wherever it says it."""
    try:
        result = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        return 127, str(error)
    return result.returncode, (result.stdout + result.stderr).strip()


def main(arguments: list[str]) -> int:
    """Look for each; 0 where all are there."""
    skipped = ""
    if arguments[:1] == ["--skip"]:
        skipped, arguments = f"skipped {arguments[1]}: ", arguments[2:]
    missing = [message for name in arguments if (message := NEEDS[name]()) is not None]
    for message in missing:
        print(f"otlp-fast: {skipped}{message}", file=sys.stderr)
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
