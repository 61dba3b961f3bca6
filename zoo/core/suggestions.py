"""Suggestions for a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, names: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> str:
    """`` Did you mean 'X'?``, with a leading space, for the nearest of ``names``; empty if none is near.

    Case does not matter. With ``count`` above 1 up to so many are named, joined by ``or``.
    """
    by_key = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(str(name).lower(), by_key, n=count, cutoff=cutoff)
    return f" Did you mean {' or '.join(repr(by_key[key]) for key in near)}?" if near else ""
