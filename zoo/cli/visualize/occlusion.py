"""``zoo visualize occlusion``: cover parts of an image."""

from __future__ import annotations

from typing import Any

from zoo.cli import common
from zoo.cli.visualize import explaining
from zoo.cli.visualize.options import integer


@common.command("occlusion")
@explaining.options
@integer("--patch", metavar="PIXELS", help="Side of the patch; default: a seventh of the shorter side of the input.")
@integer("--stride", metavar="PIXELS", help="How far it moves; default: half its side.")
def command(patch: int | None, stride: int | None, **options: Any) -> int:
    """Show which parts of an image a class depends on: a patch covers one after the other.

    Where the class's probability falls most, the map is brightest. No gradient is needed, but the network runs once for
    each position of the patch.

    \b
      zoo visualize occlusion photo.jpg -o covered.png
      zoo visualize occlusion photo.jpg --patch 48 --stride 16 --class tabby -o covered.png
    """
    return explaining.run("occlusion", options, patch=patch, stride=stride)
