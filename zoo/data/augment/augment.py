"""What may change in an image at random while a network learns; images to validate and test never come here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean
from zoo.data.augment import colour, geometry, mixing, randaugment

Flip = Literal["none", "horizontal", "vertical", "both"]
Fill = Literal["constant", "edge", "reflect"]


class RandAugment(NamedTuple):
    """Operations for each image, and how strong, from 0 to 30."""

    n: int = 2
    m: float = 9


@dataclass(frozen=True)
class Augment:
    """Random changes, each off unless it is asked for.

    Moving (all in one resampling, in the order zoom, shear, turn, shift):
        flip: mirror left and right, top and bottom, or both, each for half of the images.
        shift: up to so many whole pixels along each side; below 1, up to that fraction of the side.
        rotate: up to so many degrees either way, 0-180.
        zoom: the image grows by a factor between two bounds; one number ``z`` means 1 - z to 1 + z.
        aspect: width over height changes by a factor between two bounds, of zooms as of crops.
        shear: up to so many degrees either way, 0-60.
        crop: a random part of the image, of an area between two fractions; one number means from there to 1.
        probability: that shift, rotate, zoom, aspect and shear befall an image.
        fill: what comes in at the edges: ``constant`` (:attr:`fill_value`, 0-255), ``edge`` or ``reflect``.
    Colours:
        brightness, contrast, saturation: a factor from 1 - s to 1 + s, s within 0-1.
        hue: up to such a part of a turn either way, 0-0.5.
        noise: standard deviation of Gaussian noise, in grey levels, 0-128.
        rand_augment: ``n`` operations of strength ``m`` (:mod:`zoo.data.augment.randaugment`), after moving.
    Hiding and mixing, last:
        cutout: side of a square of :attr:`fill_value`, in pixels, or below 1 as a fraction of the shorter side.
        erase: probability of a rectangle of noise.
        mixup, cutmix: alpha of the Beta distribution; with both, each batch takes one of them.
    """

    flip: Flip = "none"
    shift: float = 0.0
    rotate: float = 0.0
    zoom: tuple[float, float] = (1.0, 1.0)
    aspect: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0
    crop: tuple[float, float] | None = None
    probability: float = 1.0
    fill: Fill = "constant"
    fill_value: int = 0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    noise: float = 0.0
    rand_augment: RandAugment | None = None
    cutout: float = 0.0
    erase: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            UsageError: one is of the wrong kind or out of its range.
        """
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Augment:
        """Augmentation as a recipe has it: some of the attributes, with the short forms that they allow.

        Raises:
            UsageError: there is no such attribute, or a value is of the wrong kind or out of its range.
        """
        known = [field.name for field in fields(cls)]
        for key in mapping:
            if key not in known:
                hint = did_you_mean(key, known) or f" There are: {', '.join(known)}."
                raise UsageError(f"There is no augmentation '{key}'.{hint}")
        return cls(**{key: _converted(key, value) for key, value in mapping.items()})

    @property
    def warps(self) -> bool:
        """Whether images have to be resampled, and not only flipped and shifted."""
        plain = (1.0, 1.0)
        return bool(self.rotate or self.shear or self.crop or self.zoom != plain or self.aspect != plain)

    def __call__(
        self, batch: np.ndarray, labels: np.ndarray, rng: np.random.Generator, size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Change a batch.

        Args:
            batch: uint8 (b, H, W, 3), or grey (b, H, W), 0-255; not changed.
            labels: float32 (b, classes), each row a distribution; not changed.
            rng: where chance comes from; the same state gives the same result.
            size: height and width of the result.

        Returns:
            uint8 (b, height, width[, 3]) and float32 (b, classes), each row a distribution.
        """
        batch = geometry.apply(batch, self, rng, size)
        if self.rand_augment:
            batch = randaugment.apply(batch, *self.rand_augment, self.fill_value, rng)
        if self.brightness or self.contrast or self.saturation or self.hue:
            batch = colour.apply(batch, self, rng)
        if self.noise:
            batch = colour.noise(batch, self.noise, rng)
        if self.cutout:
            batch = mixing.cutout(batch, self.cutout, self.fill_value, rng)
        if self.erase:
            batch = mixing.erase(batch, self.erase, rng)
        if self.mixup or self.cutmix:
            batch, labels = mixing.mix(batch, labels, self.mixup, self.cutmix, rng)
        return batch, labels

    def describe(self) -> str:
        """What is changed, in a line: ``flip horizontal, shift 4, fill edge``; ``none`` where nothing is."""
        changed = [field for field in fields(self) if getattr(self, field.name) != field.default]
        return ", ".join(f"{field.name} {_text(getattr(self, field.name))}" for field in changed) or "none"


#: The range of each number, its ends included, and what it is.
_RANGES: dict[str, tuple[float, float, str]] = {
    "shift": (0, 1e4, "pixels, or a fraction below 1"),
    "rotate": (0, 180, "degrees"),
    "shear": (0, 60, "degrees"),
    "probability": (0, 1, "a probability"),
    "fill_value": (0, 255, "a grey level"),
    "brightness": (0, 1, "a strength"),
    "contrast": (0, 1, "a strength"),
    "saturation": (0, 1, "a strength"),
    "hue": (0, 0.5, "a part of a turn"),
    "noise": (0, 128, "grey levels"),
    "cutout": (0, 1e4, "pixels, or a fraction below 1"),
    "erase": (0, 1, "a probability"),
    "mixup": (0, 100, "alpha of a Beta distribution"),
    "cutmix": (0, 100, "alpha of a Beta distribution"),
}
#: The range of both bounds.
_BOUNDS = {"zoom": (0.05, 20.0), "aspect": (0.05, 20.0), "crop": (0.001, 1.0)}
_CHOICES = {"flip": get_args(Flip), "fill": get_args(Fill)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _converted(key: str, value: Any) -> Any:
    """A value with its short form written out; what makes no sense stays, for the check to refuse."""
    if key == "flip" and isinstance(value, bool):
        return "horizontal" if value else "none"
    if key in _BOUNDS:
        if key == "crop" and value in (None, 0, False):
            return None
        if _is_number(value):
            return {"zoom": (1 - value, 1 + value), "crop": (value, 1.0)}.get(key, value)
        return tuple(value) if isinstance(value, list) else value
    if key == "rand_augment":
        if value in (None, False):
            return None
        if value is True:
            return RandAugment()
        if isinstance(value, Mapping) and set(value) <= {"n", "m"}:
            return RandAugment(**value)
    return value


def _check(key: str, value: Any) -> None:
    """Raise the sentence for a value that makes no sense."""
    if key in _CHOICES:
        right, expected = value in _CHOICES[key], f"one of {', '.join(_CHOICES[key])}"
    elif key in _BOUNDS:
        low, high = _BOUNDS[key]
        is_pair = isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value))
        right = (is_pair and low <= value[0] <= value[1] <= high) or (key == "crop" and value is None)
        expected = f"two numbers from {low:g} to {high:g}, the smaller one first"
    elif key == "rand_augment":
        right = value is None or (
            isinstance(value, RandAugment)
            and all(map(_is_number, value))
            and isinstance(value.n, int)
            and 1 <= value.n <= len(randaugment.OPERATIONS)
            and 0 <= value.m <= randaugment.STRONGEST
        )
        expected = "n, operations from 1 to 14, and m, their strength from 0 to 30"
    else:
        low, high, kind = _RANGES[key]
        right = _is_number(value) and low <= value <= high and (key != "fill_value" or isinstance(value, int))
        expected = f"{kind}, from {low:g} to {high:g}"
    if not right:
        raise UsageError(f"The augmentation '{key}' is {expected}. Received: {value!r}")


def _text(value: Any) -> str:
    if isinstance(value, RandAugment):
        return f"{value.n} of strength {value.m:g}"
    if isinstance(value, tuple):
        return f"{value[0]:g}–{value[1]:g}"
    return value if isinstance(value, str) else f"{value:g}"
