"""The memory that the ends of a stream take at their peak, under a flood of values that never come again.

Each end runs in a process of its own, which holds nothing but the package and reads requests and frames from files. Its
growth at the peak has all of it: tables, ids and journal, zstd's context, the columns and texts of a frame, the request
and the frame, and what the allocator keeps. The same flood goes through a stateless end too, which needs all of this
but keeps nothing from frame to frame. What a stateful end takes more is what it keeps: the *state*, which is to stay
within `Limits.max_state` at each end.
"""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# Run as a script, Python puts benchmarks/streams on the path, not the folder that holds benchmarks.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.resident import peak_growth
from benchmarks.streams.record_file import read_records, write_record, write_records
from otlp_fast import tracezip


def measure_flood(name: str, items: int) -> dict[str, Any]:
    """Send a flood through both ends, with state and without: growth and state in bytes, by end."""
    from benchmarks.streams.floods import FLOODS, flood

    signal, _ = FLOODS[name]
    found: dict[str, Any] = {"signal": signal, "items": items, "limit": tracezip.Limits().max_state}
    with TemporaryDirectory() as folder:
        requests, frames = Path(folder, "requests"), Path(folder, "frames")
        write_records(requests, flood(name, items))
        for mode in ("stateful", "stateless"):
            for end in ("encoder", "decoder"):
                command = [sys.executable, __file__, end, mode, signal, str(requests), str(frames)]
                said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                found.setdefault(end, {})[mode] = json.loads(said)
            if mode == "stateful":
                found["frames"], found["raw_frames"] = count_raw(frames)
    for end in ("encoder", "decoder"):
        found[end]["state"] = found[end]["stateful"] - found[end]["stateless"]
    return found


def count_raw(path: Path) -> tuple[int, int]:
    """Count the frames of a file, and those that hold their request as it is, and so keep next to nothing of it."""
    with path.open("rb") as file:
        headers = [tracezip.read_header(frame) for frame in read_records(file)]
    return len(headers), sum(header.is_raw for header in headers)


def encode_all(signal: str, *, stateless: bool, requests: Path, frames: Path) -> tracezip.Encoder:
    """Write the frames of all requests, and give the end with what it keeps."""
    with requests.open("rb") as source, frames.open("wb") as sink, tracezip.Encoder(signal, stateless=stateless) as end:
        for request in read_records(source):
            write_record(sink, end.encode(request))
    return end


def decode_all(*, requests: Path, frames: Path) -> tracezip.Decoder:
    """Compare what comes out of all frames with the requests, and give the end with what it keeps."""
    with requests.open("rb") as source, frames.open("rb") as coming, tracezip.Decoder() as end:
        for request, frame in zip_longest(read_records(source), read_records(coming)):
            if end.decode(frame) != request:
                raise AssertionError(f"a request of {requests} came out otherwise")
    return end


def read_all(path: Path) -> None:
    """Read a file once, so that what reading takes is taken before the growth is counted."""
    with path.open("rb") as file:
        for _ in read_records(file):
            pass


def main() -> None:
    """Run as a child process: print by how many bytes one end grew."""
    end, mode, signal, requests, frames = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]), Path(sys.argv[5])
    read_all(requests)
    if end == "encoder":
        growth = peak_growth(
            lambda: encode_all(signal, stateless=mode == "stateless", requests=requests, frames=frames)
        )
    else:
        growth = peak_growth(lambda: decode_all(requests=requests, frames=frames))
    print(growth)


if __name__ == "__main__":
    main()
