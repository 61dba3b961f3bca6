"""A stand-in for the module ``pynvml``, with the GPUs that a test wants."""

from __future__ import annotations

import types
from dataclasses import dataclass


@dataclass
class Card:
    """A GPU, or a MIG instance; memory in MiB. ``instances`` holds one place for each slot, ``None`` where empty."""

    uuid: str
    name: str
    total: int | None = 8000
    free: int | None = 7500
    instances: tuple[Card | None, ...] | None = None


def module(cards=(), *, error=None):
    """``pynvml`` with these GPUs; ``error`` names the call that the driver refuses."""

    class NVMLError(Exception):
        pass

    def refuse(*_):
        raise NVMLError("refused")

    def instance(card, slot):
        return card.instances[slot] or refuse()

    def memory(card):
        if card.total is None:
            refuse()
        return types.SimpleNamespace(total=card.total * 2**20, free=card.free * 2**20)

    calls = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: len(cards),
        "nvmlDeviceGetHandleByIndex": lambda index: cards[index],
        "nvmlDeviceGetUUID": lambda card: card.uuid,
        "nvmlDeviceGetName": lambda card: card.name,
        "nvmlDeviceGetMemoryInfo": memory,
        "nvmlDeviceGetMigMode": lambda card: refuse() if card.instances is None else (1, 1),
        "nvmlDeviceGetMaxMigDeviceCount": lambda card: len(card.instances),
        "nvmlDeviceGetMigDeviceHandleByIndex": instance,
    }
    if error:
        calls[error] = refuse
    return types.SimpleNamespace(NVMLError=NVMLError, NVML_DEVICE_MIG_ENABLE=1, **calls)
