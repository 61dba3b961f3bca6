"""Checks of a dataset: unreadable and odd images, duplicates and class problems. No file is changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.core.groups import equal_groups
from zoo.core.progress import Progress
from zoo.data.checks import classes
from zoo.data.checks.findings import KINDS, CheckReport, Finding, counted, listed
from zoo.data.checks.scan import Scan, is_named_after, scan_images
from zoo.data.dataset import Dataset
from zoo.data.duplicates.near_duplicates import FLAT, is_mirrored, near_groups
from zoo.data.duplicates.phash import contrast
from zoo.images.formats import IMAGE_SUFFIXES
from zoo.images.source import Source

#: Pixels of the shorter side below which an image is tiny.
TINY = 32
#: Ratio of the sides above which an image is long.
LONG = 3.0


def check_dataset(
    dataset: Dataset,
    *,
    near: bool = True,
    progress: Progress | None = None,
    input_size: tuple[int, int] | None = None,
) -> CheckReport:
    """Check a dataset, opening each file once; images below ``input_size`` (height, width) are reported."""
    started = time.perf_counter()
    splits = dataset.splits
    sources = [source for split in splits.values() for source in split.sources]
    view = _View(
        dataset,
        sources,
        [part for part, split in splits.items() for _ in range(len(split))],
        np.concatenate([split.labels for split in splits.values()]),
        scan_images(sources, progress=progress),
    )
    found = [
        *_files(view),
        *_images(view, input_size),
        *_duplicates(view, near),
        *classes.find(dataset),
        *_skipped(dataset),
    ]
    order = {kind: number for number, kind in enumerate(KINDS)}
    found.sort(key=lambda finding: order[finding.kind])
    seconds = round(time.perf_counter() - started, 2)
    return CheckReport(
        dataset.path, dataset.root, len(view.sources), dataset.classes, dataset.counts(), tuple(found), seconds
    )


@dataclass(frozen=True, eq=False)
class _View:
    """All images of a dataset, part after part, and what is known of them."""

    dataset: Dataset
    sources: Sequence[Source]
    parts: Sequence[str]
    labels: np.ndarray
    scan: Scan

    def finding(self, kind: str, text: str, indices: Sequence[int] | np.ndarray) -> Finding:
        """A finding of some of the images."""
        paths = tuple(self.sources[index].path for index in indices)
        parts = tuple(self.parts[index] for index in indices)
        names = tuple(self.dataset.classes[self.labels[index]] for index in indices)
        return Finding(kind, text, len(indices), paths, parts, names)

    def name(self, index: int) -> str:
        """An image's path below the dataset's folder."""
        return self.dataset.relative(self.sources[index].path)


def _files(view: _View) -> Iterator[Finding]:
    """Files that cannot be read, or have the suffix of another format."""
    for index in np.flatnonzero(~view.scan.readable).tolist():
        yield view.finding(
            "unreadable", f"{view.name(index)} cannot be read: {view.scan.facts[index].problem}.", [index]
        )
    misnamed: dict[tuple[str, str], list[int]] = {}
    for index, fact in enumerate(view.scan.facts):
        path = view.sources[index].path
        if fact.format and not is_named_after(path, fact.format):
            misnamed.setdefault((os.path.splitext(path)[1], fact.format), []).append(index)
    for (suffix, format), indices in misnamed.items():
        first = view.name(indices[0])
        text = f"{first} is in {format} format."
        if len(indices) > 1:
            text = f"{len(indices):,} files called {suffix} are in {format} format, such as {first}."
        yield view.finding("wrong-suffix", text, indices)


def _skipped(dataset: Dataset) -> Iterator[Finding]:
    """Files and folders that are not used."""
    for path, why in dataset.skipped:
        if os.path.isdir(path):
            # A class folder without images is reported with the classes.
            if os.path.basename(path) in dataset.classes:
                continue
            kind = "unused-folder"
        else:
            kind = "stray" if os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES else "not-a-picture"
        yield Finding(kind, f"{dataset.relative(path)}: {why}.", 1, (path,), ("",), ("",))


def _images(view: _View, input_size: tuple[int, int] | None) -> Iterator[Finding]:
    """Readable images that are odd: one finding for all of a kind."""
    sizes = np.array([fact.size or (0, 0) for fact in view.scan.facts], np.int64).reshape(-1, 2)
    shorter, longer = sizes.min(axis=1), sizes.max(axis=1)
    known = view.scan.readable & (shorter > 0)
    tiny = known & (shorter < TINY)
    # If all are tiny, that is the nature of the dataset, and nothing that can be fixed.
    if tiny.sum() == known.sum():
        tiny[:] = False
    height, width = input_size or (0, 0)
    grey = view.scan.readable & view.scan.grey
    if grey.sum() == view.scan.readable.sum():
        grey[:] = False
    kinds = {
        "tiny": tiny,
        "small": known & ((sizes[:, 0] < width) | (sizes[:, 1] < height)) & ~tiny,
        "blank": view.scan.readable & (contrast(view.scan.prints.thumbs) < FLAT),
        "long": known & (longer > LONG * shorter),
        "grey": grey,
        "turned": [fact.turned for fact in view.scan.facts],
        "cmyk": [fact.mode == "CMYK" for fact in view.scan.facts],
        "deep": [fact.deep for fact in view.scan.facts],
        "animated": [fact.animated for fact in view.scan.facts],
    }
    for kind, which in kinds.items():
        indices = np.flatnonzero(which)
        if len(indices):
            verb = "is" if len(indices) == 1 else "are"
            more = f" of {width}×{height}" if kind == "small" else ""
            text = f"{counted(len(indices), 'image')} {verb} {KINDS[kind].title}{more}."
            yield view.finding(kind, text, indices)


def _duplicates(view: _View, near: bool) -> Iterator[Finding]:
    """Images that occur more than once."""
    groups = equal_groups(fact.digest for fact in view.scan.facts)
    for group in groups:
        yield from _group_findings(view, group, "", "are the same file")
    if not near:
        return
    # Of each content one image stands for all.
    is_first = view.scan.readable.copy()
    for group in groups:
        is_first[group[1:]] = False
    chosen = np.flatnonzero(is_first)
    identical = {int(group[0]): group for group in groups}
    for group in near_groups(view.scan.prints.take(chosen)):
        first, *others = (int(index) for index in chosen[group])
        mirrored = [is_mirrored(view.scan.prints.thumbs, first, other) for other in others]
        how = "look the same"
        if any(mirrored):
            how += ", mirrored" if all(mirrored) else ", some mirrored"
        members = np.sort(np.concatenate([identical.get(index, np.array([index])) for index in (first, *others)]))
        yield from _group_findings(view, members, "near-", how)


def _group_findings(view: _View, group: np.ndarray, prefix: str, how: str) -> Iterator[Finding]:
    """A finding if a group of duplicates is in several parts, one if in several classes, or one if in neither."""
    parts = [view.parts[index] for index in group]
    classes = [view.dataset.classes[view.labels[index]] for index in group]
    by_part, by_class = ({value: values.index(value) for value in values} for values in (parts, classes))

    def said(shown: Mapping[str, int]) -> str:
        # If a group is large, those of different parts or classes.
        numbers = [*shown.values(), *(at for at in range(len(group)) if at not in shown.values())]
        return f"{listed([view.name(group[at]) for at in numbers], max(2, len(shown)))} {how}"

    if len(by_part) > 1:
        yield view.finding(f"{prefix}leak", f"{said(by_part)}, in {listed(list(by_part))}.", group)
    if len(by_class) > 1:
        names = listed([repr(name) for name in by_class])
        yield view.finding(f"{prefix}conflict", f"{said(by_class)}, as {names}.", group)
    if len(by_part) == len(by_class) == 1:
        yield view.finding(f"{prefix}duplicate", f"{said({})}.", group)
