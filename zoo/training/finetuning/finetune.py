"""Fine-tune a network: a dataset and a pretrained network in, a run folder out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.catalog import default_model, registry
from zoo.pretrained import keras_file
from zoo.training.callbacks.base import Callback
from zoo.training.finetuning import recipe as recipes
from zoo.training.finetuning.job import FineTuningJob
from zoo.training.job import Outcome
from zoo.training.run import next_folder
from zoo.training.settings import Settings

#: Fine-tune with complete settings, and resume a run that was stopped.
start, resume = FineTuningJob.start, FineTuningJob.resume


def finetune(
    dataset: str | os.PathLike[str],
    model: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    *,
    mode: str | None = None,
    recipe: str | os.PathLike[str] = recipes.DEFAULT,
    changes: Sequence[str] = (),
    callbacks: Sequence[Callback] = (),
    **settings: Any,
) -> Outcome:
    """Train a classifier of a dataset's classes, starting from a pretrained network.

    >>> finetune("photos", "mobilenetv2").metrics["val"]["top1"]

    Args:
        dataset: as :func:`zoo.data.dataset.read_for_training` takes it.
        model: a name, ``NAME:TAG``, or a ``.keras`` file; default: the best network whose weights are available.
        folder: the run folder, new or empty; default: ``runs/NAME-1``, ``-2``, ….
        mode: ``auto``, ``head``, ``partial``, ``full`` or ``scratch``; default: the recipe's.
        recipe: name or path.
        changes: changes of the recipe, ``KEY=VALUE`` as on the command line: ``["phases.partial.epochs=10"]``.
        callbacks: see :mod:`zoo.training.callbacks`.
        **settings: further fields of :class:`~zoo.training.settings.Settings`, such as ``seed``, ``device``,
            ``time_limit`` or ``check`` (for duplicates and leaks; default: True), and the recipe's ``epochs``,
            ``learning_rate``, ``batch_size`` and ``unfreeze_from``.

    Returns:
        The outcome; everything else is in the folder.

    Raises:
        UsageError: network, dataset and recipe do not fit, or the folder is not empty.
        WeightsError: the weights of the network are unavailable.
        UnavailableError: the device is unavailable, no image can be read, or the disk is full.
    """
    keys = ("epochs", "learning_rate", "batch_size", "unfreeze_from")
    overrides = {key: settings.pop(key) for key in keys if key in settings}
    name = model or default_model.default(shipped=False).spec.name
    ready = Settings(
        model=name,
        dataset=os.fspath(dataset),
        recipe=recipes.load(recipe, changes, mode=mode, **overrides),
        **{"check": True, **settings},
    )
    place = Path(folder) if folder is not None else next_folder(short_name(name))
    return start(ready, place, callbacks=callbacks)


def short_name(model: str) -> str:
    """The name of a network without its tag, or that of its file; run folders are called by it."""
    return Path(model).stem if keras_file.is_file(model) else registry.resolve(model)[0].name
