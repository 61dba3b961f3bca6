"""McNemar's test: whether two classifiers differ on the same images."""

from __future__ import annotations

from zoo.core.errors import UsageError


def mcnemar(only_one: int, only_other: int) -> float:
    """The two-sided p-value, 0-1, of the exact test; 1 if the classifiers never differ.

    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947: of
    the images that only one of two equally good classifiers has right, each has half.

    Args:
        only_one: images that the first has right and the second wrong.
        only_other: images that the second has right and the first wrong.

    Raises:
        UsageError: a count is negative.
    """
    from scipy.special import bdtr

    if min(only_one, only_other) < 0:
        raise UsageError(f"Expected counts of at least 0. Received: {only_one} and {only_other}")
    return min(1.0, 2 * float(bdtr(min(only_one, only_other), only_one + only_other, 0.5)))
