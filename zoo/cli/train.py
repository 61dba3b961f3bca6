"""``zoo train``: a network from scratch, on a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli import common, training


@common.command("train")
@click.argument("model", metavar="[NAME|FILE.yaml]", required=False)
@training.options
@click.option("--weights", metavar="TAG|FILE", help="Weights to begin with; random ones without.")
def command(model: str | None, resume: Path | None, output: Path | None, format: str | None, **options: Any) -> int:
    """Train a network from scratch.

    The images are a folder for each class, which is split, or train/, val/ and test/ of such folders, or files in
    MNIST's format. The run's folder gets model.keras (which every command takes for a model), report.html,
    metrics.json, history.csv, split.csv, config.yaml, curves.png, confusion.png and mistakes.png. Ctrl-C saves and
    stops; --resume goes on exactly there.

    \b
      zoo train lenet5 --dataset mnist/
      zoo train my-network.yaml --dataset photos/ --time 30m
      zoo train cifar-resnet20 --dataset cifar10/ --epochs 60 --set augment.cutout=8
      zoo train --resume runs/lenet5-1
    """
    from zoo.core.errors import UsageError
    from zoo.training import run as runs
    from zoo.training.scratch import train

    gate, device = options.pop("min_val_accuracy"), options.pop("device")
    with training.watched(offline=options.pop("offline")) as screen:
        if resume is not None:
            training.require_nothing_else()
            outcome = train.resume(resume, time_limit=options["time_limit"], device=device, watcher=screen)
        else:
            if model is None or options["dataset"] is None:
                missing = "a network, such as lenet5 or my.yaml" if model is None else "--dataset with the images"
                raise UsageError(f"zoo train takes {missing}; 'zoo train --help' shows examples.")
            settings = _settings(model, device=device or "auto", **options)
            folder = output or runs.next_folder(settings.spec().name)
            screen.note(f"the run goes to {folder}")
            outcome = train.start(settings, folder, watcher=screen)
    return training.conclude(outcome, "train", format, gate)


def _settings(model: str, *, recipe: str | None, **options: Any) -> Any:
    """What was asked for, with the network's own recipe where none is named."""
    from zoo.catalog import registry
    from zoo.training import recipe as recipes

    name = recipe or registry.resolve(model)[0].recipe or recipes.DEFAULT
    return training.settings(model, lambda changes, **given: recipes.load(name, changes, **given), **options)
