"""``zoo visualize activations``: what layers make of an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.visualize.activation_maps.feature_maps import FeatureMaps

_COLUMNS = ("path", "status", "model", "layer", "rows", "columns", "channels", "silent", "strongest", "output", "error")
#: Channels that a row names.
_NAMED = 10


@common.command("activations")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common.model_option("Name, NAME:TAG, or a .keras file; without it, the best network that is to be had.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="L",
    help="A layer or a stage, or several; without, an overview of the whole network.",
)
@click.option(
    "--normalize",
    type=click.Choice(["channel", "layer"]),
    default="channel",
    show_default=True,
    help="A scale for each channel, or one for each layer.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Channels to show of a layer.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.png|FOLDER",
    help="An image, or a folder for several.",
)
@common.recursive_option
@common.device_option
@common.offline_option
@common.rows_option
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
    """Draw what layers make of images: their feature maps, the strongest channels first.

    Without --layer, a sheet of the whole network: where its stages end and some layers between, a line of channels
    for each. What is 0 is black; layers with values of two signs are blue below 0 and orange above.

    \b
      zoo visualize activations photo.jpg -m mobilenetv2 -o network.png
      zoo visualize activations photo.jpg -m mobilenetv2 --layer stage3 --layer out_relu -o maps.png
      zoo visualize activations photos/ --layer Conv1_relu --normalize layer -o maps/
    """
    import sys

    from zoo.cli.visualize.destination import Destination
    from zoo.core import output as out
    from zoo.core.errors import ImageError
    from zoo.images.sources import find
    from zoo.reports.plots import write_png

    sources = list(find(paths, recursive=recursive, offline=offline))
    target = Destination(output, sources)
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(model, device=device, offline=offline, progress=fetched)
    from zoo.visualize.activation_maps import feature_maps
    from zoo.visualize.activation_maps.feature_sheet import LIMIT, OVERVIEW_LIMIT, feature_sheet
    from zoo.visualize.explain.sheet import file_name
    from zoo.visualize.network import display

    names = feature_maps.checked(subject, layers) if layers else feature_maps.overview(subject)
    limit = limit or (LIMIT if layers else OVERVIEW_LIMIT)
    if not layers:
        common.log.info("%d layers of %s; --layer shows more of one", len(names), subject.name)
    report = out.Report()

    def drawn() -> Iterator[dict[str, Any]]:
        for number, source in enumerate(map(display.held, sources), start=1):
            try:
                pixels = subject.read(source)
            except ImageError as error:
                report.add(ok=False)
                yield {"path": source.path, "status": "unreadable", "error": str(error)}
                continue
            report.add(ok=True)
            found = feature_maps.feature_maps(subject, names, pixels)
            seen = display.look(subject, source, pixels).pixels
            path = target.path(source.path, "activations", *layers)
            write_png(feature_sheet(file_name(source.path), seen, found, normalize=normalize, limit=limit), path)
            update(number)
            yield from (_row(source.path, maps, path) for maps in found)

    format = out.choose_format(format, sys.stdout)
    columns = _COLUMNS if format == "csv" else ("path", "layer", "rows", "columns", "channels", "silent", "error")
    with common.progress("drawing", total=len(sources), unit="pictures") as update:
        out.write(drawn(), sys.stdout, format, columns=columns)
    if report.failed:
        common.say(f"{report.failed} of {report.done + report.failed} could not be read")
    return report.exit_status


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
