"""``zoo visualize activations``: feature maps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo.cli import common
from zoo.cli.visualize import options

if TYPE_CHECKING:
    from zoo.visualize.activation_maps.feature_maps import FeatureMaps

_COLUMNS = ("path", "status", "model", "layer", "rows", "columns", "channels", "silent", "strongest", "output", "error")
#: Columns that a table leaves out.
_HIDDEN = ("status", "model", "strongest", "output")
#: Channels that a row names.
_NAMED = 10


@common.command("activations")
@options.paths_argument
@options.model_option
@options.layer_option("Layer or stage; repeatable. Default: an overview of the network.", multiple=True)
@options.normalize_option("channel")
@options.integer("--limit", metavar="N", help="Channels of a layer; default: 63 (overview: 9).")
@options.output_option("FILE.png|FOLDER", "An image, or a folder for several.")
@common.recursive_option
@options.run_options
def command(
    paths: tuple[str, ...],
    model: str | None,
    layers: tuple[str, ...],
    normalize: Literal["channel", "layer"],
    limit: int | None,
    output: Path,
    recursive: bool,
    device: str,
    offline: bool | None,
    format: str | None,
) -> int:
    """Draw the feature maps of layers for images, the strongest channels first.

    Without --layer, an overview of the network: the ends of its stages and some layers between, a row of channels each.
    0 is black; layers with negative and positive values are blue below 0 and orange above.

    \b
      zoo visualize activations photo.jpg -m mobilenetv2 -o network.png
      zoo visualize activations photo.jpg -m mobilenetv2 --layer stage3 --layer out_relu -o maps.png
      zoo visualize activations photos/ --layer Conv1_relu --normalize layer -o maps/
    """
    from zoo.cli.visualize.destination import Destination
    from zoo.core.errors import ImageError
    from zoo.core.output import Report
    from zoo.images.discovery import find
    from zoo.reports.html.image_cards import file_name
    from zoo.reports.plots import write_png

    sources = list(find(paths, recursive=recursive, offline=offline))
    target = Destination(output, sources)
    net = options.open_model(model, device, offline)
    from zoo.visualize.activation_maps import feature_maps
    from zoo.visualize.activation_maps.feature_sheet import LIMIT, OVERVIEW_LIMIT, feature_sheet
    from zoo.visualize.network import display

    names = [net.require_map(layer, " to draw") for layer in layers] or feature_maps.overview(net)
    limit = limit or (LIMIT if layers else OVERVIEW_LIMIT)
    if not layers:
        common.log.info("%d layers of %s; --layer shows more of one", len(names), net.name)
    report = Report()

    def drawn() -> Iterator[dict[str, Any]]:
        for number, source in enumerate(map(display.rereadable, sources), start=1):
            try:
                pixels = net.read(source)
            except ImageError as error:
                report.add(ok=False)
                yield {"path": source.path, "status": "unreadable", "error": str(error)}
                continue
            report.add(ok=True)
            found = feature_maps.feature_maps(net, names, pixels)
            image = display.load_for_display(net, source, pixels).pixels
            path = target.path(source.path, "activations", *layers)
            write_png(feature_sheet(file_name(source.path), image, found, normalize=normalize, limit=limit), path)
            update(number)
            yield from (_row(source.path, maps, path) for maps in found)

    with common.progress("drawing", total=len(sources), unit="images") as update:
        options.write_rows(drawn(), format, _COLUMNS, hidden=_HIDDEN)
    return options.finish(report)


def _row(path: str, maps: FeatureMaps, output: Path) -> dict[str, Any]:
    rows, columns, channels = maps.values.shape
    return {
        "path": path,
        "status": "ok",
        "model": maps.model,
        "layer": maps.layer,
        "rows": rows,
        "columns": columns,
        "channels": channels,
        "silent": maps.silent,
        "strongest": [int(channel) for channel in maps.strongest[:_NAMED]],
        "output": str(output),
    }
