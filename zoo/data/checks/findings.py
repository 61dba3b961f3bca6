"""What a check can find: the table of kinds, a finding, and the report of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
#: The worst first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding: ``unit`` is what is counted, in the singular, and ``advice`` what to do."""

    severity: Severity
    title: str
    unit: str
    advice: str


#: The kinds by name, in the order in which they are shown.
KINDS: Mapping[str, Kind] = {
    "unreadable": Kind("error", "cannot be read", "file", "replace or remove them; training leaves them out"),
    "one-class": Kind("error", "fewer than two classes", "dataset", "put each class in a folder of its own"),
    "empty-class": Kind("error", "class without images", "class", "add some, or remove the folder"),
    "unknown-class": Kind("error", "class that is not in train", "class", "rename its folder, or add it to train"),
    "too-few": Kind("error", "class with one training image", "class", "add more, or remove the class"),
    "leak": Kind("error", "same file in several parts", "group", "remove them from train; the test is too easy"),
    "near-leak": Kind("warning", "near-duplicates in several parts", "group", "look at them; remove them from train"),
    "conflict": Kind("warning", "same file in several classes", "group", "keep it in the class that it belongs to"),
    "near-conflict": Kind("warning", "near-duplicates in several classes", "group", "look; keep one class of each"),
    "duplicate": Kind("warning", "same file more than once", "group", "keep one of each, before dividing"),
    "few": Kind("warning", "class with few training images", "class", "add more; aim for some dozens"),
    "missing-class": Kind("warning", "class that is missing in a part", "class", "add some, or it is not evaluated"),
    "imbalance": Kind("warning", "very unequal class sizes", "pair", "train with --set class_weights=balanced"),
    "similar-names": Kind("warning", "class names that are almost equal", "group", "merge them, if they are one"),
    "tiny": Kind("warning", "smaller than 32 pixels a side", "image", "look for larger ones, or remove them"),
    "blank": Kind("warning", "of one colour", "image", "look at them; remove them if nothing is visible"),
    "stray": Kind("warning", "in no class folder, not used", "file", "move them to the folders of their classes"),
    "unused-folder": Kind("warning", "folder that is not used", "folder", "move it away, or into one of the parts"),
    "near-duplicate": Kind("note", "near-duplicates", "group", "keep one of each in val and test"),
    "unequal": Kind("note", "unequal class sizes", "pair", "--set class_weights=balanced makes up for it"),
    "no-train": Kind("note", "nothing to train on", "dataset", "evaluate with it, or add a folder train"),
    "wrong-suffix": Kind("note", "suffix of another format", "file", "rename them; zoo reads them all the same"),
    "not-a-picture": Kind("note", "not an image, by its name", "file", "nothing; they are ignored"),
    "small": Kind("note", "smaller than the network's input", "image", "nothing; they are enlarged"),
    "turned": Kind("note", "stored turned (EXIF)", "image", "nothing; zoo turns them upright"),
    "grey": Kind("note", "grey", "image", "nothing, unless colour matters for the classes"),
    "cmyk": Kind("note", "in CMYK", "image", "nothing; they are converted"),
    "deep": Kind("note", "of 16 bits", "image", "nothing; 8 bits are used"),
    "animated": Kind("note", "animated", "image", "nothing; the first frame is used"),
    "long": Kind("note", "more than three times as long as wide", "image", "try a network that pads, or crop"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence and what it is about: files with the part and class of each, or parts and classes without files."""

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
        return {"kind": self.kind, "severity": self.severity, **asdict(self), "advice": self.advice}


@dataclass(frozen=True)
class CheckReport:
    """Everything found, the worst first; ``counts`` has the images by class and part."""

    path: str
    root: str
    n: int
    classes: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst finding; ``None`` if nothing was found."""
        return self.findings[0].severity if self.findings else None

    def of_kind(self, *kinds: str) -> tuple[Finding, ...]:
        """The findings of some kinds."""
        return tuple(finding for finding in self.findings if finding.kind in kinds)

    def by_kind(self) -> dict[str, list[Finding]]:
        """The findings of each kind, the worst kinds first."""
        return {kind: list(group) for kind, group in groupby(self.findings, key=lambda finding: finding.kind)}

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``summary`` counts the findings of each kind."""
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
    """``1 image``, ``2,000 images``, ``3 classes``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def listed(names: Sequence[str], most: int = 8) -> str:
    """``a, b and c``; those beyond ``most`` are counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
