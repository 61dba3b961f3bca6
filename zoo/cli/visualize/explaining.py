"""What ``gradcam``, ``saliency``, ``occlusion`` and ``report`` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common
from zoo.cli.visualize import options as shared
from zoo.visualize.explain.methods import METHODS, find

if TYPE_CHECKING:
    from zoo.images.source import Source
    from zoo.visualize.explain.explain import Explained
    from zoo.visualize.network.display import Image
    from zoo.visualize.network.inspected_model import InspectedModel

#: Small images that are named in warnings.
_NAMED = 5

#: The options of :func:`run`.
options = shared.several(
    shared.paths_argument,
    shared.model_option,
    shared.class_options("1"),
    shared.output_option("FILE.png|FOLDER", "An image, or a folder for several.", required=False),
    click.option("--heatmap", is_flag=True, help="Draw maps by themselves, with a scale."),
    click.option("--arrays", is_flag=True, help="Also write the maps as arrays, a .npz file beside each image."),
    click.option(
        "--sheet",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.png",
        help="Also draw all images on one page.",
    ),
    common.recursive_option,
    shared.scores_option,
    shared.run_options,
)


def names_of(command: str) -> list[str]:
    """The methods that a command offers."""
    return [row.name for row in METHODS.values() if row.command == command]


def method_option(command: str, default: str, help: str, *more: str) -> Callable[[Any], Any]:
    """``--method``, with the methods of a command, and ``more`` values."""
    metavar = "|".join([*names_of(command), *more])
    return click.option("--method", default=default, show_default=True, metavar=metavar, help=help)


def one_of(method: str, command: str) -> str:
    """The name of a method that a command offers.

    Raises:
        UsageError: there is no such method, or another command offers it.
    """
    from zoo.core.errors import UsageError

    row = find(method)
    if row.command != command:
        raise UsageError(
            f"{row.load().title} is a method of 'zoo visualize {row.command}', not of 'zoo visualize {command}'."
        )
    return row.name


def run(method: str, given: Mapping[str, Any], **settings: Any) -> int:
    """Explain images, draw the maps, write a row for each, and return the exit status.

    ``given`` are the values of :data:`options`, and ``layer`` if the command has it.
    """
    from zoo.cli.visualize import destination, rows
    from zoo.core.errors import UsageError
    from zoo.images.discovery import find as find_images
    from zoo.reports.plots import write_png

    output, sheet, classes, top = (given[name] for name in ("output", "sheet", "classes", "top"))
    heatmap, arrays, layer = given["heatmap"], given["arrays"], given.get("layer")
    shared.check_classes(classes, top)
    if output is None and sheet is None:
        raise UsageError("There is nowhere to write to; give -o FILE.png, -o FOLDER or --sheet FILE.png.")
    if arrays and output is None:
        raise UsageError("--arrays writes beside the images; give -o FILE.png or -o FOLDER.")
    sources = list(find_images(given["paths"], recursive=given["recursive"], offline=given["offline"]))
    target = destination.Destination(output, sources) if output is not None else None
    if sheet is not None:
        destination.check(sheet, sources)
    net = shared.open_model(given["model"], given["device"], given["offline"])
    from zoo.visualize.explain.sheet import ContactSheet, figure

    page = ContactSheet(heat_maps=heatmap)
    notes = _Notes(net, layer)
    which = [f"top{top}"] if top is not None and top > 1 else classes
    parts = [method, *which, *(["heatmap"] if heatmap else [])]

    def show(record: Explained, _: Source, image: Image | None) -> Path | None:
        if image is None:
            return None
        notes.add(record, image)
        path = None
        if target is not None:
            path = target.path(record.path, *parts)
            write_png(figure(record, image.pixels, heat_maps=heatmap), path)
            if arrays:
                rows.write_arrays(record, path.with_suffix(".npz"))
        if sheet is not None:
            page.add(record, image.pixels)
        return path

    status = write_explanations(
        net,
        sources,
        show,
        given["format"],
        method=method,
        classes=classes,
        top=top or 1,
        layer=layer,
        faithfulness=not given["no_scores"],
        **settings,
    )
    notes.end()
    if sheet is not None:
        write_png(page.image(), sheet)
        common.log.info("%s shows all images", sheet)
    return status


def write_explanations(
    net: InspectedModel,
    sources: Sequence[Source],
    show: Callable[[Explained, Source, Image | None], Path | None],
    format: str | None,
    *,
    classes: Sequence[str],
    **settings: Any,
) -> int:
    """Explain images, write a row for each map, and return the exit status.

    ``show`` draws the explanations of an image, which is ``None`` if it is unreadable, and returns the file;
    ``settings`` are those of :func:`zoo.visualize.explain.explain.explain`.
    """
    from zoo.cli.visualize import rows
    from zoo.core.output import Report
    from zoo.visualize.explain.explain import explain_for_display

    # A class may be given twice, by name and by index.
    target = list(dict.fromkeys(map(net.target, classes))) or None
    found = explain_for_display(net, sources, target=target, **settings)
    report = Report()

    def explained() -> Iterator[dict[str, Any]]:
        for number, (record, source, image) in enumerate(found, start=1):
            report.add(ok=image is not None)
            update(number)
            path = show(record, source, image)
            if image is None:
                yield {"path": record.path, "status": "unreadable", "error": record.error}
            yield from (rows.row(record, one, path) for one in record.explanations)

    with common.progress("explaining", total=len(sources), unit="images") as update:
        shared.write_rows(explained(), format, rows.COLUMNS, table=rows.Table())
    return shared.finish(report)


class _Notes:
    """Messages on standard error: the default layer, and small images."""

    def __init__(self, net: InspectedModel, layer: str | None) -> None:
        self._net = net
        #: Whether the layer was named or reported.
        self._known = layer is not None
        self._small = 0

    def add(self, record: Explained, image: Image) -> None:
        chosen = next((one.layer for one in record.explanations if one.layer is not None), None)
        if not self._known and chosen is not None:
            _, rows, columns, channels = self._net.tensor(chosen).shape
            common.log.info(
                "looking at %s of %s, the last layer with a map (%d×%d, %s channels); --layer names another",
                *(chosen, self._net.name, rows, columns, f"{channels:,}"),
            )
        self._known = True
        if not image.enlarged:
            return
        assert image.size is not None
        self._small += 1
        if self._small <= _NAMED:
            common.log.warning(
                "%s has %d×%d pixels and is enlarged to the %d×%d that the network takes; its maps are coarser than "
                "they look",
                *(record.path, *image.size, *image.input_size),
            )

    def end(self) -> None:
        if self._small > _NAMED:
            common.log.warning("and %s more images are enlarged", f"{self._small - _NAMED:,}")
