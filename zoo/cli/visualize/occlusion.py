"""``zoo visualize occlusion``: what a class cannot do without, by covering parts of an image."""

from __future__ import annotations

from typing import Any

import click

from zoo.cli import common
from zoo.cli.visualize import explaining


@common.command("occlusion")
@explaining.options
@click.option("--patch", type=click.IntRange(min=1), metavar="PIXELS", help="Side of the patch that covers a part.")
@click.option("--stride", type=click.IntRange(min=1), metavar="PIXELS", help="How far it moves each time.")
def command(patch: int | None, stride: int | None, **options: Any) -> int:
    """Show what a class cannot do without: a patch covers one part of the image after the other.

    Where the class's probability falls most, the map is brightest. No gradient is needed, but the network runs once for
    each place of the patch.

    \b
      zoo visualize occlusion photo.jpg -o covered.png
      zoo visualize occlusion photo.jpg --patch 48 --stride 16 --class tabby -o covered.png
    """
    sizes: dict[str, Any] = {name: value for name, value in (("patch", patch), ("stride", stride)) if value is not None}
    return explaining.run("occlusion", explaining.Request(**options), **sizes)
