"""``.projector``: a folder that TensorBoard's projector shows (``tensorboard --logdir f.projector``).

``tensors.tsv`` has the numbers of the first column, ``tensors_NAME.tsv`` those of each further one; ``metadata.tsv``
the names of the images (as :func:`zoo.vectors.names.to_line` has them), ``sprite.png`` small images, and
``projector_config.pbtxt`` says which is which. ``about.json`` and ``rows.npy`` are described in
:mod:`zoo.vectors.formats.companions`; TensorBoard leaves them alone.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from zoo.core.errors import UsageError
from zoo.vectors.column import FEATURES, Choice, Column
from zoo.vectors.content import Content, norms
from zoo.vectors.formats import companions, sprite
from zoo.vectors.formats.text_tables import Spool, texts
from zoo.vectors.names import numbered
from zoo.vectors.vectors import Vectors

log = logging.getLogger(__name__)

TENSORS, METADATA, SPRITE, CONFIG = "tensors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt"
_ABOUT, _ROWS = "about.json", "rows.npy"


def write(content: Content, path: Path) -> list[Path]:
    """Write a folder.

    Raises:
        OSError: it cannot be written.
    """
    path.mkdir()
    for column in content.columns:
        with open(path / tensors(column), "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in texts(content, "\t", [column]))
    lengths = [np.empty(0, np.float32), *map(norms, content.blocks(content.columns[0]))]
    companions.write_names(path / METADATA, content)
    companions.write_about(path / _ABOUT, content)
    companions.write_rows(path / _ROWS, content, np.concatenate(lengths))
    size = sprite.side(content.count) if content.count else 0
    if size:
        sprite.write(content.entries(), content.count, path / SPRITE)
    elif content.count:
        log.info("%s has no sprite: %s images are too many for one", path.name, f"{content.count:,}")
    (path / CONFIG).write_text("".join(_embedding(column, size) for column in content.columns), encoding="utf-8")
    return [path]


def belonging(path: Path) -> list[Path]:
    """The folder."""
    return [path]


def tensors(column: Column) -> str:
    """The file of a column."""
    return TENSORS if column.name == FEATURES else f"tensors_{column.name.removeprefix(f'{FEATURES}_')}.tsv"


def open_file(path: Path, choice: Choice) -> Vectors:
    """Read a folder, of zoo's or of anybody's that has ``tensors.tsv``.

    Raises:
        UsageError: it is damaged, or has no such layer.
        UnavailableError: the folder for temporary files is full.
    """
    about = companions.read(path / _ABOUT)
    with ExitStack() as closing:
        try:
            columns = about.columns if about else [Column(FEATURES, (_width(path / TENSORS),), np.float32)]
            column = choice(columns)
            spool = _read(path / tensors(column), column, closing)
            if about and about.count != spool.count:
                raise UsageError(f"{about.path} tells of {about.count} vectors, and there are {spool.count}.")
            named = (path / METADATA).exists()
            rows = companions.open_rows(path / _ROWS, spool.count) if about else None
            return Vectors(
                str(path),
                spool.rows(),
                companions.open_names(path / METADATA, closing) if named else numbered(spool.count),
                closing.pop_all(),
                about=about.about if about else {},
                columns=columns,
                column=column,
                norms=rows.norms if rows and column is columns[0] else None,
                stamps=rows.read if rows else None,
                failed=about.failures if about else None,
            )
        except OSError as error:
            raise UsageError(f"{path} is no folder for the projector: {error.strerror or error}.") from error


def _read(path: Path, column: Column, closing: ExitStack) -> Spool:
    """The numbers in a file.

    Raises:
        UsageError: there is something else in it.
        OSError: it cannot be read.
    """
    spool = Spool(path, column, closing)
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            text = line.rstrip("\r\n")
            try:
                spool.add(text.split("\t") if text else ())
            except ValueError as error:
                raise UsageError(f"{path}, line {number}, holds no vector: {error}.") from error
    return spool


def _width(path: Path) -> int:
    """Numbers in the first line of a file."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return len(file.readline().split("\t"))


def _embedding(column: Column, size: int) -> str:
    """What the projector is told of a column, in the text form of protocol buffers."""
    lines = [f'tensor_name: "{column.name}"', f'tensor_path: "{tensors(column)}"', f'metadata_path: "{METADATA}"']
    if size:
        sides = f"    single_image_dim: {size}\n" * 2
        lines.append(f'sprite {{\n    image_path: "{SPRITE}"\n{sides}  }}')
    return "embeddings {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"
