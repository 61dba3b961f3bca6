"""``zoo cluster``: images in groups that are like one another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.search.map import Clusters

_COLUMNS = ("path", "cluster", "distance", "error")


class _Number(click.ParamType):  # type: ignore[type-arg]
    """A whole number from 1 on, or ``auto``."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """The number, ``None`` for ``auto``."""
        if value is None or value == "auto":
            return None
        return click.IntRange(min=1).convert(value, param, ctx)


@common.command("cluster")
@click.option("--index", required=True, metavar="FILE", help="Vectors, as 'zoo features' writes them.")
@click.option(
    "-k",
    type=_Number(),
    default="auto",
    show_default=True,
    metavar="N|auto",
    help="How many groups; auto: the number of 2 to 20 with the best silhouette.",
)
@click.option("--layer", metavar="LAYER", help="Which of the layers in it; the first without.")
@click.option(
    "--metric",
    type=click.Choice(["cosine", "euclidean"]),
    default="cosine",
    show_default=True,
    help="Compare vectors by their direction, or by their place.",
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.png",
    help="Draw the most typical images of each group.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same groups.")
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
    """Divide images into groups of like ones, by k-means on their vectors.

    A table shows the groups; JSON lines and CSV have a row for each image with its group (from 0, the largest first)
    and its distance from the group's middle; JSON has both. 'zoo map --labels' takes the rows for colours.

    \b
      zoo cluster --index f.h5
      zoo cluster --index f.h5 -k 12 --sheet groups.png -o clusters.jsonl
    """
    import sys

    from zoo.core import output as out
    from zoo.search import map

    format = out.choose_format(format, sys.stdout, output)
    with out.opened(output) as stream:
        found = map.cluster(index, k, layer=layer, metric=metric, seed=seed)
        if found.tried:
            common.log.info("%s", _told(found))
        if sheet is not None:
            from zoo.search import cluster_sheet

            cluster_sheet.sheet(found, sheet)
        if format == "table":
            stream.write(out.printable(_table(found)))
        elif format == "json":
            stream.write(out.to_json({**found.summary(), "pictures": list(found.rows())}) + "\n")
        else:
            out.write(found.rows(), stream, format, columns=_COLUMNS)
    return common.report_nonfinite(found.unusable, len(found), "are in no group")


def _told(found: Clusters) -> str:
    """How the number of groups was found, with those that are nearly as good."""
    best, *others = sorted(found.tried.items(), key=lambda pair: -pair[1])
    near = ", ".join(f"{score:.3f} for {k}" for k, score in others[:2])
    tried = f"{min(found.tried)} to {max(found.tried)}"
    return f"{best[0]} groups have the best mean silhouette of {tried}: {best[1]:.3f}" + (f"; {near}" if near else "")


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
    titles = {"folder": "most frequent folder", "central": "nearest to the middle"}
    text = f"{found.index}: {len(found):,} images in {len(found.clusters)} groups\n\n"
    text += out.aligned(rows, columns, titles) + "\n"
    if found.silhouette is not None:
        text += f"mean silhouette {found.silhouette:.3f}\n"
    if known:
        text += f"{found.purity:.1%} of the images are in the most frequent folder of their group\n"
    return text
