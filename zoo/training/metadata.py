"""What a training leaves in its folder besides the numbers: the network's file, and images of how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo._version import __version__
from zoo.catalog import declarative
from zoo.catalog.declarative import yaml_lines
from zoo.catalog.default_model import Choice
from zoo.core import output
from zoo.core.spec import ModelSpec
from zoo.data.loading.loader import Loader
from zoo.evaluation import metrics
from zoo.images.decode import load as load_image
from zoo.pretrained import digests
from zoo.reports import plots
from zoo.training import predict
from zoo.training.predict import Judgement
from zoo.training.run import Run
from zoo.training.settings import Settings
from zoo.training.tensorboard import TensorBoard

if TYPE_CHECKING:
    import keras

#: Mistakes that are shown, and images of the first batch.
SHOWN = 35


def copy_network(spec: ModelSpec, run: Run) -> None:
    """Keep a network's description with the run, where it has one; it may change later.

    A network that states no name is called like its file, so its copy, whose file has another name, states one.

    Raises:
        UnavailableError: the copy cannot be written.
        UsageError: the description is gone, or was damaged meanwhile.
    """
    if not declarative.is_declarative(spec):
        return
    file = spec.arguments["network"]
    text = yaml_lines.read_text(file)
    if "name" not in (yaml_lines.parse(text, file).mapping or {}):
        text = _with_name(text, spec.name)
    run.write_text(run.network.name, text)


def _with_name(text: str, name: str) -> str:
    """The YAML of a mapping with a ``name`` before its first key; comments and all else stay."""
    import yaml

    mapping: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    start = mapping.value[0][0].start_mark
    # In quotes, because a file may be called 7.yaml.
    entry = f'name: "{name}"' + (", " if mapping.flow_style else "\n" + " " * start.column)
    return text[: start.index] + entry + text[start.index :]


def load(run: Run) -> keras.Model:
    """The kept network, from its file."""
    from zoo import models

    return models.create_model(str(run.model))


def metadata(
    settings: Settings, spec: ModelSpec, classes: Sequence[str], split: str, judged: Mapping[str, Any]
) -> dict[str, Any]:
    """What ``model.keras`` knows of itself; see :mod:`zoo.pretrained.keras_file`."""
    return {
        "zoo_version": __version__,
        "network": spec.name,
        "variables": dict(settings.variables),
        "classes": list(classes) if spec.classes else [],
        "input_size": list(spec.input_size),
        "resize": {
            "policy": spec.resize.policy,
            "fraction": spec.resize.fraction,
            "interpolation": spec.resize.interpolation,
        },
        "preprocessing": spec.preprocessing.describe(),
        "trained_on": Path(settings.dataset).resolve().name,
        "initial_weights": settings.weights,
        # Weights made from random numbers belong to whoever trained them, who may state terms.
        "licence": None,
        "recipe": settings.recipe.name,
        "seed": settings.seed,
        "split_sha256": split,
        "metrics": dict(judged),
    }


def origin(chosen: Choice, *, scratch: bool) -> dict[str, Any]:
    """Where a fine-tuned network comes from: its weights, their digest, and the terms that they were given under."""
    spec, found = chosen.spec, chosen.weights
    if scratch:
        return {}
    weights = spec.weights.get(chosen.tag) if chosen.tag else spec.weight_set()
    file = found.path if found is not None else spec.file
    return {
        "backbone": spec.name,
        "initial_weights": chosen.tag or spec.file,
        "weights_sha256": digests.digest(file) if file else None,
        # What is made of a work goes by the terms of the work.
        "licence": weights.licence if weights else None,
        "attribution": weights.attribution if weights else None,
    }


class Images:
    """Curves, confusion, mistakes and first-layer filters, as files and, where it is asked for, for TensorBoard."""

    def __init__(self, run: Run, classes: Sequence[str], spec: ModelSpec, tensorboard: bool) -> None:
        """Open TensorBoard's file in ``RUN/tensorboard`` if ``tensorboard``.

        Raises:
            UnavailableError: TensorBoard is not installed.
        """
        self.run, self.classes, self.spec = run, list(classes), spec
        #: What the network said of the split that was judged last.
        self.judgement: Judgement | None = None
        self._predictions: list[dict[str, Any]] = []
        self.board = TensorBoard(run.folder / "tensorboard") if tensorboard else None

    def begin(self, network: keras.Model, loader: Loader) -> None:
        """Show TensorBoard what the network is shown: augmented images of the first batch."""
        if self.board is None:
            return
        x, y = next(iter(loader.epoch(0)))
        names = [self.classes[index] for index in y[:SHOWN].argmax(1)]
        self.board.image("inputs", plots.sheet_image(list(x[:SHOWN]), names), 0)
        self._filters(network, 0)

    def epoch(self, network: keras.Model, rows: Sequence[Mapping[str, float]], best: int, *, draw: bool) -> None:
        """After an epoch: curves, if they are to be drawn now, and for TensorBoard all there is to see."""
        row = rows[-1]
        if draw:
            self.curves(rows, best)
        if self.board is None:
            return
        number = int(row["epoch"])
        self.board.scalars({key: value for key, value in row.items() if key != "epoch"}, number)
        for layer in network.layers:
            for weight in layer.trainable_weights:
                self.board.histogram(f"{layer.name}/{weight.name}", np.asarray(weight), number)
        self._filters(network, number)

    def curves(self, rows: Sequence[Mapping[str, float]], best: int) -> None:
        """Loss and accuracy over the epochs."""
        plots.curves(rows, self.run.folder / "curves.png", title=self.run.folder.name, best=best)

    def judge(self, network: keras.Model, loader: Loader, split: str) -> dict[str, Any]:
        """All metrics of the finished network on a split; its confusion and its mistakes as images.

        The last split that is judged gives the images, so the test images do where there are some.
        """
        if self.spec.classes == 0:
            error = predict.squared_error(network, loader.epoch(0), self.spec.preprocessing)
            return {"n": len(loader.kept), "loss": error}
        judgement = self.judgement = predict.judge(network, loader, split)
        self._write_predictions(judgement)
        summary = metrics.summary(judgement.scores, judgement.labels, self.classes)
        matrix = metrics.confusion(judgement.predicted, judgement.labels, len(self.classes))
        title = f"{self.run.folder.name}, {split}"
        plots.confusion(matrix, self.classes, self.run.folder / "confusion.png", title=title)
        self._mistakes(judgement)
        if self.board is not None:
            self.board.image("confusion", plots.confusion_image(matrix, self.classes, title=title), 0)
        return summary

    def _write_predictions(self, judgement: Judgement) -> None:
        """A row for each image that was judged, in ``predictions.csv``."""
        predicted = judgement.predicted
        self._predictions += [
            {
                "path": source.path,
                "split": judgement.split,
                "label": self.classes[label],
                "predicted": self.classes[best],
                "score": round(float(scores[best]), 6),
            }
            for source, label, best, scores in zip(
                judgement.sources, judgement.labels, predicted, judgement.scores, strict=True
            )
        ]
        with output.opened(self.run.folder / "predictions.csv") as stream:
            output.write(self._predictions, stream, "csv", columns=list(self._predictions[0]))

    def end(self) -> None:
        """Close TensorBoard's file."""
        if self.board is not None:
            self.board.close()

    def _mistakes(self, judgement: Judgement) -> None:
        """The surest mistakes on one sheet."""
        wrong = judgement.wrong[:SHOWN]
        if not len(wrong):
            return
        scores, labels = judgement.scores, judgement.labels
        captions = [
            f"{self.classes[labels[i]]}\nnot {self.classes[scores[i].argmax()]}\N{NO-BREAK SPACE}{scores[i].max():.0%}"
            for i in wrong
        ]
        images = [load_image(judgement.sources[index], self.spec.resize) for index in wrong]
        title = f"{judgement.split}: the surest mistakes"
        plots.sheet(images, captions, self.run.folder / "mistakes.png", title=title)
        if self.board is not None:
            self.board.image("mistakes", plots.sheet_image(images, captions, title=title), 0)

    def _filters(self, network: keras.Model, step: int) -> None:
        """The kernels of the first convolution, where its input is an image's channels."""
        assert self.board is not None
        for layer in network.layers:
            kernel = getattr(layer, "kernel", None)
            if kernel is not None and len(kernel.shape) == 4:
                self.board.image("filters", plots.filters(np.asarray(kernel, "float32")), step)
                return
