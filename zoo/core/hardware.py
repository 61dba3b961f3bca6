"""The processors, memory and NVIDIA GPUs of this machine, as far as this process may use them."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Files with a container's memory limit and usage, for cgroups version 2 and version 1.
_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
#: The driver's devices on Linux and on Windows's Linux; without one, importing its library is not worth the time.
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU or MIG instance by UUID, number and UUID of its card; bytes are ``None`` if the driver reports none."""

    index: str
    card: str
    uuid: str
    name: str
    total: int | None
    free: int | None


def processors() -> int:
    """Number of processors that this process may use."""
    # Not by psutil, whose import takes longer than anything else that a start on a CPU needs this for.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory() -> int:
    """Bytes of memory in this machine."""
    import psutil

    return int(psutil.virtual_memory().total)


def available_memory() -> int:
    """Bytes that can be allocated without swapping, within the container's limit if there is one."""
    import psutil

    # psutil reports the machine, also inside a container.
    limits = [left for files in _CGROUPS if (left := _left_in_container(*files)) is not None]
    return max(0, min([int(psutil.virtual_memory().available), *limits]))


def _left_in_container(limit: str, usage: str) -> int | None:
    """Bytes left below a container's limit; ``None`` if there is no limit."""
    try:
        most, used = Path(limit).read_text().strip(), Path(usage).read_text().strip()
    except OSError:
        return None
    return int(most) - int(used) if most.isdigit() and used.isdigit() else None


def visible_gpus() -> list[Gpu]:
    """The NVIDIA GPUs (or their MIG instances) that ``CUDA_VISIBLE_DEVICES`` leaves, in its order."""
    gpus = _all_gpus()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return gpus
    shown = []
    for wanted in filter(None, (part.strip() for part in visible.split(","))):
        match = next(
            (gpu for gpu in gpus if wanted == gpu.index or gpu.uuid.startswith(wanted) or gpu.card.startswith(wanted)),
            None,
        )
        if match is None:
            # CUDA stops at the first entry that names no GPU.
            break
        shown.append(match)
    return shown


def _all_gpus() -> list[Gpu]:
    if sys.platform == "linux" and not any(map(os.path.exists, _DRIVERS)) and "pynvml" not in sys.modules:
        return []
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        cards = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        devices = ((str(index), card, device) for index, card in enumerate(cards) for device in _devices(pynvml, card))
        return [_gpu(pynvml, *found) for found in devices]
    except pynvml.NVMLError:
        return []
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _devices(nvml: Any, card: Any) -> list[Any]:
    """The handle of a GPU, or those of its instances if it is in MIG mode."""
    try:
        if nvml.nvmlDeviceGetMigMode(card)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return [card]
        slots = nvml.nvmlDeviceGetMaxMigDeviceCount(card)
    except nvml.NVMLError:
        # Most GPUs have no such mode.
        return [card]
    instances = []
    for slot in range(slots):
        with contextlib.suppress(nvml.NVMLError):
            instances.append(nvml.nvmlDeviceGetMigDeviceHandleByIndex(card, slot))
    return instances


def _gpu(nvml: Any, index: str, card: Any, device: Any) -> Gpu:
    total = free = None
    # Memory is not reported for a GPU that shares the system's.
    with contextlib.suppress(nvml.NVMLError):
        memory = nvml.nvmlDeviceGetMemoryInfo(device)
        total, free = int(memory.total), int(memory.free)
    uuid = nvml.nvmlDeviceGetUUID
    return Gpu(index, uuid(card), uuid(device), nvml.nvmlDeviceGetName(device), total, free)
