"""The most typical images of each cluster, on one page: a line of images for each."""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from zoo.core.errors import ImageError
from zoo.images.decode import decode
from zoo.reports import plots
from zoo.search.clusters import Cluster, Clusters

#: Images in the line of a cluster, and those that are looked at to find so many which can be read.
SHOWN, _LOOKED_AT = 8, 40
#: Clusters on a page; the others are counted.
MOST = 40


def sheet(found: Clusters, path: str | os.PathLike[str]) -> None:
    """Write what :func:`sheet_image` draws as a PNG file.

    Raises:
        UnavailableError: the file cannot be written.
    """
    plots.write_png(sheet_image(found), path)


def sheet_image(found: Clusters) -> np.ndarray:
    """Draw for each cluster the images that are nearest to its middle, the nearest first.

    Returns:
        uint8 RGB (height, width, 3), white where there is nothing.
    """
    lines = [_line(cluster, found.paths) for cluster in found.clusters[:MOST]]
    if len(found.clusters) > MOST:
        lines.append(plots.sheet_image([], [], title=f"and {len(found.clusters) - MOST:,} more clusters"))
    width = max(line.shape[1] for line in lines)
    return np.concatenate([_widened(line, width) for line in lines])


def _line(cluster: Cluster, paths: tuple[str, ...]) -> np.ndarray:
    images: list[np.ndarray] = []
    captions = []
    for index in cluster.members[:_LOOKED_AT].tolist():
        try:
            images.append(_square(decode(paths[index])))
        except ImageError:
            continue
        captions.append(os.path.basename(paths[index]))
        if len(images) == SHOWN:
            break
    return plots.sheet_image(images, captions, columns=SHOWN, title=_title(cluster))


def _title(cluster: Cluster) -> str:
    """``2: 812 images, 83 % in pants``."""
    images = "1 image" if cluster.size == 1 else f"{cluster.size:,} images"
    folder = "" if cluster.folder is None else f", {100 * (cluster.share or 0):.0f} % in {cluster.folder}"
    return f"{cluster.number}: {images}{folder}"


def _square(image: Image.Image) -> np.ndarray:
    """The largest square in the middle, so that lines of images stand below one another."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return np.asarray(image.crop((left, top, left + side, top + side)))


def _widened(line: np.ndarray, width: int) -> np.ndarray:
    """The line with white to its right."""
    return np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0)), constant_values=255)
