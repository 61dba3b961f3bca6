"""The confidence interval of an accuracy."""

from __future__ import annotations

import math
from statistics import NormalDist

from zoo.core.errors import UsageError


def wilson_interval(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of ``right`` of ``n`` images, low and high end, 0-1; (0, 1) if n is 0.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Unlike the normal
    approximation it holds for few images and for accuracies near 1. In closed form: SciPy's takes half a second to
    import.

    Args:
        right: correct images, from 0 to n.
        n: all images.
        level: the confidence level, between 0 and 1.

    Raises:
        UsageError: a number is out of its range.
    """
    if not 0 <= right <= n or not 0 < level < 1:
        raise UsageError(f"There is no interval of {right} right of {n} at the level {level}.")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = right / n
    centre = share + z * z / (2 * n)
    margin = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At 0 and n the ends are exact, which rounding would miss.
    low = 0.0 if right == 0 else max(0.0, (centre - margin) / scale)
    high = 1.0 if right == n else min(1.0, (centre + margin) / scale)
    return low, high
