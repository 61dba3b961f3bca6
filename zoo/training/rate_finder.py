"""A learning rate for a network and its data, found by trying: the range test.

Smith, Cyclical Learning Rates for Training Neural Networks (2017), arXiv 1506.01186: the rate grows from step to step,
and where the loss falls fastest is a good one to begin with.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from zoo.training.epochs import Batches
    from zoo.training.learner import Learner

#: From the lowest rate to the highest in so many steps.
LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100
#: Share of the old in the running mean of the loss, and how many times its least the loss may become.
SMOOTH, TOO_MUCH = 0.9, 4.0
#: Steps after which the running mean is one of enough batches to be looked at.
SETTLED = 15
#: What is left of the loss at the most where it is said to have fallen.
FALL = 0.95


@dataclass(frozen=True, slots=True)
class Found:
    """A rate, ``None`` where the loss fell at none, and what was seen: the rates, and the smoothed loss at each."""

    rate: float | None
    rates: tuple[float, ...]
    losses: tuple[float, ...]


def find(learner: Learner, batches: Batches) -> Found:
    """Try rates on a learner, which afterwards is as it was before.

    Args:
        learner: who learns.
        batches: what from; as many epochs of it as the steps need.
    """
    from zoo.training.learner import DivergedError

    before = [np.array(value) for value in learner.state()]
    rates: list[float] = []
    losses: list[float] = []
    mean, least = 0.0, math.inf
    for number, (x, y) in enumerate(itertools.islice(_endless(batches), STEPS)):
        rate = LOWEST * (HIGHEST / LOWEST) ** (number / (STEPS - 1))
        try:
            loss = learner.step(x, y, rate)["loss"]
        except DivergedError:
            break
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        smooth = mean / (1 - SMOOTH ** (number + 1))
        rates.append(rate)
        losses.append(smooth)
        least = min(least, smooth)
        if smooth > TOO_MUCH * least:
            break
    learner.restore(before)
    return Found(steepest(rates, losses), tuple(rates), tuple(losses))


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """The rate at which the loss falls fastest as the rate grows; ``None`` if it hardly falls.

    Args:
        rates: ascending, on a logarithmic scale.
        losses: at each.
    """
    begin = SETTLED if len(losses) > 2 * SETTLED else 0
    least = int(np.argmin(losses))
    if least < begin + 2 or losses[least] > FALL * losses[begin]:
        return None
    slopes = np.gradient(np.asarray(losses[begin : least + 1]), np.log(rates[begin : least + 1]))
    return float(rates[begin + int(np.argmin(slopes))])


def _endless(batches: Batches) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number in itertools.count():
        yield from batches.epoch(number)
