"""What is wrong with a dataset: files, images that are there twice, classes; found, said, and nothing touched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from zoo.data.checks import classes as class_checks
from zoo.data.checks.findings import KINDS, Finding, Report, counted, listed
from zoo.data.checks.scan import Facts, is_named_after, survey
from zoo.data.dataset import Dataset
from zoo.data.duplicates.groups import FLAT, Looks, exact_groups, is_mirrored, near_groups
from zoo.data.duplicates.phash import contrast
from zoo.images.folders import SUFFIXES
from zoo.images.sources import Source

#: Pixels of the shorter side below which an image is tiny.
TINY = 32
#: How many times as long as wide an image is before it is said.
LONG = 3.0


def inspect(
    dataset: Dataset,
    *,
    near: bool = True,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    input_size: tuple[int, int] | None = None,
) -> Report:
    """Look for what is wrong with a dataset. Each file is opened once, and none is changed.

    Args:
        dataset: as any reader of :mod:`zoo.data.dataset` gives it.
        near: whether copies to the eye are looked for, beside those byte for byte.
        threads: how many read and compare; the number of processors without.
        progress: called with the images done and those in all.
        input_size: (height, width) of a network; smaller images are said.

    Returns:
        what was found, the worst first.
    """
    started = time.perf_counter()
    view = _look(dataset, threads, progress)
    found = [
        *_files(view),
        *_images(view, input_size),
        *_copies(view, near=near, threads=threads),
        *class_checks.find(dataset),
        *_skipped(dataset),
    ]
    order = {kind: number for number, kind in enumerate(KINDS)}
    found.sort(key=lambda finding: order[finding.kind])
    counts = dataset.counts()
    seconds = round(time.perf_counter() - started, 2)
    return Report(dataset.path, dataset.root, len(view.sources), dataset.classes, counts, tuple(found), seconds)


@dataclass(frozen=True, eq=False)
class _View:
    """All images of a dataset, part after part, and what is known of them."""

    dataset: Dataset
    sources: Sequence[Source]
    parts: list[str]
    labels: np.ndarray
    facts: list[Facts]
    looks: Looks
    grey: np.ndarray
    readable: np.ndarray

    def finding(self, kind: str, text: str, indices: Sequence[int] | np.ndarray) -> Finding:
        """A finding of some of the images."""
        numbers = [int(index) for index in indices]
        return Finding(
            kind,
            text,
            len(numbers),
            tuple(self.sources[number].path for number in numbers),
            tuple(self.parts[number] for number in numbers),
            tuple(self.dataset.classes[self.labels[number]] for number in numbers),
        )

    def name(self, index: int) -> str:
        """An image's path below the dataset's folder."""
        return self.sources[index].path.removeprefix(os.path.join(self.dataset.root, "") if self.dataset.root else "")


def _look(dataset: Dataset, threads: int | None, progress: Callable[[int, int], None] | None) -> _View:
    total, done = sum(map(len, dataset.splits.values())), 0
    surveys = []
    for split in dataset.splits.values():
        told = None if progress is None else partial(_tell, progress, done, total)
        surveys.append(survey(split.sources, threads=threads, progress=told))
        done += len(split)
    facts = [fact for part in surveys for fact in part.facts]
    looks = [part.looks for part in surveys]
    return _View(
        dataset,
        [source for split in dataset.splits.values() for source in split.sources],
        [part for part, split in dataset.splits.items() for _ in range(len(split))],
        np.concatenate([split.labels for split in dataset.splits.values()]),
        facts,
        Looks(
            np.concatenate([look.plain for look in looks]),
            np.concatenate([look.mirrored for look in looks]),
            np.concatenate([look.thumbs for look in looks]),
        ),
        np.concatenate([part.grey for part in surveys]),
        np.array([fact.problem is None for fact in facts], bool),
    )


def _tell(progress: Callable[[int, int], None], before: int, total: int, done: int, _: int) -> None:
    progress(before + done, total)


# Files


def _files(view: _View) -> Iterator[Finding]:
    """What cannot be read, and what is not what it is called."""
    for index in np.flatnonzero(~view.readable).tolist():
        yield view.finding("unreadable", f"{view.name(index)} cannot be read: {view.facts[index].problem}.", [index])
    misnamed: dict[tuple[str, str], list[int]] = {}
    for index, fact in enumerate(view.facts):
        path = view.sources[index].path
        if fact.format and not is_named_after(path, fact.format):
            misnamed.setdefault((os.path.splitext(path)[1], fact.format), []).append(index)
    for (suffix, format), indices in misnamed.items():
        first = view.name(indices[0])
        text = f"{first} holds an image in {format}."
        if len(indices) > 1:
            text = f"{len(indices):,} files called {suffix} hold images in {format}, such as {first}."
        yield view.finding("wrong-suffix", text, indices)


def _skipped(dataset: Dataset) -> Iterator[Finding]:
    """Files and folders that were found and are not used."""
    for path, why in dataset.skipped:
        name = path.removeprefix(os.path.join(dataset.root, "") if dataset.root else "")
        if os.path.isdir(path):
            # The folder of a class is missed where the classes are counted.
            if os.path.basename(path) in dataset.classes:
                continue
            kind = "unused-folder"
        else:
            kind = "stray" if os.path.splitext(path)[1].lower() in SUFFIXES else "not-a-picture"
        yield Finding(kind, f"{name}: {why}.", 1, (path,), ("",), ("",))


# Images


def _images(view: _View, input_size: tuple[int, int] | None) -> Iterator[Finding]:
    """What is odd about images that can be read."""
    sizes = np.array([fact.size or (0, 0) for fact in view.facts], np.int64).reshape(-1, 2)
    known = view.readable & (sizes.min(axis=1) > 0)
    shorter, longer = sizes.min(axis=1), sizes.max(axis=1)
    tiny = known & (shorter < TINY)
    # Where all are tiny, it is the nature of the dataset, and nothing that can be mended.
    if tiny.any() and tiny.sum() == known.sum():
        tiny[:] = False
    yield from _marked(view, "tiny", tiny)
    if input_size is not None:
        height, width = input_size
        small = known & ((sizes[:, 0] < width) | (sizes[:, 1] < height)) & ~tiny
        yield from _marked(view, "small", small, f" of {width}×{height}")
    yield from _marked(view, "blank", view.readable & (contrast(view.looks.thumbs) < FLAT))
    yield from _marked(view, "long", known & (longer > LONG * shorter))
    grey = view.readable & view.grey
    if grey.sum() < view.readable.sum():
        yield from _marked(view, "grey", grey)
    for kind, flags in (
        ("turned", [fact.turned for fact in view.facts]),
        ("cmyk", [fact.mode == "CMYK" for fact in view.facts]),
        ("deep", [fact.deep for fact in view.facts]),
        ("animated", [fact.animated for fact in view.facts]),
    ):
        yield from _marked(view, kind, np.array(flags, bool))


def _marked(view: _View, kind: str, which: np.ndarray, more: str = "") -> Iterator[Finding]:
    """One finding of all images of a kind, if there are any."""
    indices = np.flatnonzero(which)
    if len(indices):
        verb = "is" if len(indices) == 1 else "are"
        yield view.finding(kind, f"{counted(len(indices), 'image')} {verb} {KINDS[kind].title}{more}.", indices)


# Copies


def _copies(view: _View, *, near: bool, threads: int | None) -> Iterator[Finding]:
    """Images that are there more than once."""
    groups = exact_groups([fact.digest for fact in view.facts])
    for group in groups:
        yield from _copied(view, group, "", "are the same file")
    if not near:
        return
    # Of each content one image stands for all.
    stands_for = np.arange(len(view.sources))
    for group in groups:
        stands_for[group] = group[0]
    chosen = np.flatnonzero(view.readable & (stands_for == np.arange(len(stands_for))))
    copies = {int(group[0]): group for group in groups}
    for group in near_groups(view.looks.take(chosen), threads=threads):
        first, *others = (int(index) for index in chosen[group])
        mirrored = [is_mirrored(view.looks.thumbs, first, other) for other in others]
        how = "look the same" if not any(mirrored) else "look the same, in the mirror"
        if any(mirrored) and not all(mirrored):
            how = "look the same, some in the mirror"
        members = np.sort(np.concatenate([copies.get(index, np.array([index])) for index in (first, *others)]))
        yield from _copied(view, members, "near-", how)


def _copied(view: _View, group: np.ndarray, prefix: str, how: str) -> Iterator[Finding]:
    """One group of copies: a finding for several parts, one for several classes, or one for neither."""
    by_part = _first_of_each([view.parts[index] for index in group])
    by_class = _first_of_each([view.dataset.classes[view.labels[index]] for index in group])

    def said(shown: Mapping[str, int]) -> str:
        # Where a group is large, those that make it worth telling.
        numbers = [*shown.values(), *(at for at in range(len(group)) if at not in shown.values())]
        return f"{listed([view.name(group[at]) for at in numbers], max(2, len(shown)))} {how}"

    if len(by_part) > 1:
        yield view.finding(f"{prefix}leak", f"{said(by_part)}, in {listed(list(by_part))}.", group)
    if len(by_class) > 1:
        names = listed([repr(name) for name in by_class])
        yield view.finding(f"{prefix}conflict", f"{said(by_class)}, as {names}.", group)
    if len(by_part) == len(by_class) == 1:
        yield view.finding(f"{prefix}duplicate", f"{said({})}.", group)


def _first_of_each(values: Sequence[str]) -> dict[str, int]:
    """Where each value stands first."""
    return {value: values.index(value) for value in dict.fromkeys(values)}
