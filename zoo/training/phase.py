"""A phase of a training: a learner, its batches and its recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from zoo.core.spec import Preprocessing
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    from zoo.training.learner import Learner


class Batches(Protocol):
    """Batches of one split; see :class:`zoo.data.loading.loader.Loader`."""

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        ...

    @property
    def labels(self) -> np.ndarray:
        """Classes of the images that take part: int64 (n,)."""
        ...

    def epoch(self, number: int, *, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Inputs of the network and labels, float32 (b, classes), of one epoch, from step ``start`` on."""
        ...


@dataclass(frozen=True)
class Phase:
    """One phase; ``train`` from scratch has one, fine-tuning up to two."""

    name: str  #: The name under which its seconds are counted.
    learner: Learner
    batches: Mapping[str, Batches]  #: By split; ``train`` at least.
    recipe: Recipe
    target: Preprocessing | None = None  #: For an autoencoder: the preprocessing of the input, which is its target.
    after: int = 0  #: Epochs of earlier phases, and columns of the history that say which phase it is.
    columns: Mapping[str, float] = field(default_factory=dict)
    end: float = 1.0  #: The share of the time limit by which it ends.
