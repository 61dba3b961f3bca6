"""``zoo visualize dream``: DeepDream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli import common
from zoo.cli.visualize import options

_COLUMNS = ("path", "status", "model", "layers", "octaves", "width", "height", "output")


@common.command("dream")
@click.argument("image")
@options.model_option
@options.layer_option("Layer or stage; repeatable. Default: the last stage up to a stride of 16.", multiple=True)
@options.integer("--octaves", help="Number of sizes.", default=4)
@click.option(
    "--octave-scale",
    type=click.FloatRange(min=1, min_open=True),
    default=1.4,
    show_default=True,
    help="Size ratio of consecutive octaves.",
)
@options.integer("--steps", help="Steps in each octave.", default=10)
@click.option(
    "--strength",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Size of a step; 1 changes a pixel by 1.5 grey levels on average.",
)
@options.seed_option
@options.output_option("FILE.png|FOLDER", "The image, or a folder for it.")
@options.run_options
def command(
    image: str,
    model: str | None,
    layers: tuple[str, ...],
    octaves: int,
    octave_scale: float,
    output: Path,
    device: str,
    offline: bool | None,
    format: str | None,
    **settings: Any,
) -> int:
    """Amplify what a network sees in an image (DeepDream).

    Gradient ascent on the output of layers, from small sizes of the image to its own. The image keeps its size, which
    may be any: it is computed in tiles of the network's input size, shifted at random so that there are no seams.

    \b
      zoo visualize dream photo.jpg -m mobilenetv2 -o dream.png
      zoo visualize dream photo.jpg -m inceptionv3 --layer mixed5 --layer mixed7 --strength 0.7 -o dream.png
      zoo visualize dream photo.jpg -m squeezenet1.1 --octaves 6 --octave-scale 1.3 -o dreams/
    """
    import numpy as np

    from zoo.cli.visualize.destination import Destination
    from zoo.images import decode as images
    from zoo.reports.plots import write_png

    source = options.one_source(image, offline)
    target = Destination(output, [source])
    pixels = np.array(images.decode(source))
    net = options.open_model(model, device, offline)
    from zoo.visualize.synthesis.dream import Dreamer, octave_shapes

    dreamer = Dreamer(net, layers)
    height, width = pixels.shape[:2]
    sizes = octave_shapes(height, width, octaves, octave_scale)
    named = ", ".join(dreamer.layers)
    common.log.info("%s of %s at %s", named, net.name, ", ".join(f"{across}×{down}" for down, across in sizes))
    with common.progress("dreaming", unit="tiles") as update:
        dreamed = dreamer.run(pixels, octaves=octaves, octave_scale=octave_scale, progress=update, **settings)
    path = target.path(source.path, "dream", net.name, *layers)
    write_png(dreamed, path)
    row = {
        "path": source.path,
        "status": "ok",
        "model": net.name,
        "layers": dreamer.layers,
        "octaves": len(sizes),
        "width": width,
        "height": height,
        "output": str(path),
    }
    options.write_rows([row], format, _COLUMNS)
    return 0
