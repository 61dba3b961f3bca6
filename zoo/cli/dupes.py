"""``zoo dupes``: images of which there are several, and which to keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.search.near_duplicates import Duplicates, Group

_COLUMNS = ("group", "keep", "path", "width", "height", "bytes", "similarity", "reason")
#: Images that are left out and are named on standard error.
_NAMED = 10


@common.command("dupes")
@click.option("--index", required=True, metavar="FILE", help="Vectors, as 'zoo features' writes them.")
@click.option(
    "--threshold",
    type=float,
    default=0.95,
    show_default=True,
    metavar="S",
    help="Cosine of the vectors that two images must reach, above 0, at most 1.",
)
@click.option("--layer", metavar="LAYER", help="Which of the layers in the index; the first without.")
@click.option(
    "--sheet", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.png", help="Draw what was found."
)
@common.output_options
def command(
    index: str, threshold: float, layer: str | None, sheet: Path | None, format: str | None, output: Path | None
) -> int:
    """Find images of which there are several: recompressed, resized, mirrored, a little cropped.

    Each group gives a row: the image to keep, which has the most pixels, then the most bytes, and those that are
    like it. Nothing is deleted, here or elsewhere. Look at them first: --sheet draws them.

    \b
      zoo features photos/ -r -o f.h5
      zoo dupes --index f.h5 --sheet copies.png
      zoo dupes --index f.h5 --threshold 0.98 | jq -r '.remove[]'
    """
    import sys

    from zoo.core import output as out
    from zoo.search import sheets
    from zoo.search.near_duplicates import find_duplicates

    format = out.choose_format(format, sys.stdout, output)
    with common.progress("comparing", unit="pairs") as update:
        found = find_duplicates(index, threshold, layer=layer, progress=update)
    # First: whoever reads the rows may have seen enough before the last one.
    if sheet is not None:
        numbered = enumerate(found.groups, start=1)
        sheets.draw((sheets.of_copies(number, group.kept, group.others) for number, group in numbered), sheet)
        common.log.info("%s shows the groups", sheet)
    with out.opened(output) as stream:
        rows = _wide(found) if format == "csv" else _rows(found, format)
        out.write(rows, stream, format, columns=_COLUMNS, table=lambda row: row["text"])
    for path, problem in found.left_out[:_NAMED]:
        common.log.warning("%s is left out: %s", out.printable(path), problem)
    if len(found.left_out) > _NAMED:
        common.log.warning("and %s more are left out", f"{len(found.left_out) - _NAMED:,}")
    common.log.info("%s", _summary(found))
    return 1 if found.left_out else 0


def _summary(found: Duplicates) -> str:
    from zoo.core.output import human_bytes

    if not found.groups:
        return f"{found.n:,} images, no two of them alike (a cosine of {found.threshold:g} or more)"
    groups = f"{len(found.groups):,} group{'s' * (len(found.groups) != 1)} of copies"
    return f"{found.n:,} images, {groups}; {found.removable:,} could go, {human_bytes(found.bytes)}"


def _rows(found: Duplicates, format: str) -> Iterator[dict[str, Any]]:
    for number, group in enumerate(found.groups, start=1):
        yield {"text": _block(number, group)} if format == "table" else group.as_dict()


def _wide(found: Duplicates) -> Iterator[dict[str, Any]]:
    """Rows of CSV: one for each image."""
    for number, group in enumerate(found.groups, start=1):
        about = group.as_dict()
        for place, copy in enumerate(about["pictures"]):
            keep = {"keep": "no"} if place else {"keep": "yes", "reason": group.reason}
            yield {"group": number, **copy, **keep}


def _block(number: int, group: Group) -> str:
    """One group on a terminal."""
    from zoo.core.output import aligned, human_bytes

    rows = [
        {
            "": "keep" if copy is group.kept else f"{copy.similarity:.4f}",
            "size": f"{copy.width}×{copy.height}" if copy.width else "—",
            "bytes": human_bytes(copy.bytes),
            "path": copy.path,
        }
        for copy in (group.kept, *group.others)
    ]
    # Without the head: groups stand one under the other.
    lines = aligned(rows, ["", "size", "bytes", "path"]).splitlines()[2:]
    return "\n".join([f"group {number:,}: {group.reason}", *(f"  {line}" for line in lines), ""]) + "\n"
