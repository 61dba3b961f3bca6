"""The files of an evaluation: its metrics, a row for each image, and plots."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.catalog.labels import display
from zoo.core import output
from zoo.core.errors import ImageError, UnavailableError, UsageError
from zoo.evaluation import metrics
from zoo.evaluation.result import Evaluation
from zoo.images import decode
from zoo.inference.temperature import apply_temperature
from zoo.reports import plots

#: The maximum of images in mistakes.png.
SHOWN = 35

_PREDICTIONS = ("path", "status", "truth", "predicted", "score", "rank", "error")
_CLASSES = ("name", "index", "precision", "recall", "f1", "support")


def check(folder: Path) -> None:
    """Refuse a folder that cannot be created, before anything is computed.

    Raises:
        UsageError: it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"Expected a folder for --out-dir. Received: {folder}, which is a file.")


def write(evaluation: Evaluation, folder: Path, summary: dict[str, Any]) -> None:
    """Write all files, each atomically; earlier ones of the same name are replaced.

    * ``metrics.json``: ``summary``.
    * ``predictions.csv``: a row for each image; unreadable ones have the reason.
    * ``per_class.csv``: precision, recall and F1.
    * ``confusion.csv`` and ``confusion.png``: the classes that are true or predicted for some image.
    * ``reliability.png``: accuracy against confidence, also with the fitted temperature.
    * ``mistakes.png``: the most confident mistakes, if there are any.

    Args:
        evaluation: the result.
        folder: created if it does not exist.
        summary: the content of ``metrics.json``.

    Raises:
        UnavailableError: the folder cannot be created, or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"The folder {folder} cannot be created: {error.strerror or error}.") from error
    names = [evaluation.names[index] for index in evaluation.present]
    confusion = (
        {"truth": name, **dict(zip(names, row, strict=True))}
        for name, row in zip(names, evaluation.confusion.tolist(), strict=True)
    )
    with output.opened(folder / "metrics.json") as stream:
        stream.write(json.dumps(summary, indent=1) + "\n")
    for file, rows, columns in (
        ("predictions.csv", _predictions(evaluation), _PREDICTIONS),
        ("per_class.csv", summary.get("per_class", []), _CLASSES),
        ("confusion.csv", confusion, ["truth", *names]),
    ):
        with output.opened(folder / file) as stream:
            output.write(rows, stream, "csv", columns=columns)
    title = f"{evaluation.model} on {dataset_name(evaluation.dataset)}"
    title += f", {evaluation.split}" if evaluation.split else ""
    drawn = plots.confusion_image(evaluation.confusion, [display(name) for name in names], title=title)
    plots.write_png(drawn, folder / "confusion.png")
    _reliability(evaluation, folder / "reliability.png", title)
    _mistakes(evaluation, folder / "mistakes.png", title)


def dataset_name(path: str) -> str:
    """The name of a dataset in a title: its folder, and for a table that too, because tables have the same name."""
    whole = Path(path).absolute()
    return f"{whole.parent.name}/{whole.name}" if whole.suffix == ".csv" else whole.name


def _predictions(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for index in range(len(evaluation.labels)):
        yield {"status": "ok", **evaluation.row(index)}
    for path, error in evaluation.scored.failed:
        yield {"path": path, "status": "unreadable", "error": error}


def _reliability(evaluation: Evaluation, path: Path, title: str) -> None:
    stored, labels = evaluation.temperature, evaluation.labels
    name = "as it is" if stored == 1 else f"temperature {stored:.3g}, as stored"
    series = {name: metrics.reliability(evaluation.scores, labels)}
    fitted = evaluation.calibration.temperature if evaluation.calibration else None
    if fitted is not None:
        scores = apply_temperature(evaluation.scores, fitted)
        series[f"temperature {stored * fitted:.3g}"] = metrics.reliability(scores, labels)
    plots.write_png(plots.reliability_image(series, title=title), path)


def _mistakes(evaluation: Evaluation, path: Path, title: str) -> None:
    """The most confident mistakes as the model sees them; a sheet of an earlier evaluation is removed."""
    images, captions = [], []
    wrong = evaluation.mistakes()
    for index in wrong[:SHOWN]:
        row = evaluation.row(index)
        try:
            images.append(decode.load(evaluation.scored.sources[index], evaluation.resize))
        except ImageError:
            # It was readable a moment ago; its row in predictions.csv remains.
            continue
        captions.append(plots.mistake_caption(display(row["truth"]), display(row["predicted"]), row["score"]))
    if not images:
        path.unlink(missing_ok=True)
        return
    count = f"{len(wrong):,} mistakes" if len(wrong) > 1 else "one mistake"
    shown = f", the {SHOWN} most confident" if len(wrong) > SHOWN else ""
    plots.write_png(plots.sheet_image(images, captions, title=f"{count}{shown}: {title}"), path)
