"""Formats of files of vectors, by the ending of the name.

Each is a module with three functions: ``open_file(path, choice)`` reads one, ``write(content, path)`` writes one and
gives the files that it consists of, in the order in which they may get their names, and ``belonging(path)`` gives those
that are there.
"""

from __future__ import annotations

import fnmatch
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from zoo.core.errors import UnavailableError, UsageError
from zoo.images.sources import reason
from zoo.vectors.column import Choice, Column, by_layer
from zoo.vectors.content import Content
from zoo.vectors.part_folder import PART
from zoo.vectors.vectors import Vectors


class Module(Protocol):
    """What a format does."""

    def open_file(self, path: Path, choice: Choice) -> Vectors:
        """Open a file."""

    def write(self, content: Content, path: Path) -> list[Path]:
        """Write a file, of which nothing is there."""

    def belonging(self, path: Path) -> list[Path]:
        """The files that are there."""


@dataclass(frozen=True)
class Format:
    """A format: its module, and what can be written in it."""

    module: str
    #: Whether a row may be a map (height, width, channels), and not only a vector.
    maps: bool = True
    #: Bytes that a number takes, where it is written as text.
    text_bytes: int | None = None
    #: What a folder of it may hold, as patterns of names, where it is a folder and not a file.
    holds: tuple[str, ...] = ()
    #: A package that does not come with zoo, and the extra of zoo that brings it.
    needs: tuple[str, str] | None = None

    def load(self) -> Module:
        """The module.

        Raises:
            UnavailableError: the package that it needs is not installed.
        """
        if self.needs is not None:
            package, extra = self.needs
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise UnavailableError(
                    f"This format needs the package {package}; pip install 'keras-zoo[{extra}]' brings it."
                ) from error
        return cast(Module, importlib.import_module(f"zoo.vectors.formats.{self.module}"))

    def check(self, columns: Sequence[Column], path: Path) -> None:
        """See whether these columns can be written.

        Raises:
            UsageError: they cannot.
        """
        for column in columns:
            if not self.maps and len(column.shape) > 1:
                shape = " × ".join(map(str, column.shape))
                raise UsageError(
                    f"{path} cannot hold maps, and '{column.name}' are maps of {shape}; name a .h5 or .npy file, "
                    "or pool them (--pool avg)."
                )

    def check_target(self, path: Path) -> None:
        """See that nothing else would be replaced than an older one of this format.

        Raises:
            UsageError: something else would.
        """
        if not os.path.lexists(path):
            return
        if path.is_dir() != bool(self.holds):
            raise UsageError(f"{path} is a {'folder' if path.is_dir() else 'file'}; name another one.")
        for name in os.listdir(path) if self.holds else ():
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.holds):
                raise UsageError(f"{path} holds something else, {name}; name another folder.")

    def size(self, columns: Sequence[Column], count: int) -> int:
        """About how many bytes the numbers of so many rows take."""
        if self.text_bytes is None:
            return count * sum(column.nbytes for column in columns)
        return count * self.text_bytes * sum(column.nbytes // column.dtype.itemsize for column in columns)


FORMATS = {
    ".h5": Format("hdf5"),
    ".npy": Format("npy"),
    ".npz": Format("npz"),
    ".csv": Format("csv_table", maps=False, text_bytes=13),
    ".parquet": Format("parquet", needs=("pyarrow", "parquet")),
    ".projector": Format(
        "projector",
        maps=False,
        text_bytes=13,
        holds=("tensors*.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt", "about.json", "rows.npy"),
    ),
}


def of(path: Path) -> Format:
    """The format of a file that is to be written.

    Raises:
        UsageError: its name says none.
    """
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        *most, last = FORMATS
        raise UsageError(
            f"The ending of the name says how vectors are written: {', '.join(most)} or {last}. Received: {path}"
        ) from None


def open_vectors(path: str | os.PathLike[str], *, layer: str | None = None) -> Vectors:
    """Open vectors on disk, of zoo's or of others' making.

    Args:
        path: a ``.h5``, ``.npy``, ``.npz``, ``.csv`` or ``.parquet`` file, a folder for TensorBoard's projector, or a
            folder of shards with a ``manifest.json``.
        layer: which of several layers; the first without.

    Raises:
        UsageError: there is no such file or layer, or it is damaged, or none of these.
        UnavailableError: the format needs a package that is not installed.
    """
    return open_column(Path(path), by_layer(layer, os.fspath(path)))


def open_column(path: Path, choice: Choice) -> Vectors:
    """Open one of the columns of a file; raises as :func:`open_vectors` does."""
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        if path.with_name(path.name + PART).is_dir():
            raise UsageError(f"{path} is not finished; 'zoo features' goes on with it by --resume.") from error
        raise UsageError(f"{path} cannot be opened: {reason(error)}.") from error
    if path.is_dir():
        return _open_folder(path, choice)
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path} is no file of vectors; they end in {', '.join(FORMATS)}.")
    return found.load().open_file(path, choice)


def _open_folder(path: Path, choice: Choice) -> Vectors:
    """A folder says by what is in it which kind it is."""
    from zoo.vectors.formats import projector, shards

    if (path / shards.MANIFEST).exists():
        return shards.open_folder(path, choice)
    if (path / projector.TENSORS).exists():
        return projector.open_file(path, choice)
    hint = f"; {path.stem} is not finished, and --resume goes on with it" if path.suffix == PART else ""
    raise UsageError(f"{path} holds no vectors: there is no {shards.MANIFEST} and no {projector.TENSORS}{hint}.")
