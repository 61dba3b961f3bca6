"""``zoo visualize saliency``: which pixels a class depends on, by gradients."""

from __future__ import annotations

from typing import Any

import click

from zoo.cli import common
from zoo.cli.visualize import explaining

#: As they are typed; dashes do not count.
METHODS = ("saliency", "smoothgrad", "integratedgradients", "guidedbackprop")


@common.command("saliency")
@explaining.options
@click.option(
    "--method",
    default="smoothgrad",
    show_default=True,
    metavar="|".join(METHODS),
    help="saliency: the plain gradient, which is noisy; vanilla is another name for it.",
)
def command(method: str, **options: Any) -> int:
    """Show which pixels a class depends on.

    The gradient of the class's logit says for each pixel what a small change of it would do. The methods differ in how
    they rid it of noise: by the mean over noisy copies, over the way from a black image, or by letting back through
    the network only what speaks for the class.

    \b
      zoo visualize saliency photo.jpg -o pixels.png
      zoo visualize saliency photo.jpg --method integratedgradients --class tabby -o pixels.png
      zoo visualize saliency photos/ --heatmap --arrays -o pixels/
    """
    return explaining.run(explaining.one_of(method, METHODS, "saliency"), explaining.Request(**options))
