"""Which numbers a training multiplies: float32, or half as long ones where the device is made for them."""

from __future__ import annotations

import re
from pathlib import Path


def resolve(request: str, kind: str) -> str:
    """The Keras dtype policy that a recipe's ``precision`` means on a device.

    Weights, sums and the last layer stay float32 under every policy.

    Args:
        request: ``"auto"``, or a policy: ``"float32"``, ``"mixed_bfloat16"``, ``"mixed_float16"``.
        kind: ``"cpu"`` or ``"gpu"``.
    """
    if request != "auto":
        return request
    return "mixed_bfloat16" if kind == "gpu" or has_bfloat16_cpu() else "float32"


def has_bfloat16_cpu() -> bool:
    """Whether this processor multiplies matrices of bfloat16 (Intel AMX), which makes a training up to twice as fast.

    Processors that only have the vector instruction (AVX-512 BF16) gain too little to give digits away.
    """
    try:
        flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return False
    return flags is not None and "amx_bf16" in flags[1].split()
