"""``zoo visualize filters``: the kernels of a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from zoo.cli import common

_COLUMNS = ("model", "layer", "kind", "height", "width", "channels", "filters", "dead", "strongest", "output")


@common.command("filters")
@common.model_option()
@click.option("--layer", metavar="L", help="A layer or a stage; the first convolution without.")
@click.option(
    "--normalize",
    type=click.Choice(["filter", "layer"]),
    default="filter",
    show_default=True,
    help="A scale for each filter, or one for the layer.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Filters to show, the strongest first.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.png",
    help="Where to draw.",
)
@common.offline_option
@common.rows_option
def command(
    model: str | None,
    layer: str | None,
    normalize: Literal["filter", "layer"],
    limit: int | None,
    output: Path,
    offline: bool | None,
    format: str | None,
) -> int:
    """Draw the kernels of a layer, the strongest filters first.

    Filters that see the colours of an image are shown in colours, all others as slices, one for each input channel:
    blue for weights below 0, orange above. Nothing but weights is needed.

    \b
      zoo visualize filters -m vgg16 -o filters.png
      zoo visualize filters -m mobilenetv2 --layer block_2_depthwise -o filters.png
      zoo visualize filters -m fine.keras --layer conv2 --normalize layer --limit 48 -o filters.png
    """
    import sys

    from zoo.cli.visualize import destination
    from zoo.core import output as out
    from zoo.reports.plots import write_png

    destination.check(output, [])
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(model, device="cpu", offline=offline, progress=fetched)
    from zoo.visualize.activation_maps.kernel_sheet import dead_filters, described, kernel_sheet, strongest
    from zoo.visualize.activation_maps.kernels import kernels_of

    found = kernels_of(subject, layer)
    write_png(kernel_sheet(found, normalize=normalize, limit=limit), output)
    common.log.info("%s of %s is a %s", found.layer, found.model, described(found))
    height, width, channels, filters = found.weights.shape
    row: dict[str, Any] = {
        "model": found.model,
        "layer": found.layer,
        "kind": found.kind,
        "height": height,
        "width": width,
        "channels": channels,
        "filters": filters,
        "dead": dead_filters(found),
        "strongest": [int(number) for number in strongest(found.weights, 3)[:10]],
        "output": str(output),
    }
    format = out.choose_format(format, sys.stdout)
    columns = _COLUMNS if format == "csv" else tuple(name for name in _COLUMNS if name != "strongest")
    out.write([row], sys.stdout, format, columns=columns)
    return 0
