"""docs/migration.md names what exists: modules and classes on both sides, and exporters that the SDK can be told."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import entry_points

import pytest

from tests.docs.pages import PROJECT

PAGE = (PROJECT / "docs" / "migration.md").read_text(encoding="utf-8")
DOTTED = sorted(set(re.findall(r"`((?:opentelemetry|otlp_fast)\.[\w.]+)`", PAGE)))
EXPORTERS = sorted(set(re.findall(r"(?:EXPORTER=|`)(otlp_\w+_(?:http|grpc)|otlp_fast_\w+)", PAGE)))


@pytest.mark.parametrize("name", DOTTED)
def test_module_or_class_exists(name: str) -> None:
    module, _, last = name.rpartition(".")
    parent = import_module(module)
    if not hasattr(parent, last):
        import_module(name)


def test_exporters_are_entry_points() -> None:
    assert {"otlp_proto_http", "otlp_proto_grpc", "otlp_fast_http", "otlp_fast_grpc"} == set(EXPORTERS)
    for name in EXPORTERS:
        assert entry_points(group="opentelemetry_traces_exporter", name=name), name
