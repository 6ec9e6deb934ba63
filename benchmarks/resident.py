"""How much memory something takes at its peak, as the kernel counts it. Linux only.

The figure is of resident pages of the whole process: whatever the allocator keeps, rounds up and does not give back is
in it. Memory that was used before is used again and does not count, so a figure that is published comes from a process
of its own. Nothing of the packages is imported here, since a small process shows a small growth best.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path


def peak_growth(work: Callable[[], object]) -> int:
    """Give by how many bytes the process grew at its largest while `work` ran, before what it gave is let go."""
    gc.collect()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    kept = work()
    growth = resident("VmHWM") - before
    del kept
    return growth


def resident(line: str) -> int:
    """Give resident memory in bytes: VmRSS, what it is now, VmHWM, what it was at most."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(found for found in status.splitlines() if found.startswith(line)).split()[1])
