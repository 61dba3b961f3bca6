"""What can be found in a dataset: the kinds with their names and advice, one finding, and the report of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
#: The worst first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of findings.

    ``title`` is what it is called, ``unit`` what is counted of it, in the singular, and ``advice`` what to do.
    """

    severity: Severity
    title: str
    unit: str
    advice: str


#: The kinds by name, in the order in which they are shown; those of one severity stand together.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        # Errors
        "unreadable": Kind("error", "cannot be read", "file", "replace or remove them; training leaves them out"),
        "one-class": Kind("error", "fewer than two classes", "dataset", "put each class in a folder of its own"),
        "empty-class": Kind("error", "class without images", "class", "add some, or remove the folder"),
        "unknown-class": Kind("error", "class that is not in train", "class", "rename its folder, or add it to train"),
        "too-few": Kind("error", "class with one image to train on", "class", "add more, or remove the class"),
        "leak": Kind(
            "error", "same file in several parts", "group", "remove them from train, or the test says too much"
        ),
        # Warnings
        "near-leak": Kind(
            "warning", "same image, to the eye, in several parts", "group", "look at them; remove them from train"
        ),
        "conflict": Kind("warning", "same file in several classes", "group", "keep it in the class that it belongs to"),
        "near-conflict": Kind(
            "warning", "same image, to the eye, in several classes", "group", "look at them; keep one class of each"
        ),
        "duplicate": Kind(
            "warning", "same file more than once", "group", "keep one of each, before the images are divided"
        ),
        "few": Kind("warning", "class with few images to train on", "class", "add more; some dozens are a beginning"),
        "missing-class": Kind("warning", "class that a part does not have", "class", "add some, or it is not measured"),
        "imbalance": Kind(
            "warning", "classes of very different size", "pair", "train with --set class_weights=balanced"
        ),
        "similar-names": Kind("warning", "class names that are almost equal", "group", "merge them, if they are one"),
        "tiny": Kind("warning", "smaller than 32 pixels a side", "picture", "look for larger ones, or remove them"),
        "blank": Kind("warning", "of one colour", "picture", "look at them; there is nothing to learn from"),
        "stray": Kind("warning", "in no class folder, not used", "file", "move them to the folders of their classes"),
        "unused-folder": Kind("warning", "folder that is not used", "folder", "move it away, or into one of the parts"),
        # Notes
        "near-duplicate": Kind(
            "note", "same image, to the eye, more than once", "group", "in val and test, keep one of each"
        ),
        "unequal": Kind("note", "classes of different size", "pair", "--set class_weights=balanced makes up for it"),
        "no-train": Kind("note", "nothing to train on", "dataset", "evaluate with it, or add a folder train"),
        "wrong-suffix": Kind(
            "note", "called after another format", "file", "rename them; zoo goes by what is in a file"
        ),
        "not-a-picture": Kind("note", "no image, by its name", "file", "nothing; they are left alone"),
        "small": Kind("note", "smaller than the network's input", "picture", "nothing; they are enlarged"),
        "turned": Kind("note", "stored turned (EXIF)", "picture", "nothing; zoo turns them upright"),
        "grey": Kind("note", "grey", "picture", "nothing, where grey says nothing of the class"),
        "cmyk": Kind("note", "in CMYK", "picture", "nothing; they are converted"),
        "deep": Kind("note", "of 16 bits", "picture", "nothing; 8 bits are used"),
        "animated": Kind("note", "animated", "picture", "nothing; the first frame is used"),
        "long": Kind("note", "more than three times as long as wide", "picture", "try a network that pads, or crop"),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    ``text`` is a sentence. ``count`` says how many files, images or classes are concerned. ``paths`` are those
    files, none where it is the whole dataset; ``splits`` and ``classes`` then say for each in which part and class it
    stands. Without paths they are the parts and classes that it is about.
    """

    kind: str
    text: str
    count: int = 1
    paths: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """``"error"`` for what spoils a training or its test, ``"warning"`` for what may, ``"note"`` for the rest."""
        return KINDS[self.kind].severity

    @property
    def advice(self) -> str:
        """What to do."""
        return KINDS[self.kind].advice

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "text": self.text,
            "count": self.count,
            "paths": list(self.paths),
            "splits": list(self.splits),
            "classes": list(self.classes),
            "advice": self.advice,
        }


@dataclass(frozen=True)
class Report:
    """Everything that was found in a dataset; the worst first.

    Paths begin with ``root``. ``n`` counts the images, those that cannot be read too, and ``counts`` counts them by
    class and part.
    """

    path: str
    root: str
    n: int
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding; none where nothing was found."""
        return self.findings[0].severity if self.findings else None

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Groups of images that are the same, byte for byte or to the eye, and stand in several parts."""
        return self.of_kind("leak", "near-leak")

    @property
    def unreadable(self) -> tuple[Finding, ...]:
        """Files that cannot be read, one finding each."""
        return self.of_kind("unreadable")

    def of_kind(self, *kinds: str) -> tuple[Finding, ...]:
        """The findings of some kinds."""
        return tuple(finding for finding in self.findings if finding.kind in kinds)

    def by_kind(self) -> dict[str, list[Finding]]:
        """The findings of each kind that there is, the worst kinds first."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.kind, []).append(finding)
        return groups

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``summary`` says how many findings of each kind there are."""
        return {
            "path": self.path,
            "n": self.n,
            "classes": list(self.classes),
            "counts": {name: dict(parts) for name, parts in self.counts.items()},
            "worst": self.worst,
            "summary": {kind: len(findings) for kind, findings in self.by_kind().items()},
            "seconds": self.seconds,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def counted(number: int, noun: str) -> str:
    """``1 image``, ``2,000 images``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def listed(names: Sequence[str], most: int = 8) -> str:
    """``a, b and c``; those beyond ``most`` are counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
