"""A ``.npy`` file that holds a Python object, as Caffe's weights are passed on, read without running what it says.

NumPy stores objects as a pickle: a small program that may call any function. The reader here knows six names, which
stand for objects of this module: the parts of an array, its type, and the encoding of bytes. A file that asks for
anything else is refused, and no state from a stranger reaches an object of NumPy.
"""

from __future__ import annotations

import math
import pickle
import re
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.core.errors import WeightsError

_TYPE = re.compile(r"[fiub][1-8]|O8?")


def read(path: Path) -> Any:
    """The object in a ``.npy`` file: dictionaries, lists, tuples, text, bytes, numbers and arrays (see :func:`value`).

    Raises:
        WeightsError: the file has one array and no object, is damaged, or asks for code.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            dtype = header(file)[1]
            if dtype.kind != "O":
                raise WeightsError(
                    f"{path} has a single array of {dtype}; weights are a dictionary of arrays, or a .npz archive."
                )
            # Python 2 wrote text as bytes, of which Latin-1 loses nothing.
            outer = _Unpickler(file, encoding="latin1").load()
            return outer.array.item() if isinstance(outer, _Array) else outer
    except (WeightsError, OSError):
        raise
    except _CodeError as error:
        raise WeightsError(
            f"{path} asks for {error} when it is loaded, which could run code, so zoo refuses it; "
            "weights are arrays alone, and numpy.savez writes them without such a thing."
        ) from error
    except Exception as error:  # A program that makes no sense can fail in any way.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise WeightsError(f"{path} is a damaged .npy file ({reason}); copy it again.") from error


def header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array in a ``.npy`` file, which is left where its data begin.

    Raises:
        ValueError: there is none, or it is of a version that no plain numbers need.
    """
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the .npy format has no plain numbers")
    try:
        shape, _, dtype = readers[version](file)
    except OSError:
        raise
    except Exception as error:  # NumPy reads it as Python text, which has errors of its own.
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error
    return shape, dtype


def value(thing: Any) -> np.ndarray | None:
    """A part of :func:`read`'s object as an array of numbers; ``None`` if it is none."""
    return thing.array if isinstance(thing, _Array) and thing.array.dtype.kind != "O" else None


class _CodeError(Exception):
    """A pickle asks for something that arrays do not need."""


class _Array:
    """Stands for an array while it is read; pickles make it empty first and fill it then."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array = np.empty(0, np.float32)

    def __setstate__(self, state: Any) -> None:
        shape, dtype, by_columns, data = state[-4:]
        if not isinstance(dtype, _Type) or any(not isinstance(size, int) or size < 0 for size in shape):
            raise ValueError("an array without a shape or a type")
        if dtype.dtype.kind == "O":
            flat = np.empty(len(data), object)
            for index, item in enumerate(data):
                flat[index] = item
        else:
            flat = np.frombuffer(data.encode("latin1") if isinstance(data, str) else data, dtype.dtype)
        if flat.size != math.prod(shape):
            raise ValueError(f"{flat.size} values for an array of shape {shape}")
        self.array = flat.reshape(shape, order="F" if by_columns else "C")


class _Type:
    """Stands for the type of an array: numbers, or the object around all."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any) -> None:
        text = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _TYPE.fullmatch(text):
            raise ValueError(f"an array of {code!r}")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        if state[1] not in ("<", ">", "=", "|") or any(state[2:5]):
            raise ValueError("an array of records")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Unpickler(pickle.Unpickler):
    """Knows the names of arrays only, and gives its own methods for them, whose attributes no pickle can set."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct":
                return self._array
            case "numpy", "ndarray":
                return "ndarray"  # The kind of array to make, which is never called.
            case "numpy", "dtype":
                return self._dtype
            case "_codecs", "encode":
                return self._encode
            case "__builtin__", "bytes":
                return self._no_bytes
        raise _CodeError(f"{module}.{name}")

    def _array(self, kind: Any, shape: Any, code: Any) -> _Array:
        return _Array()

    def _dtype(self, code: Any, *_: Any) -> _Type:
        return _Type(code)

    def _encode(self, text: str, encoding: Any) -> bytes:
        return text.encode("latin1")

    def _no_bytes(self) -> bytes:
        return b""
