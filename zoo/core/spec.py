"""The description of a network, without any framework: frozen dataclasses only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Policy = Literal["crop", "pad", "squash"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]

#: Shares of red, green and blue in a grey pixel, ITU-R BT.601, as Pillow's mode L has them.
GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Arithmetic from a raw RGB pixel, 0-255, to the number that the network was trained on.

    ``y[c] = (x[order[c]] - mean[c]) / std[c]``; ``mean`` and ``std`` are on the scale 0-255 and stand in
    the order that the network sees: three numbers, or one where ``order`` is ``"grey"``, which makes one channel
    of the three: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    """

    name: str
    order: Literal["rgb", "bgr", "grey"] = "rgb"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)

    @property
    def channels(self) -> int:
        """How many channels the bare network takes: 1 for grey, else 3."""
        return 1 if self.order == "grey" else 3

    @property
    def identity(self) -> bool:
        """Whether pixels reach the network as they are (it scales them itself, or not at all)."""
        return self.order == "rgb" and not any(self.mean) and all(value == 1.0 for value in self.std)

    def apply(self, pixels: Any) -> Any:
        """The arithmetic on an array: uint8 or float (…, 3), RGB 0-255, to float32 (…, :attr:`channels`)."""
        values = pixels.astype("float32")
        if self.order == "bgr":
            values = values[..., ::-1]
        elif self.order == "grey":
            values = sum(share * values[..., channel : channel + 1] for channel, share in enumerate(GREY))
        for channel, (mean, std) in enumerate(zip(self.mean, self.std, strict=True)):
            values[..., channel] = (values[..., channel] - mean) / std
        return values

    def values(self) -> dict[str, Any]:
        """What decides the arithmetic, as values that JSON has: part of the keys of what is computed and kept."""
        return {"order": self.order, "mean": list(self.mean), "std": list(self.std)}

    def describe(self) -> str:
        """The arithmetic in words, for people."""
        if self.identity:
            return "RGB pixels from 0 to 255 as they are; any scaling is part of the network"
        parts = [{"rgb": "RGB", "bgr": "RGB to BGR", "grey": "RGB to one grey channel"}[self.order]]
        if any(self.mean):
            parts.append(f"minus {_numbers(self.mean)}")
        if any(value != 1.0 for value in self.std):
            parts.append(f"divided by {_numbers(self.std)}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Resize:
    """How an image of any size becomes ``height`` × ``width`` pixels; antialiased always.

    ``crop``: the largest center crop of the target's aspect ratio, times ``fraction``, is resized. ``pad``: the image
    is resized to fit and padded with black. ``squash``: the image is resized without regard to its aspect ratio.
    """

    height: int
    width: int
    policy: Policy = "crop"
    fraction: float = 0.875
    interpolation: Interpolation = "bilinear"

    def values(self) -> dict[str, Any]:
        """The fields as values that JSON has: part of the keys of what is computed and kept."""
        return asdict(self)

    def describe(self) -> str:
        """The policy in words, for people."""
        size = f"{self.width}×{self.height}"
        if self.policy == "crop":
            part = "" if self.fraction == 1 else f" {self.fraction:g} of"
            how = f"center crop of{part} the image, in the aspect ratio of {size}, resized to {size}"
        elif self.policy == "pad":
            how = f"image resized to fit {size}, padded with black"
        else:
            how = f"whole image resized to {size}, without regard to its aspect ratio"
        return f"{how} ({self.interpolation}, antialiased)"


@dataclass(frozen=True, slots=True)
class Stage:
    """A point where the network can be cut: the last layer at one stride, with its channels."""

    name: str
    layer: str
    stride: int
    width: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a network is cut: outputs of layers instead of its classifier; several make a structured array."""

    #: Default: the end of the network without its classifier, or with ``top`` the input of its last layer.
    layer: str | None = None
    #: Pooling of a map (rows, columns, channels): over rows and columns, one vector of all, or none.
    pool: Literal["avg", "max", "flatten"] | None = None
    top: bool = False
    #: Further layers, pooled in the same way.
    beside: tuple[str, ...] = ()
    #: Whether the network's own output, one probability a class, is wanted as well.
    probabilities: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """A name for each output, in order: features, features_LAYER for the others, probabilities."""
        others = (f"features_{layer.replace('/', '_')}" for layer in self.beside)
        return ("features", *others, *(("probabilities",) if self.probabilities else ()))


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of weights: its name in Keras's cache, its URL and its digests."""

    file: str
    url: str | None = None
    md5: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    #: Path below the shipped ``weights/`` folder, for the few files that come with zoo.
    shipped: str | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained weights of one network: files, origin, licence, and measured accuracy."""

    tag: str
    top: WeightFile | None = None
    no_top: WeightFile | None = None
    labels: str | tuple[str, ...] = "imagenet"
    trained_on: str = "ImageNet-1k"
    #: The recipe, if they were trained with zoo.
    recipe: str | None = None
    licence: str | None = None
    attribution: str | None = None
    top1: float | None = None
    top5: float | None = None
    protocol: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that zoo knows about a named network."""

    name: str
    family: str
    aliases: tuple[str, ...] = ()
    #: "module:function" or a function, with the arguments of keras.applications builders.
    builder: str | Callable[..., Any] = ""
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    file: str | None = None
    resize: Resize = Resize(224, 224)
    preprocessing: Preprocessing = Preprocessing("none")
    min_size: int = 32
    classes: int = 1000
    #: Whether outputs are averaged over the image and its mirror image.
    mirror: bool = False
    cut: Cut | None = None
    #: The default recipe of ``zoo train``.
    recipe: str | None = None
    params: int | None = None
    params_no_top: int | None = None
    gmacs: float | None = None
    stages: tuple[Stage, ...] = ()
    # Weights by tag, the preferred one first
    weights: Mapping[str, Weights] = field(default_factory=lambda: MappingProxyType({}))
    paper: str | None = None
    description: str | None = None

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.resize.height, self.resize.width

    def weight_set(self, tag: str | None = None) -> Weights | None:
        """The weights with a tag (KeyError if unknown), or the preferred ones; ``None`` if there are none."""
        if tag is not None:
            return self.weights[tag]
        return next(iter(self.weights.values()), None)


def _numbers(values: tuple[float, ...]) -> str:
    """One number if all are equal, otherwise all three."""
    texts = [f"{value:g}" if value == round(value, 3) else f"{value:.4f}" for value in values]
    return texts[0] if len(set(texts)) == 1 else " ".join(texts)
