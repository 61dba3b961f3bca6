"""``zoo pull``: download weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec


@common.command("pull")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...")
@click.option("--no-top", is_flag=True, help="The file without the classifier, for features and fine-tuning.")
@common.offline_option
def command(models: tuple[str, ...], no_top: bool, offline: bool | None) -> int:
    """Download the weights of networks into Keras's cache, check them, and print their paths.

    MODEL is a name, NAME:TAG, or a pattern in quotes ('mobilenet*'). Interrupted downloads are resumed. Keras finds
    the files too.

    \b
      zoo pull resnet50 vgg16
      ZOO_WEIGHTS_MIRROR=https://example.org/weights zoo pull resnet50
    """
    from zoo.catalog import registry
    from zoo.core.errors import UnavailableError, UsageError
    from zoo.pretrained import weights as pretrained

    wanted: list[tuple[ModelSpec, str | None]] = []
    for model in models:
        if any(character in model for character in "*?["):
            matching = [(spec, None) for spec in registry.list_models(model) if spec.weights]
            if not matching:
                raise UsageError(f"No network with weights matches '{model}'; 'zoo list' shows all names.")
            wanted.extend(matching)
        else:
            wanted.append(registry.resolve(model))
    failed = 0
    with common.fetching() as fetched:
        for spec, tag in wanted:
            try:
                found = pretrained.fetch(spec, tag, include_top=not no_top, offline=offline, progress=fetched)
            except UnavailableError as error:
                common.say(str(error))
                failed += 1
                continue
            click.echo(f"{spec.name}\t{found.path}")
    if not failed:
        return 0
    return 4 if failed == len(wanted) else 1
