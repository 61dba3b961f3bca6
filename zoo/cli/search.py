"""``zoo search``: similar images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common, index_options

if TYPE_CHECKING:
    from zoo.search.searcher import SearchResult

_COLUMNS = ("query", "rank", "path", "score", "error")


@common.command("search")
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@index_options.index_option
@click.option("-k", type=click.IntRange(min=1), default=10, help="Matches for each query.")
@index_options.metric_option("cosine", "dot", "euclidean")
@index_options.layer_option
@click.option("--min-score", type=float, metavar="S", help="Leave out matches with a lower score.")
@click.option("--exclude-self", is_flag=True, help="Leave out the query itself if it is in the index.")
@click.option("--approximate", is_flag=True, help="Use an approximate (HNSW) index, built on first use and cached.")
@click.option("--by-path", is_flag=True, help="Take the vectors of the queries from the index; compute nothing.")
@index_options.sheet_option("queries and matches")
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
    """Find the images most similar to a query image.

    A QUERY is a file, a folder, a glob in quotes, a URL, or - for a list of paths on standard input. Each gives one
    row: the nearest images of the index with their scores, or the reason why the query cannot be read. Queries are
    embedded by the network that computed the index. The score is the cosine by default; with --metric euclidean it is
    minus the distance, so that more is always nearer.

    \b
      zoo features photos/ -r -o f.h5
      zoo search cat.jpg --index f.h5
      zoo search new/ --index f.h5 -k 1 --min-score 0.9 --format csv
      zoo search cat.jpg --index f.h5 --sheet found.png
    """
    import sys

    from zoo.core import output as out
    from zoo.images.discovery import find
    from zoo.search import contact_sheets
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
        with common.progress("building the index", unit="images") as update:
            searcher.prepare(update)
    report = out.Report()
    blocks: list[contact_sheets.Block] = []
    with searcher, common.progress("searching", unit="images") as update, out.opened(output) as stream:

        def rows() -> Iterator[dict[str, Any]]:
            sources = find(queries, recursive=recursive, offline=offline)
            for found in searcher.stream(sources, k, min_score=min_score, exclude_self=exclude_self, progress=update):
                report.add(ok=found.ok)
                if sheet is not None and found.ok:
                    blocks.append(contact_sheets.match_block(found.query, [(m.path, m.score) for m in found.matches]))
                if format == "csv":
                    yield from _csv_rows(found)
                elif format == "table":
                    yield {"text": _text(found)}
                else:
                    yield _json_row(found)

        out.write(rows(), stream, format, columns=_COLUMNS, table=lambda row: row["text"])
    if sheet is not None:
        contact_sheets.draw_blocks(blocks, sheet)
        common.log.info("wrote %s", sheet)
    if report.failed:
        common.say(f"{report.failed} of {report.done + report.failed} queries could not be read")
    return report.exit_status


def _json_row(found: SearchResult) -> dict[str, Any]:
    row: dict[str, Any] = {"query": found.query, "status": "ok" if found.ok else "unreadable"}
    if not found.ok:
        row["error"] = found.error
    return {**row, "matches": [{"path": match.path, "score": match.score} for match in found.matches]}


def _csv_rows(found: SearchResult) -> Iterator[dict[str, Any]]:
    """One row for each match, or one for a query without matches."""
    for rank, match in enumerate(found.matches, start=1):
        yield {"query": found.query, "rank": rank, "path": match.path, "score": match.score}
    if not found.matches:
        yield {"query": found.query, "error": found.error}


def _text(found: SearchResult) -> str:
    if not found.ok:
        return f"{found.query}\n  {found.error}\n"
    lines = [f"{rank:4}  {match.score:9.4f}  {match.path}" for rank, match in enumerate(found.matches, start=1)]
    return "\n".join([found.query, *(lines or ["  no matches"])]) + "\n"
