"""``zoo visualize style``: neural style transfer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common
from zoo.cli.visualize import options

if TYPE_CHECKING:
    from zoo.visualize.synthesis.style import Painted

_COLUMNS = (
    *("content", "style", "status", "model", "style_layers", "content_layer", "optimizer", "steps", "loss"),
    *("width", "height", "output"),
)


def _weight(name: str, default: float, help: str) -> options.Decorator[Any]:
    return click.option(f"--{name}-weight", type=float, default=default, show_default=True, help=help)


@common.command("style")
@click.argument("content")
@click.argument("style")
@options.model_option
@click.option(
    "--style-layer",
    "style_layers",
    multiple=True,
    metavar="L",
    help="Layer or stage whose Gram matrix is the style; repeatable. Default: those of Gatys et al. in VGG, else the "
    "stages up to a stride of 16.",
)
@click.option(
    "--content-layer",
    metavar="L",
    help="Layer or stage whose feature map is the content. Default: that of Gatys et al. in VGG, else the last stage "
    "up to a stride of 8.",
)
@options.integer("--size", help="Longer side of the result.", low=32, default=384, metavar="PX")
@options.integer("--steps", help="Iterations of L-BFGS.", default=100)
@_weight("content", 1.0, "Weight of the content loss.")
@_weight("style", 10.0, "Weight of the style loss.")
@_weight("smooth", 1.0, "Weight of the total variation.")
@options.removed_option(
    "--optimizer", "--optimizer has only lbfgs, which gives lower losses than Adam; leave it out.", accepted="lbfgs"
)
@options.integer("--every", metavar="N", help="Also write the image every N steps.")
@options.output_option("FILE.png", "The image.")
@options.run_options
def command(
    content: str,
    style: str,
    model: str | None,
    style_layers: tuple[str, ...],
    content_layer: str | None,
    size: int,
    steps: int,
    every: int | None,
    output: Path,
    device: str,
    offline: bool | None,
    format: str | None,
    **weights: Any,
) -> int:
    """Paint an image in the style of another.

    CONTENT is the image, STYLE the painting: the result keeps the feature map that CONTENT has in one layer, and gets
    the Gram matrices that STYLE has in others.

    \b
      zoo visualize style photo.jpg painting.jpg -m vgg19 -o painted.png
      zoo visualize style photo.jpg painting.jpg -m mobilenetv2 --size 512 --every 20 -o painted.png
      zoo visualize style photo.jpg painting.jpg -m squeezenet1.1 --style-weight 30 -o painted.png
    """
    from zoo.cli.visualize import destination
    from zoo.reports.plots import write_png
    from zoo.visualize.synthesis.style import Painter, read

    sources = [options.one_source(text, offline) for text in (content, style)]
    steps_kept = range(every, steps, every) if every else ()
    intermediate = {step: output.with_name(f"{output.stem}-{step:04d}{output.suffix}") for step in steps_kept}
    for path in (output, *intermediate.values()):
        destination.check(path, sources)
    images = [read(source, size) for source in sources]
    net = options.open_model(model, device, offline)
    painter = Painter(net, style_layers=style_layers, content_layer=content_layer)
    layers = ", ".join(painter.style_layers)
    common.log.info("%s: style of %s, content of %s", net.name, layers, painter.content_layer)

    def after_step(painted: Painted) -> None:
        update(painted.step)
        if painted.step in intermediate:
            write_png(painted.pixels, intermediate[painted.step])

    with common.progress("painting", total=steps, unit="steps") as update:
        painted = painter.run(*images, steps=steps, after_step=after_step, **weights)
    write_png(painted.pixels, output)
    row = {
        "content": sources[0].path,
        "style": sources[1].path,
        "status": "ok",
        "model": net.name,
        "style_layers": painter.style_layers,
        "content_layer": painter.content_layer,
        "optimizer": "lbfgs",
        "steps": painted.step,
        "loss": round(painted.loss, 6) if painted.step else None,
        "width": painted.pixels.shape[1],
        "height": painted.pixels.shape[0],
        "output": str(output),
    }
    options.write_rows([row], format, _COLUMNS)
    return 0
