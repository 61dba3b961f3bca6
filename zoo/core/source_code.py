"""Digests of source code, by which results of other code are recognised as stale."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path


@functools.cache
def digest(*modules: str) -> str:
    """sha256 of the source of modules and packages, not imported; one that cannot be found counts as empty."""
    hashed = hashlib.sha256()
    for module in modules:
        for file in _files(module):
            hashed.update(file.name.encode() + b"\0" + file.read_bytes())
    return hashed.hexdigest()[:20]


def _files(module: str) -> Iterator[Path]:
    top, *parts = module.split(".")
    try:
        # Of a module in a package this would import the package.
        spec = find_spec(top)
    except ValueError:
        return
    if spec is None:
        return
    if not spec.submodule_search_locations:
        yield from (file for file in [Path(spec.origin or "")] if file.suffix == ".py")
        return
    for location in spec.submodule_search_locations:
        path = Path(location, *parts)
        yield from sorted(path.rglob("*.py")) if path.is_dir() else filter(Path.is_file, [path.with_suffix(".py")])
