"""Neural style transfer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.images import decode as images
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis.fourier import WHITE, Fourier
from zoo.visualize.synthesis.stages import last_within, stages

if TYPE_CHECKING:
    import keras

#: Default longer side of the result, and iterations.
SIZE, STEPS = 384, 100
#: Weights of content, style and total variation; each loss is relative, whatever the model.
CONTENT, STYLE, SMOOTH = 1.0, 10.0, 1.0
#: Steps that L-BFGS remembers.
_MEMORY = 10
#: The layers of Gatys et al. in VGG16 and VGG19.
_VGG_STYLE = tuple(f"block{number}_conv1" for number in range(1, 6))
_VGG_CONTENT = "block4_conv2"
#: Maximum strides of the default style and content layers of other models.
_STYLE_STRIDE, _CONTENT_STRIDE = 16, 8


@dataclass(frozen=True, eq=False)
class Painted:
    """The image after an iteration."""

    step: int
    loss: float
    #: Makes :attr:`pixels`.
    render: Callable[[], np.ndarray]

    @cached_property
    def pixels(self) -> np.ndarray:
        """uint8 RGB (height, width, 3)."""
        return self.render()


class Painter:
    """A model that compares contents and styles."""

    def __init__(
        self, net: InspectedModel, *, style_layers: Sequence[str] | None = None, content_layer: str | None = None
    ) -> None:
        """Choose the layers of a model that takes RGB; settings as for :func:`style`.

        Raises:
            UsageError: there is no such layer, it is no feature map, or the model does not take RGB.
        """
        if net.input_shape[2] != 3:
            raise UsageError(f"{net.name} takes {net.input_shape[2]} channels; a painting has three colours.")
        self.net = net
        vgg = all(name in net.flat.tensors for name in (*_VGG_STYLE, _VGG_CONTENT))
        usual = list(_VGG_STYLE) if vgg else [name for name, step in stages(net).items() if step <= _STYLE_STRIDE]
        content = _VGG_CONTENT if vgg else last_within(net, _CONTENT_STRIDE)
        self.style_layers = [net.require_map(name) for name in style_layers or usual or [net.default_layer]]
        self.content_layer = net.require_map(content_layer or content)

    def run(
        self,
        content: np.ndarray,
        style: np.ndarray,
        *,
        steps: int = STEPS,
        content_weight: float = CONTENT,
        style_weight: float = STYLE,
        smooth_weight: float = SMOOTH,
        after_step: Callable[[Painted], None] | None = None,
    ) -> Painted:
        """Paint by L-BFGS; settings as for :func:`style`, with both images as uint8 RGB (height, width, 3).

        ``after_step`` is called after each iteration. The content is returned, as step 0, if none lowers the loss.

        Raises:
            UsageError: the model takes images of its own size only.
            UnavailableError: the model has no gradients.
        """
        from keras import ops
        from scipy.optimize import minimize

        from zoo.visualize.network.gradients import gradient_of

        network = self._network(*content.shape[:2])
        *_, wanted = _outputs(network, ops.convert_to_tensor(content[None].astype("float32")))
        styled = _outputs(self._network(*style.shape[:2]), ops.convert_to_tensor(style[None].astype("float32")))
        grams = [ops.convert_to_numpy(gram(features)) for features in styled[:-1]]
        image = Fourier(*content.shape[:2])

        def values(parameters: Any, wanted: Any, *grams: Any) -> tuple[Any, Any]:
            pixels = image.pixels(parameters)
            *styles, found = _outputs(network, pixels)
            content_loss = ops.mean(ops.square(found - wanted)) / ops.mean(ops.square(wanted))
            style_losses = [
                ops.sum(ops.square(gram(features) - goal)) / ops.sum(ops.square(goal))
                for features, goal in zip(styles, grams, strict=True)
            ]
            style_loss = sum(style_losses) / len(style_losses)
            loss = content_weight * content_loss + style_weight * style_loss + smooth_weight * variation(pixels)
            return loss, loss

        gradient = gradient_of(values)
        features = ops.convert_to_numpy(wanted)
        start = image.parameters(content[None])

        def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
            (slope,), loss = gradient(flat.reshape(start.shape).astype("float32"), features, *grams)
            return float(loss), slope.ravel().astype("float64")

        def render(flat: np.ndarray) -> np.ndarray:
            parameters = ops.convert_to_tensor(flat.reshape(start.shape).astype("float32"))
            rounded: np.ndarray = np.rint(ops.convert_to_numpy(image.pixels(parameters))[0]).astype(np.uint8)
            return rounded

        painted = Painted(0, float("nan"), lambda: content)

        def callback(intermediate_result: Any) -> None:
            nonlocal painted
            found = intermediate_result
            painted = Painted(painted.step + 1, float(found.fun), partial(render, found.x))
            if after_step is not None:
                after_step(painted)

        options = {"maxiter": steps, "maxfun": 20 * steps, "maxcor": _MEMORY, "ftol": 0.0, "gtol": 0.0}
        minimize(
            *(loss_and_gradient, start.ravel().astype("float64")),
            method="L-BFGS-B",
            jac=True,
            callback=callback,
            options=options,
        )
        return painted

    def _network(self, height: int, width: int) -> keras.Model:
        """The model from pixels of a size to the style layers and the content layer."""
        import keras

        from zoo.visualize.synthesis.resized import resized

        tensors = [self.net.tensor(name) for name in (*self.style_layers, self.content_layer)]
        network = resized(keras.Model(self.net.flat.model.input, tensors), height, width)
        if network is None:
            size = f"{self.net.input_shape[1]}×{self.net.input_shape[0]}"
            raise UsageError(
                f"{self.net.name} takes images of {size} only, up to {self.content_layer}; use a fully convolutional "
                "network, such as vgg19."
            )
        return network


def style(
    model: str | InspectedModel | keras.Model | None,
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
) -> np.ndarray:
    """Paint an image in the style of another.

    Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", 2016, starting from the
    content, in the parameterisation of :class:`~zoo.visualize.synthesis.fourier.Fourier`, in which style works in
    models other than VGG too (Mordvintsev et al., "Differentiable Image Parameterizations", 2018).

    >>> style("vgg19", "photo.jpg", "painting.jpg").shape
    (288, 384, 3)

    Args:
        model: a name, a file, an :class:`InspectedModel` or a Keras model, which is given pixels 0-255.
        content: a file, or uint8 RGB (height, width, 3) of any size.
        style: the same.
        size: longer side of the result, and of the style image.
        steps: maximum iterations of L-BFGS.
        style_layers: layers or stages whose Gram matrices are the style.
        content_layer: layer or stage whose feature map is the content.
        content_weight: weight of the content loss.
        style_weight: weight of the style loss.
        smooth_weight: weight of the total variation.

    Returns:
        uint8 RGB, with the aspect ratio of the content.

    Raises:
        ImageError: an image cannot be read.
        UsageError: an unknown model or layer, or a model that takes one size only.
        UnavailableError: weights are unavailable, or the model has no gradients.
    """
    painter = Painter(InspectedModel.open(model), style_layers=style_layers, content_layer=content_layer)
    painted = painter.run(
        *(read(content, size), read(style, size)),
        steps=steps,
        content_weight=content_weight,
        style_weight=style_weight,
        smooth_weight=smooth_weight,
    )
    return painted.pixels


def read(source: Any, size: int) -> np.ndarray:
    """An image resized to a longer side of ``size`` pixels: uint8 RGB.

    Raises:
        ImageError: it cannot be read.
    """
    image = images.decode(source)
    longest = max(image.size)
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    return np.array(image.resize((width, height), Image.Resampling.LANCZOS))


def gram(features: Any) -> Any:
    """The Gram matrix of features (1, rows, columns, channels), divided by the places: (channels, channels)."""
    from keras import ops

    flat = ops.reshape(features, (-1, features.shape[-1]))
    return ops.matmul(ops.transpose(flat), flat) / flat.shape[0]


def variation(pixels: Any) -> Any:
    """Total variation: the mean squared difference of neighbouring pixels, on the scale 0-1."""
    from keras import ops

    down = ops.mean(ops.square(pixels[:, 1:] - pixels[:, :-1]))
    right = ops.mean(ops.square(pixels[:, :, 1:] - pixels[:, :, :-1]))
    return (down + right) / WHITE**2


def _outputs(network: Any, pixels: Any) -> list[Any]:
    outputs = network(pixels, training=False)
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
