"""docs/operations.md lists every log line, counter, variable and default, and none that does not exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

import otlp_fast
from otlp_fast.exporter.configuration import DEFAULT_SPOOL_BYTES, DEFAULT_TIMEOUT_SECONDS
from otlp_fast.exporter.framing import MAX_REQUEST_SIZE as MAX_FRAMED_SIZE
from otlp_fast.exporter.grpc.configuration import DEFAULT_MAX_REQUEST_SIZE as GRPC_REQUEST_SIZE
from otlp_fast.exporter.http import OTLPSpanExporter
from otlp_fast.exporter.http.configuration import DEFAULT_MAX_REQUEST_SIZE as HTTP_REQUEST_SIZE
from otlp_fast.exporter.http.response import MAX_BODY_SIZE
from otlp_fast.gateway.metrics import Metrics
from otlp_fast.processor import BatchSpanProcessor
from otlp_fast.processor.configuration import (
    DEFAULT_EXPORT_TIMEOUT_MILLIS,
    DEFAULT_MAX_EXPORT_BATCH_SIZE,
    DEFAULT_MAX_QUEUE_BYTES,
    DEFAULT_MAX_QUEUE_SIZE,
)
from tests.docs.log_lines import LogLine, UnknownMessageError, lines_in, lines_of
from tests.docs.pages import PROJECT

PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
GATEWAY = (PROJECT / "docs" / "gateway.md").read_text(encoding="utf-8")
PACKAGE = PROJECT / "python" / "otlp_fast"
MIB = 1 << 20


def section(heading: str, text: str = PAGE) -> str:
    """Give what stands below a heading."""
    return re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(heading: str, text: str = PAGE) -> Iterator[list[str]]:
    """Give the cells of each line of the tables below a heading."""
    for line in section(heading, text).splitlines():
        if line.startswith("|") and not line.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def names_in(cell: str) -> list[str]:
    """Give what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_page_lists_the_lines_that_the_package_writes() -> None:
    listed = {names_in(cells[0])[0]: cells[1] for cells in rows("Log lines") if cells[0] != "line"}
    written = lines_of(PACKAGE)
    assert set(listed) == {line.message for line in written}
    for line in written:
        assert line.level in (None, listed[line.message]), line


def test_line_whose_message_is_not_found_is_an_error() -> None:
    source = "def f(self, reason):\n    self._logger.warning({message})\n"
    assert lines_in(ast.parse(source.format(message="'lost %d of %s', 1, 2"))) == [LogLine("lost … of …", "warning")]
    with pytest.raises(UnknownMessageError, match="words"):
        lines_in(ast.parse(source.format(message="self.words()")))


def test_page_lists_the_counters_of_stats() -> None:
    exporter = OTLPSpanExporter(compression="tracezip")
    processor = BatchSpanProcessor(exporter)
    counters = [*processor.stats(), *exporter.stats(), *otlp_fast.encode_stats()]
    processor.shutdown()
    listed = [name for cells in rows("Counters") for name in names_in(cells[0]) if not name.endswith("()")]
    assert sorted(listed) == sorted(counters)
    for name in otlp_fast.pool_stats():
        assert f"`{name}`" in section("Counters")


def test_page_of_the_gateway_lists_its_metrics() -> None:
    metrics, _ = Metrics().render("")
    exposed = set(re.findall(r"^# TYPE otlp_fast_gateway_(\S+)", metrics.decode(), re.MULTILINE))
    listed = {name for cells in rows("Watching it", GATEWAY) for name in names_in(cells[0])}
    application = (PACKAGE / "gateway" / "application.py").read_text(encoding="utf-8")
    watched = set(re.findall(r'watch\(\s*"(\w+)"', application))
    created = {name for name in exposed if name.endswith("_created")}
    assert listed == (exposed - created) | watched


def settings_read() -> set[str]:
    """Give the names that exporters put behind `OTEL_EXPORTER_OTLP_` and a signal."""
    found = set()
    for path in (PACKAGE / "exporter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("configured", "variable_names"):
                last = node.args[-1]
                found |= {last.value} if isinstance(last, ast.Constant) and isinstance(last.value, str) else set()
    return found


def test_page_lists_the_variables_that_are_read() -> None:
    listed = {name: cells[1] for cells in rows("Variables") for name in names_in(cells[0])}
    of_signals = {
        name.removeprefix("OTEL_EXPORTER_OTLP_")
        for name, cell in listed.items()
        if cell == "yes" and name.startswith("OTEL_EXPORTER_OTLP_")
    }
    assert of_signals == settings_read()
    sources = [*PACKAGE.rglob("*.py"), PROJECT / "src" / "lib.rs"]
    source = "\n".join(path.read_text(encoding="utf-8") for path in sources if "demo" not in path.parts)
    whole = set(re.findall(r'"((?:OTEL_(?:PYTHON|EXPORTER_OTLP_METRICS)|OTLP_FAST)_[A-Z_]+)"', source))
    whole |= {f"{prefix}_{rest}" for prefix in ("OTEL_BSP", "OTEL_BLRP") for rest in batch_settings()}
    proxies = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
    assert set(listed) - {f"OTEL_EXPORTER_OTLP_{name}" for name in of_signals} == whole | proxies


def batch_settings() -> set[str]:
    """Give what processors read behind their prefix."""
    source = (PACKAGE / "processor" / "configuration.py").read_text(encoding="utf-8")
    return set(re.findall(r"\{prefix\}_([A-Z_]+)", source))


@pytest.mark.parametrize(
    ("argument", "default"),
    [
        ("max_queue_size", f"{DEFAULT_MAX_QUEUE_SIZE:,}"),
        ("max_queue_bytes", f"{DEFAULT_MAX_QUEUE_BYTES // MIB} MiB"),
        ("max_export_batch_size", str(DEFAULT_MAX_EXPORT_BATCH_SIZE)),
        ("export_timeout_millis", f"{DEFAULT_EXPORT_TIMEOUT_MILLIS // 1000} s, or the exporter's `timeout`"),
        ("timeout", f"{DEFAULT_TIMEOUT_SECONDS:.0f} s"),
        ("max_request_size", f"{HTTP_REQUEST_SIZE // MIB} MiB over HTTP, {GRPC_REQUEST_SIZE // MIB} MiB over gRPC"),
        ("spool_max_bytes", f"{DEFAULT_SPOOL_BYTES // MIB // 1024} GiB"),
        ("an answer", f"{MAX_BODY_SIZE // MIB} MiB"),
        ("a tracezip frame", f"{MAX_FRAMED_SIZE // MIB} MiB"),
        ("kept for the next request", f"{otlp_fast.pool_stats()['bytes_limit'] // MIB} MiB a process"),
    ],
)
def test_limits_are_those_of_the_code(argument: str, default: str) -> None:
    found = [cells[2] for cells in rows("Limits") if argument in names_in(cells[3]) or argument in cells[1]]
    assert default in found
