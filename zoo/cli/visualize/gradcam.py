"""``zoo visualize gradcam``: methods that use the feature maps of a layer."""

from __future__ import annotations

from typing import Any

from zoo.cli import common
from zoo.cli.visualize import explaining
from zoo.cli.visualize.options import layer_option


@common.command("gradcam")
@explaining.options
@explaining.method_option("gradcam", "gradcam", "all: every method, also those of saliency and occlusion.", "all")
@layer_option("Layer or stage of the maps; default: the last layer with a feature map.")
def command(method: str, **options: Any) -> int:
    """Show where a network sees a class in images.

    The channels of a layer are weighted by how much the class depends on them, and their sum is laid over the image.
    Each map has two scores: deletion, how fast the class's probability falls as the pixels are deleted that the map
    shows (lower is better), and insertion, how fast it rises as they are inserted (higher is better).

    \b
      zoo visualize gradcam photo.jpg -o seen.png
      zoo visualize gradcam photo.jpg --class "American dipper" --class "water ouzel" -o seen.png
      zoo visualize gradcam photo.jpg --method all --top 2 -o all.png
      zoo visualize gradcam photos/ -o seen/ --sheet sheet.png | jq 'select(.insertion < .deletion)'
    """
    return explaining.run(method if method == "all" else explaining.one_of(method, "gradcam"), options)
