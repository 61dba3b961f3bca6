"""Networks described in YAML files, read and checked without Keras.

- ``network_file.py`` reads a file: its heading alone, to list the network, or all of it, to use it.
- ``yaml_lines.py``: YAML with line numbers. ``heading.py``: everything but the layers. ``variables.py``: ``$width``.
- ``unroll.py`` turns layers into calls, checked with ``signatures.py`` and ``arguments.py``; ``network.py``: the whole.

:mod:`zoo.models.from_yaml` makes the Keras model.
"""

from zoo.catalog.declarative.network_file import (
    BUILDER,
    collect,
    defaults,
    is_declarative,
    is_file,
    load,
    load_heading,
    parse,
    read_network,
    shipped,
)

__all__ = [
    "BUILDER",
    "collect",
    "defaults",
    "is_declarative",
    "is_file",
    "load",
    "load_heading",
    "parse",
    "read_network",
    "shipped",
]
