"""How much memory may be taken without harm to anybody else."""

from __future__ import annotations

import os
import re
from pathlib import Path

#: Where a container's limit and use stand: cgroups of version 2, and of version 1.
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
#: Taken where the system does not tell.
_UNKNOWN = 4 << 30


def available() -> int:
    """Bytes that can be had without swapping: what the system has, or what the container's limit leaves, if less."""
    amounts = [amount for limit, use in _CGROUPS if (amount := _left(limit, use)) is not None]
    try:
        match = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if match:
            amounts.append(int(match[1]) * 1024)
    except OSError:
        pass
    if not amounts:
        try:
            # What is free is not told; half of what is there is a cautious guess.
            amounts.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
        except (AttributeError, ValueError, OSError):
            amounts.append(_UNKNOWN)
    return max(0, min(amounts))


def _left(limit: str, use: str) -> int | None:
    """What a container may still take; ``None`` where there is no limit."""
    try:
        most, used = Path(limit).read_text().strip(), Path(use).read_text().strip()
    except OSError:
        return None
    return int(most) - int(used) if most.isdigit() and used.isdigit() else None
