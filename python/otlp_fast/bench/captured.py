"""The user's own telemetry: requests from a file of OTLP, and the SDK's objects made from them again."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import cast

import otlp_fast
from otlp_fast import files
from otlp_fast._core import split_request
from otlp_fast.bench.batch import ITEM, ITEMS, Batch, Signal
from otlp_fast.bench.effort import Effort
from otlp_fast.bench.errors import BenchError, OldSdkError
from otlp_fast.bench.telemetry import Encodable, Stream, Telemetry
from otlp_fast.errors import OtlpError


def captured_telemetry(path: str, effort: Effort, *, rebuilds: bool) -> Telemetry:
    """Read a file, up to the effort's limits, and see what of it the SDK's objects can hold.

    Args:
        path: of the file, in any form that `otlp_fast.files` reads; "-" for standard input.
        effort: how much of it is taken.
        rebuilds: whether objects of the SDK are wanted.

    Raises:
        BenchError: it cannot be read, or holds nothing.
    """
    name = "standard input" if path == "-" else Path(path).name
    streams, whole = _read(path, name, effort)
    notes = [f"{name}: {'all' if whole else 'the first'} {_amounts(streams)}"]
    encodable: list[Encodable] = []
    processed = None
    for stream in streams if rebuilds else []:
        # Here, since it needs NumPy, which is not there for everyone.
        from otlp_fast.bench.rebuilding import lost_in, rebuilder

        try:
            made_by = rebuilder(stream.signal)
        except OldSdkError as error:
            notes.append(f"encode: no {stream.item}s: {error}")
            continue
        if made_by is None:
            notes.append(f"encode: the SDK takes no {stream.item}s from outside, so these are not encoded")
            continue
        notes += lost_in(stream, made_by)
        once = min(ITEMS, stream.items)
        encodable.append(Encodable(f"{stream.item}s, {once:,} again and again", stream.signal, partial(_warm, stream)))
        if stream.items > once:
            cold = f"{stream.item}s, {stream.items:,} in turn"
            encodable.append(Encodable(cold, stream.signal, partial(_rebuilt, stream)))
        if stream.signal == "traces":
            processed = partial(_warm, stream, 2 * ITEMS)
    source = {
        "kind": "file",
        "name": name,
        "whole": whole,
        "items": {stream.signal: stream.items for stream in streams},
        "requests": {stream.signal: len(stream.requests) for stream in streams},
        "bytes": {stream.signal: sum(map(len, stream.requests)) for stream in streams},
    }
    return Telemetry(source, encodable, streams, processed, notes)


def _read(path: str, name: str, effort: Effort) -> tuple[list[Stream], bool]:
    """Give the requests by signal, and whether they are all that the file has."""
    kept: dict[Signal, list[bytes]] = {}
    items: dict[Signal, int] = {}
    sizes: dict[Signal, int] = {}
    whole, looked_at = True, 0

    def is_full(signal: Signal) -> bool:
        return items[signal] >= effort.file_items // 2 or sizes[signal] >= effort.file_bytes // 2

    try:
        with files.open_reader(path) as reader:
            for request in reader:
                if not whole:
                    # Other signals may follow, but a file of one signal, and a little of another, may go on for hours.
                    looked_at += len(request.data)
                    if looked_at > effort.file_bytes:
                        break
                if request.signal is None:
                    continue
                signal, data = cast(Signal, request.signal), request.data
                count, room = otlp_fast.count(data, signal), effort.file_items - items.get(signal, 0)
                if count > room or sizes.get(signal, 0) + len(data) > effort.file_bytes:
                    whole = False
                    if signal in kept:
                        if all(is_full(other) for other in kept):
                            break
                        continue
                    data, count = split_request(data, signal, max_items=effort.file_items)[0]
                if count:
                    kept.setdefault(signal, []).append(data)
                    items[signal] = items.get(signal, 0) + count
                    sizes[signal] = sizes.get(signal, 0) + len(data)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror or error}") from None
    except (OtlpError, ModuleNotFoundError) as error:
        raise BenchError(str(error)) from None
    if not kept:
        raise BenchError(f"{name} holds no spans, no log records and no data points")
    return [Stream(f"{ITEM[signal]}s", signal, requests) for signal, requests in kept.items()], whole


def _amounts(streams: list[Stream]) -> str:
    return " and ".join(f"{stream.items:,} {stream.item}s" for stream in streams)


def _rebuilt(stream: Stream) -> list[Batch]:
    """Make the objects of a stream, in batches as a processor gives them to an exporter."""
    from otlp_fast.bench.rebuilding import rebuilder

    made_by = rebuilder(stream.signal)
    assert made_by is not None
    objects = [item for request in stream.requests for item in made_by.rebuild(request)]
    parts = [objects[first : first + ITEMS] for first in range(0, len(objects), ITEMS)]
    return [Batch(part, len(part)) for part in parts]


def _warm(stream: Stream, most: int = ITEMS) -> list[Batch]:
    """Make the first objects of a stream: one batch, or so many items."""
    requests: list[bytes] = []
    missing = most
    for request in stream.requests:
        [(part, count), *_] = split_request(request, stream.signal, max_items=missing)
        requests.append(part)
        missing -= count
        if missing <= 0:
            break
    return _rebuilt(Stream(stream.name, stream.signal, requests))
