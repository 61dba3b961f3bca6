"""Learning-rate finder: the range test of Smith, Cyclical Learning Rates (2017), arXiv 1506.01186."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zoo.training.learner import Learner
    from zoo.training.phase import Batches

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100  #: From the lowest rate to the highest in so many steps.
#: Momentum of the loss's moving average, and the multiple of its minimum at which the test ends.
MOMENTUM, DIVERGED = 0.9, 4.0
SETTLED = 15  #: Steps after which the moving average is reliable.
FALL = 0.95  #: The loss must fall at least to this share.


def find(learner: Learner, batches: Batches) -> float | None:
    """The rate for a learner, whose state is restored afterwards; ``None`` if the loss fell at none."""
    from zoo.training.learner import DivergedError

    before = [np.array(value) for value in learner.state()]
    rates: list[float] = []
    losses: list[float] = []
    mean, least = 0.0, math.inf
    endless = itertools.chain.from_iterable(map(batches.epoch, itertools.count()))
    for number, (x, y) in enumerate(itertools.islice(endless, STEPS)):
        rate = LOWEST * (HIGHEST / LOWEST) ** (number / (STEPS - 1))
        try:
            loss = learner.step(x, y, rate)["loss"]
        except DivergedError:
            break
        mean = MOMENTUM * mean + (1 - MOMENTUM) * loss
        smooth = mean / (1 - MOMENTUM ** (number + 1))
        rates.append(rate)
        losses.append(smooth)
        least = min(least, smooth)
        if smooth > DIVERGED * least:
            break
    learner.restore(before)
    return steepest(rates, losses)


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """Of ascending rates the one at which the loss falls fastest on a log scale; ``None`` if it hardly falls."""
    begin = SETTLED if len(losses) > 2 * SETTLED else 0
    least = int(np.argmin(losses))
    if least < begin + 2 or losses[least] > FALL * losses[begin]:
        return None
    slopes = np.gradient(np.asarray(losses[begin : least + 1]), np.log(rates[begin : least + 1]))
    return float(rates[begin + int(np.argmin(slopes))])
