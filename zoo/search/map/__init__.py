"""A map of images: feature vectors as points on a plane, on an interactive HTML page.

* :mod:`~zoo.search.map.image_map`: :func:`make_map`, from a file of vectors to coordinates.
* :mod:`~zoo.search.map.embedding`: UMAP, t-SNE and PCA. :mod:`~zoo.search.map.labels`: colours.
* :mod:`~zoo.search.map.page`: :func:`write_page`, with thumbnails and the ``.html``, ``.css`` and
  ``.js`` files beside it.

>>> write_page(make_map("features.h5"), "map.html")
"""

from zoo.search.map.image_map import Map, make_map
from zoo.search.map.page import write_page

__all__ = ["Map", "make_map", "write_page"]
