"""DeepDream: let a network make more of what it sees in an image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from zoo.core.errors import UsageError
from zoo.visualize.synthesis.parameterisation import WHITE
from zoo.visualize.synthesis.stages import last_within

if TYPE_CHECKING:
    import keras

    from zoo.visualize.network.gradients import Gradient
    from zoo.visualize.network.subject import Subject

OCTAVES, OCTAVE_SCALE, STEPS, STRENGTH = 4, 1.4, 10, 1.0
#: Grey levels that a pixel changes by in a step, on average, at a strength of 1.
_STEP = 1.5
#: Tiles computed together.
_BATCH_SIZE = 8
#: Pixels along a side of each place in the map of the layer that is taken where none is named.
_STRIDE = 16
#: No octave is smaller than this along a side; there is nothing to see in fewer pixels.
_SMALLEST = 32


class Dreamer:
    """A network and the layers whose responses it makes stronger."""

    def __init__(self, subject: Subject, layers: Sequence[str] | None = None) -> None:
        """Prepare the network.

        Args:
            subject: the network; it takes RGB.
            layers: layers or stages; without, the last stage whose places are 16 pixels apart or less.

        Raises:
            UsageError: there is no such layer, or the network does not take colours.
        """
        import keras

        from zoo.visualize.network.gradients import gradient_of

        if subject.input_shape[2] != 3:
            raise UsageError(f"{subject.name} takes {subject.input_shape[2]} channels; a dream has three colours.")
        self.subject = subject
        self.layers = [subject.layer(name) for name in layers] if layers else [last_within(subject, _STRIDE)]
        part = keras.Model(subject.flat.model.input, [subject.tensor(name) for name in self.layers])

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
        """Dream of an image; arguments as for :func:`dream`, and ``progress`` takes tiles done and tiles in all.

        Raises:
            UnavailableError: the network has no gradients.
        """
        original = pixels.astype("float32")
        shapes = octave_shapes(original.shape[0], original.shape[1], octaves, octave_scale)
        rng = np.random.default_rng(seed)
        total, done = steps * sum(len(self._places(shape)) for shape in shapes), 0
        base = np.clip(_resized(original, shapes[0]), 0, WHITE)
        scales = self._scales(base)
        dreamed = base.copy()
        for shape in shapes:
            # What was dreamed so far is carried up; the detail is that of the original at this size.
            change = _resized(dreamed - base, shape)
            base = np.clip(_resized(original, shape), 0, WHITE)
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
                gradient = np.roll(gradient, tuple(-way for way in shift), axis=(0, 1))
                gradient = smoothed(gradient)
                dreamed += np.float32(_STEP * strength) * gradient / max(float(np.abs(gradient).mean()), 1e-12)
                np.clip(dreamed, 0, WHITE, out=dreamed)
        rounded: np.ndarray = np.rint(dreamed).astype(np.uint8)
        return rounded

    def _places(self, shape: tuple[int, int]) -> list[tuple[int, int]]:
        """Where tiles of the network's size begin, so that they cover an image; the last ones overlap."""
        tops, lefts = (
            [min(start, max(0, side - tile)) for start in range(0, side, tile)]
            for side, tile in zip(shape, self.subject.input_shape[:2], strict=True)
        )
        return [(top, left) for top in tops for left in lefts]

    def _tiles(self, pixels: np.ndarray, scales: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
        """The gradient at each tile, a batch at a time, so that memory does not grow with the image."""
        height, width, _ = self.subject.input_shape
        places = self._places(pixels.shape[:2])
        # What is smaller than a tile goes on as it began, as it does where it is rolled.
        margins = [(0, max(0, tile - side)) for tile, side in zip((height, width), pixels.shape[:2], strict=True)]
        padded = np.pad(pixels, [*margins, (0, 0)], mode="wrap")
        size = min(_BATCH_SIZE, len(places))
        for start in range(0, len(places), size):
            chosen = places[start : start + size]
            # A framework compiles a function anew for each number of tiles.
            filled = chosen + chosen[-1:] * (size - len(chosen))
            tiles = np.stack([padded[top : top + height, left : left + width] for top, left in filled])
            (gradient,), _ = self._gradient(tiles, scales)
            for (top, left), found in zip(chosen, gradient, strict=False):
                yield top, left, found

    def _scales(self, pixels: np.ndarray) -> np.ndarray:
        """How strongly each layer responds to the image, so that each has the same say: float32 (layers,)."""
        shown = _resized(pixels, self.subject.input_shape[:2])[None]
        means = [float(np.mean(np.square(self.subject.activations(name, shown)))) for name in self.layers]
        found: np.ndarray = np.maximum(np.array(means, "float32"), 1e-12)
        return found


def dream(
    model: str | Subject | keras.Model | None,
    image: str | os.PathLike[str] | np.ndarray,
    *,
    layers: Sequence[str] | None = None,
    octaves: int = OCTAVES,
    octave_scale: float = OCTAVE_SCALE,
    steps: int = STEPS,
    strength: float = STRENGTH,
    seed: int = 0,
) -> np.ndarray:
    """Let a network make more of what it sees in an image.

    Mordvintsev, Olah and Tyka, "Inceptionism", 2015: gradient ascent on the mean square of what layers give, from small
    sizes of the image to its own, on tiles of the network's size after a random roll, so that no seams show.

    >>> dream("mobilenetv2", "photo.jpg", layers=["stage4"]).shape
    (375, 500, 3)

    Args:
        model: a name, a file, a :class:`Subject`, or a Keras network, which is given pixels 0-255.
        image: a file, or uint8 RGB (height, width, 3) of any size.
        layers: layers or stages; without, the last stage whose places are 16 pixels apart or less.
        octaves: at how many sizes.
        octave_scale: how many times larger each is than the one before.
        steps: of ascent in each octave.
        strength: how much a step changes; 1 is 1.5 grey levels on average.
        seed: the same dream for the same number.

    Returns:
        uint8 RGB of the image's own height and width.

    Raises:
        ImageError: the image cannot be read.
        UsageError: an unknown network or layer.
        UnavailableError: weights are not to be had, or the network has no gradients.
    """
    from zoo.images import decode as images
    from zoo.visualize.explain.explain import opened

    pixels = np.array(images.decode(image))
    return Dreamer(opened(model), layers).run(
        pixels, octaves=octaves, octave_scale=octave_scale, steps=steps, strength=strength, seed=seed
    )


def octave_shapes(height: int, width: int, octaves: int, scale: float) -> list[tuple[int, int]]:
    """The sizes at which an image is dreamed of, its own last; fewer than asked for where they would be tiny.

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
    """A gradient with its frequencies in the proportion of photographs: divided by the root of the frequency.

    Without that, the finest patterns win; Mordvintsev's notebook of 2015 balances the levels of a Laplacian pyramid.

    Args:
        gradient: float32 (height, width, channels).

    Returns:
        The same shape.
    """
    height, width, channels = gradient.shape
    frequencies = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale = 1 / np.sqrt(np.maximum(frequencies, 1 / max(height, width))).astype("float32")
    found = np.empty_like(gradient)
    for channel in range(channels):
        spectrum = np.fft.rfft2(gradient[..., channel])
        found[..., channel] = np.fft.irfft2(spectrum * scale, s=(height, width))
    return found


def _resized(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """float32 (height, width, 3) at another size, antialiased."""
    height, width = shape
    if pixels.shape[:2] == (height, width):
        return pixels.copy()
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane), "F").resize((width, height), Image.Resampling.BICUBIC))
        for plane in pixels.transpose(2, 0, 1)
    ]
    return np.stack(planes, axis=-1)
