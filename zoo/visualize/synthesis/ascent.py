"""Gradient ascent with one step size per image, momentum and weight decay."""

from __future__ import annotations

import numpy as np

#: Decay rates of the mean gradient and of its mean square.
_MOMENTUM, _MEMORY = 0.9, 0.99
#: The first step, as a share of where the parameters converge, and the last one as a share of the first.
RATE, _END = 0.05, 0.1


class Ascent:
    """Gradient ascent whose steps have the same length for each image, however steep its slope.

    Adam normalises each parameter, which raises waves that hardly matter and fills an image with fine noise; here the
    gradient is normalised per image. Decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay
    Regularization", 2019) as large as the step makes the parameters converge, near 1, instead of growing.
    """

    def __init__(self, parameters: np.ndarray, steps: int) -> None:
        """Begin with float32 parameters (n, …) of n images, for a number of steps."""
        self.parameters = parameters
        self._steps, self._done = steps, 0
        self._mean = np.zeros_like(parameters)
        self._squares = np.zeros((len(parameters), *(1,) * (parameters.ndim - 1)), "float32")

    @property
    def progress(self) -> float:
        """0 before the first step, 1 at the last."""
        return self._done / max(1, self._steps - 1)

    @property
    def moved(self) -> np.ndarray:
        """Which images had a gradient so far: bool (n,)."""
        found: np.ndarray = self._squares.reshape(-1) > 0
        return found

    def climb(self, gradient: np.ndarray) -> None:
        """Take a step along a gradient of the parameters' shape; an image without gradient stays as it is."""
        rate = RATE * (1 - (1 - _END) * self.progress)
        self._done += 1
        self._mean += (1 - _MOMENTUM) * (gradient - self._mean)
        axes = tuple(range(1, gradient.ndim))
        self._squares += (1 - _MEMORY) * (np.mean(gradient * gradient, axis=axes, keepdims=True) - self._squares)
        # Bias correction of both means (Kingma and Ba, "Adam", 2015, section 3).
        length = np.sqrt(self._squares / (1 - _MEMORY**self._done)) * (1 - _MOMENTUM**self._done)
        step = np.divide(self._mean, length, out=np.zeros_like(gradient), where=length > 0)
        self.parameters *= np.float32(1 - rate)
        self.parameters += np.float32(rate) * step
