"""What an evaluation leaves in a folder: its figures, a line for each image, and images of what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.core import output
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.evaluation import calibration
from zoo.evaluation.result import Evaluation
from zoo.images import decode
from zoo.inference.temperature import apply_temperature
from zoo.reports import plots

#: Mistakes that are shown.
SHOWN = 35

_PREDICTIONS = ("path", "status", "truth", "predicted", "score", "rank", "error")
_CLASSES = ("name", "index", "precision", "recall", "f1", "support")


def check(folder: Path) -> None:
    """Refuse a folder that cannot be one, before anything is computed.

    Raises:
        UsageError: something else has its name.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out-dir names a folder, and {folder} is a file.")


def write(evaluation: Evaluation, folder: Path, summary: dict[str, Any]) -> None:
    """Write everything into a folder, each file whole or not at all; what is there of the same name is replaced.

    * ``metrics.json``: ``summary``.
    * ``predictions.csv``: a line for each image, those that could not be read with the reason.
    * ``per_class.csv``: precision, recall and F1.
    * ``confusion.csv`` and ``confusion.png``: the classes that are true or predicted for some image.
    * ``reliability.png``: accuracy against confidence; with the fitted temperature too, where there is one.
    * ``mistakes.png``: the surest mistakes, where there are some.

    Args:
        evaluation: what is written.
        folder: made where it is not there.
        summary: the figures that go into ``metrics.json``.

    Raises:
        UnavailableError: the folder cannot be made, or a file not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
    with output.opened(folder / "metrics.json") as stream:
        stream.write(json.dumps(summary, indent=1) + "\n")
    with output.opened(folder / "predictions.csv") as stream:
        output.write(_predictions(evaluation), stream, "csv", columns=_PREDICTIONS)
    with output.opened(folder / "per_class.csv") as stream:
        output.write(summary.get("per_class", []), stream, "csv", columns=_CLASSES)
    names = [evaluation.names[index] for index in evaluation.present]
    with output.opened(folder / "confusion.csv") as stream:
        rows = ({"truth": name, **counts} for name, counts in _counts(evaluation, names))
        output.write(rows, stream, "csv", columns=["truth", *names])
    title = f"{evaluation.model} on {dataset_name(evaluation.dataset)}"
    title += f", {evaluation.split}" if evaluation.split else ""
    plots.confusion(evaluation.confusion, names, folder / "confusion.png", title=title)
    _reliability(evaluation, folder / "reliability.png", title)
    _mistakes(evaluation, folder / "mistakes.png", title)


def dataset_name(path: str) -> str:
    """What a dataset is called on a page: its folder; for a table that too, as all tables have the same name."""
    whole = Path(path).absolute()
    return f"{whole.parent.name}/{whole.name}" if whole.suffix == ".csv" else whole.name


def _predictions(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for index in range(len(evaluation.labels)):
        yield {"status": "ok", **evaluation.row(index)}
    for path, error in evaluation.scored.failed:
        yield {"path": path, "status": "unreadable", "error": error}


def _counts(evaluation: Evaluation, names: Sequence[str]) -> Iterator[tuple[str, dict[str, int]]]:
    for name, row in zip(names, evaluation.confusion, strict=True):
        yield name, {other: int(count) for other, count in zip(names, row, strict=True)}


def _reliability(evaluation: Evaluation, path: Path, title: str) -> None:
    stored = evaluation.temperature
    shown = {
        "as it is" if stored == 1 else f"temperature {stored:.3g}, as stored": calibration.reliability(
            evaluation.scores, evaluation.labels
        )
    }
    fitted = evaluation.calibration.temperature if evaluation.calibration else None
    if fitted is not None:
        scores = apply_temperature(evaluation.scores, fitted)
        shown[f"temperature {stored * fitted:.3g}"] = calibration.reliability(scores, evaluation.labels)
    plots.reliability(shown, path, title=title)


def _mistakes(evaluation: Evaluation, path: Path, title: str) -> None:
    """The surest mistakes as the network sees them, on one sheet; none that an earlier evaluation left behind."""
    images, captions = [], []
    wrong = evaluation.mistakes()
    for index in wrong[:SHOWN]:
        row = evaluation.row(index)
        try:
            images.append(decode.load(evaluation.scored.sources[index], evaluation.resize))
        except ImageError:
            # It was there a moment ago; its line in predictions.csv stays.
            continue
        # Cut off and not rounded: nobody is sure of a mistake by 100 %.
        percent = min(99, int(100 * row["score"]))
        captions.append(f"{row['truth']}\nnot {row['predicted']}\N{NO-BREAK SPACE}{percent}%")
    if not images:
        path.unlink(missing_ok=True)
        return
    count = f"{len(wrong):,} mistakes" if len(wrong) > 1 else "one mistake"
    surest = f", the {SHOWN} surest" if len(wrong) > SHOWN else ""
    plots.sheet(images, captions, path, title=f"{count}{surest}: {title}")
