"""Columns of a file of vectors: one array for each image; the first column is ``features``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zoo.core.errors import UnavailableError, UsageError
from zoo.core.suggestions import did_you_mean

FEATURES, PROBABILITIES = "features", "probabilities"


@dataclass(frozen=True, init=False)
class Column:
    """Name, shape of one row, dtype and attributes, which override those of the file.

    ``features`` is the first column, ``features_LAYER`` are further layers, ``probabilities`` has ``classes``.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attributes: dict[str, Any]

    def __init__(
        self, name: str, shape: Sequence[int], dtype: npt.DTypeLike, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Take a dtype and a shape in any form."""
        values = {
            "name": name,
            "shape": tuple(int(size) for size in shape),
            "dtype": np.dtype(dtype).newbyteorder("="),
            "attributes": dict(attributes or {}),
        }
        for key, value in values.items():
            object.__setattr__(self, key, value)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of a row."""
        return self.size * self.dtype.itemsize

    def cast(self, value: np.ndarray, name: str) -> np.ndarray:
        """The row of an image in the column's dtype; errors mention ``name``."""
        value = np.asarray(value)
        if value.shape != self.shape:
            raise ValueError(f"'{self.name}' is {self.shape}, and that of {name} {value.shape}")
        with np.errstate(over="ignore"):
            cast = value.astype(self.dtype, copy=False)
        if cast.dtype.itemsize < value.dtype.itemsize and not np.isfinite(cast).all() and np.isfinite(value).all():
            raise UnavailableError(
                f"'{self.name}' of {name} goes up to {np.abs(value).max():.4g}, which {self.dtype} cannot hold; "
                "use float32, or normalised vectors."
            )
        return cast

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"name": self.name, "shape": list(self.shape), "dtype": self.dtype.name, "attributes": self.attributes}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Column:
        """The inverse of :meth:`as_dict`; raises KeyError, TypeError or ValueError for anything else."""
        return cls(values["name"], values["shape"], values["dtype"], values["attributes"])


ColumnChoice = Callable[[Sequence[Column]], Column]


def by_layer(layer: str | None, path: str) -> ColumnChoice:
    """Selects the column of a layer, by its attribute or as ``features_LAYER``; ``None``: the first column."""

    def choose(columns: Sequence[Column]) -> Column:
        if layer is None:
            return columns[0]
        layers = {str(column.attributes.get("layer") or column.name): column for column in columns}
        for name, column in layers.items():
            if layer == name or column.name == f"{FEATURES}_{layer.replace('/', '_')}":
                return column
        hint = did_you_mean(layer, layers) or f" It has {', '.join(layers)}."
        raise UsageError(f"{path} has no vectors of layer '{layer}'.{hint}")

    return choose
