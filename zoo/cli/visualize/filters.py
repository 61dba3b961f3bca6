"""``zoo visualize filters``: the kernels of a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from zoo.cli import common
from zoo.cli.visualize import options

_COLUMNS = ("model", "layer", "kind", "height", "width", "channels", "filters", "dead", "strongest", "output")


@common.command("filters")
@options.model_option
@options.layer_option("Layer or stage; default: the first convolution.")
@options.normalize_option("filter")
@options.integer("--limit", metavar="N", help="Number of filters; default: 256 (of slices: 24).")
@options.output_option("FILE.png", "The image.")
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

    Filters over the colours of an image are shown in colours, all others as slices, one for each input channel: blue
    for negative weights, orange for positive ones. Only weights are needed.

    \b
      zoo visualize filters -m vgg16 -o filters.png
      zoo visualize filters -m mobilenetv2 --layer block_2_depthwise -o filters.png
      zoo visualize filters -m fine.keras --layer conv2 --normalize layer --limit 48 -o filters.png
    """
    from zoo.cli.visualize import destination
    from zoo.reports.plots import write_png

    destination.check(output)
    net = options.open_model(model, "cpu", offline)
    from zoo.visualize.activation_maps.kernel_sheet import dead_filters, described, kernel_sheet, strongest
    from zoo.visualize.activation_maps.kernels import kernels_of

    found = kernels_of(net, layer)
    write_png(kernel_sheet(found, normalize=normalize, limit=limit), output)
    common.log.info("%s of %s is a %s", found.layer, found.model, described(found))
    height, width, channels, filters = found.weights.shape
    row = {
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
    options.write_rows([row], format, _COLUMNS, hidden=["strongest"])
    return 0
