"""Adam, the way down a slope that each parameter has for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

#: How long the mean of the slope, and that of its square, are remembered; and what keeps the division finite.
_MEAN, _SQUARE, _EPSILON = 0.9, 0.999, 1e-8

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def descend(function: Function, start: np.ndarray, steps: int, rate: float) -> Iterator[tuple[np.ndarray, float]]:
    """Go down a function; Kingma and Ba, "Adam", 2015 (arXiv:1412.6980), algorithm 1.

    Args:
        function: gives its value and its gradient.
        start: float of any shape.
        steps: how many.
        rate: how far a step goes.

    Yields:
        Where it is after each step, and the value before it.
    """
    here = start.astype(np.float64)
    mean, square = np.zeros_like(here), np.zeros_like(here)
    for step in range(1, steps + 1):
        value, slope = function(here)
        mean += (1 - _MEAN) * (slope - mean)
        square += (1 - _SQUARE) * (slope * slope - square)
        here = here - rate * mean / (1 - _MEAN**step) / (np.sqrt(square / (1 - _SQUARE**step)) + _EPSILON)
        yield here, float(value)
