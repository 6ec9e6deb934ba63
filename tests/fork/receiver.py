"""Runs programs that fork, against a receiver that counts every span and log record that arrives."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.unit.exporter.scripted_receiver import Receiver

PROJECT = Path(__file__).resolve().parents[2]


def run(program: str, receiver: Receiver) -> list[str]:
    """Run a program with the preamble of tests/fork/program.py, and give the lines that it printed."""
    done = subprocess.run(
        [sys.executable, "-c", f"from tests.fork.program import *\n{program}", receiver.base],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def received_spans(receiver: Receiver) -> Counter[str]:
    """Give how often each span arrived, by name."""
    return Counter(
        span.name
        for request in receiver.requests
        if request.path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )


def received_log_records(receiver: Receiver) -> Counter[str]:
    """Give how often each log record arrived, by its body."""
    return Counter(
        record.body.string_value
        for request in receiver.requests
        if request.path == "/v1/logs"
        for resource in ExportLogsServiceRequest.FromString(request.body).resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    )
