"""Fine-tuning a network: a dataset and a trained network in, a run folder out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.catalog import default_model, registry
from zoo.pretrained import keras_file
from zoo.training.finetuning import recipe as recipes
from zoo.training.finetuning.job import Finetuning
from zoo.training.job import Outcome
from zoo.training.progress import Watcher
from zoo.training.run import Run, next_folder
from zoo.training.settings import Settings, resumed

COMMAND = "finetune"


def finetune(
    dataset: str | os.PathLike[str],
    model: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    *,
    mode: str | None = None,
    recipe: str | os.PathLike[str] = recipes.DEFAULT,
    changes: Sequence[str] = (),
    watcher: Watcher | None = None,
    **settings: Any,
) -> Outcome:
    """Make a classifier of a dataset's classes from a trained network.

    >>> finetune("photos", "mobilenetv2").metrics["val"]["top1"]

    Args:
        dataset: as :func:`zoo.data.dataset.read_for_training` takes it.
        model: a name, ``NAME:TAG``, or a ``.keras`` file; the best compromise that is to be had without.
        folder: the run folder, which must be new or empty; ``runs/NAME-1``, ``-2``, … without.
        mode: ``auto``, ``head``, ``partial``, ``full`` or ``scratch``; the recipe's without.
        recipe: name or path.
        changes: of the recipe, ``KEY=VALUE`` as on the command line: ``["phases.partial.epochs=10"]``.
        watcher: who looks on.
        **settings: further fields of :class:`~zoo.training.settings.Settings`, such as ``seed``, ``device``,
            ``time_limit`` or ``check`` (for copies and leaks; done unless it is False), and the recipe's ``epochs``,
            ``learning_rate``, ``batch_size`` and ``unfreeze_from``.

    Returns:
        What became of it; everything else is in the folder.

    Raises:
        UsageError: the network, the dataset or the recipe make no sense together, or the folder is not empty.
        WeightsError: there are no weights of the network here.
        UnavailableError: the device is not to be had, no image can be read, or the disk is full.
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
    return start(ready, place, watcher=watcher)


def short_name(model: str) -> str:
    """What runs of a network are called: its name without a tag, or that of its file."""
    return Path(model).stem if keras_file.is_file(model) else registry.resolve(model)[0].name


def start(settings: Settings, folder: Path, *, watcher: Watcher | None = None) -> Outcome:
    """Fine-tune with settings that are ready; see :func:`finetune`."""
    return Finetuning(settings, Run(folder, COMMAND), resumed=False, watcher=watcher).go()


def resume(
    folder: Path, *, time_limit: float | None = None, device: str | None = None, watcher: Watcher | None = None
) -> Outcome:
    """Go on with a run that was stopped, exactly where it was; see :func:`zoo.training.scratch.train.resume`.

    Raises:
        UsageError: it is no run, its checkpoint is damaged, or its images have changed since.
    """
    run = Run(folder, COMMAND)
    settings = resumed(run, recipes.from_mapping, time_limit=time_limit, device=device)
    return Finetuning(settings, run, resumed=True, watcher=watcher).go()
