"""``zoo visualize report``: a page on images, with all maps to compare."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.images.sources import Source
    from zoo.search.searcher import Searcher
    from zoo.visualize.explain.page.figure import Neighbours

#: What differs most, of what takes little time.
DEFAULT = ("gradcam", "layercam", "eigencam", "integratedgradients", "occlusion")


@common.command("report")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common.model_option("Name, NAME:TAG, or a .keras file; without it, the best network that is to be had.")
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help=f"A method, or several, or all; without, {', '.join(DEFAULT)}.",
)
@click.option(
    "--class",
    "classes",
    multiple=True,
    metavar="NAME|INDEX",
    help="The class to look for, or several; without, the most probable ones.",
)
@click.option("--top", type=click.IntRange(min=1), metavar="K", help="The K most probable classes; 3 without.")
@click.option("--layer", metavar="L", help="Whose maps; without, the last layer that has any.")
@click.option("--index", metavar="FILE", help="Vectors, as 'zoo features' writes them: show what is most like each.")
@click.option("-k", "near", type=click.IntRange(min=1), default=6, show_default=True, help="How many of these.")
@common.recursive_option
@click.option("--no-scores", is_flag=True, help="Do not measure deletion and insertion, which takes longest.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.html",
    help="The page.",
)
@common.device_option
@common.offline_option
@common.rows_option
def command(
    paths: tuple[str, ...],
    model: str | None,
    methods: tuple[str, ...],
    classes: tuple[str, ...],
    top: int | None,
    layer: str | None,
    index: str | None,
    near: int,
    recursive: bool,
    no_scores: bool,
    output: Path,
    device: str,
    offline: bool | None,
    format: str | None,
) -> int:
    """Write a page on images: what a network says of each, and where it sees that.

    For each image the page has the most probable classes, and for each of them a map by each method with its scores;
    a slider blends the image and its map. It is one file that loads nothing, for up to 60 images.

    \b
      zoo visualize report photo.jpg -o page.html
      zoo visualize report photos/ --top 1 --method gradcam --method occlusion -o page.html
      zoo visualize report photo.jpg --index features.h5 -o page.html
    """
    import sys

    from zoo.cli.visualize import rows
    from zoo.core import output as out
    from zoo.core.errors import UsageError
    from zoo.images.sources import find

    if classes and top is not None:
        raise UsageError("--class says which classes, --top how many of the most probable ones; give one of them.")
    _check(output)
    sources = list(find(paths, recursive=recursive, offline=offline))
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(model, device=device, offline=offline, progress=fetched)
    neighbours = _Near(index, near, device=device, offline=offline) if index is not None else None
    from zoo.visualize.explain.page import Page
    from zoo.visualize.network import display

    looked_at = display.explained(
        subject,
        sources,
        method="all" if "all" in methods else list(methods or DEFAULT),
        target=list(dict.fromkeys(map(subject.target, classes))) or None,
        top=top or 3,
        layer=layer,
        faithfulness=not no_scores,
    )
    page, report = Page(subject.name), out.Report()

    def explained() -> Iterator[dict[str, Any]]:
        for number, (record, source, image) in enumerate(looked_at, start=1):
            report.add(ok=image is not None)
            update(number)
            if image is None:
                page.add(record)
                yield {"path": record.path, "status": "unreadable", "error": record.error}
                continue
            page.add(record, image.pixels, neighbours.of(source) if neighbours is not None else None)
            yield from (rows.row(record, one, output) for one in record.explanations)

    format = out.choose_format(format, sys.stdout)
    with common.progress("explaining", total=len(sources), unit="pictures") as update:
        out.write(explained(), sys.stdout, format, columns=rows.COLUMNS, table=rows.Table())
    page.write(output)
    common.log.info("%s shows them", output)
    if page.left_out:
        common.log.warning("%s images are not on the page, which has room for 60", f"{page.left_out:,}")
    if report.failed:
        common.say(f"{report.failed} of {report.done + report.failed} could not be read")
    return report.exit_status


def _check(output: Path) -> None:
    """See that a page can be written under a name.

    Raises:
        UsageError: the name is not that of a page.
        UnavailableError: there is no such folder.
    """
    import os

    from zoo.core.errors import UnavailableError, UsageError

    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"The page is HTML, which {output} does not end in; name a .html file.")
    if not os.access(output.parent, os.W_OK):
        raise UnavailableError(f"{output} cannot be written: {output.parent} is no folder that may be written to.")


class _Near:
    """Images of an index that are like others, one after the other."""

    def __init__(self, index: str, count: int, *, device: str, offline: bool | None) -> None:
        from zoo.search.searcher import Searcher

        self._index, self._count = index, count
        self._searcher: Searcher = Searcher(index, device=device, offline=offline)

    def of(self, source: Source) -> Neighbours:
        """The nearest ones, without the image itself."""
        from zoo.visualize.explain.page.figure import Neighbours

        (found,) = self._searcher.search(source, self._count, exclude_self=True)
        extractor = self._searcher.extractor
        return Neighbours(found, Path(self._index).name, extractor.spec.name if extractor is not None else None)
