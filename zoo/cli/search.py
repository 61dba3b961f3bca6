"""``zoo search``: the images that are most like an image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.search.searcher import Found

_COLUMNS = ("query", "rank", "path", "score", "error")


@common.command("search")
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option("--index", required=True, metavar="FILE", help="Vectors, as 'zoo features' writes them.")
@click.option("-k", type=click.IntRange(min=1), default=10, show_default=True, help="Images to find for each query.")
@click.option(
    "--metric",
    type=click.Choice(["cosine", "dot", "euclidean"]),
    default="cosine",
    show_default=True,
    help="Compare directions, products, or (with a minus) distances.",
)
@click.option("--layer", metavar="LAYER", help="Which of the layers in the index; the first without.")
@click.option("--min-score", type=float, metavar="S", help="Leave out what has a lower score.")
@click.option("--exclude-self", is_flag=True, help="Leave out the query itself where it is in the index.")
@click.option(
    "--approximate", is_flag=True, help="Look at a part of a large index only; the first time builds what that takes."
)
@click.option("--by-path", is_flag=True, help="Take the queries' vectors from the index too, and compute nothing.")
@click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.png", help="Draw what was found."
)
@common.recursive_option
@common.run_options
@common.output_options
def command(
    queries: tuple[str, ...],
    index: str,
    k: int,
    metric: str,
    layer: str | None,
    min_score: float | None,
    exclude_self: bool,
    approximate: bool,
    by_path: bool,
    sheet: Path | None,
    recursive: bool,
    device: str,
    engine: str,
    batch_size: int | None,
    offline: bool | None,
    format: str | None,
    output: Path | None,
) -> int:
    """Find the images that are most like others.

    A QUERY is a file, a folder, a pattern in quotes, an http(s) address, or - for a list of paths on standard input.
    Each gives one row: the paths of the nearest images of the index with their scores, the nearest first, or why it
    could not be read. A query is turned into a vector by the network that made the index.

    \b
      zoo features photos/ -r -o f.h5
      zoo search cat.jpg --index f.h5
      zoo search new/ --index f.h5 -k 1 --min-score 0.9 --format csv
      zoo search cat.jpg --index f.h5 --sheet found.png
    """
    import sys

    from zoo.core import output as out
    from zoo.images.sources import find
    from zoo.search import sheets
    from zoo.search.searcher import Searcher

    format = out.choose_format(format, sys.stdout, output)
    with common.fetching() as fetched:
        searcher = Searcher(
            index,
            layer=layer,
            metric=metric,
            approximate=approximate,
            by_path=by_path,
            device=device,
            engine=engine,
            batch_size=batch_size,
            offline=offline,
            progress=fetched,
        )
    if approximate:
        with common.progress("building the index", unit="pictures") as update:
            searcher.prepare(update)
    report = out.Report()
    blocks: list[sheets.Block] = []
    with searcher, common.progress("searching", unit="pictures") as update, out.opened(output) as stream:

        def rows() -> Iterator[dict[str, Any]]:
            sources = find(queries, recursive=recursive, offline=offline)
            for found in searcher.stream(sources, k, min_score=min_score, exclude_self=exclude_self, progress=update):
                report.add(ok=found.ok)
                if sheet is not None and found.ok:
                    blocks.append(sheets.of_matches(found.query, [(m.path, m.score) for m in found.matches]))
                if format == "csv":
                    yield from _wide(found)
                elif format == "table":
                    yield {"text": _block(found)}
                else:
                    yield _json(found)

        out.write(rows(), stream, format, columns=_COLUMNS, table=lambda row: row["text"])
    if sheet is not None:
        sheets.draw(blocks, sheet)
        common.log.info("%s shows what was found", sheet)
    if report.failed:
        common.say(f"{report.failed} of {report.done + report.failed} could not be searched for")
    return report.exit_status


def _json(found: Found) -> dict[str, Any]:
    row: dict[str, Any] = {"query": found.query, "status": "ok" if found.ok else "unreadable"}
    if not found.ok:
        row["error"] = found.error
    return {**row, "matches": [{"path": match.path, "score": match.score} for match in found.matches]}


def _wide(found: Found) -> Iterator[dict[str, Any]]:
    """Rows of CSV: one for each match, and one for a query without any."""
    for rank, match in enumerate(found.matches, start=1):
        yield {"query": found.query, "rank": rank, "path": match.path, "score": match.score}
    if not found.matches:
        yield {"query": found.query, "error": found.error}


def _block(found: Found) -> str:
    """One query on a terminal, and what was found."""
    if not found.ok:
        return f"{found.query}\n  {found.error}\n"
    lines = [f"{rank:4}  {match.score:9.4f}  {match.path}" for rank, match in enumerate(found.matches, start=1)]
    return "\n".join([found.query, *(lines or ["  nothing that is near enough"])]) + "\n"
