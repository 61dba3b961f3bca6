"""A ``.npy`` file that holds a Python object, read without running what it says.

NumPy keeps objects as a pickle: a small program, which may call any function of any module. The one who reads here
knows six names, all of which stand for harmless things of this module: the parts of an array, its type, and the
encoding of bytes. A file that asks for anything else is refused, and nothing of NumPy's own is given a stranger's
state to restore.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from zoo.core.errors import WeightsError

_TYPE = re.compile(r"[fiub][1-8]|O8?")


def read(path: Path) -> Any:
    """The object in a ``.npy`` file: dictionaries, lists, tuples, text, bytes, numbers and NumPy's arrays.

    Raises:
        WeightsError: it has one array and no object, it is damaged, or it asks for code.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        try:
            dtype = header(file)[1]
        except ValueError as error:
            raise WeightsError(f"{path} is a damaged .npy file ({error}); copy it again.") from error
        if dtype.kind != "O":
            raise WeightsError(
                f"{path} has a single array of {dtype}; weights are a dictionary of arrays, or a .npz archive."
            )
        try:
            # Python 2 wrote text as bytes, of which Latin-1 loses nothing.
            outer = _Unpickler(file, encoding="latin1").load()
            return outer.value().item() if isinstance(outer, _Array) else outer
        except _CodeError as error:
            raise WeightsError(
                f"{path} asks for {error} when it is loaded, which could run code, so zoo refuses it; "
                "weights are arrays alone, and numpy.savez writes them without such a thing."
            ) from error
        except OSError:
            raise
        except Exception as error:  # A program that makes no sense can fail in any way.
            raise WeightsError(f"{path} is a damaged .npy file ({_reason(error)}); copy it again.") from error


def header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array in a ``.npy`` file, which is left where its data begin.

    Raises:
        ValueError: there is none, or it is of a version that no plain numbers need.
    """
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"version {version} of the .npy format has no plain numbers")
    except OSError:
        raise
    except Exception as error:  # NumPy reads it as Python text, which has errors of its own.
        raise ValueError(_reason(error)) from error
    return shape, dtype


def value(thing: Any) -> np.ndarray | None:
    """The array of numbers that a part of :func:`read`'s object is; ``None`` where it is none."""
    array = thing.value() if isinstance(thing, _Array) else None
    return array if array is not None and array.dtype.kind != "O" else None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


class _CodeError(Exception):
    """A pickle asks for something that arrays do not need."""


class _Array:
    """What stands for an array while it is read. Pickles make it empty first and fill it then."""

    __slots__ = ("_array",)

    def __init__(self) -> None:
        self._array = np.empty(0, np.float32)

    def __setstate__(self, state: Any) -> None:
        shape, dtype, by_columns, data = state[-4:]
        order: Any = "F" if by_columns else "C"
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
        self._array = flat.reshape(shape, order=order)

    def value(self) -> np.ndarray:
        return self._array


class _Type:
    """What stands for the type of an array: numbers, or the object around all."""

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
    """Knows no names but those of arrays, and gives its own functions for them."""

    def find_class(self, module: str, name: str) -> Any:
        found = _KNOWN.get((module, name))
        if found is None:
            raise _CodeError(f"{module}.{name}")
        return found


class _Function:
    """A function that cannot be changed, which a pickle could do to a plain one."""

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a state for {name}")


_KNOWN: dict[tuple[str, str], Any] = {
    **{
        (f"numpy.{core}.multiarray", "_reconstruct"): _Function(lambda kind, shape, code: _Array())
        for core in ("core", "_core")
    },
    # Named as the kind of array to make, and never called.
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): _Function(lambda code, *_: _Type(code)),
    # Bytes, and no bytes, in the pickles of Python 3 that Python 2 could read too.
    ("_codecs", "encode"): _Function(lambda text, encoding: text.encode("latin1")),
    ("__builtin__", "bytes"): _Function(lambda: b""),
}
