"""Images with known classes, to judge networks by: read as they are, nothing is divided, and one image will do."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.core.errors import UsageError
from zoo.data.sources import manifest, mnist
from zoo.data.sources.tree import find_parts, read_classes
from zoo.data.split import PARTS, Split
from zoo.images.sources import Source, reason

#: The parts that judge where nothing else is said, the best first; what was trained on comes last.
PREFERRED = ("test", "val", "train")
#: Columns of a table that say which file, and which class, the first that there is.
PATHS, LABELS = ("path", "file"), ("label", "wordnet_id", "index", "name")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images and their classes.

    ``part`` is ``train``, ``val`` or ``test``, ``None`` for all there is; ``parts`` are those that there are to choose
    from. ``labels``, int64 (n,), are indices into ``classes``, of which some may have no images. ``skipped`` has the
    files and folders that were found and are not used, each with the reason.
    """

    path: str
    part: str | None
    parts: tuple[str, ...]
    classes: tuple[str, ...]
    sources: Sequence[Source]
    labels: np.ndarray
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.sources)


def read(path: str | os.PathLike[str], part: str | None = None) -> Labelled:
    """Find images with known classes. No image is opened.

    ``path`` is one of:

    * a folder with a folder for each class, all of which is taken;
    * a folder with ``train/``, ``val/`` or ``test/`` of such folders, or MNIST's IDX files;
    * a ``split.csv`` (:mod:`zoo.data.sources.manifest`);
    * a table with a column ``path`` or ``file`` and one of ``label``, ``wordnet_id``, ``index`` and ``name``, whose
      paths begin at its own folder. With a column ``split`` it has parts;
    * a folder of images, with such a table in it that is called ``labels.csv``.

    Args:
        path: folder or table.
        part: ``"train"``, ``"val"``, ``"test"`` or ``"all"``; without, the first that there is of ``test``, ``val`` and
            ``train``.

    Raises:
        UsageError: there is no such thing or part, or it has no images.
    """
    text = os.fsdecode(path)
    if part is not None and part not in (*PARTS, "all"):
        raise UsageError(f"A part is {', '.join(PARTS)} or all. Received: {part}")
    if os.path.isdir(text):
        found = _read_folder(text, part)
    elif text.lower().endswith(".csv") and os.path.exists(text):
        found = _read_table(text, part)
    elif os.path.exists(text):
        raise UsageError(f"A dataset is a folder or a table, such as a split.csv. Received: {text}")
    else:
        raise UsageError(f"There is no dataset {text}.")
    if not len(found):
        place = f"The part '{found.part}' of {text}" if found.part else text
        raise UsageError(f"{place} has no images in folders of classes.")
    return found


def _read_folder(folder: str, part: str | None) -> Labelled:
    classes, splits = mnist.read(folder, training=False)
    if splits:
        return _chosen(folder, part, classes, splits)
    table = os.path.join(folder, "labels.csv")
    if os.path.isfile(table) and not any(entry.is_dir() for entry in os.scandir(folder)):
        return replace(_read_table(table, part), path=folder)
    places = find_parts(folder)
    chosen = _choose(folder, part, tuple(places))
    trees = [read_classes(place) for name, place in places.items() if chosen in (None, name)] or [read_classes(folder)]
    names = tuple(sorted({name for tree in trees for name in tree.classes}))
    numbers = {name: number for number, name in enumerate(names)}
    sources: list[Source] = []
    labels: list[np.ndarray] = []
    for tree in trees:
        sources += tree.splits["test"].sources
        own = np.array([numbers[name] for name in tree.classes], np.int64)
        labels.append(own[tree.splits["test"].labels])
    skipped = tuple(entry for tree in trees for entry in tree.skipped)
    return Labelled(folder, chosen, tuple(places), names, sources, np.concatenate(labels), skipped)


def _chosen(path: str, part: str | None, classes: tuple[str, ...], splits: Mapping[str, Split]) -> Labelled:
    """The images of one part, or of all."""
    chosen = _choose(path, part, tuple(splits))
    if chosen is not None:
        split = splits[chosen]
        return Labelled(path, chosen, tuple(splits), classes, split.sources, split.labels)
    sources = [source for split in splits.values() for source in split.sources]
    labels = np.concatenate([split.labels for split in splits.values()])
    return Labelled(path, None, tuple(splits), classes, sources, labels)


def _choose(path: str, part: str | None, parts: tuple[str, ...]) -> str | None:
    """The part that is meant, ``None`` for all."""
    if part == "all" or (part is None and not parts):
        return None
    if part is None:
        return next(name for name in PREFERRED if name in parts)
    if part not in parts:
        there = f"it has {' and '.join(parts)}" if parts else "it has no parts"
        raise UsageError(f"{path} has no part '{part}'; {there}.")
    return part


def _read_table(path: str, part: str | None) -> Labelled:
    header, rows = _rows(path)
    if set(manifest.COLUMNS) <= set(header):
        return _chosen(path, part, *manifest.read(path, manifest.find_root(path)))
    place = next((column for column in PATHS if column in header), None)
    if place is None:
        raise UsageError(f"{path} has no column 'path' or 'file'; expected is also one of {', '.join(LABELS)}.")
    label = next((column for column in LABELS if column in header and any(row[column] for _, row in rows)), None)
    if label is None:
        raise UsageError(f"{path} says no classes; expected is one of the columns {', '.join(LABELS)}.")
    for line, row in rows:
        if not row[place] or not row[label]:
            raise UsageError(f"{path}, line {line}: '{place}' and '{label}' are needed.")
        if "split" in header and row["split"] not in PARTS:
            raise UsageError(f"{path}, line {line}: the split is train, val or test. Received: '{row['split']}'")
    root = os.path.dirname(path)
    first = os.path.join(root, rows[0][1][place])
    if not os.path.lexists(first):
        raise UsageError(f"{path}, line {rows[0][0]}: there is no {first}; have the images moved?")
    classes = tuple(sorted({row[label] for _, row in rows}))
    numbers = {name: number for number, name in enumerate(classes)}
    splits = {}
    for name in (*PARTS, ""):
        members = [row for _, row in rows if row.get("split", "") == name]
        if members:
            sources = [Source(os.path.join(root, row[place].replace("/", os.sep))) for row in members]
            splits[name] = Split(sources, np.array([numbers[row[label]] for row in members], np.int64))
    if "" not in splits:
        return _chosen(path, part, classes, splits)
    chosen = _choose(path, part, ())
    return Labelled(path, chosen, (), classes, splits[""].sources, splits[""].labels)


def _rows(path: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The header of a table, and its lines with their numbers."""
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            header = list(reader.fieldnames or ())
            rows = [(reader.line_num, {key: str(value or "") for key, value in row.items()}) for row in reader]
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from error
    except csv.Error as error:
        raise UsageError(f"{path} is no table of comma-separated values: {error}.") from error
    if not rows:
        raise UsageError(f"{path} has no lines below its header.")
    return header, rows
