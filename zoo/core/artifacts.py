"""What zoo has computed and keeps, so that it need not be computed again: folders in ``$ZOO_CACHE``, by kind.

Below the folder of a kind, each result has one of its own, ``NETWORK-DIGEST``, with an ``about.json`` that says what it
was made from. It gets that name when it is whole; until then it is a work folder, whose name begins with a dot.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from zoo.core import paths

#: Compiled networks (:mod:`zoo.engines.compiled`), what the frozen part of a network makes of images
#: (:mod:`zoo.training.finetuning.trunk`), and indexes of the neighbours of vectors (:mod:`zoo.search.approximate`).
Kind = Literal["compiled", "features", "neighbours"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Kept:
    """One result. ``bytes`` counts everything in its folder; ``about`` is empty where it cannot be read."""

    folder: Path
    kind: Kind
    model: str
    about: dict[str, Any]
    bytes: int

    @property
    def content(self) -> str:
        """What it is of, in a few words; empty for a whole network."""
        network = self.about.get("network", {}) if self.kind == "features" else self.about
        cut = network.get("cut") or {}
        words = []
        if cut:
            whole = "up to its last layer" if cut.get("top") else "without its classifier"
            outputs = [f"up to {cut['layer']}" if cut.get("layer") else whole, *cut.get("beside", ())]
            words.append(" and ".join(outputs))
        if cut.get("probabilities"):
            words.append("with probabilities")
        if "pictures" in self.about:
            views = self.about.get("views", {}).get("count", 1)
            words.insert(0, f"{self.about['images']} images" + (f" in {views} views" if views > 1 else ""))
        if self.about.get("precision") == "int8":
            words.append("int8")
        return ", ".join(words)


def root(kind: Kind) -> Path:
    """The folder that holds everything of a kind."""
    return paths.cache_root() / kind


def entries(kind: Kind) -> Iterator[Kept]:
    """Everything of a kind, by name."""
    for file in sorted(root(kind).glob("[!.]*/about.json")):
        model, _, _ = file.parent.name.rpartition("-")
        yield Kept(file.parent, kind, model, _read(file), size(file.parent))


@contextlib.contextmanager
def making(target: Path) -> Iterator[Path]:
    """A work folder, which becomes ``target`` at the end; where anything goes wrong it goes, and there is none.

    Where another process was faster its result stays, which is the same.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield work
        try:
            work.rename(target)
        except OSError:
            if not (target / "about.json").is_file():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def leftovers(kind: Kind, older_than: float = 3600.0) -> list[Path]:
    """Work folders in which nothing has happened for ``older_than`` seconds: what filled them never ended."""
    limit = time.time() - older_than
    return sorted(path for path in root(kind).glob(".*-*") if path.is_dir() and path.stat().st_mtime < limit)


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(part.stat().st_size for part in folder.rglob("*") if part.is_file())


def _read(file: Path) -> dict[str, Any]:
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}
