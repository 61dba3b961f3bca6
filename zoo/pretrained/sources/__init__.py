"""Sources of weights: folders where files may be, and addresses that they are downloaded from.

``source.py`` says what a source is. ``shipped.py``, ``imported.py`` and ``folders.py`` are files on this machine,
``addresses.py`` mirrors and the official address. A new source is one file and one row of :data:`SOURCES`.
"""

from __future__ import annotations

from zoo.pretrained.sources.addresses import MIRRORS, OFFICIAL
from zoo.pretrained.sources.folders import CACHE_PATH, KERAS, ZOO
from zoo.pretrained.sources.imported import IMPORTED
from zoo.pretrained.sources.shipped import SHIPPED
from zoo.pretrained.sources.source import Source

__all__ = ["SOURCES", "Source"]

#: By name, in the order in which they are asked, first for files and then for addresses.
SOURCES = {source.origin: source for source in (SHIPPED, IMPORTED, KERAS, ZOO, CACHE_PATH, MIRRORS, OFFICIAL)}
