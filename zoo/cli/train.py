"""``zoo train``: train a network from scratch on a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli import common, training


@common.command("train")
@click.argument("model", metavar="[NAME|FILE.yaml]", required=False)
@training.options
@click.option("--weights", metavar="TAG|FILE", show_default="random", help="Initial weights.")
def command(model: str | None, resume: Path | None, output: Path | None, format: str | None, **options: Any) -> int:
    """Train a network from scratch on your images.

    The dataset is a folder per class, which is split; train/, val/ and test/ with such folders; or files in MNIST's
    format. The run folder gets model.keras (a model for every command), report.html, metrics.json, history.csv,
    split.csv, config.yaml, curves.png, confusion.png and mistakes.png. Ctrl-C saves and stops; --resume continues
    exactly there.

    \b
      zoo train lenet5 --dataset mnist/
      zoo train my-network.yaml --dataset photos/ --time 30m
      zoo train cifar-resnet20 --dataset cifar10/ --epochs 60 --set augment.cutout=8
      zoo train --resume runs/lenet5-1
    """
    from zoo.core.errors import UsageError
    from zoo.training import run as runs
    from zoo.training.scratch import train

    def start(progress: training.Progress) -> Any:
        if model is None or options["dataset"] is None:
            missing = "a network, such as lenet5 or my.yaml" if model is None else "--dataset with the images"
            raise UsageError(f"zoo train takes {missing}; 'zoo train --help' shows examples.")
        settings = _settings(model, **options)
        folder = output or runs.next_folder(settings.spec().name)
        progress.on_message(f"the run goes to {folder}")
        return train.start(settings, folder, callbacks=[progress])

    return training.run("train", start, train.resume, resume, format, options)


def _settings(model: str, *, recipe: str | None, **options: Any) -> Any:
    """The settings, with the network's own recipe by default."""
    from zoo.catalog import registry
    from zoo.training import recipe as recipes

    name = recipe or registry.resolve(model)[0].recipe or recipes.DEFAULT
    return training.settings(model, lambda changes, **given: recipes.load(name, changes, **given), **options)
