"""``zoo visualize dream``: let a network make more of what it sees in an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from zoo.cli import common

_COLUMNS = ("path", "status", "model", "layers", "octaves", "width", "height", "output")


@common.command("dream")
@click.argument("image")
@common.model_option("Name, NAME:TAG, or a .keras file; without it, the best network that is to be had.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="L",
    help="A layer or a stage, or several; without, the last stage whose places are 16 pixels apart or less.",
)
@click.option("--octaves", type=click.IntRange(min=1), default=4, show_default=True, help="At how many sizes.")
@click.option(
    "--octave-scale",
    type=click.FloatRange(min=1, min_open=True),
    default=1.4,
    show_default=True,
    help="How many times larger each is than the one before.",
)
@click.option("--steps", type=click.IntRange(min=1), default=10, show_default=True, help="In each octave.")
@click.option(
    "--strength",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How much a step changes; 1 is 1.5 grey levels on average.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same dream for the same number."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.png|FOLDER",
    help="Where to write it.",
)
@common.device_option
@common.offline_option
@common.rows_option
def command(
    image: str,
    model: str | None,
    layers: tuple[str, ...],
    octaves: int,
    octave_scale: float,
    steps: int,
    strength: float,
    seed: int,
    output: Path,
    device: str,
    offline: bool | None,
    format: str | None,
) -> int:
    """Let a network make more of what it sees in an image.

    Gradient ascent on what layers give, from small sizes of the image to its own. The image keeps its size, which
    may be any: tiles as large as the network's input are computed, and moved at random so that no seams show.

    \b
      zoo visualize dream photo.jpg -m mobilenetv2 -o dream.png
      zoo visualize dream photo.jpg -m inceptionv3 --layer mixed5 --layer mixed7 --strength 0.7 -o dream.png
      zoo visualize dream photo.jpg -m squeezenet1.1 --octaves 6 --octave-scale 1.3 -o dreams/
    """
    import sys

    import numpy as np

    from zoo.cli.visualize.destination import Destination
    from zoo.cli.visualize.single import one_source
    from zoo.core import output as out
    from zoo.images import decode as images
    from zoo.reports.plots import write_png

    source = one_source(image, offline)
    target = Destination(output, [source])
    pixels = np.array(images.decode(source))
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(model, device=device, offline=offline, progress=fetched)
    from zoo.visualize.synthesis.dream import Dreamer, octave_shapes

    dreamer = Dreamer(subject, layers)
    height, width = pixels.shape[:2]
    sizes = octave_shapes(height, width, octaves, octave_scale)
    named = ", ".join(dreamer.layers)
    common.log.info("%s of %s at %s", named, subject.name, ", ".join(f"{across}×{down}" for down, across in sizes))
    with common.progress("dreaming", unit="tiles") as update:
        dreamed = dreamer.run(
            pixels,
            octaves=octaves,
            octave_scale=octave_scale,
            steps=steps,
            strength=strength,
            seed=seed,
            progress=update,
        )
    path = target.path(source.path, "dream", subject.name, *layers)
    write_png(dreamed, path)
    row: dict[str, Any] = {
        "path": source.path,
        "status": "ok",
        "model": subject.name,
        "layers": dreamer.layers,
        "octaves": len(sizes),
        "width": width,
        "height": height,
        "output": str(path),
    }
    format = out.choose_format(format, sys.stdout)
    out.write([row], sys.stdout, format, columns=_COLUMNS)
    return 0
