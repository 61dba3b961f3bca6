"""DeepDream: amplify what layers respond to in an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.images import decode as images
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis.fourier import WHITE
from zoo.visualize.synthesis.stages import last_within

if TYPE_CHECKING:
    import keras

    from zoo.visualize.network.gradients import Gradient

OCTAVES, OCTAVE_SCALE, STEPS, STRENGTH = 4, 1.4, 10, 1.0
#: Mean change of a pixel per step, in grey levels, at a strength of 1.
_STEP = 1.5
#: Tiles per batch.
_BATCH_SIZE = 8
#: Maximum stride of the default layer.
_STRIDE = 16
#: Minimum shorter side of an octave.
_SMALLEST = 32


class Dreamer:
    """A model and the layers whose response is amplified."""

    def __init__(self, net: InspectedModel, layers: Sequence[str] | None = None) -> None:
        """Prepare a model that takes RGB; the default layer is the last stage up to a stride of 16.

        Raises:
            UsageError: there is no such layer, or the model does not take RGB.
        """
        import keras

        from zoo.visualize.network.gradients import gradient_of

        if net.input_shape[2] != 3:
            raise UsageError(f"{net.name} takes {net.input_shape[2]} channels; a dream has three colours.")
        self.net = net
        self.layers = [net.layer(name) for name in layers] if layers else [last_within(net, _STRIDE)]
        part = keras.Model(net.flat.model.input, [net.tensor(name) for name in self.layers])

        def values(pixels: Any, scales: Any) -> tuple[Any, Any]:
            outputs = part(pixels, training=False)
            outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
            means = [
                keras.ops.mean(keras.ops.square(output), axis=tuple(range(1, len(output.shape)))) for output in outputs
            ]
            return keras.ops.sum(keras.ops.stack(means, axis=-1) / scales, axis=-1), ()

        self._gradient: Gradient = gradient_of(values)

    def run(
        self,
        pixels: np.ndarray,
        *,
        octaves: int = OCTAVES,
        octave_scale: float = OCTAVE_SCALE,
        steps: int = STEPS,
        strength: float = STRENGTH,
        seed: int = 0,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """Arguments as for :func:`dream`; ``progress`` is called with tiles done and total tiles.

        Raises:
            UnavailableError: the model has no gradients.
        """
        original = pixels.astype("float32")
        shapes = octave_shapes(original.shape[0], original.shape[1], octaves, octave_scale)
        rng = np.random.default_rng(seed)
        total, done = steps * sum(len(self._corners(shape)) for shape in shapes), 0
        base = np.clip(_resize(original, shapes[0]), 0, WHITE)
        scales = self._scales(base)
        dreamed = base.copy()
        for shape in shapes:
            # The change so far is scaled up; detail comes from the original at this size.
            change = _resize(dreamed - base, shape)
            base = np.clip(_resize(original, shape), 0, WHITE)
            dreamed = base + change
            for _ in range(steps):
                shift = tuple(int(rng.integers(side)) for side in shape)
                rolled = np.roll(dreamed, shift, axis=(0, 1))
                gradient = np.empty_like(rolled)
                for top, left, found in self._tiles(rolled, scales):
                    part = gradient[top : top + found.shape[0], left : left + found.shape[1]]
                    part[:] = found[: part.shape[0], : part.shape[1]]
                    done += 1
                    if progress is not None:
                        progress(done, total)
                gradient = smoothed(np.roll(gradient, tuple(-way for way in shift), axis=(0, 1)))
                dreamed += np.float32(_STEP * strength) * gradient / max(float(np.abs(gradient).mean()), 1e-12)
                np.clip(dreamed, 0, WHITE, out=dreamed)
        rounded: np.ndarray = np.rint(dreamed).astype(np.uint8)
        return rounded

    def _corners(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        """The upper left corners of tiles of the model's input size that cover an image; the last ones overlap."""
        tops, lefts = (
            [min(start, max(0, side - tile)) for start in range(0, side, tile)]
            for side, tile in zip(shape, self.net.input_shape[:2], strict=True)
        )
        return [(top, left) for top in tops for left in lefts]

    def _tiles(self, pixels: np.ndarray, scales: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """The gradient of each tile, in batches, so that memory does not grow with the image."""
        height, width, _ = self.net.input_shape
        corners = self._corners(pixels.shape[:2])
        # An image smaller than a tile is continued periodically, as where it is rolled.
        margins = [(0, max(0, tile - side)) for tile, side in zip((height, width), pixels.shape[:2], strict=True)]
        padded = np.pad(pixels, [*margins, (0, 0)], mode="wrap")
        size = min(_BATCH_SIZE, len(corners))
        for start in range(0, len(corners), size):
            chosen = corners[start : start + size]
            # A framework recompiles a function for each batch size.
            filled = chosen + chosen[-1:] * (size - len(chosen))
            tiles = np.stack([padded[top : top + height, left : left + width] for top, left in filled])
            (gradient,), _ = self._gradient(tiles, scales)
            for (top, left), found in zip(chosen, gradient, strict=False):
                yield top, left, found

    def _scales(self, pixels: np.ndarray) -> np.ndarray:
        """Each layer's response to the image, which normalises it: float32 (layers,)."""
        shown = _resize(pixels, self.net.input_shape[:2])[None]
        means = [float(np.mean(np.square(self.net.activations(name, shown)))) for name in self.layers]
        found: np.ndarray = np.maximum(np.array(means, "float32"), 1e-12)
        return found


def dream(
    model: str | InspectedModel | keras.Model | None,
    image: str | os.PathLike[str] | np.ndarray,
    *,
    layers: Sequence[str] | None = None,
    octaves: int = OCTAVES,
    octave_scale: float = OCTAVE_SCALE,
    steps: int = STEPS,
    strength: float = STRENGTH,
    seed: int = 0,
) -> np.ndarray:
    """Amplify what layers respond to in an image.

    Mordvintsev, Olah and Tyka, "Inceptionism", 2015: gradient ascent on the mean square of the layers' outputs, from
    small sizes of the image to its own, on tiles of the model's input size after a random roll, so that there are no
    seams.

    >>> dream("mobilenetv2", "photo.jpg", layers=["stage4"]).shape
    (375, 500, 3)

    Args:
        model: a name, a file, an :class:`InspectedModel` or a Keras model, which is given pixels 0-255.
        image: a file, or uint8 RGB (height, width, 3) of any size.
        layers: layers or stages; the last stage up to a stride of 16 if omitted.
        octaves: number of sizes.
        octave_scale: size ratio of consecutive octaves.
        steps: of ascent in each octave.
        strength: of a step; 1 changes a pixel by 1.5 grey levels on average.
        seed: of the random rolls.

    Returns:
        uint8 RGB of the image's size.

    Raises:
        ImageError: the image cannot be read.
        UsageError: an unknown model or layer.
        UnavailableError: weights are unavailable, or the model has no gradients.
    """
    pixels = np.array(images.decode(image))
    return Dreamer(InspectedModel.open(model), layers).run(
        pixels, octaves=octaves, octave_scale=octave_scale, steps=steps, strength=strength, seed=seed
    )


def octave_shapes(height: int, width: int, octaves: int, scale: float) -> list[tuple[int, int]]:
    """The sizes of the octaves, the image's own last; tiny ones are left out.

    Raises:
        UsageError: the sizes would not grow.
    """
    if octaves < 1 or not scale > 1:
        raise UsageError(
            f"There is at least one octave, and each is larger than the last. Received: {octaves}, {scale:g}"
        )
    powers = [scale**-number for number in range(octaves - 1, -1, -1)]
    shapes = [(round(height * power), round(width * power)) for power in powers]
    return [shape for shape in shapes[:-1] if min(shape) >= _SMALLEST] + shapes[-1:]


def smoothed(gradient: np.ndarray) -> np.ndarray:
    """A gradient, float32 (height, width, channels), with its spectrum divided by the square root of the frequency.

    Otherwise the finest patterns win; Mordvintsev's notebook of 2015 balances the levels of a Laplacian pyramid.
    """
    height, width, channels = gradient.shape
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale = 1 / np.sqrt(np.maximum(frequencies, 1 / max(height, width))).astype("float32")
    found = np.empty_like(gradient)
    for channel in range(channels):
        spectrum = np.fft.rfft2(gradient[..., channel])
        found[..., channel] = np.fft.irfft2(spectrum * scale, s=(height, width))
    return found


def _resize(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Resize float32 (height, width, 3), with antialiasing."""
    height, width = shape
    if pixels.shape[:2] == (height, width):
        return pixels.copy()
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane), "F").resize((width, height), Image.Resampling.BICUBIC))
        for plane in pixels.transpose(2, 0, 1)
    ]
    return np.stack(planes, axis=-1)
