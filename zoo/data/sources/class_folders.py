"""Folders of classes: a folder for each class, and perhaps ``train``, ``val`` and ``test`` above them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zoo.core.errors import UsageError, describe_os_error
from zoo.data.sources.base import Parsed, Problem, join_classes, keys_below
from zoo.data.split import Split
from zoo.images import folders
from zoo.images.formats import IMAGE_SUFFIXES
from zoo.images.source import Source

#: What the folders of the parts may be called.
NAMES = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}


@dataclass
class Listing:
    """The images in the class folders of one folder; ``labels`` are indices into ``classes``."""

    classes: tuple[str, ...]
    sources: list[Source] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class ClassFolders:
    """A folder of class folders, or of parts with class folders; see :class:`~zoo.data.sources.base.DatasetSource`."""

    def __init__(self, folder: str) -> None:
        """List the parts."""
        self.root = folder
        self.recorded = False
        self._folders = [path for path, is_folder in _list_folder(folder) if is_folder]
        self._places = _find_parts(folder, [os.path.basename(path) for path in self._folders])
        self.parts = tuple(self._places)

    def read(self, parts: Sequence[str]) -> Parsed:
        """Find the images of some parts; see :meth:`~zoo.data.sources.base.DatasetSource.read`."""
        places = {part: self._places[part] for part in parts} or {"train": self.root}
        listings = {part: list_classes(place) for part, place in places.items()}
        classes = tuple(sorted({name for listing in listings.values() for name in listing.classes}))
        splits = {
            part: Split(listing.sources, join_classes(listing.classes, classes, listing.labels))
            for part, listing in listings.items()
        }
        skipped = [entry for listing in listings.values() for entry in listing.skipped]
        if self.parts:
            beside = [path for path in self._folders if path not in self._places.values()]
            skipped += [(path, "a folder beside the parts, not used") for path in beside]
        problems = []
        for part, listing in listings.items():
            # Only training needs images of every class.
            problems += [problem for problem in listing.problems if part == "train" or problem.kind != "empty-class"]
            if part != "train" and "train" in listings:
                problems += find_unknown(places[part], listing.classes, listings["train"].classes)

        def keys() -> list[str]:
            return keys_below(places["train"], splits["train"].sources)

        return Parsed(classes, splits, keys, tuple(skipped), tuple(problems))


def open_folder(path: str) -> ClassFolders | None:
    """Open a folder; ``None`` if it is none."""
    return ClassFolders(path) if os.path.isdir(path) else None


def list_classes(place: str) -> Listing:
    """Find the images in a folder of class folders. Images in a folder without folders are one class, of its name."""
    entries = _list_folder(place)
    class_folders = [path for path, is_folder in entries if is_folder]
    loose = [path for path, is_folder in entries if not is_folder and _is_image(path)]
    if not class_folders:
        names = (os.path.basename(os.path.abspath(place)),) if loose else ()
        seen = "images, but no folder for each class" if loose else "no folders with images"
        text = f"{place} holds {seen}; put the images of each class in a folder of its name."
        return Listing(names, [*map(Source, loose)], [0] * len(loose), problems=[Problem("unlabelled", text)])
    listing = Listing(tuple(map(os.path.basename, class_folders)))
    for label, folder in enumerate(class_folders):
        files = list(_walk(folder))
        images = [path for path in files if _is_image(path)]
        listing.sources += map(Source, images)
        listing.labels += [label] * len(images)
        listing.skipped += [(path, "not an image, by its name") for path in files if not _is_image(path)]
        if not images:
            beside = f" (but {len(files)} other file{'s' * (len(files) != 1)})" if files else ""
            listing.skipped.append((folder, f"a class folder without images{beside}"))
            text = f"The class folder {folder} holds no images{beside}: add some, or remove it."
            listing.problems.append(Problem("empty-class", text))
    listing.skipped += [(path, "an image that stands in no class folder") for path in loose]
    return listing


def find_unknown(place: str, names: Sequence[str], known: Sequence[str]) -> list[Problem]:
    """The problem that a folder has classes that are not known; none if all are."""
    unknown = sorted(set(names) - set(known))
    if not unknown:
        return []
    said = ", ".join(f"'{name}'" for name in unknown[:3]) + ("…" if len(unknown) > 3 else "")
    return [Problem("unknown-class", f"{place} has the class {said}, which the training images do not have.")]


def _find_parts(folder: str, subfolders: Sequence[str]) -> dict[str, str]:
    """Folders of the parts; ``val`` or ``test`` are classes beside others and without ``train``."""
    found = {part: [name for name in names if name in subfolders] for part, names in NAMES.items()}
    if not found["train"] and not all(name in {*NAMES["val"], *NAMES["test"]} for name in subfolders):
        return {}
    if len(found["val"]) > 1:
        raise UsageError(f"{folder} holds {' and '.join(found['val'])}; which of them is for validation?")
    return {part: os.path.join(folder, names[0]) for part, names in found.items() if names}


def _walk(top: str) -> Iterator[str]:
    """Every file below a folder, sorted, images and others; links are followed, but not in circles."""
    for path, error in folders.walk(top, recursive=True, key=str):
        if error is not None:
            raise _unlisted(path, error) from error
        yield path


def _list_folder(folder: str) -> list[tuple[str, bool]]:
    """Paths in a folder, sorted, and whether each is a folder."""
    try:
        return [(os.path.join(folder, name), is_folder) for name, is_folder in folders.entries_of(folder, key=str)]
    except OSError as error:
        raise _unlisted(folder, error) from error


def _unlisted(folder: str, error: OSError) -> UsageError:
    return UsageError(f"The folder {folder} cannot be listed: {describe_os_error(error)}.")


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES
