"""What an import costs, in a fresh interpreter each time.

A round starts one interpreter per statement, in an order shuffled anew, and one with nothing to import. What an import
costs is the difference from the empty interpreter of the same round: the median over the rounds. Byte code is cached
before the first round, as it is after the first start of a service. The price is the CPU time of the child, user and
system, as what other processes on the machine do counts little into it; wall time is kept beside it.

`importtime_detail` gives what `-X importtime` says, module by module: to find out why, not how much, as tracing has its
own cost.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from random import Random

EMPTY = "empty interpreter"
OTLP_FAST = "import otlp_fast"

STATEMENTS: dict[str, str] = {
    EMPTY: "pass",
    OTLP_FAST: "import otlp_fast",
    "otlp_fast, HTTP exporter": "import otlp_fast.exporter.http",
    "official encoder": "import opentelemetry.exporter.otlp.proto.common.trace_encoder",
    "official, HTTP exporter": "import opentelemetry.exporter.otlp.proto.http.trace_exporter",
}
"""What is compared, by name."""

ROUNDS = 20


def start_interpreter(statement: str) -> tuple[float, float]:
    """Run one statement in a new interpreter: CPU time and wall time of the whole process, in ms.

    Raises:
        subprocess.CalledProcessError: the statement failed.
    """
    command = [sys.executable, "-c", statement]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, env=interpreter_environment(), stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu * 1e3, wall * 1e3


def interpreter_environment() -> dict[str, str]:
    """Give the environment without what would make an interpreter import or skip more than it does for a user."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_", "OTEL_"))}


def measure_imports(
    rounds: int = ROUNDS, on_round: Callable[[], None] = lambda: None
) -> dict[str, dict[str, list[float]]]:
    """Measure all statements: `result[name]["cpu"]` and `["wall"]`, in ms above the empty interpreter of that round.

    The row `EMPTY` holds the empty interpreter itself.
    """
    for statement in STATEMENTS.values():
        start_interpreter(statement)
    result: dict[str, dict[str, list[float]]] = {name: {"cpu": [], "wall": []} for name in STATEMENTS}
    random = Random(0)
    names = list(STATEMENTS)
    for _ in range(rounds):
        random.shuffle(names)
        times = {name: start_interpreter(STATEMENTS[name]) for name in names}
        for name, (cpu, wall) in times.items():
            floor = times[EMPTY] if name != EMPTY else (0.0, 0.0)
            result[name]["cpu"].append(cpu - floor[0])
            result[name]["wall"].append(wall - floor[1])
        on_round()
    return result


def importtime_detail(statement: str, rows: int = 12) -> list[tuple[str, float]]:
    """Give the modules that took longest by themselves, as (module, ms), by one run under `-X importtime`.

    Modules that an empty interpreter imports too are left out.
    """
    always = {module for module, _ in imported_modules(STATEMENTS[EMPTY])}
    added = [(module, ms) for module, ms in imported_modules(statement) if module not in always]
    return sorted(added, key=lambda module: -module[1])[:rows]


def imported_modules(statement: str) -> list[tuple[str, float]]:
    """Give each module that a new interpreter imports for `statement`, with the ms it took by itself."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    finished = subprocess.run(command, check=True, env=interpreter_environment(), capture_output=True, text=True)
    modules = []
    for line in finished.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            modules.append((name.strip(), int(own) / 1e3))
    return modules
