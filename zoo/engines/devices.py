"""CPUs and GPUs, which of them is used, and the environment for it; decided before Keras is imported.

Keras fixes its backend when it is imported and a framework looks for GPUs when it first starts, so both are settled
here, through the environment, without importing either.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.core import hardware
from zoo.core.errors import UnavailableError, UsageError

#: The Keras backends that train and run on a GPU, in the order in which zoo tries them.
BACKENDS = ("tensorflow", "jax", "torch")

#: Backends that train on several devices at once; Keras on PyTorch does not.
PARALLEL = ("tensorflow", "jax")

#: Share of a GPU's memory that must be free, or it is taken to be busy, or a display card.
LEAST_FREE = 0.2


@dataclass(frozen=True, slots=True)
class Device:
    """One device. Memory is in bytes; ``reason`` says why it is selected or not."""

    name: str
    kind: str
    model: str
    memory_total: int | None
    memory_free: int | None
    selected: bool = False
    reason: str = ""


def available() -> list[Device]:
    """The CPU, then the NVIDIA GPUs visible to this process, as frameworks number them; the CPU without its memory."""
    gpus = (
        Device(f"gpu:{index}", "gpu", gpu.name, gpu.total, gpu.free)
        for index, gpu in enumerate(hardware.visible_gpus())
    )
    return [Device("cpu", "cpu", f"{_cpu_model()}, {hardware.processors()} cores", None, None), *gpus]


def select(request: str = "auto") -> Device:
    """The one device that ``request`` means here; as :func:`select_several`, but several are a UsageError too."""
    chosen = select_several(request)
    if len(chosen) > 1:
        raise UsageError(
            f"--device {request} is {len(chosen)} devices, and only zoo train and zoo finetune take several; name one."
        )
    return chosen[0]


def select_several(request: str = "auto") -> tuple[Device, ...]:
    """The devices that ``request`` means here, for training, in its order."""
    found, names = _resolve(request)
    return tuple(next(device for device in found if device.name == name) for name in names)


def survey(request: str = "auto") -> list[Device]:
    """Every device, those that ``request`` selects marked, each with the reason; errors as :func:`select_several`."""
    total, free = hardware.total_memory(), hardware.available_memory()
    return [
        replace(device, memory_total=total, memory_free=free) if device.kind == "cpu" else device
        for device in _resolve(request)[0]
    ]


def _resolve(request: str) -> tuple[list[Device], list[str]]:
    """Every device with its reason, and the names of those selected, in the order requested."""
    cpu, *gpus = available()
    usable = gpu_backend()
    best = max(filter(_has_room, gpus), key=lambda gpu: gpu.memory_free or 0, default=None)
    words = [word.strip() for word in request.lower().split(",")]
    devices, reason = [cpu, *gpus], "requested by name"

    if len(words) > 1:
        if not all(re.fullmatch(r"[cg]pu:\d+", word) for word in words) or len({word[:3] for word in words}) > 1:
            raise UsageError(
                f"Several devices are all gpu:N or all cpu:N, separated by commas: gpu:0,gpu:1. Received: {request}"
            )
        if twice := next((word for word in words if words.count(word) > 1), None):
            raise UsageError(f"--device {request} names {twice} twice; name each device once.")
        if words[0].startswith("cpu"):
            devices = [*_split(cpu, words), *gpus]
        chosen = words
    elif re.fullmatch(r"gpu:\d+|cpu", words[0]):
        chosen = words
    elif words == ["gpu:all"]:
        chosen, reason = [gpu.name for gpu in gpus], "all GPUs were requested"
    elif words == ["gpu"]:
        most = best or max(gpus, key=lambda gpu: gpu.memory_free or 0, default=None)
        chosen, reason = [most.name] if most else [], "the GPU with the most free memory"
    elif words == ["auto"]:
        chosen = [best.name if best and usable else "cpu"]
        if best:
            reason = (
                f"the GPU with the most free memory, for Keras on {usable}"
                if usable
                else "there is a GPU, but no installed Keras backend was built for it"
            )
        else:
            reason = "no GPU has enough free memory" if gpus else "there is no GPU here"
    else:
        raise UsageError(
            "Expected --device auto, cpu, gpu, gpu:N or gpu:all, or for training several: gpu:0,gpu:1. "
            f"Received: {request}"
        )

    if not chosen:
        raise UnavailableError("No GPU was found; use --device cpu, or see 'zoo doctor'.")
    for name in chosen:
        if name not in [device.name for device in devices]:
            listed = ", ".join(gpu.name for gpu in gpus) or "no GPU"
            raise UnavailableError(f"There is no {name} here ({listed}); 'zoo devices' lists all devices.")
    if chosen[0].startswith("gpu") and not usable:
        raise UnavailableError(
            f"{chosen[0]} exists, but no installed Keras backend can use it; "
            "install tensorflow[and-cuda], jax[cuda12] or a CUDA build of torch, or use --device cpu."
        )
    marked = [
        replace(device, selected=True, reason=reason)
        if device.name in chosen
        else replace(device, reason=_why_not(device, best, request))
        for device in devices
    ]
    return marked, chosen


def _split(cpu: Device, names: Sequence[str]) -> list[Device]:
    """The CPU split into several devices, which must be numbered from 0 on."""
    wanted = [f"cpu:{number}" for number in range(len(names))]
    if sorted(names) != sorted(wanted):
        raise UsageError(
            f"A CPU split into {len(names)} devices is written {','.join(wanted)}. Received: {','.join(names)}"
        )
    return [replace(cpu, name=name) for name in wanted]


def prepare(device: Device, *others: Device, backend: str | None = None) -> str:
    """Set the environment so that Keras, when it is imported next, runs on ``device``; returns the backend.

    A backend that is imported already stays as it is. TensorFlow takes GPU memory as it needs it.
    """
    chosen = loaded_backend() or backend or wanted_backend(device.kind)
    if chosen not in (*BACKENDS, "openvino"):
        raise UnavailableError(f"Expected KERAS_BACKEND {', '.join(BACKENDS)}. Received: {chosen}")
    if others and chosen not in PARALLEL:
        raise UnavailableError(
            f"Keras on {chosen} trains on one device; name one, or set KERAS_BACKEND to {' or '.join(PARALLEL)}."
        )
    if importlib.util.find_spec(chosen) is None:
        raise UnavailableError(f"The Keras backend '{chosen}' is not installed; 'pip install {chosen}' installs it.")
    os.environ["KERAS_BACKEND"] = chosen
    # It warns of retracing, which several networks in one process need.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if chosen not in sys.modules:
        if device.kind == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
            os.environ["JAX_PLATFORMS"] = "cpu"
            if others:
                # JAX has no other way to be told; TensorFlow is told when training starts.
                flag = f"--xla_force_host_platform_device_count={1 + len(others)}"
                os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
        else:
            os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
            gpus = hardware.visible_gpus()
            # A GPU's own identifier stays valid whatever was hidden before.
            identifiers = [gpus[int(gpu.name.partition(":")[2])].uuid for gpu in (device, *others)]
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(identifiers)
    return chosen


def loaded_backend() -> str | None:
    """The backend of Keras, if that is imported in this process."""
    keras = sys.modules.get("keras")
    return keras.backend.backend() if keras else None  # type: ignore[no-any-return]


def wanted_backend(kind: str = "cpu") -> str:
    """The backend that ``KERAS_BACKEND`` names, else the first installed one for the kind of device."""
    named = os.environ.get("KERAS_BACKEND")
    if named and named != "openvino":
        return named
    if kind == "gpu" and (found := gpu_backend()):
        return found
    return next((name for name in BACKENDS if importlib.util.find_spec(name)), BACKENDS[0])


def gpu_backend() -> str | None:
    """The first installed backend that was built for NVIDIA GPUs, found without importing it."""
    named = loaded_backend() or os.environ.get("KERAS_BACKEND")
    candidates = [named] if named else BACKENDS
    return next((name for name in candidates if _built_for_gpu(name)), None)


def _built_for_gpu(backend: str) -> bool:
    """Whether the installed package can drive an NVIDIA GPU."""
    if backend == "jax":
        return any(importlib.util.find_spec(f"jax_cuda{major}_plugin") for major in (12, 13))
    found = importlib.util.find_spec(backend)
    if not found or not found.origin:
        return False
    folder = Path(found.origin).parent
    if backend == "torch":
        version = folder / "version.py"
        return version.is_file() and re.search(r"^cuda[^=]*= *'", version.read_text(), re.MULTILINE) is not None
    if backend == "tensorflow":
        # The Linux wheel drives a GPU once CUDA's libraries are there: from pip, or from the system.
        return (folder.parent / "nvidia" / "cudnn").is_dir() or shutil.which("nvcc") is not None
    return False


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        if match := re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return match[1]
    import platform

    return platform.processor() or platform.machine()


def _has_room(gpu: Device) -> bool:
    return not gpu.memory_total or gpu.memory_free is None or gpu.memory_free >= LEAST_FREE * gpu.memory_total


def _why_not(device: Device, best: Device | None, request: str) -> str:
    """Why a device was not selected."""
    if device.kind == "cpu":
        return "a GPU is faster"
    if "," in request:
        return "not requested"
    if not _has_room(device):
        return "little memory is free: a display card, or busy"
    return "less memory is free" if best and device.name != best.name else "not requested"
