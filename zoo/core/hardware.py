"""What this machine has: processors, and NVIDIA's GPUs as the driver lists them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU; memory is in bytes, ``None`` where the driver does not tell."""

    index: str
    uuid: str
    name: str
    total: int | None
    free: int | None


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def visible() -> list[Card]:
    """What ``nvidia-smi`` says, less what ``CUDA_VISIBLE_DEVICES`` hides, numbered as a framework numbers them."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    query = "--query-gpu=index,uuid,name,memory.total,memory.free"
    try:
        done = subprocess.run(
            [program, query, "--format=csv,noheader,nounits"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    cards = []
    for line in done.stdout.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 5:
            index, uuid, name, total, free = fields
            cards.append(Card(index, uuid, name, _mebi(total), _mebi(free)))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return cards
    shown = []
    for wanted in filter(None, (part.strip() for part in visible.split(","))):
        match = next((card for card in cards if wanted == card.index or card.uuid.startswith(wanted)), None)
        if match is None:
            # CUDA itself stops at the first entry that names no card.
            break
        shown.append(match)
    return shown


def _mebi(text: str) -> int | None:
    return int(text) * 2**20 if text.isdigit() else None
