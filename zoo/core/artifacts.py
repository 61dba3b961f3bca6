"""Results kept in ``$ZOO_CACHE``: folders ``KIND/NETWORK-DIGEST``; those of unfinished work begin with a dot."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from zoo.core import paths
from zoo.core.errors import UnavailableError

#: Compiled networks, outputs of frozen trunks, and indexes for approximate search.
Kind = Literal["compiled", "features", "neighbours"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Artifact:
    """One result. ``bytes`` is the size of its folder; ``about`` is empty if it cannot be read."""

    folder: Path
    kind: Kind
    model: str
    about: dict[str, Any]
    bytes: int

    @property
    def content(self) -> str:
        """The images, layers and precision in a few words; empty for a whole network."""
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
            words.insert(0, f"{self.about['pictures']} images" + (f" in {views} views" if views > 1 else ""))
        if self.about.get("precision") == "int8":
            words.append("int8")
        return ", ".join(words)


def root(kind: Kind) -> Path:
    """The folder of a kind."""
    return paths.cache_root() / kind


def entries(kind: Kind) -> Iterator[Artifact]:
    """All artifacts of a kind, by name."""
    for file in sorted(root(kind).glob("[!.]*/about.json")):
        model, _, _ = file.parent.name.rpartition("-")
        yield Artifact(file.parent, kind, model, _read(file), size(file.parent))


@contextlib.contextmanager
def create(target: Path, about: Mapping[str, Any]) -> Iterator[Path]:
    """A work folder, renamed to ``target`` with ``about`` in it, unless another process was faster."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield work
            (work / "about.json").write_text(json.dumps(about, indent=1))
            try:
                work.rename(target)
            except OSError:
                if not (target / "about.json").is_file():
                    raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise UnavailableError(
            f"{target} cannot be written ({error.strerror or error}); free some space, or set ZOO_CACHE to another "
            "folder."
        ) from error


def digest(about: Mapping[str, Any]) -> str:
    """Twenty hexadecimal digits of values that JSON has, whatever their order: the end of a folder's name."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:20]


def leftovers(kind: Kind, older_than: float = 3600.0) -> list[Path]:
    """Work folders unchanged for ``older_than`` seconds: their process has died."""
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
