"""Train a network from scratch: a dataset, a network and a recipe in, a run folder out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zoo.catalog import registry
from zoo.training import recipe as recipes
from zoo.training.callbacks.base import Callback
from zoo.training.job import Outcome
from zoo.training.run import next_folder
from zoo.training.scratch.job import ScratchJob
from zoo.training.settings import Settings

#: Train with complete settings, and resume a training that was stopped.
start, resume = ScratchJob.start, ScratchJob.resume


def train(
    model: str,
    dataset: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    recipe: str | os.PathLike[str] | None = None,
    changes: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    variables: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Outcome:
    """Train a network from scratch.

    >>> train("lenet5", "mnist/", epochs=5).metrics["test"]["top1"]
    0.98

    Args:
        model: a name of the registry, or the path of a YAML file.
        dataset: class folders, ``train/``, ``val/`` and ``test/`` of such, IDX files, or a ``split.csv``.
        folder: the run folder, new or empty; default: ``runs/NAME-1``, ``-2``, ….
        recipe: name or path; default: the network's own.
        changes: changes of the recipe, ``KEY=VALUE`` as on the command line: ``["augment.cutout=8"]``.
        callbacks: see :mod:`zoo.training.callbacks`.
        variables: of the network, such as ``{"width": 16}``.
        **settings: further fields of :class:`~zoo.training.settings.Settings`, such as ``seed``, ``device`` or
            ``time_limit``, and the recipe's ``epochs``, ``batch_size`` and ``learning_rate``.

    Returns:
        The outcome; everything else is in the folder.

    Raises:
        UsageError: an invalid name, dataset or value.
        UnavailableError: the device is unavailable, disk or memory are full, or the loss diverged.
    """
    overrides = {key: settings.pop(key, None) for key in ("epochs", "batch_size", "learning_rate")}
    spec, _ = registry.resolve(model)
    ready = Settings(
        model=model,
        dataset=os.fspath(dataset),
        recipe=recipes.load(recipe or spec.recipe or recipes.DEFAULT, changes, **overrides),
        variables=MappingProxyType(dict(variables or {})),
        **settings,
    )
    return start(ready, Path(folder) if folder is not None else next_folder(spec.name), callbacks=callbacks)
