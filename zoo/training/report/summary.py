"""The run in sentences: how good the model is, and what to keep in mind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.reports.numbers import is_number, listed, number, percent
from zoo.training.report.contents import RunReport

#: A class with fewer images than this has uncertain metrics.
FEW = 10
#: The width of a 95 % interval from which images count as few.
WIDE = 0.04
#: The calibration error from which scores are not probabilities.
UNCALIBRATED = 0.05
#: The difference of training and test accuracy from which a model overfits.
OVERFIT = 0.1

_IMAGES = {"train": "training images", "val": "validation images", "test": "test images"}


def decimals(known: Mapping[str, Any]) -> int:
    """The decimals of an accuracy in per cent that its number of images deserves."""
    return 2 if int(known.get("n", 0)) >= 5000 else 1


def images_of(split: str, n: int | None = None) -> str:
    """``372 test images``."""
    name = _IMAGES.get(split, f"{split} images")
    if n is None:
        return name
    return f"{n:,} {name.removesuffix('s') if n == 1 else name}"


def headline(report: RunReport) -> str:
    """How good the model is, in one sentence."""
    split, known = report.evaluated, report.known
    if split is None:
        known = report.metrics.get("train", {})
        if not known:
            return "Nothing was evaluated in this run."
        good = f"its accuracy on them is {percent(known['top1'])}" if "top1" in known else _loss(report, known)
        return f"It was evaluated only on the images it was trained on: {good}."
    n = int(known.get("n", 0))
    images = images_of(split, n) if n else f"the {images_of(split)}"
    if not is_number(known.get("top1")):
        return f"On {images} {_loss(report, known)}."
    share = percent(known["top1"], decimals(known))
    if not n:
        return f"Of {images} it classifies {share} correctly."
    between = interval(known, decimals(known))
    sentence = f"Of {images} it classifies {round(known['top1'] * n):,} correctly: {share}"
    return sentence + (f" ({between})." if between else ".")


def interval(known: Mapping[str, Any], digits: int) -> str:
    """``95 % interval 88.4–94.1 %``; empty if unknown."""
    if not known.get("top1_interval"):
        return ""
    low, high = known["top1_interval"]
    return f"95\N{NO-BREAK SPACE}% interval\N{NO-BREAK SPACE}{100 * low:.{digits}f}–{percent(high, digits)}"


def baseline(report: RunReport) -> tuple[str, float] | None:
    """A classifier that does not look at the images, in words, and its accuracy."""
    rows = report.known.get("per_class", ())
    supports = [row["support"] for row in rows]
    if len(rows) < 2 or not sum(supports):
        return None
    share = max(supports) / sum(supports)
    if min(supports) == max(supports):
        return "guessing", share
    return f"always predicting “{rows[supports.index(max(supports))]['name']}”", share


def caveats(report: RunReport) -> list[str]:
    """What to keep in mind when reading the metrics, the most serious first."""
    found = [*_data(report), *_independence(report)]
    if is_number(report.known.get("top1")):
        found += [*_images(report), *_overfitting(report), *_calibration(report.known)]
    return found


def _loss(report: RunReport, known: Mapping[str, Any]) -> str:
    name = "loss" if report.classes else "mean squared error"
    return f"the {name} is {number(known.get('loss'))}"


def _independence(report: RunReport) -> list[str]:
    """Whether the metrics come from images that had no influence on the training."""
    validated = any(key.startswith("val_") for row in report.history for key in row)
    if report.evaluated is None:
        return ["No images were held out, so the accuracy on new images is unknown."]
    if report.evaluated == "val":
        chose = " They also selected the best epoch, so the accuracy is slightly optimistic." if validated else ""
        return ["There were no test images; these are the validation images." + chose]
    if validated:
        return ["The validation images selected the epoch that was kept; the test images had no influence."]
    return []


def _data(report: RunReport) -> list[str]:
    """What the check and the reading of the data mean for the metrics."""
    found = []
    errors = sum(finding.severity == "error" for finding in report.findings)
    if errors:
        what = "an error" if errors == 1 else f"{errors:,} errors"
        found.append(f"The check of the data found {what} (see below), so the metrics may be wrong.")
    if report.failed:
        count = len(report.failed)
        what = "1 file could not be read and is" if count == 1 else f"{count:,} files could not be read and are"
        found.append(f"{what} not included in any metric.")
    return found


def _images(report: RunReport) -> list[str]:
    """What the number of images, and of those of each class, means for the metrics."""
    known, split = report.known, report.evaluated or ""
    found = []
    low, high = known.get("top1_interval") or (0.0, 0.0)
    if high - low > WIDE:
        found.append(
            f"The interval is {100 * (high - low):.1f} points wide, because there are only "
            f"{images_of(split, known.get('n'))}; a smaller difference from another model may be chance."
        )
    rows = known.get("per_class", ())
    few = [f"{row['name']} ({row['support']:,})" for row in rows if row["support"] < FEW]
    if few:
        which = "class has" if len(few) == 1 else "classes have"
        found.append(f"{len(few):,} {which} fewer than {FEW} {images_of(split)}: {listed(few)}.")
    never = [str(row["name"]) for row in rows if row["support"] and row["precision"] is None]
    if never:
        found.append(f"Never predicted: {listed(never)}.")
    usual = baseline(report)
    if usual is not None:
        what, share = usual
        gain = "" if known["top1"] > share else "; this model is no better than that"
        found.append(f"{what[0].upper()}{what[1:]} would be correct for {percent(share)} of the images{gain}.")
    return found


def _overfitting(report: RunReport) -> Sequence[str]:
    train, top1 = report.metrics.get("train", {}).get("top1"), report.known["top1"]
    if not is_number(train) or train - top1 < OVERFIT:
        return ()
    return [
        f"It classifies {percent(train)} of the training images correctly, {100 * (train - top1):.0f} points more: "
        "it overfits. More images, or more augmentation, would help."
    ]


def _calibration(known: Mapping[str, Any]) -> Sequence[str]:
    error = known.get("ece")
    if not is_number(error):
        return ()
    points = f"the calibration error is {100 * error:.1f} points"
    if error < UNCALIBRATED:
        return [f"Its scores can be read as probabilities: {points}."]
    return [f"Its scores are not probabilities: {points}."]
