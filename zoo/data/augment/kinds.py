"""Kinds of values that a setting of augmentation may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args

#: Limits of RandAugment: its operations, and the strength at which each does the most, as in the paper's code.
MOST_OPERATIONS, STRONGEST = 14, 30


class RandAugment(NamedTuple):
    """Number of operations for each image, and their strength, from 0 to 30."""

    n: int = 2
    m: float = 9


@dataclass(frozen=True)
class Kind:
    """What a setting takes; ``parse`` expands a recipe's short form and leaves wrong values to ``accepts``."""

    expected: str
    accepts: Callable[[Any], bool]
    parse: Callable[[Any], Any] = lambda value: value


def number(low: float, high: float, unit: str, *, whole: bool = False) -> Kind:
    """A number within a range, its ends included."""
    return Kind(
        f"{unit}, from {low:g} to {high:g}",
        lambda value: is_number(value) and low <= value <= high and (not whole or isinstance(value, int)),
    )


def choice(literal: Any, flags: Mapping[bool, str] | None = None) -> Kind:
    """One of several words; ``true`` and ``false`` may stand for two of them."""
    words = get_args(literal)
    return Kind(
        f"one of {', '.join(words)}",
        lambda value: value in words,
        lambda value: flags[value] if flags and isinstance(value, bool) else value,
    )


def bounds(low: float, high: float, short: Callable[[float], Any] = lambda value: value, *, off: bool = False) -> Kind:
    """Two numbers within a range, the smaller one first, or one that ``short`` makes two of; ``off``: or none."""

    def accepts(value: Any) -> bool:
        is_pair = isinstance(value, tuple) and len(value) == 2 and all(map(is_number, value))
        return (is_pair and low <= value[0] <= value[1] <= high) or (off and value is None)

    def parse(value: Any) -> Any:
        if off and value in (None, 0, False):
            return None
        if is_number(value):
            return short(value)
        return tuple(value) if isinstance(value, list) else value

    return Kind(f"two numbers from {low:g} to {high:g}, the smaller one first", accepts, parse)


def rand_augment() -> Kind:
    """``{n: 2, m: 9}``, ``true`` for these, or none."""

    def accepts(value: Any) -> bool:
        if not isinstance(value, RandAugment):
            return value is None
        is_whole = isinstance(value.n, int) and all(map(is_number, value))
        return is_whole and 1 <= value.n <= MOST_OPERATIONS and 0 <= value.m <= STRONGEST

    def parse(value: Any) -> Any:
        if value in (None, False):
            return None
        if value is True:
            return RandAugment()
        return RandAugment(**value) if isinstance(value, Mapping) and set(value) <= {"n", "m"} else value

    expected = f"n, operations from 1 to {MOST_OPERATIONS}, and m, their strength from 0 to {STRONGEST}"
    return Kind(expected, accepts, parse)


def is_number(value: Any) -> bool:
    """Whether a value is a number, which ``true`` is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
