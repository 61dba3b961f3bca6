"""The way up: steps of one size for each image, with momentum, and forgetting."""

from __future__ import annotations

import numpy as np

#: How long directions, and how steep the way was, are remembered.
_DIRECTION, _STEEPNESS = 0.9, 0.99
#: The first step, as a share of where the parameters come to rest, and the last one as a share of the first.
RATE, _END = 0.05, 0.1


class Ascent:
    """Gradient ascent whose steps have the same length for each image, however steep its way is.

    Adam gives each parameter a pace of its own: that raises waves which hardly matter, and fills an image with fine
    noise. Here only the image as a whole has a pace, so that such waves stay small. With each step the parameters
    lose as large a share as the step is long (weight decay as in Loshchilov and Hutter, "Decoupled Weight Decay
    Regularization", 2019), so that they come to rest, near 1, instead of growing with the number of steps.
    """

    def __init__(self, parameters: np.ndarray, steps: int) -> None:
        """Take float32 parameters (n, …), of n images, and how many steps there will be."""
        self.parameters = parameters
        self._steps, self._done = steps, 0
        self._direction = np.zeros_like(parameters)
        self._squares = np.zeros((len(parameters), *(1,) * (parameters.ndim - 1)), "float32")

    @property
    def progress(self) -> float:
        """How far it is: 0 before the first step, 1 at the last."""
        return self._done / max(1, self._steps - 1)

    @property
    def moved(self) -> np.ndarray:
        """Which images had any slope so far: bool (n,)."""
        found: np.ndarray = self._squares.reshape(-1) > 0
        return found

    def climb(self, gradient: np.ndarray) -> None:
        """Take a step along a gradient of the same shape; where that is 0 for an image, it stays as it is."""
        rate = RATE * (1 - (1 - _END) * self.progress)
        self._done += 1
        self._direction += (1 - _DIRECTION) * (gradient - self._direction)
        axes = tuple(range(1, gradient.ndim))
        self._squares += (1 - _STEEPNESS) * (np.mean(gradient * gradient, axis=axes, keepdims=True) - self._squares)
        # Both means began at 0, and are low by a known share (Kingma and Ba, "Adam", 2015, section 3).
        steepness = np.sqrt(self._squares / (1 - _STEEPNESS**self._done)) * (1 - _DIRECTION**self._done)
        step = np.divide(self._direction, steepness, out=np.zeros_like(gradient), where=steepness > 0)
        self.parameters *= np.float32(1 - rate)
        self.parameters += np.float32(rate) * step
