"""``zoo cluster``: clusters of similar images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from zoo.cli import common, index_options

if TYPE_CHECKING:
    from zoo.search.clusters import Clusters

_COLUMNS = ("path", "cluster", "distance", "error")


class _Count(click.ParamType):  # type: ignore[type-arg]
    """An integer of 1 or more, or ``auto``."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The number; ``None`` for ``auto``."""
        return None if value in (None, "auto") else click.IntRange(min=1).convert(value, param, ctx)


@common.command("cluster")
@index_options.index_option
@click.option(
    "-k",
    type=_Count(),
    default="auto",
    metavar="N|auto",
    help="Number of clusters; auto: 2 to 20, by the best silhouette.",
)
@index_options.layer_option
@index_options.metric_option("cosine", "euclidean")
@index_options.sheet_option("the most typical images of each cluster")
@index_options.seed_option
@common.output_options
def command(
    index: str,
    k: int | None,
    layer: str | None,
    metric: Literal["cosine", "euclidean"],
    sheet: Path | None,
    seed: int,
    format: str | None,
    output: Path | None,
) -> int:
    """Group similar images by k-means clustering of their feature vectors.

    A table shows the clusters; JSON lines and CSV have a row for each image with its cluster (from 0, the largest
    first) and its distance from the centroid; JSON has both. 'zoo map --labels' takes the rows as colours.

    \b
      zoo cluster --index f.h5
      zoo cluster --index f.h5 -k 12 --sheet groups.png -o clusters.jsonl
    """
    import sys

    from zoo.core import output as out
    from zoo.search.clusters import find_clusters

    format = out.choose_format(format, sys.stdout, output)
    with out.opened(output) as stream:
        found = find_clusters(index, k, layer=layer, metric=metric, seed=seed)
        if found.tried:
            common.log.info("%s", _search_summary(found))
        if sheet is not None:
            from zoo.search import contact_sheets

            contact_sheets.draw_clusters(found, sheet)
        if format == "table":
            stream.write(out.printable(_table(found)))
        elif format == "json":
            stream.write(out.to_json({**found.summary(), "pictures": list(found.rows())}) + "\n")
        else:
            out.write(found.rows(), stream, format, columns=_COLUMNS)
    return common.report_nonfinite(found.unusable, len(found), "are in no cluster")


def _search_summary(found: Clusters) -> str:
    """The number of clusters chosen, and the runners-up."""
    best, *others = sorted(found.tried.items(), key=lambda pair: -pair[1])
    near = ", ".join(f"{score:.3f} for {k}" for k, score in others[:2])
    tried = f"{min(found.tried)} to {max(found.tried)}"
    return f"{best[0]} clusters have the best mean silhouette of {tried}: {best[1]:.3f}" + (f"; {near}" if near else "")


def _table(found: Clusters) -> str:
    from zoo.core import output as out

    known = found.purity is not None
    rows = [
        {
            "cluster": cluster.number,
            "size": cluster.size,
            "folder": cluster.folder,
            "share": None if cluster.share is None else f"{cluster.share:.0%}",
            "central": cluster.central,
        }
        for cluster in found.clusters
    ]
    columns = ["cluster", "size", *(["folder", "share"] if known else []), "central"]
    titles = {"folder": "most frequent folder", "central": "nearest to the centroid"}
    text = f"{found.index}: {len(found):,} images in {len(found.clusters)} clusters\n\n"
    text += out.aligned(rows, columns, titles) + "\n"
    if found.silhouette is not None:
        text += f"mean silhouette {found.silhouette:.3f}\n"
    if known:
        text += f"{found.purity:.1%} of the images are in the most frequent folder of their cluster\n"
    return text
