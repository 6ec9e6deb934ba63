"""Gives the official HTTP exporters the encoder of otlp-fast, for those who cannot change the exporter class.

    from otlp_fast.compat import use_in_official_exporters

    use_in_official_exporters()

The official exporters look up their encoder in the globals of their module and call it for each batch. That one name is
swapped, and nothing else: connections, retries, headers and results stay the official ones, in exporters made before
and after. `otlp_fast.exporter.http` is the better choice where there is one: it splits requests that are too large, and
needs no protobuf.

A swap rests on code that others may change with any release. So it is made only in releases that were tried, and there
only in a module that still looks as it did; everything else is left alone, with a warning that says why.

The official modules are imported by name when they are asked for: this package does not depend on them.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import otlp_fast

_logger = logging.getLogger(__name__)

_DISTRIBUTION = "opentelemetry-exporter-otlp-proto-http"
_HTTP = "opentelemetry.exporter.otlp.proto.http"
_COMMON = "opentelemetry.exporter.otlp.proto.common"

_OLDEST_KNOWN = (1, 27)
_NEWEST_KNOWN = (1, 45)

Encode = Callable[[Any], Any]


@dataclass(frozen=True)
class _Signal:
    """Where the official exporter of a signal gets its encoder from."""

    name: str
    exporter_module: str
    exporter_class: str
    encoder_module: str
    function: str
    encode: Callable[[Any], bytes]
    nothing: Any
    """An argument for the encoder that holds no item."""


_SIGNALS = (
    _Signal(
        "traces", "trace_exporter", "OTLPSpanExporter", "trace_encoder", "encode_spans", otlp_fast.encode_spans, ()
    ),
    _Signal("logs", "_log_exporter", "OTLPLogExporter", "_log_encoder", "encode_logs", otlp_fast.encode_logs, ()),
    _Signal(
        "metrics",
        "metric_exporter",
        "OTLPMetricExporter",
        "metrics_encoder",
        "encode_metrics",
        otlp_fast.encode_metrics,
        SimpleNamespace(resource_metrics=()),
    ),
)


class _EncodedRequest:
    """Stands for the protobuf message that the official encoder gives, with its bytes already made.

    The span and the log exporter serialise it and nothing else. The metric exporter may count or split its data points:
    for whatever else is asked, the message is parsed from the bytes, which takes a small part of the official encoding.
    """

    def __init__(self, request: bytes, message_class: Any) -> None:
        self._request = request
        self._message_class = message_class

    def SerializeToString(self) -> bytes:
        return self._request

    SerializePartialToString = SerializeToString

    @cached_property
    def _message(self) -> Any:
        return self._message_class.FromString(self._request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)


@dataclass
class _Swap:
    """An exporter module whose encoder is ours, and for how many handles."""

    signal: str
    module: ModuleType
    function: str
    official: Encode
    replacement: Encode
    holders: int = 0

    def is_in_place(self) -> bool:
        return getattr(self.module, self.function) is self.replacement


_swaps: dict[str, _Swap] = {}
_lock = threading.Lock()


class OfficialExporters:
    """What `use_in_official_exporters` changed, and the way back: `undo()`, or the end of a `with` statement."""

    def __init__(self, swaps: list[_Swap]) -> None:
        self.signals = tuple(swap.signal for swap in swaps)
        """Names of the signals that are encoded by otlp-fast, of `traces`, `logs` and `metrics`."""
        self._swaps = swaps

    def undo(self) -> None:
        """Give the official exporters their own encoder back, unless another such call still wants it swapped.

        A second call does nothing.
        """
        with _lock:
            while self._swaps:
                swap = self._swaps.pop()
                swap.holders -= 1
                # Someone else may have put another function over ours.
                if swap.holders == 0 and swap.is_in_place():
                    setattr(swap.module, swap.function, swap.official)

    def __enter__(self) -> OfficialExporters:
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()


def use_in_official_exporters() -> OfficialExporters:
    """Have the official OTLP/HTTP exporters of this process encode with otlp-fast.

    Returns:
        A handle: `signals` names what is swapped now, `undo()` takes it back, as does the end of a `with` statement.
        Calls may be nested or repeated; the official encoder is back when each of them is undone.

    Raises:
        ImportError: No official OTLP/HTTP exporter can be imported.

    Where the installed release is not one of 1.27 to 1.45, or an exporter's module is not as it is there, nothing is
    changed in it: a warning says so, and `signals` lacks it. A signal whose exporter cannot be imported is left out.

    A batch that otlp-fast refuses, since an item in it is no span or log record, goes to the official encoder: what
    becomes of it is what became of it before.
    """
    modules = _import_exporters()
    version = import_module(f"{_HTTP}.version").__version__
    if not _is_known(version):
        _logger.warning(
            "%s %s is not a release that otlp-fast %s knows (%d.%d to %d.%d): the official encoders stay in use",
            _DISTRIBUTION,
            version,
            otlp_fast.__version__,
            *_OLDEST_KNOWN,
            *_NEWEST_KNOWN,
        )
        return OfficialExporters([])
    with _lock:
        swaps = [_swap_encoder(signal, module) for signal, module in modules]
        return OfficialExporters([swap for swap in swaps if swap is not None])


def _import_exporters() -> list[tuple[_Signal, ModuleType]]:
    modules = []
    problem: Exception | None = None
    for signal in _SIGNALS:
        try:
            modules.append((signal, import_module(f"{_HTTP}.{signal.exporter_module}")))
        except Exception as error:  # generated protobuf code raises more than ImportError where versions do not fit
            problem = error
    if not modules:
        raise ImportError(f"there is no exporter to use otlp-fast in: {_DISTRIBUTION}: {problem}") from problem
    return modules


def _is_known(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and _OLDEST_KNOWN <= (int(numbers[1]), int(numbers[2])) <= _NEWEST_KNOWN


def _swap_encoder(signal: _Signal, module: ModuleType) -> _Swap | None:
    """Swap the encoder in `module`, where it is not swapped yet. Gives None where it cannot be."""
    swap = _swaps.get(signal.name)
    if swap is None or not swap.is_in_place():
        try:
            swap = _prepare(signal, module)
        except Exception as error:
            _logger.warning(
                "%s is not as otlp-fast knows it: %s; the official encoder stays in use", module.__name__, error
            )
            return None
        _swaps[signal.name] = swap
        setattr(module, signal.function, swap.replacement)
    swap.holders += 1
    return swap


def _prepare(signal: _Signal, module: ModuleType) -> _Swap:
    """Check all that a swap rests on. Raises where something is different."""
    official = getattr(module, signal.function)
    if official is not getattr(import_module(f"{_COMMON}.{signal.encoder_module}"), signal.function):
        raise LookupError(f"{signal.function} is not the official function")
    used = set(_names_used_by(getattr(module, signal.exporter_class)))
    if signal.function not in used or used.isdisjoint({"SerializeToString", "SerializePartialToString"}):
        raise LookupError(f"{signal.exporter_class} does not serialise what {signal.function} gives")
    message = official(signal.nothing)
    if message.SerializeToString() != signal.encode(signal.nothing):
        raise LookupError(f"{signal.function} gives no message that is known")
    return _Swap(signal.name, module, signal.function, official, _replacement(signal.encode, official, type(message)))


def _names_used_by(exporter_class: type) -> Iterator[str]:
    """Give the global names and attributes that stand in the methods of a class."""
    for member in vars(exporter_class).values():
        if isinstance(member, FunctionType):
            yield from _names_in(member.__code__)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _replacement(encode: Callable[[Any], bytes], official: Encode, message_class: Any) -> Encode:
    def encode_fast(items: Any) -> Any:
        try:
            return _EncodedRequest(encode(items), message_class)
        except Exception:
            _logger.debug("A batch is left to the official encoder", exc_info=True)
            return official(items)

    return encode_fast
