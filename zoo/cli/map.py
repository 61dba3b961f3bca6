"""``zoo map``: an interactive map of images."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from zoo.cli import common, index_options
from zoo.core.output import FORMATS

if TYPE_CHECKING:
    from zoo.search.map import Map

_COLUMNS = ("path", "x", "y", "label", "error")


@common.command("map")
@index_options.index_option
@index_options.layer_option
@click.option(
    "--method",
    type=click.Choice(["auto", "umap", "tsne", "pca"]),
    default="auto",
    help="Embedding; auto: the first of them that is installed.",
)
@index_options.metric_option("cosine", "euclidean")
@click.option(
    "--labels",
    default="auto",
    metavar="folder|none|FILE",
    help="Colours: the folders of the images, or a table (CSV, JSON lines) with columns path and label or cluster. "
    "auto: folders, if there are 2 to 40.",
)
@click.option(
    "--neighbours",
    type=click.IntRange(min=2),
    metavar="N",
    help="Of UMAP, or the perplexity of t-SNE. If omitted: 15 and 30.",
)
@click.option(
    "--points", type=click.IntRange(min=1), default=20_000, metavar="N", help="Draw a random sample of more vectors."
)
@index_options.seed_option
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: a page if the name ends in .html, else the coordinates.",
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    help="Format of the coordinates; with a page they go to standard output.",
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
    """Draw a map of images on which similar images are close together.

    The page is one file that opens offline in any browser: pan, zoom, search, filter by label, hover over a dot to see
    its image, select dots to list their files. Without a page, each image gives a row with x, y and label.

    \b
      zoo map --index f.h5 -o map.html
      zoo map --index f.h5 -o map.html --labels clusters.jsonl --method tsne
      zoo map --index f.h5 --format csv > places.csv
    """
    import sys

    from zoo.core import output as out
    from zoo.core.errors import UnavailableError
    from zoo.search.map import make_map, write_page

    page = output if output is not None and output.suffix.lower() in (".html", ".htm") else None
    data = None if page is not None else output
    # Checked first, because the embedding of many images takes minutes.
    if output is not None and not os.access(output.parent, os.W_OK):
        raise UnavailableError(f"{output} cannot be written: {output.parent} is not a writable folder.")
    found = make_map(
        index,
        layer=layer,
        method=method,
        metric=metric,
        colours=labels,
        limit=points,
        neighbours=neighbours,
        seed=seed,
    )
    common.log.info("%s", _summary(found))
    if page is not None:
        with common.progress("thumbnails", unit="images") as update:
            written = write_page(found, page, update)
        if written.missing:
            path, reason = written.missing[0]
            common.log.warning(
                "%s images cannot be read any more and are grey on the page; the first is %s: %s",
                f"{len(written.missing):,} of {len(found):,}",
                path,
                reason,
            )
        common.log.info("wrote %s, %s", page, out.human_bytes(written.bytes))
    if page is None or format is not None:
        format = out.choose_format(format, sys.stdout, data)
        with out.opened(data) as stream:
            out.write(found.rows(), stream, format, columns=_COLUMNS)
    return common.report_nonfinite(found.unusable, len(found), "are not on the map")


def _summary(found: Map) -> str:
    from zoo.search.map.embedding import METHODS

    of = f" of {found.total:,}, drawn at random (--points N takes more)" if found.drawn < found.total else ""
    labels = found.labels
    colours = f"coloured by {len(labels.names)} {labels.kind}s" if labels.kind else "all in one colour"
    return f"{len(found):,} vectors{of}, placed by {METHODS[found.method].title} ({found.why}), {colours}"
