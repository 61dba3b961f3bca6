"""What a source of weights is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from zoo.core.spec import ModelSpec, WeightFile


@dataclass(frozen=True, slots=True)
class Source:
    """A place that weights come from: files on this machine, or addresses. A row states what applies to it."""

    #: Its name, as ``zoo cache list`` shows it.
    origin: str
    #: Where the file of a network, a tag, and with or without the classifier, may be; and what is known of it.
    files: Callable[[ModelSpec, str, bool], Iterable[tuple[Path, WeightFile]]] = lambda spec, tag, has_top: ()
    #: Folders that hold files under their official names.
    folders: Callable[[], list[Path]] = list
    #: Addresses of a published file.
    urls: Callable[[WeightFile], list[str]] = lambda file: []
    #: Tags of a network that only this source has.
    tags: Callable[[str], Iterable[str]] = lambda model: ()
    #: Files about the file of a network, a tag, and with or without the classifier, which are removed with it.
    records: Callable[[str, str, bool], Iterable[Path]] = lambda model, tag, has_top: ()
    #: What to do with a damaged file of ``{model}``, as the end of a sentence.
    advice: str = ""
    #: Whether downloads are stored in its folder.
    stores_downloads: bool = False
    #: Whether ``zoo cache prune MODEL`` may remove its files.
    removable: bool = False


def published(spec: ModelSpec, tag: str, has_top: bool) -> WeightFile | None:
    """The published file of a network, with or without its classifier; ``None`` if there is none."""
    weights = spec.weights.get(tag)
    if weights is None:
        return None
    return weights.top if has_top else weights.no_top
