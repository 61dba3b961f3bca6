"""Integrated gradients: each pixel's share in what the logit gains from a bare image to the one there is."""

from __future__ import annotations

import logging

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.explain.base import PixelMethod
from zoo.visualize.explain.masking import blurred
from zoo.visualize.network.subject import Subject

log = logging.getLogger(__name__)

#: How far the sum of the shares may be from the difference in logit, as a share of it.
TOLERANCE = 0.01
#: Steps that are computed together: those of the first attempt, and those that are added each time.
STEPS = 16
#: Where the way may begin.
BASELINES = ("blurred", "black")
#: A difference in logit below which there is nothing to share out.
_TINY = 1e-6


class IntegratedGradients(PixelMethod):
    """Sundararajan et al., "Axiomatic Attribution for Deep Networks", 2017 (arXiv:1703.01365), equation 1.

    The way is straight, from the blurred image to the image, and is integrated by the midpoint rule. What the
    shares of a step should sum to is known: the logit at its end, less that at its beginning. The steps that are
    furthest off are halved until all together are within :data:`TOLERANCE`. ReLUs bend the logit sharply and in few
    places, so that equal steps would have to be several times as many.

    The paper's black image gives nothing to what is dark (Sturmfels et al. 2020, "Visualizing the Impact of Feature
    Attribution Baselines"), and its maps are less faithful; see ``benchmarks/explanations.py``.
    """

    name = "integratedgradients"
    title = "Integrated gradients"
    paper = "Sundararajan et al. 2017, arXiv:1703.01365"

    def __init__(
        self, subject: Subject, *, layer: str | None = None, baseline: str = "blurred", max_steps: int = 512
    ) -> None:
        """Take a network.

        Args:
            subject: the network.
            layer: none.
            baseline: where the way begins: ``"blurred"`` or ``"black"``, which is 0 for a network that takes something
                else than pixels.
            max_steps: gradients of an image after which it is left as it is; :attr:`gaps` has how far off that is.

        Raises:
            UsageError: a layer was named, an unknown baseline, or ``max_steps`` is less than :data:`STEPS`.
        """
        super().__init__(subject, layer=layer)
        if baseline not in BASELINES:
            raise UsageError(f"Integrated gradients begin with {' or '.join(BASELINES)}. Received: {baseline}")
        if max_steps < STEPS:
            raise UsageError(f"Integrated gradients take {STEPS} steps or more. Received: {max_steps}")
        self.baseline, self.max_steps = baseline, max_steps
        #: For each image of the last batch: how far the sum was from the difference in logit, as a share of that.
        self.gaps = np.zeros(0, "float32")

    def values(self, pixels: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The shares of the pixels, summed over their channels; those against the class are below 0."""
        bare = np.zeros_like(pixels) if self.baseline == "black" else np.stack([blurred(one) for one in pixels])
        first = self.subject.logits(bare)
        found, gaps = zip(*map(self._integral, pixels, bare, first, targets), strict=True)
        self.gaps = np.array(gaps, "float32")
        if (off := self.gaps > TOLERANCE).any():
            log.warning(
                "integrated gradients of %d images sum to the difference in logit within %.1f %% only",
                off.sum(),
                100 * self.gaps.max(),
            )
        return np.stack(found)

    def _integral(
        self, image: np.ndarray, bare: np.ndarray, first: np.ndarray, target: int
    ) -> tuple[np.ndarray, float]:
        """The shares of one image's pixels: float32 (height, width); and how far off their sum is."""
        ends = np.arange(STEPS + 1, dtype="float32") / STEPS
        logits = np.concatenate([first[None], self.subject.logits(_along(bare, image, ends[1:]))])[:, target]
        # A row a step: where it begins, how long it is, the logit at its two ends and in its middle, and its shares.
        start, length, low, high = ends[:-1], np.diff(ends), logits[:-1], logits[1:]
        steps = [start, length, low, high, *self._shares(image, bare, target, start, length)]
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
            halves = [start, length, low, high, *self._shares(image, bare, target, start, length)]
            steps = [np.concatenate([column[rest], more]) for column, more in zip(steps, halves, strict=True)]
            done += STEPS

    def _shares(
        self, image: np.ndarray, bare: np.ndarray, target: int, start: np.ndarray, length: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The logit in the middle of each step, and the pixels' shares by the gradient there: (k, height, width)."""
        points = _along(bare, image, start + length / 2)
        (gradients,), logits = self.subject.gradient(points, np.full(len(points), target, "int32"))
        return logits[:, target], length[:, None, None] * (gradients * (image - bare)).sum(axis=-1)

    def blank(self, values: np.ndarray) -> str:
        """Shares may all be negative."""
        if values.any():
            return f"every pixel speaks against this class, compared with the {self.baseline} image"
        return super().blank(values)


def _along(bare: np.ndarray, image: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Points on the way to an image: float32 (k, height, width, channels)."""
    points: np.ndarray = bare + shares[:, None, None, None] * (image - bare)
    return points
