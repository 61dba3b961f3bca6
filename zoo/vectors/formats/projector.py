"""``.projector``: a folder for TensorBoard's embedding projector (``tensorboard --logdir f.projector``).

``tensors.tsv`` and ``tensors_NAME.tsv`` have the numbers of the columns, ``metadata.tsv`` the paths of the images,
``sprite.png`` thumbnails; ``projector_config.pbtxt`` lists these files. ``about.json`` and ``rows.npy`` are
:mod:`~zoo.vectors.formats.sidecars`.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, Column, ColumnChoice
from zoo.vectors.content import Content, column_norms
from zoo.vectors.formats import sidecars, sprite
from zoo.vectors.formats.text_rows import Spool, texts
from zoo.vectors.names import numbered
from zoo.vectors.vectors import Vectors, reading

log = logging.getLogger(__name__)

_METADATA, _SPRITE, _CONFIG = "metadata.tsv", "sprite.png", "projector_config.pbtxt"
_ABOUT, _ROWS = "about.json", "rows.npy"


def write(content: Content, path: Path) -> list[Path]:
    """Write a folder."""
    path.mkdir()
    for column in content.columns:
        with open(path / _tensors(column), "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in texts(content, "\t", [column]))
    sidecars.write_names(path / _METADATA, content)
    sidecars.write(content, path / _ABOUT, path / _ROWS, column_norms(content))
    size = sprite.side(content.count) if content.count else 0
    if size:
        sprite.write(content.entries(), content.count, path / _SPRITE)
    elif content.count:
        log.info("%s has no sprite image: %s images are too many for one", path.name, f"{content.count:,}")
    (path / _CONFIG).write_text("".join(_embedding(column, size) for column in content.columns), encoding="utf-8")
    return [path]


def open_file(path: Path, choose: ColumnChoice) -> Vectors:
    """Read a folder of zoo, or any with a ``tensors.tsv``."""
    about = sidecars.read_about(path / _ABOUT)

    def problem(error: Exception) -> str:
        return f"is not a folder for the projector: {getattr(error, 'strerror', None) or error}"

    with ExitStack() as closing, reading(path, problem):
        columns = about.columns if about else [_foreign_column(path)]
        column = choose(columns)
        spool = _read(path / _tensors(column), column, closing)
        if about and about.count != spool.count:
            raise UsageError(f"{about.path} lists {about.count} vectors, and there are {spool.count}.")
        names = path / _METADATA
        paths = sidecars.open_names(names, closing) if names.exists() else numbered(spool.count)
        return sidecars.assemble(path, spool.rows(), paths, closing, columns, column, about, path / _ROWS)


def _tensors(column: Column) -> str:
    name = "" if column.name == FEATURES else "_" + column.name.removeprefix(f"{FEATURES}_")
    return f"tensors{name}.tsv"


def _read(path: Path, column: Column, closing: ExitStack) -> Spool:
    spool = Spool(path, column, closing)
    with (
        reading(path, lambda error: f"has no vector in line {spool.count + 1}: {error}"),
        open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file,
    ):
        for line in file:
            text = line.rstrip("\r\n")
            spool.add(text.split("\t") if text else ())
    return spool


def _foreign_column(path: Path) -> Column:
    """``features``, as wide as the first line."""
    with open(path / "tensors.tsv", encoding="utf-8", errors="surrogateescape") as file:
        return Column(FEATURES, (len(file.readline().split("\t")),), np.float32)


def _embedding(column: Column, size: int) -> str:
    """The entry of a column in the configuration, in the text format of protocol buffers."""
    lines = [f'tensor_name: "{column.name}"', f'tensor_path: "{_tensors(column)}"', f'metadata_path: "{_METADATA}"']
    if size:
        sides = f"    single_image_dim: {size}\n" * 2
        lines.append(f'sprite {{\n    image_path: "{_SPRITE}"\n{sides}  }}')
    return "embeddings {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
