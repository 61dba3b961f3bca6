"""What ``gradcam``, ``saliency`` and ``occlusion`` share: their options, and how images are explained and drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.visualize.explain.explain import Explained
    from zoo.visualize.network.display import Image
    from zoo.visualize.network.subject import Subject

#: Small images that are named on standard error.
_NAMED = 5


def options(function: common.Function) -> common.Function:
    """PATHs, the network, the classes, and what is written where: the fields of :class:`Request`."""
    for option in (
        common.rows_option,
        common.offline_option,
        common.device_option,
        click.option("--no-scores", is_flag=True, help="Do not measure deletion and insertion, which takes longest."),
        common.recursive_option,
        click.option(
            "--sheet",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE.png",
            help="Draw all on one page as well, a line for each image.",
        ),
        click.option("--arrays", is_flag=True, help="Write the maps as numbers too, a .npz beside each image."),
        click.option("--heatmap", is_flag=True, help="Draw maps by themselves, with a scale."),
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            metavar="FILE.png|FOLDER",
            help="An image, or a folder for several.",
        ),
        click.option("--top", type=click.IntRange(min=1), metavar="K", help="The K most probable classes."),
        click.option(
            "--class",
            "classes",
            multiple=True,
            metavar="NAME|INDEX",
            help="The class to look for, or several; without, the most probable one.",
        ),
        common.model_option("Name, NAME:TAG, or a .keras file; without it, the best network that is to be had."),
        click.argument("paths", nargs=-1, required=True, metavar="PATH..."),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class Request:
    """What somebody asked for, by the options above."""

    paths: tuple[str, ...]
    model: str | None
    classes: tuple[str, ...]
    top: int | None
    output: Path | None
    heatmap: bool
    arrays: bool
    sheet: Path | None
    recursive: bool
    no_scores: bool
    device: str
    offline: bool | None
    format: str | None

    def check(self) -> None:
        """See that it makes sense.

        Raises:
            UsageError: it does not.
        """
        from zoo.core.errors import UsageError

        if self.classes and self.top is not None:
            raise UsageError("--class says which classes, --top how many of the most probable ones; give one of them.")
        if self.output is None and self.sheet is None:
            raise UsageError("There is nowhere to write to; give -o FILE.png, -o FOLDER or --sheet FILE.png.")
        if self.arrays and self.output is None:
            raise UsageError("--arrays writes beside the images; give -o FILE.png or -o FOLDER.")


def one_of(method: str, names: Sequence[str], command: str) -> str:
    """A method that a command has, by its name.

    Args:
        method: as it was typed.
        names: those that the command has.
        command: its name.

    Raises:
        UsageError: there is none of that name, or another command has it.
    """
    from zoo.core.errors import UsageError
    from zoo.visualize.explain import methods

    if method in names:
        return method
    kind = methods.find(method)
    if kind.name not in names:
        other = "gradcam" if kind.has_layer else "occlusion" if kind.name == "occlusion" else "saliency"
        raise UsageError(f"{kind.title} is a method of 'zoo visualize {other}', not of 'zoo visualize {command}'.")
    return kind.name


def run(method: str, request: Request, *, layer: str | None = None, **settings: Any) -> int:
    """Explain images, draw what was found, and write a row for each map.

    Args:
        method: a method's name, or ``"all"``.
        request: what is explained, and where it goes.
        layer: whose maps are looked at.
        **settings: of the method.

    Returns:
        The exit status.
    """
    import sys

    from zoo.cli.visualize import destination, rows
    from zoo.core import output as out
    from zoo.images.sources import find
    from zoo.reports.plots import write_png

    request.check()
    sources = list(find(request.paths, recursive=request.recursive, offline=request.offline))
    target = destination.Destination(request.output, sources) if request.output is not None else None
    if request.sheet is not None:
        destination.check(request.sheet, sources)
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(request.model, device=request.device, offline=request.offline, progress=fetched)
    from zoo.visualize.explain.sheet import ContactSheet, figure
    from zoo.visualize.network import display

    found = display.explained(
        subject,
        sources,
        method=method,
        # One class may have been named twice, by its name and by its index.
        target=list(dict.fromkeys(map(subject.target, request.classes))) or None,
        top=request.top or 1,
        layer=layer,
        faithfulness=not request.no_scores,
        **settings,
    )
    page = ContactSheet(heat_maps=request.heatmap) if request.sheet is not None else None
    report = out.Report()
    notes = _Notes(subject, layer)

    def explained() -> Iterator[dict[str, Any]]:
        for number, (record, _, image) in enumerate(found, start=1):
            report.add(ok=image is not None)
            update(number)
            if image is None:
                yield {"path": record.path, "status": "unreadable", "error": record.error}
                continue
            notes.say(record, image)
            path = None
            if target is not None:
                path = target.path(record.path, *_parts(method, request))
                write_png(figure(record, image.pixels, heat_maps=request.heatmap), path)
                if request.arrays:
                    rows.write_arrays(record, path.with_suffix(".npz"))
            if page is not None:
                page.add(record, image.pixels)
            yield from (rows.row(record, one, path) for one in record.explanations)

    format = out.choose_format(request.format, sys.stdout)
    with common.progress("explaining", total=len(sources), unit="pictures") as update:
        out.write(explained(), sys.stdout, format, columns=rows.COLUMNS, table=rows.Table())
    notes.end()
    if page is not None and request.sheet is not None:
        write_png(page.image(), request.sheet)
        common.log.info("%s shows them all", request.sheet)
    if report.failed:
        common.say(f"{report.failed} of {report.done + report.failed} could not be read")
    return report.exit_status


def _parts(method: str, request: Request) -> list[str]:
    """What the names of files say beside the image's own."""
    which = list(request.classes)
    if request.top is not None and request.top > 1:
        which = [f"top{request.top}"]
    return [method, *which, *(["heatmap"] if request.heatmap else [])]


class _Notes:
    """What is said on standard error while images are explained."""

    def __init__(self, subject: Subject, layer: str | None) -> None:
        self._subject, self._layer = subject, layer
        self._any = False
        self._small = 0

    def say(self, record: Explained, image: Image) -> None:
        """Which layer was chosen, once, where nobody said which; and that an image is small."""
        chosen = next((one.layer for one in record.explanations if one.layer is not None), None)
        if not self._any and self._layer is None and chosen is not None:
            _, rows, columns, channels = self._subject.tensor(chosen).shape
            common.log.info(
                "looking at %s of %s, the last layer with a map (%d×%d, %s channels); --layer names another",
                *(chosen, self._subject.name, rows, columns, f"{channels:,}"),
            )
        self._any = True
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
        """How many more images are small."""
        if self._small > _NAMED:
            common.log.warning("and %s more images are enlarged", f"{self._small - _NAMED:,}")
