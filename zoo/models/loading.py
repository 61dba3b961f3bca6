"""Weights from a file into a network: legacy HDF5 by the order of layers, Keras 3 by its own paths, arrays by name."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras

from zoo.core.errors import WeightsError
from zoo.core.spec import ModelSpec
from zoo.models import efficientnet, matching
from zoo.models.matching import Mismatch, Pair, Target
from zoo.pretrained import layout as weight_layout
from zoo.pretrained.layout import Layer


def load_weights(
    model: keras.Model, spec: ModelSpec, path: Path, *, include_top: bool = True, new_top: bool = False
) -> None:
    """Load a file of weights into a network, with or without its preprocessing.

    The layout is read from the file, whatever its name.

    Args:
        model: the network, as :func:`zoo.create_model` builds it.
        spec: what the registry knows of it.
        path: legacy HDF5, Keras 3 HDF5, a ``.keras`` archive, or arrays by name (``.npz``, ``.npy``).
        include_top: whether the network has its classifier; if not, a classifier in the file is skipped.
        new_top: whether the last layers may be missing in the file, and the last one may have another shape; they are
            then left as they are.

    Raises:
        WeightsError: the file cannot be read, or does not fit.
    """
    if not path.is_file():
        raise WeightsError(f"There is no file {path}; weights are None, 'imagenet', another tag, or a file.")
    with tempfile.TemporaryDirectory() as folder:
        readable = path
        if path.suffix == ".keras":
            readable = Path(folder) / "archive.weights.h5"
            weight_layout.extract(path, readable)
        layout = weight_layout.read(readable)
        fitting, left, wrong = _compare(matching.match(layout, model), include_top, new_top)
        try:
            if wrong:
                raise ValueError("; ".join(matching.describe(wrong)))
            if layout.format == "keras3":
                _load_with_keras(model, readable, Path(folder), left)
            else:
                _assign(readable, fitting)
        except (ValueError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise WeightsError(f"{path} does not fit {spec.name} as it was asked for: {reason}.") from error
    efficientnet.correct_normalization(model, spec)


def _compare(
    pairs: Sequence[Pair], include_top: bool, new_top: bool
) -> tuple[list[tuple[Layer, Target]], list[Target], list[Mismatch]]:
    """The layers to load, those that are left as they are, and what does not fit."""
    ours = [(stored, target) for stored, target in pairs if target is not None]
    optional = len(ours) - new_top
    while new_top and optional > 0 and ours[optional - 1][0] is None:
        optional -= 1
    fitting: list[tuple[Layer, Target]] = []
    left: list[Target] = []
    wrong: list[Mismatch] = []
    for number, (stored, target) in enumerate(ours):
        found = list(matching.differences((stored, target)))
        if stored is not None and not found:
            fitting.append((stored, target))
        elif number >= optional > 0:
            left.append(target)
        else:
            wrong += found
    if include_top:
        wrong += [one for pair in pairs if pair[1] is None for one in matching.differences(pair)]
    return fitting, left, wrong


def _load_with_keras(model: keras.Model, path: Path, folder: Path, left: Sequence[Target]) -> None:
    """Keras loads its own layout, which it expects under its own file name."""
    if not path.name.endswith(".weights.h5"):
        copy = folder / "copy.weights.h5"
        weight_layout.extract(path, copy)
        path = copy
    model.load_weights(path, objects_to_skip=[target.layer for target in left])


def _assign(path: Path, pairs: Sequence[tuple[Layer, Target]]) -> None:
    """Give every variable the array at its place."""
    with weight_layout.reading(path) as read:
        for stored, target in pairs:
            for variable, weight in zip(target.variables, stored.weights, strict=True):
                variable.assign(read(weight.dataset))
            if hasattr(target.layer, "finalize_state"):
                target.layer.finalize_state()
