"""Paint an image in the style of another."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.visualize.synthesis import adam, lbfgs
from zoo.visualize.synthesis.parameterisation import WHITE
from zoo.visualize.synthesis.resized import resized
from zoo.visualize.synthesis.stages import last_within, stages

if TYPE_CHECKING:
    import keras

    from zoo.visualize.network.subject import Subject

#: The longer side of the result, and steps, where nothing else is said.
SIZE, STEPS = 384, 100
#: How much content, style and smoothness count; each loss is a share of what there is, whatever the network.
CONTENT, STYLE, SMOOTH = 1.0, 10.0, 1.0
#: How to descend, and how far a step (the first one, of L-BFGS) goes.
OPTIMIZERS = {"lbfgs": (lbfgs.descend, 0.02), "adam": (adam.descend, 0.05)}
#: The layers of Gatys et al. in VGG, of 16 or 19 layers.
_VGG_STYLE = tuple(f"block{number}_conv1" for number in range(1, 6))
_VGG_CONTENT = "block4_conv2"
#: Pixels along a side of each place in the map of the content's layer, in other networks.
_CONTENT_STRIDE = 8


@dataclass(frozen=True, eq=False)
class Painted:
    """An image on its way from content to style."""

    step: int
    #: uint8 RGB (height, width, 3).
    pixels: np.ndarray
    #: What is minimised.
    loss: float


class Painter:
    """A network that compares contents and styles."""

    def __init__(
        self, subject: Subject, *, style_layers: Sequence[str] | None = None, content_layer: str | None = None
    ) -> None:
        """Choose the layers.

        Args:
            subject: the network; it takes RGB.
            style_layers: whose Gram matrices are the style; of VGG those of Gatys et al., else the last layer of each
                stage up to a stride of 16.
            content_layer: whose map is the content.

        Raises:
            UsageError: there is no such layer, it has no map, or the network does not take colours.
        """
        if subject.input_shape[2] != 3:
            raise UsageError(f"{subject.name} takes {subject.input_shape[2]} channels; a painting has three colours.")
        self.subject = subject
        vgg = all(name in subject.flat.tensors for name in (*_VGG_STYLE, _VGG_CONTENT))
        usual = list(_VGG_STYLE) if vgg else [name for name, stride in stages(subject).items() if stride <= 16]
        self.style_layers = [subject.layer(name) for name in style_layers or usual or [subject.default_layer]]
        content = _VGG_CONTENT if vgg else last_within(subject, _CONTENT_STRIDE)
        self.content_layer = subject.layer(content_layer or content)
        for name in (*self.style_layers, self.content_layer):
            if not subject.is_map(name):
                raise UsageError(
                    f"{name} of {subject.name} has no rows and columns, so it has no style and no content."
                )

    def run(
        self,
        content: np.ndarray,
        style: np.ndarray,
        *,
        steps: int = STEPS,
        content_weight: float = CONTENT,
        style_weight: float = STYLE,
        smooth_weight: float = SMOOTH,
        optimizer: str = "lbfgs",
    ) -> Iterator[Painted]:
        """Paint; arguments as for :func:`style`, with both images as uint8 RGB (height, width, 3).

        Yields:
            The image after each step.

        Raises:
            UsageError: the network takes images of its own size only, or there is no such optimizer.
            UnavailableError: the network has no gradients.
        """
        from keras import ops

        from zoo.visualize.network.gradients import gradient_of
        from zoo.visualize.synthesis.fourier import Fourier

        if optimizer not in OPTIMIZERS:
            raise UsageError(f"There are the optimizers {' and '.join(OPTIMIZERS)}. Received: {optimizer}")
        network = self._network(*content.shape[:2])
        *_, wanted = _outputs(network, ops.convert_to_tensor(content[None].astype("float32")))
        painted = _outputs(self._network(*style.shape[:2]), ops.convert_to_tensor(style[None].astype("float32")))
        grams = [ops.convert_to_numpy(gram(features)) for features in painted[:-1]]
        image = Fourier(*content.shape[:2])

        def values(parameters: Any, wanted: Any, *grams: Any) -> tuple[Any, Any]:
            pixels = image.pixels(parameters)
            *styles, found = _outputs(network, pixels)
            far = ops.mean(ops.square(found - wanted)) / ops.mean(ops.square(wanted))
            unlike = [
                ops.sum(ops.square(gram(features) - goal)) / ops.sum(ops.square(goal))
                for features, goal in zip(styles, grams, strict=True)
            ]
            loss = content_weight * far + style_weight * sum(unlike) / len(unlike) + smooth_weight * variation(pixels)
            return loss, loss

        gradient = gradient_of(values)
        features = ops.convert_to_numpy(wanted)

        def evaluated(parameters: np.ndarray) -> tuple[float, np.ndarray]:
            (slope,), loss = gradient(parameters.astype("float32"), features, *grams)
            return float(loss), slope

        descend, length = OPTIMIZERS[optimizer]
        start = image.parameters(content[None])
        for step, (parameters, loss) in enumerate(descend(evaluated, start, steps, length), start=1):
            pixels = ops.convert_to_numpy(image.pixels(ops.convert_to_tensor(parameters.astype("float32"))))
            yield Painted(step, np.rint(pixels[0]).astype(np.uint8), loss)

    def _network(self, height: int, width: int) -> keras.Model:
        """From pixels of a size to the layers of style, and that of content."""
        import keras

        tensors = [self.subject.tensor(name) for name in (*self.style_layers, self.content_layer)]
        network = resized(keras.Model(self.subject.flat.model.input, tensors), height, width)
        if network is None:
            size = f"{self.subject.input_shape[1]}×{self.subject.input_shape[0]}"
            raise UsageError(
                f"{self.subject.name} takes images of {size} only, up to {self.content_layer}; take a network of "
                "convolutions, such as vgg19."
            )
        return network


def style(
    model: str | Subject | keras.Model | None,
    content: str | os.PathLike[str] | np.ndarray,
    style: str | os.PathLike[str] | np.ndarray,
    *,
    size: int = SIZE,
    steps: int = STEPS,
    style_layers: Sequence[str] | None = None,
    content_layer: str | None = None,
    content_weight: float = CONTENT,
    style_weight: float = STYLE,
    smooth_weight: float = SMOOTH,
    optimizer: str = "lbfgs",
) -> np.ndarray:
    """Paint an image in the style of another.

    Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", 2016, from the content, and in
    the waves of :class:`~zoo.visualize.synthesis.fourier.Fourier`, in which networks other than VGG have style too
    (Mordvintsev et al., "Differentiable Image Parameterizations", 2018).

    >>> style("vgg19", "photo.jpg", "painting.jpg").shape
    (288, 384, 3)

    Args:
        model: a name, a file, a :class:`Subject`, or a Keras network, which is given pixels 0-255.
        content: a file, or uint8 RGB (height, width, 3) of any size.
        style: the same.
        size: the longer side of the result, and of the style as the network sees it.
        steps: of descent.
        style_layers: layers or stages whose Gram matrices are the style.
        content_layer: a layer or a stage whose map is the content.
        content_weight: how much the content counts.
        style_weight: how much the style counts.
        smooth_weight: how much the total variation counts.
        optimizer: ``"lbfgs"`` or ``"adam"``.

    Returns:
        uint8 RGB, in the shape of the content.

    Raises:
        ImageError: an image cannot be read.
        UsageError: an unknown network or layer, or a network that takes one size only.
        UnavailableError: weights are not to be had, or the network has no gradients.
    """
    from zoo.visualize.explain.explain import opened

    painter = Painter(opened(model), style_layers=style_layers, content_layer=content_layer)
    result = read(content, size)
    for painted in painter.run(
        result,
        read(style, size),
        steps=steps,
        content_weight=content_weight,
        style_weight=style_weight,
        smooth_weight=smooth_weight,
        optimizer=optimizer,
    ):
        result = painted.pixels
    return result


def read(source: Any, size: int) -> np.ndarray:
    """An image with a longer side of so many pixels.

    Raises:
        ImageError: it cannot be read.
    """
    from zoo.images import decode as images

    image = images.decode(source)
    longest = max(image.size)
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    return np.array(image.resize((width, height), Image.Resampling.LANCZOS))


def gram(features: Any) -> Any:
    """How often channels are active together, wherever that is.

    Args:
        features: a tensor float32 (1, rows, columns, channels).

    Returns:
        A tensor float32 (channels, channels): means over all places.
    """
    from keras import ops

    flat = ops.reshape(features, (-1, features.shape[-1]))
    return ops.matmul(ops.transpose(flat), flat) / flat.shape[0]


def variation(pixels: Any) -> Any:
    """Total variation: the mean square of the differences between neighbours, of pixels from 0 to 1."""
    from keras import ops

    down = ops.mean(ops.square(pixels[:, 1:] - pixels[:, :-1]))
    right = ops.mean(ops.square(pixels[:, :, 1:] - pixels[:, :, :-1]))
    return (down + right) / WHITE**2


def _outputs(network: Any, pixels: Any) -> list[Any]:
    """What the layers give; a network of one output has no list."""
    outputs = network(pixels, training=False)
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
