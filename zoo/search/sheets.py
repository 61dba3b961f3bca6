"""What was found on one page: images side by side, as a PNG file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from zoo.core.errors import ImageError
from zoo.core.hardware import processors
from zoo.core.output import human_bytes
from zoo.core.spec import Resize
from zoo.images import decode, sources
from zoo.reports.plots import RIGHT, sheet_image, write_png
from zoo.reports.plots.canvas import INK, note
from zoo.reports.plots.contact_sheet import LIMIT, SIDE
from zoo.search.duplicate_files import Copy, size_of

#: Pixels of a page from left to right, which the widest block may exceed.
WIDTH = 1500
#: Most images side by side.
COLUMNS = 11


@dataclass(frozen=True, slots=True)
class Block:
    """Images that belong together, by their paths; the first one is in another colour."""

    title: str
    paths: tuple[str, ...]
    captions: tuple[str, ...]


def of_matches(query: str, matches: Sequence[tuple[str, float]]) -> Block:
    """A query, and what was found, with scores."""
    captions = (f"{score:.3f}\n{Path(path).stem}" for path, score in matches)
    return Block(query, (query, *(path for path, _ in matches)), ("query", *captions))


def of_copies(number: int, kept: Copy, others: Sequence[Copy]) -> Block:
    """Copies, and the one to keep, with their sizes."""
    captions = [f"{copy.similarity:.3f}\n{_described(copy)}" for copy in others]
    return Block(
        f"Group {number:,}", (kept.path, *(copy.path for copy in others)), (f"keep\n{_described(kept)}", *captions)
    )


def draw(blocks: Iterable[Block], path: str | os.PathLike[str], *, most: int = LIMIT) -> None:
    """Draw blocks one after another, narrow ones side by side.

    Args:
        blocks: what belongs together; read as far as there is room.
        path: the PNG file.
        most: images that are shown; of the first block at least a part.

    Raises:
        UnavailableError: the file cannot be written.
    """
    drawn: list[np.ndarray] = []
    left = most
    remaining = iter(blocks)
    for block in remaining:
        if drawn and len(block.paths) > left:
            drawn.append(note(f"and {1 + sum(1 for _ in remaining):,} more"))
            break
        drawn.append(_drawn(block, most))
        left -= len(block.paths)
    write_png(_page(drawn or [note("nothing found")]), path)


def _drawn(block: Block, most: int) -> np.ndarray:
    with ThreadPoolExecutor(processors()) as pool:
        images = list(pool.map(_image, islice(block.paths, most)))
    captions, colours = block.captions[: len(images)], [RIGHT, *(len(images) - 1) * [INK]]
    more = len(block.paths) - len(images)
    title = f"{block.title}, and {more:,} more" if more else block.title
    return sheet_image(images, captions, columns=min(COLUMNS, len(images)), title=title, colours=colours)


def _image(path: str) -> np.ndarray:
    """An image reduced to what a sheet shows of it; an empty one where it cannot be read."""
    width, height = size_of(path) or (SIDE, SIDE)
    scale = min(1.0, SIDE / max(width, height))
    resize = Resize(max(1, round(height * scale)), max(1, round(width * scale)), "squash", 1.0, "lanczos")
    try:
        return decode.load(next(sources.find([path])), resize)
    except ImageError:
        return np.full((SIDE, SIDE, 3), 240, np.uint8)


def _page(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Blocks in lines, each as high as the highest in it: uint8 RGB."""
    lines: list[list[np.ndarray]] = [[]]
    for block in blocks:
        if lines[-1] and sum(one.shape[1] for one in lines[-1]) + block.shape[1] > WIDTH:
            lines.append([])
        lines[-1].append(block)
    width = max(sum(block.shape[1] for block in line) for line in lines)
    page = np.full((sum(max(block.shape[0] for block in line) for line in lines), width, 3), 255, np.uint8)
    top = 0
    for line in lines:
        left = 0
        for block in line:
            page[top : top + block.shape[0], left : left + block.shape[1]] = block
            left += block.shape[1]
        top += max(block.shape[0] for block in line)
    return page


def _described(copy: Copy) -> str:
    size = f"\n{copy.width}×{copy.height}" if copy.width else ""
    return f"{os.path.basename(copy.path)}{size}\n{human_bytes(copy.bytes)}"
