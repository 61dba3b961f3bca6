"""Contact sheets of matches, near-duplicates and clusters, as PNG files."""

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
from zoo.images import decode, discovery
from zoo.reports.plots import RIGHT, sheet_image, write_png
from zoo.reports.plots.canvas import INK, note
from zoo.reports.plots.image_grid import LIMIT, SIDE
from zoo.search.clusters import Cluster, Clusters
from zoo.search.near_duplicates.find import Group
from zoo.search.near_duplicates.image_files import ImageFile, image_size

#: Width of a page in pixels, which a single block may exceed, and images side by side at most.
WIDTH, COLUMNS = 1500, 11
#: Clusters on a page, images of each, and images tried to find so many that can be read.
CLUSTERS, CLUSTER_IMAGES, _TRIED = 40, 8, 40


@dataclass(frozen=True, slots=True)
class Block:
    """Paths of images that belong together, with captions; that of the first is coloured."""

    title: str
    paths: tuple[str, ...]
    captions: tuple[str, ...]


def match_block(query: str, matches: Sequence[tuple[str, float]]) -> Block:
    """A query and its matches, pairs of a path and a score."""
    captions = (f"{score:.3f}\n{Path(path).stem}" for path, score in matches)
    return Block(query, (query, *(path for path, _ in matches)), ("query", *captions))


def duplicate_block(number: int, group: Group) -> Block:
    """Near-duplicates, the one to keep first."""
    captions = [f"{image.similarity:.3f}\n{_described(image)}" for image in group.others]
    paths = (group.kept.path, *(image.path for image in group.others))
    return Block(f"Group {number:,}", paths, (f"keep\n{_described(group.kept)}", *captions))


def draw_blocks(blocks: Iterable[Block], path: str | os.PathLike[str], *, limit: int = LIMIT) -> None:
    """Draw at most ``limit`` images of blocks one after another, narrow ones side by side; the rest is counted."""
    drawn: list[np.ndarray] = []
    left = limit
    remaining = iter(blocks)
    for block in remaining:
        if drawn and len(block.paths) > left:
            drawn.append(note(f"and {1 + sum(1 for _ in remaining):,} more"))
            break
        drawn.append(_drawn(block, limit))
        left -= len(block.paths)
    lines: list[list[np.ndarray]] = [[]]
    for image in drawn or [note("nothing found")]:
        if lines[-1] and sum(one.shape[1] for one in lines[-1]) + image.shape[1] > WIDTH:
            lines.append([])
        lines[-1].append(image)
    write_png(_page(lines), path)


def draw_clusters(found: Clusters, path: str | os.PathLike[str]) -> None:
    """Draw a line for each cluster: the images nearest to its centroid, the nearest first."""
    lines = [_cluster_line(cluster, found.paths) for cluster in found.clusters[:CLUSTERS]]
    if len(found.clusters) > CLUSTERS:
        lines.append(note(f"and {len(found.clusters) - CLUSTERS:,} more clusters"))
    write_png(_page([[line] for line in lines]), path)


def _drawn(block: Block, limit: int) -> np.ndarray:
    with ThreadPoolExecutor(processors()) as pool:
        images = list(pool.map(_thumbnail, islice(block.paths, limit)))
    captions, colours = block.captions[: len(images)], [RIGHT, *(len(images) - 1) * [INK]]
    more = len(block.paths) - len(images)
    title = f"{block.title}, and {more:,} more" if more else block.title
    return sheet_image(images, captions, columns=min(COLUMNS, len(images)), title=title, colours=colours)


def _thumbnail(path: str) -> np.ndarray:
    """An image at the size of a sheet; grey if it cannot be read."""
    width, height = image_size(path) or (SIDE, SIDE)
    scale = min(1.0, SIDE / max(width, height))
    resize = Resize(max(1, round(height * scale)), max(1, round(width * scale)), "squash", 1.0, "lanczos")
    try:
        return decode.load(next(discovery.find([path])), resize)
    except ImageError:
        return np.full((SIDE, SIDE, 3), 240, np.uint8)


def _described(image: ImageFile) -> str:
    size = f"\n{image.width}×{image.height}" if image.width else ""
    return f"{os.path.basename(image.path)}{size}\n{human_bytes(image.bytes)}"


def _cluster_line(cluster: Cluster, paths: Sequence[str]) -> np.ndarray:
    """Centre squares of the first images that can be read, so that lines align."""
    images: list[np.ndarray] = []
    captions = []
    for index in cluster.members[:_TRIED].tolist():
        try:
            image = decode.decode(paths[index])
        except ImageError:
            continue
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        images.append(np.asarray(image.crop((left, top, left + side, top + side))))
        captions.append(os.path.basename(paths[index]))
        if len(images) == CLUSTER_IMAGES:
            break
    count = "1 image" if cluster.size == 1 else f"{cluster.size:,} images"
    folder = "" if cluster.folder is None else f", {100 * (cluster.share or 0):.0f} % in {cluster.folder}"
    title = f"{cluster.number}: {count}{folder}"
    return sheet_image(images, captions, columns=CLUSTER_IMAGES, title=title)


def _page(lines: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Lines of images on white, each line as high as its highest image: uint8 RGB."""
    width = max(sum(image.shape[1] for image in line) for line in lines)
    page = np.full((sum(max(image.shape[0] for image in line) for line in lines), width, 3), 255, np.uint8)
    top = 0
    for line in lines:
        left = 0
        for image in line:
            page[top : top + image.shape[0], left : left + image.shape[1]] = image
            left += image.shape[1]
        top += max(image.shape[0] for image in line)
    return page
