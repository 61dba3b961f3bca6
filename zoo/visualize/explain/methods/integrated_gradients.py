"""Integrated gradients: each pixel's share of the difference in logit between the image and a baseline."""

from __future__ import annotations

import logging

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import PixelMethod
from zoo.visualize.explain.masking import blurred
from zoo.visualize.network.inspected_model import InspectedModel

log = logging.getLogger(__name__)

#: Tolerated difference between the sum of the shares and the difference in logit, as a share of it.
TOLERANCE = 0.01
#: Steps per batch: those of the first attempt, and those added by each refinement.
STEPS = 16
BASELINES = ("blurred", "black")
#: Smallest difference in logit that is shared out.
_TINY = 1e-6


class IntegratedGradients(PixelMethod):
    """Sundararajan et al., "Axiomatic Attribution for Deep Networks", 2017 (arXiv:1703.01365), equation 1.

    The path is straight, from the blurred image to the image, and is integrated adaptively by the midpoint rule: the
    shares of a step should sum to the difference in logit over it, and the steps that are furthest off are halved
    until the total is within :data:`TOLERANCE`. ReLUs bend the logit in few places, so equal steps would have to be
    several times as many.

    The paper's black baseline gives nothing to dark pixels (Sturmfels et al. 2020, "Visualizing the Impact of Feature
    Attribution Baselines"), and its maps are less faithful; see ``benchmarks/explanations.py``.
    """

    name = "integratedgradients"
    title = "Integrated gradients"
    paper = "Sundararajan et al. 2017, arXiv:1703.01365"
    summary = "each pixel's share of the difference in logit to the blurred image; they sum to it within 1 %"

    def __init__(
        self, net: InspectedModel, *, layer: str | None = None, baseline: str = "blurred", max_steps: int = 512
    ) -> None:
        """Prepare the method.

        Args:
            net: the model.
            layer: none.
            baseline: ``"blurred"`` or ``"black"`` (0).
            max_steps: gradients per image after which refinement stops; :attr:`gaps` has the remaining differences.

        Raises:
            UsageError: a layer was given, an unknown baseline, or ``max_steps`` is less than :data:`STEPS`.
        """
        super().__init__(net, layer=layer)
        if baseline not in BASELINES:
            raise UsageError(f"Integrated gradients begin with {' or '.join(BASELINES)}. Received: {baseline}")
        if max_steps < STEPS:
            raise UsageError(f"Integrated gradients take {STEPS} steps or more. Received: {max_steps}")
        self.baseline, self.max_steps = baseline, max_steps
        #: For each image of the last batch, how far the sum is off, as a share of the difference in logit.
        self.gaps = np.zeros(0, "float32")

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The shares of the pixels, summed over their channels."""
        base = np.zeros_like(pixels) if self.baseline == "black" else np.stack([blurred(one) for one in pixels])
        first = self.net.logits(base)
        found, gaps = zip(*map(self._integral, pixels, base, first, targets), strict=True)
        self.gaps = np.array(gaps, "float32")
        if (off := self.gaps > TOLERANCE).any():
            log.warning(
                "integrated gradients of %d images sum to the difference in logit within %.1f %% only",
                off.sum(),
                100 * self.gaps.max(),
            )
        return np.stack(found)

    def _integral(
        self, image: np.ndarray, base: np.ndarray, first: np.ndarray, target: int
    ) -> tuple[np.ndarray, float]:
        """The shares of one image's pixels, float32 (height, width), and how far off their sum is."""
        ends = np.arange(STEPS + 1, dtype="float32") / STEPS
        logits = np.concatenate([first[None], self.net.logits(_along(base, image, ends[1:]))])[:, target]
        # One row per step: where it begins, its length, the logit at both ends and in the middle, and its shares.
        start, length, low, high = ends[:-1], np.diff(ends), logits[:-1], logits[1:]
        steps = [start, length, low, high, *self._shares(image, base, target, start, length)]
        whole, done = max(abs(float(logits[-1] - logits[0])), _TINY), STEPS
        while True:
            start, length, low, high, middle, shares = steps
            missing = shares.sum(axis=(1, 2), dtype="float64") - (high - low)
            gap = abs(float(missing.sum())) / whole
            if gap <= TOLERANCE or done + STEPS > self.max_steps:
                return shares.sum(axis=0), gap
            order = np.argsort(-np.abs(missing))
            worst, rest = order[: STEPS // 2], order[STEPS // 2 :]
            half = length[worst] / 2
            start, length = np.concatenate([start[worst], start[worst] + half]), np.tile(half, 2)
            low, high = np.concatenate([low[worst], middle[worst]]), np.concatenate([middle[worst], high[worst]])
            halves = [start, length, low, high, *self._shares(image, base, target, start, length)]
            steps = [np.concatenate([column[rest], more]) for column, more in zip(steps, halves, strict=True)]
            done += STEPS

    def _shares(
        self, image: np.ndarray, base: np.ndarray, target: int, start: np.ndarray, length: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The logit in the middle of each step, and the pixels' shares by the gradient there: (k, height, width)."""
        points = _along(base, image, start + length / 2)
        (gradients,), logits = self.net.gradient(points, np.full(len(points), target, "int32"))
        return logits[:, target], length[:, None, None] * (gradients * (image - base)).sum(axis=-1)

    def blank(self, values: np.ndarray) -> str:
        """All shares are negative, or 0."""
        if values.any():
            return f"every pixel speaks against this class, compared with the {self.baseline} image"
        return super().blank(values)


def _along(base: np.ndarray, image: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Points on the path to an image: float32 (k, height, width, channels)."""
    points: np.ndarray = base + shares[:, None, None, None] * (image - base)
    return points
