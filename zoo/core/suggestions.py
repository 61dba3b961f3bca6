"""Suggestions for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


def did_you_mean(name: object, names: Iterable[str], **options: Any) -> str:
    """`` Did you mean 'X'?`` with a leading space, or nothing if no name is near; options as for :func:`nearest`."""
    near = nearest(name, names, **options)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def nearest(
    name: object,
    names: Iterable[str],
    *,
    count: int = 1,
    cutoff: float = 0.6,
    shown: Mapping[str, str] | None = None,
) -> list[str]:
    """The names most like ``name``, the nearest first; case does not matter, and ``shown`` maps spellings to names."""
    spellings = {candidate.lower(): shown[candidate] if shown else candidate for candidate in names}
    near = difflib.get_close_matches(str(name).lower(), spellings, n=2 * count, cutoff=cutoff)
    return list(dict.fromkeys(spellings[spelling] for spelling in near))[:count]
