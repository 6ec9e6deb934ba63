"""The rivals: each takes spans and gives an ExportTraceServiceRequest as bytes.

An engine that is not installed is left out by name, never replaced. fastotel is not here: it has no entry that only
encodes (README.md, "Rivals that are not here").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TypeAlias

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans as encode_officially
from opentelemetry.sdk.trace import ReadableSpan

import otlp_fast

Encoded: TypeAlias = bytes | otlp_fast.Buffer
"""What an engine gives: bytes, or pooled memory with the buffer protocol, as an exporter would send it."""

OFFICIAL = "official"
"""The engine whose bytes are the right answer, and whose time is what others are compared with."""

OTLP_FAST = "otlp_fast"
"""The engine that the claims are about."""


@dataclass(frozen=True)
class Engine:
    """One way of encoding spans."""

    name: str
    version: str
    encode: Callable[[Sequence[ReadableSpan]], Encoded]


def official() -> Engine:
    """Give the encoder of opentelemetry-exporter-otlp-proto-common, with protobuf's serialising."""

    def encode(spans: Sequence[ReadableSpan]) -> bytes:
        data: bytes = encode_officially(spans).SerializeToString()
        return data

    return Engine(OFFICIAL, version("opentelemetry-exporter-otlp-proto-common"), encode)


def otlp_fast_batch() -> Engine:
    """Give `otlp_fast.encode_spans`."""
    return Engine(OTLP_FAST, otlp_fast.__version__, otlp_fast.encode_spans)


def otlp_fast_add() -> Engine:
    """Give `SpanEncoder.add` for each span and one `finish`, with an encoder that is kept, as a processor does."""
    encoder = otlp_fast.SpanEncoder()

    def encode(spans: Sequence[ReadableSpan]) -> otlp_fast.Buffer:
        add = encoder.add
        for span in spans:
            add(span)
        return encoder.finish()

    return Engine("otlp_fast_add", otlp_fast.__version__, encode)


def reference() -> Engine:
    """Give `otlp_fast.reference`: pure Python without protobuf, written to be read, not to be fast."""
    from otlp_fast.reference import encode_spans

    return Engine("reference", otlp_fast.__version__, encode_spans)


def engines() -> list[Engine]:
    """Give the engines that are installed, the official one first."""
    found = [official(), otlp_fast_batch(), otlp_fast_add()]
    if find_spec("otlp_fast.reference") is not None:
        found.append(reference())
    return found
