"""L-BFGS: Newton's method with what the last steps taught of the curvature."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

#: Steps that are remembered; how much of the promised descent a step must bring; halvings of a step before giving up.
_MEMORY, _SUFFICIENT, _HALVINGS = 10, 1e-4, 12

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def descend(function: Function, start: np.ndarray, steps: int, length: float) -> Iterator[tuple[np.ndarray, float]]:
    """Go down a function; Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4 and 7.5.

    Args:
        function: gives its value and its gradient.
        start: float of any shape.
        steps: at most.
        length: root mean square of the first step, of whose curvature nothing is known.

    Yields:
        Where it is after each step, and the value there, which never grows. It ends early where it cannot get lower.
    """
    here = start.astype(np.float64)
    value, slope = _evaluated(function, here)
    taught: list[tuple[np.ndarray, np.ndarray, float]] = []
    for _ in range(steps):
        direction = -_newton(slope, taught)
        if not taught:
            direction *= length / max(float(np.sqrt(np.mean(direction**2))), 1e-300)
        promised = float(np.vdot(slope, direction))
        if promised >= 0:
            return
        share = 1.0
        for _ in range(_HALVINGS):
            there = here + share * direction
            lower, tilt = _evaluated(function, there)
            if lower <= value + _SUFFICIENT * share * promised:
                break
            share /= 2
        else:
            return
        step, change = there - here, tilt - slope
        bend = float(np.vdot(step, change))
        # Only where the function bends upwards is there a valley to go to.
        if bend > 1e-10 * float(np.vdot(change, change)):
            taught = [*taught, (step, change, 1 / bend)][-_MEMORY:]
        here, value, slope = there, lower, tilt
        yield here, value


def _newton(slope: np.ndarray, taught: list[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """The slope, times the inverse of the curvature: the two loops of algorithm 7.4."""
    found, shares = slope.copy(), []
    for step, change, curvature in reversed(taught):
        shares.append(curvature * float(np.vdot(step, found)))
        found -= shares[-1] * change
    if taught:
        step, change, _ = taught[-1]
        found *= float(np.vdot(step, change)) / float(np.vdot(change, change))
    for (step, change, curvature), share in zip(taught, reversed(shares), strict=True):
        found += (share - curvature * float(np.vdot(change, found))) * step
    return found


def _evaluated(function: Function, place: np.ndarray) -> tuple[float, np.ndarray]:
    value, slope = function(place)
    return float(value), np.asarray(slope, np.float64)
