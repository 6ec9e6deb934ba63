"""Every line of a shell block is run as it stands, or looked up; a command that nobody knows here fails.

What a service or a user of the package calls runs: `otlp-fast`, and auto-instrumentation, against receivers of the test
in place of the hosts of the page. What would install, build or measure is not run but looked up: of `pip` the extras
and packages, of `make` the targets, of `cargo` the packages, of `python` the script or module and its options, of
`otlp-fast bench` and `otlp-fast demo` the options. What those do is tested elsewhere, with less to do: in
tests/packaging, tests/unit/bench, tests/unit/benchmarks and tests/unit/cli.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import distribution, entry_points
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import otlp_fast
from otlp_fast import files
from tests.compat.spans import make_span
from tests.compat.test_auto_instrumentation import APP
from tests.docs.pages import PROJECT, Block, blocks
from tests.unit.exporter.scripted_grpc_receiver import GRPCReceiver
from tests.unit.exporter.scripted_receiver import Receiver

RUN_MAIN = "from otlp_fast.cli import main; main()"
TAKES_MINUTES = ("bench", "demo")
LISTENED = ":4318"
SEND_A_SPAN = """
from otlp_fast.exporter.http import OTLPSpanExporter
from tests.compat.spans import make_span
exporter = OTLPSpanExporter()
exporter.export([make_span()])
exporter.shutdown()
"""


class Shell:
    """Runs the lines of one block, in a folder with an application and a capture."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http, self.grpc = Receiver(), GRPCReceiver()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        paths = (str(PROJECT), os.environ.get("PYTHONPATH"))
        self.environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = self.http.base  # localhost of the page
        (folder / "app.py").write_text(APP)
        with files.open_writer(folder / "capture.otlp.zst") as writer:
            for _ in range(1_010):
                writer.write(otlp_fast.encode_spans([make_span()]), "traces")
        self.exported: dict[str, str] = {}

    def close(self) -> None:
        self.http.close()
        self.grpc.close()

    def run(self, line: str) -> None:
        """Run a line, or check it."""
        words = shlex.split(line, comments=True)
        if words[0] == "export":
            self.export(dict(word.split("=", 1) for word in words[1:]))
            return
        assert words[0] in COMMANDS, f"no way to check `{words[0]}`: teach {Path(__file__).name}"
        COMMANDS[words[0]](self, words[1:])

    def export(self, variables: dict[str, str]) -> None:
        """Set variables, with the addresses of the receivers for those of the page."""
        for name, value in variables.items():
            host = re.fullmatch(r"http://(?:collector|gateway):(4317|4318)", value)
            here = {"4317": self.grpc.url, "4318": self.http.base}
            self.environment[name] = self.exported[name] = here[host[1]] if host else value

    def process(self, *command: str) -> str:
        """Run a process to its end, and give what it printed."""
        result = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def pip(self, arguments: list[str]) -> None:
        """Look up what would be installed: our extras, and packages that the tests have as well."""
        assert arguments[0] == "install"
        known = set(distribution("otlp-fast").metadata.get_all("Provides-Extra") or ())
        for requirement in arguments[1:]:
            name, _, extras = requirement.rstrip("]").partition("[")
            if name in (".", "otlp-fast"):
                assert set(extras.split(",")) <= known, requirement
            else:
                assert distribution(name)

    def make(self, arguments: list[str]) -> None:
        """Look the target up."""
        makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
        for target in arguments:
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target

    def python(self, arguments: list[str]) -> None:
        """Look up the script or module and its options, or the folder that pytest is given."""
        if arguments[:2] == ["-m", "pytest"]:
            assert (PROJECT / arguments[2]).is_dir()
            return
        place = PROJECT / (arguments[1].replace(".", "/") if arguments[0] == "-m" else arguments[0])
        sources = [place] if place.is_file() else sorted(place.glob("*.py"))
        assert sources, place
        source = "\n".join(path.read_text(encoding="utf-8") for path in sources)
        for option in arguments[1:]:
            assert not option.startswith("--") or f'"{option}"' in source, option

    def cargo(self, arguments: list[str]) -> None:
        """Look up the packages."""
        packages = {
            name
            for folder in ("", "*/", "*/*/")
            for path in PROJECT.glob(f"{folder}Cargo.toml")
            for name in re.findall(r'^name = "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
        }
        named = [name for option, name in pairwise(arguments) if option in ("-p", "--package")]
        assert named
        assert set(named) <= packages

    def otlp_fast(self, arguments: list[str]) -> None:
        """Run it, but what takes minutes. The gateway serves, takes a request, and ends when it is told to."""
        if arguments[0] == "gateway":
            self.gateway(arguments)
            return
        if arguments[0] in TAKES_MINUTES:
            known = self.process(sys.executable, "-c", RUN_MAIN, arguments[0], "--help")
            assert {word for word in arguments if word.startswith("--")} <= set(re.findall(r"--[\w-]+", known))
            return
        self.process(sys.executable, "-c", RUN_MAIN, *arguments)
        files_named = [word for word in arguments[1:] if "." in word]
        assert all((self.folder / name).stat().st_size > 0 for name in files_named)

    def gateway(self, arguments: list[str]) -> None:
        """Start it, send a request through it, end it."""
        probe = Receiver()
        probe.close()
        here = {LISTENED: f"127.0.0.1:{probe.port}", "http://collector:4318": self.http.base}
        command = [here.get(word, word) for word in arguments]
        assert command != arguments
        process = subprocess.Popen([sys.executable, "-c", RUN_MAIN, *command], env=self.environment)
        try:
            base = f"http://127.0.0.1:{probe.port}"
            deadline = time.monotonic() + 60
            while not answers(f"{base}/health"):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            self.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = base
            self.process(sys.executable, "-c", SEND_A_SPAN)
            assert [request.path for request in self.http.requests] == ["/v1/traces"]
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0

    def instrument(self, arguments: list[str]) -> None:
        """Run the application: all signals arrive by the exporters that were exported."""
        assert arguments == ["python", "app.py"]
        command = Path(sys.executable).parent / "opentelemetry-instrument"
        self.process(str(command), sys.executable, "app.py")
        paths = [request.path for request in self.http.requests]
        methods = [call.method.rsplit(".", 1)[1] for call in self.grpc.requests]
        assert sorted(paths or methods) == (
            ["/v1/logs", "/v1/metrics", "/v1/traces"]
            if paths
            else ["LogsService/Export", "MetricsService/Export", "TraceService/Export"]
        )

    def check_exported(self) -> None:
        """Check that variables are what they are taken for: exporters exist, and one that reads them sends a span."""
        for name, value in self.exported.items():
            if chosen := re.fullmatch(r"OTEL_(TRACES|LOGS|METRICS)_EXPORTER", name):
                assert entry_points(group=f"opentelemetry_{chosen[1].lower()}_exporter", name=value)
        if self.exported and not (self.http.requests or self.grpc.requests):
            self.process(sys.executable, "-c", SEND_A_SPAN)
            assert [request.path for request in self.http.requests] == ["/v1/traces"]
            encoding = self.exported.get("OTEL_EXPORTER_OTLP_COMPRESSION")
            assert self.http.requests[0].headers.get("content-encoding") == encoding


COMMANDS: dict[str, Callable[[Shell, list[str]], None]] = {
    "cargo": Shell.cargo,
    "make": Shell.make,
    "opentelemetry-instrument": Shell.instrument,
    "otlp-fast": Shell.otlp_fast,
    "pip": Shell.pip,
    "python": Shell.python,
}


def answers(url: str) -> bool:
    """Say whether somebody answers there."""
    try:
        response: Any = urllib.request.urlopen(url, timeout=5)
        with response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.close()


def lines_of(block: Block) -> list[str]:
    """Give the lines of a block that say something, those that go on behind a backslash as one."""
    joined = block.text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_lines_do_what_they_say(block: Block, shell: Shell) -> None:
    lines = lines_of(block)
    assert lines
    for line in lines:
        shell.run(line)
    shell.check_exported()


@pytest.mark.parametrize(
    "line",
    [
        "pip install 'otlp-fast[nothing]'",
        "make nothing",
        "python benchmarks/report.py --nothing",
        "python benchmarks/report.py --rec",
        "python -m benchmarks.nothing",
        "cargo test -p nothing",
        "otlp-fast demo --nothing",
        "otlp-fast bench --no",
        "otlp-fast inspect no.otlp",
    ],
)
def test_wrong_line_is_noticed(line: str, shell: Shell) -> None:
    with pytest.raises(AssertionError):
        shell.run(line)
