"""The run in sentences that a person understands: how good it is, and what to keep in mind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeGuard

from zoo.reports.html.contents import RunReport

#: A class with fewer images than this says little about itself.
FEW = 10
#: Points between the ends of the 95 % interval from which on images count as few.
WIDE = 0.04
#: A calibration error from which on scores are not to be taken for probabilities.
UNCALIBRATED = 0.05
#: Points by which training may be ahead before it counts as learnt by heart.
AHEAD = 0.1
#: Names that are listed before the others are only counted.
LISTED = 6

#: What images of a split are called.
_IMAGES = {"train": "training images", "val": "validation images", "test": "test images"}
_UNKNOWN = "—"


def percent(share: Any, decimals: int = 1) -> str:
    """``91.7 %``, with a space that is not broken; an em dash where there is no number."""
    if not is_number(share):
        return _UNKNOWN
    return f"{100 * share:.{decimals}f}\N{NO-BREAK SPACE}%"


def number(value: Any) -> str:
    """A number as people write it: separators in whole ones, four digits of others."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if is_number(value) else _UNKNOWN


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number, Python's or NumPy's."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def some(names: Sequence[str]) -> str:
    """The names, or the first of them and how many more there are."""
    shown = ", ".join(names[:LISTED])
    return shown if len(names) <= LISTED else f"{shown} and {len(names) - LISTED:,} more"


def decimals(n: int) -> int:
    """Digits after the point that a share of ``n`` images deserves in percent."""
    return 2 if n >= 5000 else 1


def images_of(split: str, n: int | None = None) -> str:
    """``372 test images``."""
    name = _IMAGES.get(split, f"{split} images")
    if n is None:
        return name
    return f"{n:,} {name.removesuffix('s') if n == 1 else name}"


def headline(report: RunReport) -> str:
    """How good the network is, in one sentence."""
    split = report.judged
    if split is None:
        known = report.metrics.get("train", {})
        if not known:
            return "Nothing was judged in this run."
        good = f"it named {percent(known['top1'])} of them right" if "top1" in known else _loss(report, known)
        return f"It was judged on nothing but the images it was trained on: {good}."
    known = report.metrics[split]
    n = int(known.get("n", 0))
    images = images_of(split, n) if n else f"the {images_of(split)}"
    if not is_number(known.get("top1")):
        return f"On {images} {_loss(report, known)}."
    digits = decimals(n)
    share = percent(known["top1"], digits)
    if not n:
        return f"Of {images} it names {share} right."
    sentence = f"Of {images} it names {round(known['top1'] * n):,} right: {share}"
    return sentence + (f" ({interval(known, digits)})." if "top1_interval" in known else ".")


def interval(known: Mapping[str, Any], digits: int) -> str:
    """``95 % interval 88.4–94.1 %``."""
    low, high = known["top1_interval"]
    return f"95\N{NO-BREAK SPACE}% interval\N{NO-BREAK SPACE}{100 * low:.{digits}f}–{percent(high, digits)}"


def baseline(report: RunReport) -> tuple[str, float] | None:
    """How often one is right without looking: what one would do for that, and the accuracy of it."""
    rows = report.metrics.get(report.judged or "", {}).get("per_class", ())
    supports = [row["support"] for row in rows]
    if len(rows) < 2 or not sum(supports):
        return None
    share = max(supports) / sum(supports)
    if min(supports) == max(supports):
        return "guessing", share
    return f"always saying “{rows[supports.index(max(supports))]['name']}”", share


def caveats(report: RunReport) -> list[str]:
    """What to keep in mind when reading the figures, the gravest first."""
    known = report.metrics.get(report.judged or "", {})
    found = [*_from_the_data(report), *_independence(report)]
    if is_number(known.get("top1")):
        found += [*_images(report, known), *_by_heart(report, known), *_calibration(known)]
    return found


def _loss(report: RunReport, known: Mapping[str, Any]) -> str:
    """What is said where nothing is named right or wrong."""
    name = "loss" if report.classes else "mean squared error"
    return f"the {name} is {number(known.get('loss'))}"


def _independence(report: RunReport) -> list[str]:
    """Whether the figures come from images that had no say in the training."""
    watched = any(key.startswith("val_") for row in report.history for key in row)
    if report.judged is None:
        return ["No images were held back, so nobody knows how good this network is on new ones."]
    if report.judged == "val":
        chose = " They also chose the best epoch, so the figure is a little too good." if watched else ""
        return ["There were no test images; these are the validation images." + chose]
    if watched:
        return ["The validation images chose the epoch that was kept; the test images chose nothing."]
    return []


def _from_the_data(report: RunReport) -> list[str]:
    """What the check of the data, and the reading of it, mean for the figures."""
    found = []
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if errors:
        what = "an error" if len(errors) == 1 else f"{len(errors):,} errors"
        found.append(f"The check of the data found {what} (see below); the figures may be wrong because of that.")
    if report.failed:
        count = len(report.failed)
        what = "1 file could not be read and is" if count == 1 else f"{count:,} files could not be read and are"
        found.append(f"{what} in no figure.")
    return found


def _images(report: RunReport, known: Mapping[str, Any]) -> list[str]:
    """What the number of images, and of those of each class, allows to be said."""
    found = []
    low, high = known.get("top1_interval", (0.0, 0.0))
    images = images_of(report.judged or "", known.get("n"))
    if high - low > WIDE:
        found.append(
            f"The interval is {100 * (high - low):.1f} points wide, as there are only {images}; a difference from "
            "another network that is smaller than that may be chance."
        )
    rows = known.get("per_class", ())
    few = [f"{row['name']} ({row['support']:,})" for row in rows if row["support"] < FEW]
    if few:
        which = "class has" if len(few) == 1 else "classes have"
        found.append(f"{len(few):,} {which} fewer than {FEW} {images_of(report.judged or '')}: {some(few)}.")
    never = [str(row["name"]) for row in rows if row["support"] and row["precision"] is None]
    if never:
        found.append(f"Never predicted at all: {some(never)}.")
    usual = baseline(report)
    if usual is not None:
        what, share = usual
        gain = "" if known["top1"] > share else "; this network is no better than that"
        found.append(f"{what[0].upper()}{what[1:]} would be right for {percent(share)} of the images{gain}.")
    return found


def _by_heart(report: RunReport, known: Mapping[str, Any]) -> list[str]:
    train = report.metrics.get("train", {}).get("top1")
    if not is_number(train) or train - known["top1"] < AHEAD:
        return []
    return [
        f"It names {percent(train)} of the training images right, {100 * (train - known['top1']):.0f} points more: "
        "part of them it knows by heart. More images, or more augmentation, would help."
    ]


def _calibration(known: Mapping[str, Any]) -> list[str]:
    error = known.get("ece")
    if not is_number(error):
        return []
    points = f"{100 * error:.1f} points"
    if error < UNCALIBRATED:
        return [f"Its scores can be read as probabilities: they differ from how often it is right by {points}."]
    return [f"Its scores are no probabilities: they differ from how often it is right by {points} on average."]
