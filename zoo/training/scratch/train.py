"""Training a network from scratch: a dataset, a network and a recipe in, a run folder out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zoo.catalog import registry
from zoo.training import recipe as recipes
from zoo.training.job import Outcome
from zoo.training.progress import Watcher
from zoo.training.run import Run, next_folder
from zoo.training.scratch.loop import Training
from zoo.training.settings import Settings, resumed


def train(
    model: str,
    dataset: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    recipe: str | os.PathLike[str] | None = None,
    changes: Sequence[str] = (),
    watcher: Watcher | None = None,
    variables: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Outcome:
    """Train a network from scratch.

    >>> train("lenet5", "mnist/", epochs=5).metrics["test"]["top1"]
    0.98

    Args:
        model: a name of the registry, or the path of a YAML file.
        dataset: a folder a class, ``train/``, ``val/`` and ``test/`` of such, IDX files, or a ``split.csv``.
        folder: the run folder, which must be new or empty; ``runs/NAME-1``, ``-2``, … without.
        recipe: name or path; the network's own without.
        changes: of the recipe, ``KEY=VALUE`` as on the command line: ``["augment.cutout=8"]``.
        watcher: who looks on.
        variables: of the network, such as ``{"width": 16}``.
        **settings: further fields of :class:`~zoo.training.settings.Settings`, such as ``seed``, ``device`` or
            ``time_limit``, and the recipe's ``epochs``, ``batch_size`` and ``learning_rate``.

    Returns:
        What became of it; everything else is in the folder.

    Raises:
        UsageError: a name, a dataset or a value that makes no sense.
        UnavailableError: device, disk or memory is not to be had, or the loss diverged.
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
    place = Path(folder) if folder is not None else next_folder(spec.name)
    return start(ready, place, watcher=watcher)


def start(settings: Settings, folder: Path, *, watcher: Watcher | None = None) -> Outcome:
    """Train with settings that are ready; see :func:`train`."""
    return Training(settings, Run(folder), resumed=False, watcher=watcher).go()


def resume(
    folder: Path, *, time_limit: float | None = None, device: str | None = None, watcher: Watcher | None = None
) -> Outcome:
    """Go on with a training that was stopped, exactly where it was.

    Args:
        folder: its run folder.
        time_limit: seconds for the training as a whole, those before it was stopped included; as it was without.
        device: where it goes on; where it was without.
        watcher: who looks on.

    Raises:
        UsageError: there is no checkpoint, or network or dataset are not the same any more.
        UnavailableError: as for :func:`train`.
    """
    run = Run(folder)
    settings = resumed(run, recipes.from_mapping, time_limit=time_limit, device=device)
    return Training(settings, run, resumed=True, watcher=watcher).go()
