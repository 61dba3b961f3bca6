"""The settings of augmentation: a dataclass whose fields have their ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, get_type_hints

from zoo.core.errors import UsageError
from zoo.core.suggestions import did_you_mean
from zoo.data.augment import kinds
from zoo.data.augment.kinds import Kind, RandAugment

Flip = Literal["none", "horizontal", "vertical", "both"]
Fill = Literal["constant", "edge", "reflect"]

_Length = Annotated[float, kinds.number(0, 1e4, "pixels, or a fraction below 1")]
_Strength = Annotated[float, kinds.number(0, 1, "a strength")]
_Probability = Annotated[float, kinds.number(0, 1, "a probability")]
_Alpha = Annotated[float, kinds.number(0, 100, "alpha of a Beta distribution")]
_Range = tuple[float, float]


@dataclass(frozen=True)
class Augment:
    """Random changes of training images, each off by default; :mod:`zoo.data.augment.pipeline` applies them.

    Geometry (all in one resampling, in the order zoom, shear, rotation, shift):
        flip: mirror left and right, top and bottom, or both, each for half of the images.
        shift: by up to so many whole pixels along each side; below 1, up to that fraction of the side.
        rotate: by up to so many degrees either way, 0-180.
        zoom: enlarge by a factor between two bounds; one number ``z`` means 1 - z to 1 + z.
        aspect: change width over height by a factor between two bounds, for zooms and for crops.
        shear: by up to so many degrees either way, 0-60.
        crop: a random part of the image, of an area between two fractions; one number means from there to 1.
        probability: of shift, rotate, zoom, aspect and shear, for each image.
        fill: what comes in at the edges: ``constant`` (:attr:`fill_value`, 0-255), ``edge`` or ``reflect``.
    Colours:
        brightness, contrast, saturation: a factor from 1 - s to 1 + s, s within 0-1.
        hue: up to such a part of a turn either way, 0-0.5.
        noise: standard deviation of Gaussian noise, in grey levels, 0-128.
        rand_augment: ``n`` operations of strength ``m`` (:mod:`zoo.data.augment.randaugment`), before other colours.
    Erasing and mixing, last:
        cutout: side of a square of :attr:`fill_value`, in pixels, or below 1 as a fraction of the shorter side.
        erase: probability of a rectangle of noise.
        mixup, cutmix: alpha of the Beta distribution; with both, each batch takes one of them.
    """

    flip: Annotated[Flip, kinds.choice(Flip, {True: "horizontal", False: "none"})] = "none"
    shift: _Length = 0.0
    rotate: Annotated[float, kinds.number(0, 180, "degrees")] = 0.0
    zoom: Annotated[_Range, kinds.bounds(0.05, 20, lambda z: (1 - z, 1 + z))] = (1.0, 1.0)
    aspect: Annotated[_Range, kinds.bounds(0.05, 20)] = (1.0, 1.0)
    shear: Annotated[float, kinds.number(0, 60, "degrees")] = 0.0
    crop: Annotated[_Range | None, kinds.bounds(0.001, 1, lambda least: (least, 1.0), off=True)] = None
    probability: _Probability = 1.0
    fill: Annotated[Fill, kinds.choice(Fill)] = "constant"
    fill_value: Annotated[int, kinds.number(0, 255, "a grey level", whole=True)] = 0
    brightness: _Strength = 0.0
    contrast: _Strength = 0.0
    saturation: _Strength = 0.0
    hue: Annotated[float, kinds.number(0, 0.5, "a part of a turn")] = 0.0
    noise: Annotated[float, kinds.number(0, 128, "grey levels")] = 0.0
    rand_augment: Annotated[RandAugment | None, kinds.rand_augment()] = None
    cutout: _Length = 0.0
    erase: _Probability = 0.0
    mixup: _Alpha = 0.0
    cutmix: _Alpha = 0.0

    def __post_init__(self) -> None:
        """Check every value."""
        for name, kind in _KINDS.items():
            if not kind.accepts(value := getattr(self, name)):
                raise UsageError(f"The augmentation '{name}' is {kind.expected}. Received: {value!r}")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Augment:
        """The settings of a recipe, with the short forms that each allows."""
        for key in mapping:
            if key not in _KINDS:
                hint = did_you_mean(key, _KINDS) or f" There are: {', '.join(_KINDS)}."
                raise UsageError(f"There is no augmentation '{key}'.{hint}")
        return cls(**{key: _KINDS[key].parse(value) for key, value in mapping.items()})

    def describe(self) -> str:
        """What is changed, in a line: ``flip horizontal, shift 4, fill edge``; ``none`` where nothing is."""
        changed = [each for each in fields(self) if getattr(self, each.name) != each.default]
        return ", ".join(f"{each.name} {_text(getattr(self, each.name))}" for each in changed) or "none"


#: What each setting takes, from the types above.
_KINDS: dict[str, Kind] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Augment, include_extras=True).items()
}


def _text(value: Any) -> str:
    if isinstance(value, RandAugment):
        return f"{value.n} of strength {value.m:g}"
    if isinstance(value, tuple):
        return f"{value[0]:g}–{value[1]:g}"
    return value if isinstance(value, str) else f"{value:g}"
