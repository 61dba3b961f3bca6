"""``zoo visualize saliency``: methods that use the gradient of the pixels."""

from __future__ import annotations

from typing import Any

from zoo.cli import common
from zoo.cli.visualize import explaining


@common.command("saliency")
@explaining.options
@explaining.method_option("saliency", "smoothgrad", "saliency, or vanilla: the plain gradient, which is noisy.")
def command(method: str, **options: Any) -> int:
    """Show which pixels a class depends on.

    The gradient of the class's logit says for each pixel what a small change of it would do. The methods reduce its
    noise in different ways: by the mean over noisy copies of the image, over the path from a blurred image, or by
    passing only positive gradients through ReLUs.

    \b
      zoo visualize saliency photo.jpg -o pixels.png
      zoo visualize saliency photo.jpg --method integratedgradients --class tabby -o pixels.png
      zoo visualize saliency photos/ --heatmap --arrays -o pixels/
    """
    return explaining.run(explaining.one_of(method, "saliency"), options)
