"""The README's examples run as they stand, and what it says of errors, commands and variables is so."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import otlp_fast
from benchmarks import reading
from otlp_fast import compression, tracezip
from otlp_fast.cli.gateway import command as gateway
from tests.compat.spans import make_span
from tests.unit.exporter.scripted_receiver import Receiver

PROJECT = Path(__file__).resolve().parents[2]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]

# What the examples take as given.
GIVEN = """
from types import SimpleNamespace
from tests.compat.spans import make_span
spans = [make_span(), make_span()]
import otlp_fast
data = otlp_fast.encode_spans(spans)
sent = []
socket = SimpleNamespace(sendall=lambda data: sent.append(bytes(data)))
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def run_example(name: str, check: str, folder: Path, endpoint: str = "") -> None:
    """Run the example that `name` stands in, and then `check`; what it leaves behind stays in `folder`."""
    (example,) = (block for block in blocks("python") if name in block)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    environment |= {"PYTHONPATH": str(PROJECT), "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    script = f"{GIVEN}\n{example}\n{check}"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_encoders_give_what_is_said(tmp_path: Path) -> None:
    check = """
assert sent == [data] and len(data) > 100
assert [compression.decompress(body, "zstd") for body in bodies] == [data]
"""
    run_example("otlp_fast.SpanEncoder", check, tmp_path)


def test_processors_and_exporters_deliver_every_signal(tmp_path: Path) -> None:
    check = """
with trace.get_tracer("shop").start_as_current_span("order"):
    logger_provider.get_logger("shop").emit(body="a book was ordered")
metrics.get_meter("shop").create_counter("orders").add(1)
for provider in (tracer_provider, logger_provider, meter_provider):
    provider.shutdown()
"""
    receiver = Receiver()
    run_example("BatchSpanProcessor", check, tmp_path, receiver.base)
    receiver.close()
    received = {request.path: request for request in receiver.requests}
    bodies = {
        path: compression.decompress(request.body, request.headers.get("content-encoding", "none"))
        for path, request in received.items()
    }
    assert received["/v1/traces"].headers["content-encoding"] == "zstd"
    assert b"order" in bodies["/v1/traces"]
    assert b"a book was ordered" in bodies["/v1/logs"]
    assert b"orders" in bodies["/v1/metrics"]


def test_official_exporters_are_given_the_encoder(tmp_path: Path) -> None:
    run_example("use_in_official_exporters", 'assert swapped.signals == ("traces", "logs", "metrics")', tmp_path)


def test_requests_are_read_as_is_said(tmp_path: Path) -> None:
    check = """
assert len(durations) == len(spans) and text.startswith(b'{"resourceSpans"')
assert otlp_fast.decode_traces(request).to_bytes() == request and len(books) < len(traces)
assert sum(group.count for group in rates) == len(spans)
assert otlp_fast.count(bytes(gauge), "metrics") == 1
"""
    run_example("otlp_fast.decode_traces", check, tmp_path)


def test_tracezip_gives_the_same_bytes_at_the_other_end(tmp_path: Path) -> None:
    check = """
assert received == data and decoder.state_hash != tracezip.Decoder().state_hash
with tracezip.Decoder() as decoder:
    assert otlp_fast.merge([decoder.decode(frame) for frame in frames], "traces") == data
"""
    run_example("tracezip.Encoder", check, tmp_path)


def test_there_are_no_other_examples() -> None:
    assert len(blocks("python")) == 5


def test_decode_error_is_the_one_shown() -> None:
    name_of_two_bytes = b"\x0a\x0a\x12\x08\x12\x06\x30\x02\x2a\x02\xc3\x28"
    with pytest.raises(otlp_fast.DecodeError) as caught:
        otlp_fast.decode_traces(name_of_two_bytes)
    assert f"otlp_fast.errors.DecodeError: {caught.value}" in blocks("text")[1]


def test_state_lost_error_is_the_one_shown() -> None:
    with tracezip.Encoder("traces") as encoder:
        frames = [encoder.encode(b"request") for _ in range(2)]
    with pytest.raises(tracezip.StateLostError) as caught:
        tracezip.Decoder().decode(frames[1])
    assert f"otlp_fast.errors.StateLostError: {caught.value}" in blocks("text")[2]


def test_readme_shows_the_newest_record_of_reading() -> None:
    assert reading.markdown(reading.newest_record()) in README


def test_variables_name_entry_points() -> None:
    chosen = re.findall(r"OTEL_(TRACES|LOGS|METRICS)_EXPORTER=(\w+)", "".join(blocks("sh")))
    assert {signal for signal, _ in chosen} == {"TRACES", "LOGS", "METRICS"}
    for signal, exporter in [*chosen, *((signal, "otlp_fast_grpc") for signal, _ in chosen)]:
        assert exporter in README
        assert entry_points(group=f"opentelemetry_{signal.lower()}_exporter", name=exporter), (signal, exporter)


def test_error_message_is_the_one_shown() -> None:
    with pytest.raises(otlp_fast.EncodeError) as caught:
        otlp_fast.encode_spans([make_span(), "a string"])
    assert f"otlp_fast.errors.EncodeError: {caught.value}" in blocks("text")[0]


def test_gateway_is_started_with_options_that_it_has() -> None:
    (line,) = (line for block in blocks("sh") for line in block.splitlines() if "otlp-fast gateway" in line)
    arguments = shlex.split(line, comments=True)[2:]
    context = gateway.make_context("gateway", arguments)
    assert context.params["listen"] == ":4318"
    assert context.params["forward"] == "http://collector:4318"


def test_make_targets_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"`?make ([a-z-]+)", README))
    assert targets >= {"demo", "test", "bench"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def anchor_of(heading: str) -> str:
    """What GitHub makes of a heading: no punctuation, and hyphens for blanks."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = document.parent / link if link else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in map(anchor_of, headings), anchor
