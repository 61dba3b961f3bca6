"""``zoo visualize report``: an HTML page of explanations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli import common
from zoo.cli.visualize import explaining, options

if TYPE_CHECKING:
    from zoo.images.source import Source
    from zoo.visualize.explain.explain import Explained
    from zoo.visualize.explain.page.section import Neighbours
    from zoo.visualize.network.display import Image

#: The default methods: those that differ most, and are fast.
DEFAULT = ("gradcam", "layercam", "eigencam", "integratedgradients", "occlusion")


@common.command("report")
@options.paths_argument
@options.model_option
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help=f"Method, or all; repeatable. Default: {', '.join(DEFAULT)}.",
)
@options.class_options("3")
@options.layer_option("Layer or stage of the maps; default: the last layer with a feature map.")
@click.option("--index", metavar="FILE", help="Features, as 'zoo features' writes them: show the most similar images.")
@options.integer("-k", "near", default=6, help="Number of similar images.")
@common.recursive_option
@options.scores_option
@options.output_option("FILE.html", "The page.")
@options.run_options
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
    """Write an HTML page of images: predictions, and where the network sees them.

    For each image the page has the most probable classes, and for each of them a map by each method with its scores;
    a slider blends the image and its map. It is one file that loads nothing, for up to 60 images.

    \b
      zoo visualize report photo.jpg -o page.html
      zoo visualize report photos/ --top 1 --method gradcam --method occlusion -o page.html
      zoo visualize report photo.jpg --index features.h5 -o page.html
    """
    from zoo.cli.visualize import destination
    from zoo.images.discovery import find

    options.check_classes(classes, top)
    destination.check(output, suffix=".html", also=".htm")
    sources = list(find(paths, recursive=recursive, offline=offline))
    net = options.open_model(model, device, offline)
    neighbours = _searcher(index, near, device, offline) if index is not None else None
    from zoo.visualize.explain.page.page import LIMIT, Page

    page = Page(net.name)

    def show(record: Explained, source: Source, image: Image | None) -> Path:
        if image is None:
            page.add(record)
        else:
            page.add(record, image.pixels, neighbours(source) if neighbours is not None else None)
        return output

    status = explaining.write_explanations(
        net,
        sources,
        show,
        format,
        method="all" if "all" in methods else list(methods or DEFAULT),
        classes=classes,
        top=top or 3,
        layer=layer,
        faithfulness=not no_scores,
    )
    page.write(output)
    common.log.info("%s shows the images", output)
    if page.left_out:
        common.log.warning("%s images are not on the page, which has room for %d", f"{page.left_out:,}", LIMIT)
    return status


def _searcher(index: str, count: int, device: str, offline: bool | None) -> Callable[[Source], Neighbours]:
    """Searches an index for the images that are most similar to one, without itself."""
    from zoo.search.searcher import Searcher
    from zoo.visualize.explain.page.section import Neighbours

    searcher = Searcher(index, device=device, offline=offline)

    def search(source: Source) -> Neighbours:
        (found,) = searcher.search(source, count, exclude_self=True)
        model = searcher.extractor.spec.name if searcher.extractor is not None else None
        return Neighbours([(one.path, one.score) for one in found.matches], Path(index).name, model, found.error)

    return search
