"""``zoo visualize style``: paint an image in the style of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli import common

_COLUMNS = (
    *("content", "style", "status", "model", "style_layers", "content_layer", "optimizer", "steps", "loss"),
    *("width", "height", "output"),
)


@common.command("style")
@click.argument("content")
@click.argument("style")
@common.model_option("Name, NAME:TAG, or a .keras file; vgg19 is the usual choice.")
@click.option(
    "--style-layer",
    "style_layers",
    multiple=True,
    metavar="L",
    help="A layer or a stage whose Gram matrix is the style, or several; without, those of Gatys et al. in VGG, "
    "else the stages up to a stride of 16.",
)
@click.option("--content-layer", metavar="L", help="A layer or a stage whose map is the content.")
@click.option(
    "--size",
    type=click.IntRange(min=32),
    default=384,
    show_default=True,
    metavar="PX",
    help="The longer side of the result.",
)
@click.option("--steps", type=click.IntRange(min=1), default=100, show_default=True, help="Of descent.")
@click.option("--content-weight", type=float, default=1.0, show_default=True, help="How much the content counts.")
@click.option("--style-weight", type=float, default=10.0, show_default=True, help="How much the style counts.")
@click.option("--smooth-weight", type=float, default=1.0, show_default=True, help="How much total variation counts.")
@click.option(
    "--optimizer", type=click.Choice(["lbfgs", "adam"]), default="lbfgs", show_default=True, help="How to descend."
)
@click.option("--every", type=click.IntRange(min=1), metavar="N", help="Write the image after every N steps too.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.png",
    help="Where to write it.",
)
@common.device_option
@common.offline_option
@common.rows_option
def command(
    content: str,
    style: str,
    model: str | None,
    style_layers: tuple[str, ...],
    content_layer: str | None,
    size: int,
    steps: int,
    content_weight: float,
    style_weight: float,
    smooth_weight: float,
    optimizer: str,
    every: int | None,
    output: Path,
    device: str,
    offline: bool | None,
    format: str | None,
) -> int:
    """Paint an image in the style of another.

    CONTENT is what is painted, STYLE how: the first keeps the map of one layer, the result gets the Gram matrices that
    the second has in others.

    \b
      zoo visualize style photo.jpg painting.jpg -m vgg19 -o painted.png
      zoo visualize style photo.jpg painting.jpg -m mobilenetv2 --size 512 --every 20 -o painted.png
      zoo visualize style photo.jpg painting.jpg -m squeezenet1.1 --style-weight 30 --optimizer adam -o painted.png
    """
    import sys

    from zoo.cli.visualize import destination
    from zoo.cli.visualize.single import one_source
    from zoo.core import output as out
    from zoo.reports.plots import write_png
    from zoo.visualize.synthesis.style import Painted, Painter, read

    sources = [one_source(text, offline) for text in (content, style)]
    on_the_way = {step: _numbered(output, step) for step in range(every, steps, every)} if every else {}
    for path in (output, *on_the_way.values()):
        destination.check(path, sources)
    images = [read(source, size) for source in sources]
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(model, device=device, offline=offline, progress=fetched)
    painter = Painter(subject, style_layers=style_layers, content_layer=content_layer)
    layers = ", ".join(painter.style_layers)
    common.log.info("%s: style of %s, content of %s", subject.name, layers, painter.content_layer)
    painted: Painted | None = None
    with common.progress("painting", total=steps, unit="steps") as update:
        for painted in painter.run(
            *images,
            steps=steps,
            content_weight=content_weight,
            style_weight=style_weight,
            smooth_weight=smooth_weight,
            optimizer=optimizer,
        ):
            update(painted.step)
            if painted.step in on_the_way:
                write_png(painted.pixels, on_the_way[painted.step])
    pixels = images[0] if painted is None else painted.pixels
    write_png(pixels, output)
    row: dict[str, Any] = {
        "content": sources[0].path,
        "style": sources[1].path,
        "status": "ok",
        "model": subject.name,
        "style_layers": painter.style_layers,
        "content_layer": painter.content_layer,
        "optimizer": optimizer,
        "steps": 0 if painted is None else painted.step,
        "loss": None if painted is None else round(painted.loss, 6),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "output": str(output),
    }
    format = out.choose_format(format, sys.stdout)
    out.write([row], sys.stdout, format, columns=_COLUMNS)
    return 0


def _numbered(output: Path, step: int) -> Path:
    """Where the image after so many steps is written."""
    return output.with_name(f"{output.stem}-{step:04d}{output.suffix}")
