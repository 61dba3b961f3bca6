"""Weights as NumPy arrays by name: ``.npz`` archives, and ``.npy`` dictionaries, as Caffe's weights are passed on.

An array is called ``LAYER/WEIGHT``, as ``conv1/kernel``; a ``/`` within the layer's name becomes ``_``. A ``.npy`` file
has a dictionary: of arrays by such names, or, by layer, of ``[kernel, bias]`` or of a dictionary of weights. The layout
is Keras's: kernels of convolutions (height, width, input channels of a group, filters), of dense layers (inputs,
outputs), with a flattened map in the order height, width, channels. The converters from Caffe to TensorFlow write it
so; Caffe's own order has other shapes and is refused.
"""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.core.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np

#: How a ``.npy`` file begins.
SIGNATURE = b"\x93NUMPY"

#: Other names of a layer's weights.
NAMES = {
    "weights": "kernel",
    "W": "kernel",
    "biases": "bias",
    "b": "bias",
    "scale": "gamma",
    "offset": "beta",
    "mean": "moving_mean",
    "variance": "moving_variance",
}

_ADVICE = "write it with numpy.savez under names such as conv1/kernel"


def recognise(path: Path) -> bool:
    """Whether a file is one of these, by its content.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(len(SIGNATURE))
    if not beginning.startswith(b"PK\x03\x04"):
        return beginning == SIGNATURE
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except zipfile.BadZipFile:
        return False


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every array by its name, in the order of the file; of an archive only the headers are read.

    Raises:
        WeightsError: the file is damaged, has something else than arrays, or would run code.
    """
    if _is_dictionary(path):
        return {name: tuple(array.shape) for name, array in _read_dictionary(path).items()}
    with _archive(path) as (archive, members):
        return {name: _checked_shape(archive, member) for name, member in members.items()}


def load(path: Path) -> dict[str, np.ndarray]:
    """Every array by its name, in the order of the file.

    Raises:
        WeightsError: as for :func:`shapes`.
    """
    import numpy as np

    if _is_dictionary(path):
        return _read_dictionary(path)
    arrays = {}
    with _archive(path) as (archive, members):
        for name, member in members.items():
            # Before memory is allocated for what a header promises.
            _checked_shape(archive, member)
            with archive.open(member) as file:
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays


def _is_dictionary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def _named(path: Path, found: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The content of a file by its names in Keras: ``fire2/squeeze1x1/weights`` is ``fire2_squeeze1x1/kernel``."""
    named: dict[str, Any] = {}
    for text, thing in found:
        layer, _, weight = text.rpartition("/")
        if not layer or not weight:
            raise WeightsError(f"{path} has an array called '{text}', which names no layer and weight; {_ADVICE}.")
        name = f"{layer.replace('/', '_')}/{NAMES.get(weight, weight)}"
        if name in named:
            raise WeightsError(f"{path} has two arrays for {name}; {_ADVICE}.")
        named[name] = thing
    return named


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, str]]]:
    """The archive and its members by name, with whatever is wrong with it as a sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.namelist() if member.endswith(".npy")]
            yield archive, _named(path, ((member.removesuffix(".npy"), member) for member in members))
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(f"{path} is a damaged .npz archive ({error}); copy it again.") from error


def _checked_shape(archive: zipfile.ZipFile, member: str) -> tuple[int, ...]:
    """The shape of an array of numbers whose data are there; raises ValueError otherwise."""
    from zoo.pretrained import array_pickle

    with archive.open(member) as file:
        shape, dtype = array_pickle.header(file)
        size = file.tell() + dtype.itemsize * math.prod(shape)
    if dtype.kind not in "fiu":
        raise ValueError(f"{member} is an array of {dtype}, not of numbers")
    if size != archive.getinfo(member).file_size:
        raise ValueError(f"{member} has not the size that its header says")
    return shape


def _read_dictionary(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a ``.npy`` file."""
    from zoo.pretrained import array_pickle

    content = array_pickle.read(path)
    if not isinstance(content, dict):
        raise WeightsError(f"{path} has a {type(content).__name__} where weights are a dictionary; {_ADVICE}.")
    arrays = _named(path, _flat(content))
    for name, thing in arrays.items():
        arrays[name] = array_pickle.value(thing)
        if arrays[name] is None:
            raise WeightsError(f"{path} has a {type(thing).__name__} for {name}, which is no array; {_ADVICE}.")
    return arrays


def _flat(content: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Names and arrays of a dictionary by name, or by layer and weight."""
    for name, value in content.items():
        layer = name.decode("latin1") if isinstance(name, bytes) else str(name)
        weights = value
        if isinstance(value, list | tuple):
            # More than two have no names that are known.
            weights = dict(zip(("kernel", "bias", *range(2, len(value))), value, strict=False))
        if not isinstance(weights, dict):
            yield layer, weights
            continue
        for weight, array in weights.items():
            yield f"{layer}/{weight.decode('latin1') if isinstance(weight, bytes) else weight}", array
