"""The table of file formats, by suffix. Imports NumPy only when a file is opened."""

from __future__ import annotations

import fnmatch
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors.part_folder import PART

if TYPE_CHECKING:
    from zoo.vectors.column import Column, ColumnChoice
    from zoo.vectors.content import Content
    from zoo.vectors.vectors import Vectors


class FormatModule(Protocol):
    """What the module of a format has; ``files(path)`` is optional."""

    def open_file(self, path: Path, choose: ColumnChoice) -> Vectors:
        """Open a file and one of its columns."""

    def write(self, content: Content, path: Path) -> list[Path]:
        """Write a new file; returns all files that it consists of, ``path`` last."""


@dataclass(frozen=True)
class Format:
    """A format: its module in this package, and its properties."""

    module: str
    #: Whether a row may be a feature map (height, width, channels).
    maps: bool = True
    #: Bytes of a number that is written as text.
    text_bytes: int | None = None
    #: If it is a folder: the file that identifies it, and patterns of the names that it may contain.
    marker: str = ""
    contains: tuple[str, ...] = ()
    #: Optional package, and the extra that installs it.
    needs: tuple[str, str] | None = None

    def load(self) -> FormatModule:
        """Import the module."""
        if self.needs is not None:
            package, extra = self.needs
            try:
                importlib.import_module(package)
            except ImportError as error:
                raise UnavailableError(
                    f"This format needs the package {package}; pip install 'keras-zoo[{extra}]' installs it."
                ) from error
        return cast(FormatModule, importlib.import_module(f"zoo.vectors.formats.{self.module}"))

    def files(self, path: Path) -> list[Path]:
        """The existing files of which a file consists, itself last."""
        module = self.load()
        return module.files(path) if hasattr(module, "files") else [path]

    def check_columns(self, columns: Sequence[Column], path: Path) -> None:
        """See whether columns can be written."""
        for column in columns:
            if not self.maps and len(column.shape) > 1:
                shape = " × ".join(map(str, column.shape))
                others = [suffix for suffix, one in FORMATS.items() if one.maps and one.needs is None]
                raise UsageError(
                    f"{path} cannot hold maps, and '{column.name}' are maps of {shape}; name a {_either(others)} file, "
                    "or pool them (--pool avg)."
                )

    def check_target(self, path: Path) -> None:
        """See that only an older file of this format would be replaced."""
        if not os.path.lexists(path):
            return
        if path.is_dir() != bool(self.marker):
            raise UsageError(f"{path} is a {'folder' if path.is_dir() else 'file'}; name another one.")
        for name in os.listdir(path) if self.marker else ():
            if not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.contains):
                raise UsageError(f"{path} holds something else, {name}; name another folder.")

    def size(self, columns: Sequence[Column], count: int) -> int:
        """About how many bytes the numbers of so many rows take."""
        if self.text_bytes is None:
            return count * sum(column.nbytes for column in columns)
        return count * self.text_bytes * sum(column.size for column in columns)


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
        marker="tensors.tsv",
        contains=("tensors*.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt", "about.json", "rows.npy"),
    ),
}
#: Folders without a suffix, which are only read here.
FOLDERS = (Format("shards", marker="manifest.json"),)


def _either(suffixes: Sequence[str]) -> str:
    *most, last = suffixes
    return f"{', '.join(most)} or {last}"


def suffix_list() -> str:
    """``.h5, .npy, … or .projector``."""
    return _either(list(FORMATS))


def format_of(path: Path) -> Format:
    """The format of a file to be written."""
    try:
        return FORMATS[path.suffix.lower()]
    except KeyError:
        raise UsageError(f"A file of vectors ends in {suffix_list()}. Received: {path}") from None


def open_vectors(path: str | os.PathLike[str], *, layer: str | None = None) -> Vectors:
    """Open feature vectors, of zoo or others: a file with a suffix of :data:`FORMATS`, or a folder of shards."""
    from zoo.vectors.column import by_layer

    return open_column(Path(path), by_layer(layer, os.fspath(path)))


def open_column(path: Path, choose: ColumnChoice) -> Vectors:
    """Open one of the columns of a file; raises as :func:`open_vectors` does."""
    from zoo.core.errors import describe_os_error

    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        if path.with_name(path.name + PART).is_dir():
            raise UsageError(f"{path} is not finished; 'zoo features' with --resume completes it.") from error
        raise UsageError(f"{path} cannot be opened: {describe_os_error(error)}.") from error
    if not path.is_dir():
        if path.suffix.lower() not in FORMATS:
            raise UsageError(f"{path} is not a file of vectors, which ends in {suffix_list()}.")
        return FORMATS[path.suffix.lower()].load().open_file(path, choose)
    folders = [format for format in (*FOLDERS, *FORMATS.values()) if format.marker]
    for format in folders:
        if (path / format.marker).exists():
            return format.load().open_file(path, choose)
    hint = f"; {path.stem} is not finished, and --resume completes it" if path.suffix == PART else ""
    raise UsageError(f"{path} holds no vectors: no {' or '.join(format.marker for format in folders)}{hint}.")
