"""``zoo visualize maximize``: feature visualization."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common
from zoo.cli.visualize import options
from zoo.visualize.synthesis.objectives import OBJECTIVES, check, choose

if TYPE_CHECKING:
    from zoo.visualize.synthesis.maximize import Maximized, Maximizer

_COLUMNS = (
    *("model", "layer", "kind", "filter", "neuron", "class", "index", "variant"),
    *("activation", "noise_activation", "ratio", "silent", "output"),
)
#: The name of the page beside single images.
_SHEET = "sheet.png"

_objective_options = options.several(
    *(
        click.option(f"--{row.kind}", row.keyword, multiple=row.multiple, metavar=row.metavar, help=row.help)
        for row in OBJECTIVES.values()
    )
)


@common.command("maximize")
@options.model_option
@options.layer_option("Layer or stage of the filters or neurons.")
@_objective_options
@click.option("--all", "all_filters", is_flag=True, help="All filters of the layer.")
@options.integer("--size", metavar="PX", low=32, high=1024, help="Side; default: 128 for filters, else the input size.")
@options.integer("--steps", metavar="N", help="Steps of ascent; default: 128 for filters, else 256.")
@options.integer("--diversity", metavar="N", high=16, default=1, help="Different images of each target.")
@options.removed_option("--plain", "--plain, which showed noise, was removed; leave it out.")
@options.seed_option
@click.option(
    "--gif", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.gif", help="Also animate the ascent."
)
@options.output_option("FILE.png|FOLDER", "A sheet, or a folder for a sheet and single images.")
@options.integer("-b", "--batch-size", help="Images per batch.")
@options.run_options
def command(
    model: str | None,
    layer: str | None,
    all_filters: bool,
    size: int | None,
    steps: int | None,
    diversity: int,
    seed: int,
    gif: Path | None,
    output: Path,
    batch_size: int | None,
    device: str,
    offline: bool | None,
    format: str | None,
    **wanted: Any,
) -> int:
    """Generate images that maximize a filter, a neuron or a class.

    A filter is a channel of a layer: the mean over its feature map is maximized. A neuron is one place of one channel.
    Of a class the logit is maximized, before the softmax. The images are found by gradient ascent from noise. Each has
    a row with the activation of its target on it, and on noise.

    \b
      zoo visualize maximize -m mobilenetv2 --class goldfish --class volcano -o classes.png
      zoo visualize maximize -m mobilenetv2 --layer stage4 --filter 0-63 -o filters.png
      zoo visualize maximize -m vgg16 --layer block4_conv3 --all -o filters/
      zoo visualize maximize -m mobilenetv2 --layer stage4 --neuron 20@7,7 -o neuron.png
      zoo visualize maximize -m squeezenet1.1 --class pineapple --diversity 4 --gif grows.gif -o pineapples.png
    """
    from zoo.cli.visualize import destination
    from zoo.core.errors import UsageError
    from zoo.reports.plots import write_png

    if all_filters:
        if wanted["filters"]:
            raise UsageError("--all takes all filters of the layer; leave out --filter, or --all.")
        wanted["filters"] = "all"
    check(layer=layer, **wanted)
    if gif is not None:
        destination.check(gif, suffix=".gif")
    target = destination.Destination(output)
    net = options.open_model(model, device, offline)
    from zoo.visualize.synthesis.animation import FRAMES, Animation
    from zoo.visualize.synthesis.maximize import Maximizer
    from zoo.visualize.synthesis.sheet import sheet

    targets = choose(net, layer=layer, **wanted)
    maximizer = Maximizer(net, targets, size=size, steps=steps, diversity=diversity, seed=seed, batch_size=batch_size)
    common.log.info("%s", _plan(maximizer))
    animation = Animation(len(targets) * diversity) if gif is not None else None
    found: list[Maximized] = []
    rows: list[dict[str, Any]] = []
    with common.progress("maximizing", total=maximizer.batches * maximizer.steps, unit="steps") as update:
        for one in maximizer.run(update, frames=FRAMES if animation else 0):
            if animation is not None and one.frames is not None:
                animation.add(one.frames)
            path = output
            if output.is_dir():
                parts = [one.target.layer or one.target.kind, one.target.caption, str(one.variant or "")]
                path = target.path(one.model, *parts)
                write_png(one.pixels, path)
            rows.append(_row(one, path))
            found.append(one.without_frames())
    how = f"{targets[0].measure} Gradient ascent, {maximizer.steps} steps, Fourier space, decorrelated colours, "
    page = output / _SHEET if output.is_dir() else output
    write_png(sheet(found, notes=[f"{how}transformations; seed {seed}."]), page)
    common.log.info("%s shows the images", page)
    if animation is not None and gif is not None:
        animation.write(gif)
        common.log.info("%s shows the ascent", gif)
    empty = [column for column in _COLUMNS if all(row.get(column) is None for row in rows)]
    options.write_rows(rows, format, _COLUMNS, hidden=["kind", *empty])
    return 0


def _plan(maximizer: Maximizer) -> str:
    """How many images there will be, and how they are computed."""
    size, count = maximizer.size, len(maximizer.targets) * maximizer.diversity
    images = f"{count:,} image{'s' * (count != 1)} of {size}×{size}"
    several = f"{maximizer.batches:,} batches of {maximizer.batch_size}"
    batches = several if maximizer.batches > 1 else "one batch"
    height, width = maximizer.computed.input_size
    fitted = "" if (height, width) == (size, size) else f", shown to the network at {width}×{height}"
    return f"{images} in {batches}, {maximizer.steps} steps{fitted}"


def _row(one: Maximized, output: Path) -> dict[str, Any]:
    return {
        "model": one.model,
        "layer": one.target.layer,
        "kind": one.target.kind,
        **one.target.fields,
        "variant": one.variant,
        "activation": round(one.activation, 6),
        "noise_activation": round(one.noise_activation, 6),
        "ratio": None if one.ratio is None else round(one.ratio, 3),
        "silent": one.silent,
        "output": str(output),
    }
