"""Mixed precision: which dtype policy a training uses."""

from __future__ import annotations

import re
from pathlib import Path


def resolve(request: str, kind: str) -> str:
    """The Keras dtype policy of a recipe's ``precision`` on a ``cpu`` or ``gpu``; weights stay float32 under each."""
    if request != "auto":
        return request
    return "mixed_bfloat16" if kind == "gpu" or has_bfloat16_cpu() else "float32"


def has_bfloat16_cpu() -> bool:
    """Whether this processor multiplies in bfloat16 (AMX or AVX-512), which trains about 1.8 times as fast."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return False
    return flags is not None and not {"amx_bf16", "avx512_bf16"}.isdisjoint(flags[1].split())
