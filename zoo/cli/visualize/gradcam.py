"""``zoo visualize gradcam``: where a network sees a class, by the maps of a layer."""

from __future__ import annotations

from typing import Any

import click

from zoo.cli import common
from zoo.cli.visualize import explaining

#: As they are typed; dashes do not count.
METHODS = ("gradcam", "gradcam++", "hirescam", "layercam", "scorecam", "eigencam", "all")


@common.command("gradcam")
@explaining.options
@click.option(
    "--method",
    default="gradcam",
    show_default=True,
    metavar="|".join(METHODS),
    help="all: these and those of saliency and occlusion, on one sheet.",
)
@click.option("--layer", metavar="L", help="Whose maps; without, the last layer that has any.")
def command(method: str, layer: str | None, **options: Any) -> int:
    """Show where a network sees a class in images.

    The channels of a layer are weighed by how much the class depends on them, and their sum is laid over the image.
    Each map has two scores: how fast the class's probability falls as the pixels go that the map shows (deletion, less
    is better), and how fast it rises as they come (insertion, more is better).

    \b
      zoo visualize gradcam photo.jpg -o seen.png
      zoo visualize gradcam photo.jpg --class "American dipper" --class "water ouzel" -o seen.png
      zoo visualize gradcam photo.jpg --method all --top 2 -o all.png
      zoo visualize gradcam photos/ -o seen/ --sheet sheet.png | jq 'select(.insertion < .deletion)'
    """
    return explaining.run(explaining.one_of(method, METHODS, "gradcam"), explaining.Request(**options), layer=layer)
