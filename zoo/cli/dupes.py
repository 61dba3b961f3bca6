"""``zoo dupes``: near-duplicate images, and which to keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common, index_options

if TYPE_CHECKING:
    from zoo.search.near_duplicates import Duplicates, Group

_COLUMNS = ("group", "keep", "path", "width", "height", "bytes", "similarity", "reason")
#: Images left out that are named on standard error.
_NAMED = 10


@common.command("dupes")
@index_options.index_option
@click.option(
    "--threshold", type=float, default=0.95, metavar="S", help="Cosine of near-duplicates, above 0 and at most 1."
)
@index_options.layer_option
@index_options.sheet_option("the groups")
@common.output_options
def command(
    index: str, threshold: float, layer: str | None, sheet: Path | None, format: str | None, output: Path | None
) -> int:
    """Find near-duplicate images: recompressed, resized, mirrored or slightly cropped copies.

    Each group gives a row: the image to keep, which has the most pixels, then the most bytes, and its near-duplicates.
    Nothing is deleted. Look at the groups first: --sheet draws them.

    \b
      zoo features photos/ -r -o f.h5
      zoo dupes --index f.h5 --sheet copies.png
      zoo dupes --index f.h5 --threshold 0.98 | jq -r '.remove[]'
    """
    import sys

    from zoo.core import output as out
    from zoo.search import contact_sheets
    from zoo.search.near_duplicates import find_duplicates

    format = out.choose_format(format, sys.stdout, output)
    with common.progress("comparing", unit="pairs") as update:
        found = find_duplicates(index, threshold, layer=layer, progress=update)
    # Before the rows, whose reader may stop early.
    if sheet is not None:
        numbered = enumerate(found.groups, start=1)
        contact_sheets.draw_blocks((contact_sheets.duplicate_block(*item) for item in numbered), sheet)
        common.log.info("wrote %s", sheet)
    with out.opened(output) as stream:
        rows = _csv_rows(found) if format == "csv" else _rows(found, format)
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
        return f"{found.n:,} images, no near-duplicates (cosine of {found.threshold:g} or more)"
    groups = f"{len(found.groups):,} group{'s' * (len(found.groups) != 1)} of near-duplicates"
    return f"{found.n:,} images, {groups}; {found.removable:,} could be removed, {human_bytes(found.bytes)}"


def _rows(found: Duplicates, format: str) -> Iterator[dict[str, Any]]:
    for number, group in enumerate(found.groups, start=1):
        yield {"text": _text(number, group)} if format == "table" else group.as_dict()


def _csv_rows(found: Duplicates) -> Iterator[dict[str, Any]]:
    """One row for each image."""
    for number, group in enumerate(found.groups, start=1):
        for place, image in enumerate(group.as_dict()["pictures"]):
            keep = {"keep": "no"} if place else {"keep": "yes", "reason": group.reason}
            yield {"group": number, **image, **keep}


def _text(number: int, group: Group) -> str:
    from zoo.core.output import aligned, human_bytes

    rows = [
        {
            "": "keep" if image is group.kept else f"{image.similarity:.4f}",
            "size": f"{image.width}×{image.height}" if image.width else "—",
            "bytes": human_bytes(image.bytes),
            "path": image.path,
        }
        for image in (group.kept, *group.others)
    ]
    # Without the header.
    lines = aligned(rows, ["", "size", "bytes", "path"]).splitlines()[2:]
    return "\n".join([f"group {number:,}: {group.reason}", *(f"  {line}" for line in lines), ""]) + "\n"
