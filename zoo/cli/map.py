"""``zoo map``: images on a plane, near to those that are like them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.search.map import Map

#: Ends of names that ask for a page.
PAGES = (".html", ".htm")

_COLUMNS = ("path", "x", "y", "label", "error")


@common.command("map")
@click.option("--index", required=True, metavar="FILE", help="Vectors, as 'zoo features' writes them.")
@click.option("--layer", metavar="LAYER", help="Which of the layers in it; the first without.")
@click.option(
    "--method",
    type=click.Choice(["auto", "umap", "tsne", "pca"]),
    default="auto",
    show_default=True,
    help="What places the images; auto: the first of them that is installed.",
)
@click.option(
    "--metric",
    type=click.Choice(["cosine", "euclidean"]),
    default="cosine",
    show_default=True,
    help="Compare vectors by their direction, or by their place.",
)
@click.option(
    "--labels",
    default="auto",
    show_default=True,
    metavar="folder|none|FILE",
    help="Colours: the folders of the images, or a table (CSV, JSON lines) with columns path and label or cluster. "
    "auto: folders, where there are 2 to 40.",
)
@click.option(
    "--neighbours", type=click.IntRange(min=2), metavar="N", help="Of UMAP (15), or the perplexity of t-SNE (30)."
)
@click.option(
    "--points",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    metavar="N",
    help="Of more vectors a sample is drawn.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same map.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A page where the name ends in .html, else the coordinates; written whole or not at all.",
)
@click.option(
    "--format",
    type=click.Choice(["table", "json", "jsonl", "csv"]),
    help="Write the coordinates in this form; beside a page, to standard output.",
)
def command(
    index: str,
    layer: str | None,
    method: str,
    metric: Literal["cosine", "euclidean"],
    labels: str,
    neighbours: int | None,
    points: int,
    seed: int,
    output: Path | None,
    format: str | None,
) -> int:
    """Draw a map of images: those that are alike lie together.

    The page is one file that opens in any browser without a network: move, zoom, search, filter by colour, point at a
    dot to see its image, draw around dots to list their files. Without a page, each image gives a row with x, y
    and label.

    \b
      zoo map --index f.h5 -o map.html
      zoo map --index f.h5 -o map.html --labels clusters.jsonl --method tsne
      zoo map --index f.h5 --format csv > places.csv
    """
    import sys

    from zoo.core import output as out
    from zoo.core.errors import UnavailableError
    from zoo.search import map

    page = output if output is not None and output.suffix.lower() in PAGES else None
    data = None if page is not None else output
    # It takes minutes to find the places of many images; that there is nowhere to write them to is seen now.
    if output is not None and not os.access(output.parent, os.W_OK):
        raise UnavailableError(f"{output} cannot be written: {output.parent} is no folder that may be written to.")
    found = map.make(
        index,
        layer=layer,
        method=method,
        metric=metric,
        colours=labels,
        limit=points,
        neighbours=neighbours,
        seed=seed,
    )
    common.log.info("%s", _told(found))
    if page is not None:
        with common.progress("thumbnails", unit="pictures") as update:
            written = map.write(found, page, update)
        if written.missing:
            path, reason = written.missing[0]
            common.log.warning(
                "%s images cannot be read any more and are grey on the page; the first is %s: %s",
                f"{len(written.missing):,} of {len(found):,}",
                path,
                reason,
            )
        common.log.info("%s holds everything, %s", page, out.human_bytes(written.bytes))
    if page is None or format is not None:
        format = out.choose_format(format, sys.stdout, data)
        with out.opened(data) as stream:
            out.write(found.rows(), stream, format, columns=_COLUMNS)
    return common.report_nonfinite(found.unusable, len(found), "have no place")


def _told(found: Map) -> str:
    """What is done, with what, and why with that."""
    from zoo.search.map.embedding import TITLES

    asked = len(found) + len(found.unusable)
    of = f" of {found.total:,}, drawn at random (--points N takes more)" if asked < found.total else ""
    labels = found.labels
    colours = f"coloured by {len(labels.names)} {labels.kind}s" if labels.kind else "all in one colour"
    return f"{len(found):,} vectors{of}, placed by {TITLES[found.method]} ({found.why}), {colours}"
