"""The layers in a weight file and the shapes of their weights, read without trusting the file.

Three layouts are known: Keras's legacy HDF5 (``layer_names``, perhaps below ``model_weights``), that of Keras 3
(``layers/NAME/vars/0``, …), alone or inside a ``.keras`` archive, and NumPy arrays by name.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo.core.errors import WeightsError
from zoo.pretrained import arrays as weight_arrays

if TYPE_CHECKING:
    import h5py
    import numpy as np

Format = Literal["legacy", "keras3", "arrays"]

#: The member of a ``.keras`` archive that has the weights.
ARCHIVE_MEMBER = "model.weights.h5"

#: End of the name by which Keras recognises each layout.
SUFFIXES: dict[Format, str] = {"legacy": ".h5", "keras3": ".weights.h5"}

#: The order of a layer's weights in Keras.
_ORDER = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")

_KINDS = "HDF5 (.h5, .weights.h5), .keras archives, and NumPy arrays by name (.npz, .npy)"


@dataclass(frozen=True, slots=True)
class Weight:
    """One array: its name in the layer, its shape, and where the file has it."""

    name: str
    shape: tuple[int, ...]
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer that has weights. ``key`` is what the layout calls it, ``name`` what a person does."""

    key: str
    name: str
    weights: tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The layers of a file, in its own order."""

    format: Format
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """Numbers in all arrays together."""
        return sum(math.prod(weight.shape) for layer in self.layers for weight in layer.weights)


def read(path: Path) -> Layout:
    """The layers of a file of weights.

    Raises:
        WeightsError: it has none of the layouts, it is damaged, it points to other files, or would run code.
    """
    if _has_arrays(path):
        return Layout("arrays", tuple(_arrays(path)))
    with _opened(path) as file:
        root = file["model_weights"] if "layer_names" not in file.attrs and "model_weights" in file else file
        if "layer_names" in root.attrs or "layer_names0" in root.attrs:
            return Layout("legacy", tuple(_legacy(root, file.filename)))
        if "layers" in file or "_layer_checkpoint_dependencies" in file:
            return Layout("keras3", tuple(_keras3(file)))
    raise WeightsError(
        f"{path} is an HDF5 file, but not one of Keras's weights; save it with model.save_weights('NAME.weights.h5')."
    )


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Callable[[str], np.ndarray]]:
    """A function that reads an array of a file by its :attr:`Weight.dataset`.

    Raises:
        WeightsError: the file cannot be read to its end.
    """
    if _has_arrays(path):
        yield weight_arrays.load(path).__getitem__
    else:
        with _opened(path) as file:
            yield lambda dataset: file[dataset][()]


def fingerprint(array: Any) -> tuple[tuple[int, ...], int]:
    """Shape and checksum of an array's values as float32, where -0 counts as 0."""
    import numpy as np

    values: np.ndarray = np.ascontiguousarray(np.asarray(array), dtype=np.float32) + np.float32(0)
    return tuple(values.shape), zlib.crc32(values.tobytes())


def extract(source: Path, target: Path) -> None:
    """Copy the part of a file that has the weights: the file itself, or its member in a ``.keras`` archive.

    Raises:
        WeightsError: it is neither.
        OSError: it cannot be read, or the copy cannot be written.
    """
    with source.open("rb") as file:
        beginning = file.read(8)
    if beginning == b"\x89HDF\r\n\x1a\n" or _has_arrays(source):
        shutil.copyfile(source, target)
        return
    if not beginning.startswith(b"PK\x03\x04"):
        raise WeightsError(f"{source} is no file of weights: zoo imports {_KINDS}.")
    try:
        with zipfile.ZipFile(source) as archive, archive.open(ARCHIVE_MEMBER) as member, target.open("wb") as copy:
            shutil.copyfileobj(member, copy, 1 << 20)
    except KeyError:
        raise WeightsError(
            f"{source} is a zip archive without {ARCHIVE_MEMBER}, so Keras did not write it; zoo imports {_KINDS}."
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise WeightsError(f"{source} is a damaged .keras archive ({error}); copy it again.") from error


def by_name(stored: Sequence[Layer], names: Sequence[str]) -> dict[str, Layer]:
    """The layers of a file of arrays by the names of a network's layers that have weights, in their order.

    Caffe calls the classifier ``fc8`` or ``loss3_classifier``: if one name is left over on each side, and the network's
    is its last, they are the same layer.
    """
    found = {layer.name: layer for layer in stored}
    ours = [name for name in names if name not in found]
    theirs = [name for name in found if name not in names]
    if len(ours) == len(theirs) == 1 and ours[0] == names[-1]:
        found[ours[0]] = found.pop(theirs[0])
    return found


def _has_arrays(path: Path) -> bool:
    try:
        return weight_arrays.recognise(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}.") from error


def _arrays(path: Path) -> Iterator[Layer]:
    """Layers in the order of the file, their weights in Keras's own."""
    layers: dict[str, list[Weight]] = {}
    for dataset, shape in weight_arrays.shapes(path).items():
        layer, _, weight = dataset.rpartition("/")
        layers.setdefault(layer, []).append(Weight(weight, shape, dataset))
    for name, weights in layers.items():
        weights.sort(key=lambda weight: _ORDER.index(weight.name) if weight.name in _ORDER else len(_ORDER))
        yield Layer(name, name, tuple(weights))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file, with whatever HDF5 finds wrong with it as a sentence."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise WeightsError(f"{path} is a damaged HDF5 file ({error}); copy or download it again.") from error


def _legacy(root: h5py.Group, filename: str) -> Iterator[Layer]:
    """Layers that have weights, in the order of the file."""
    for name in _names(root, "layer_names"):
        weights = _weights(root[name], _names(root[name], "weight_names"), filename)
        if weights:
            yield Layer(name, name, weights)


def _keras3(file: h5py.File) -> Iterator[Layer]:
    """Every group that has ``vars``, by its path, without the optimizer and the random state of dropout."""
    groups: list[str] = []
    file.visit(lambda path: groups.append(path) if path.rpartition("/")[2] == "vars" else None)
    for path in groups:
        inside = path.startswith(("layers/", "_layer_checkpoint_dependencies/"))
        if not inside or path.endswith("/seed_generator/vars"):
            continue
        group = file[path]
        weights = _weights(group, sorted((name for name in group if name.isdigit()), key=int), file.filename)
        if weights:
            key = path.removesuffix("/vars").replace("_layer_checkpoint_dependencies", "layers")
            yield Layer(key, _text(group.attrs.get("name", key.rpartition("/")[2])), weights)


def _weights(group: h5py.Group, names: Sequence[str], filename: str) -> tuple[Weight, ...]:
    """The weights in a group, ``conv1/kernel:0`` as ``kernel``."""
    datasets = [(name, _dataset(group, name, filename)) for name in names]
    return tuple(
        Weight(re.sub(r":\d+$", "", name).rpartition("/")[2], tuple(dataset.shape), dataset.name)
        for name, dataset in datasets
    )


def _dataset(group: h5py.Group, name: str, filename: str) -> h5py.Dataset:
    """An array that is really in this file: a stranger's file may point to others, which is refused."""
    import h5py

    link = group.get(name, getlink=True)
    dataset = group[name] if isinstance(link, h5py.HardLink) else None
    if (
        not isinstance(dataset, h5py.Dataset)
        or dataset.file.filename != filename
        or dataset.external
        or dataset.is_virtual
    ):
        raise WeightsError(f"{filename} has no array {name}, or keeps it in another file, which zoo does not follow.")
    return dataset


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """A list of names, which the legacy layout cuts into numbered pieces if it is long."""
    pieces = itertools.takewhile(group.attrs.__contains__, (f"{attribute}{number}" for number in itertools.count()))
    attributes = [attribute] if attribute in group.attrs else pieces
    return [_text(name) for piece in attributes for name in group.attrs[piece]]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
