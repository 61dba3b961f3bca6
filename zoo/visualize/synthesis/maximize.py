"""Feature visualization: images that maximize filters, neurons or classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.network.inspected_model import InspectedModel
from zoo.visualize.synthesis import transformations
from zoo.visualize.synthesis.ascent import Ascent
from zoo.visualize.synthesis.diversity import similarity
from zoo.visualize.synthesis.fourier import Fourier
from zoo.visualize.synthesis.objective_model import ObjectiveModel
from zoo.visualize.synthesis.objectives import choose
from zoo.visualize.synthesis.objectives.base import Objective

if TYPE_CHECKING:
    import keras

#: Range of the default size of an image.
SIZES = (128, 512)
#: Maximum images per batch, and bytes of their activations.
BATCH_SIZE, MEMORY = 64, 2 << 30
#: Weight of the similarity of images of one target, as a share of the activation.
_DIVERSITY = 0.25
#: Images of noise on which a target's baseline activation is measured.
_NOISE_IMAGES = 8


@dataclass(frozen=True, eq=False)
class Maximized:
    """A generated image."""

    target: Objective
    model: str
    #: uint8 RGB (size, size, 3).
    pixels: np.ndarray
    #: The target's activation on it, without transformations: a mean over the map, a value, or a logit.
    activation: float
    #: The mean activation on images of uniform noise.
    noise_activation: float
    #: The number of the image among those of its target.
    variant: int = 0
    #: Whether the target had no gradient at any step.
    silent: bool = False
    #: Intermediate images: uint8 (frames, size, size, 3).
    frames: np.ndarray | None = None

    @property
    def ratio(self) -> float | None:
        """Activation divided by that on noise; ``None`` if the latter is not above 0."""
        return self.activation / self.noise_activation if self.noise_activation > 0 else None

    def without_frames(self) -> Maximized:
        """The same without intermediate images."""
        return replace(self, frames=None)


class Maximizer:
    """Generates images of targets of one kind and layer, in batches."""

    def __init__(
        self,
        net: InspectedModel,
        targets: Sequence[Objective],
        *,
        size: int | None = None,
        steps: int | None = None,
        diversity: int = 1,
        seed: int = 0,
        batch_size: int | None = None,
    ) -> None:
        """Prepare the model for targets of one kind and layer, at least one; settings as for :func:`maximize`.

        ``batch_size`` is up to 64 images that fit into 2 GiB if omitted. The image of a target does not depend on the
        other targets.

        Raises:
            UsageError: the model does not take images, or ``batch_size`` is less than ``diversity``.
        """
        from zoo.visualize.network.gradients import gradient_of

        height, width, channels = net.input_shape
        if channels not in (1, 3):
            raise UsageError(f"{net.name} takes {channels} channels, which no image has.")
        self.size = size or targets[0].size or int(np.clip(max(height, width), *SIZES))
        self.steps = steps or targets[0].steps
        self.diversity, self.seed = diversity, seed
        self.net, self.targets = net, targets
        self.computed = ObjectiveModel(net, targets[0], self.size)
        self._images = Fourier(self.size, self.size, channels)
        most = batch_size or min(BATCH_SIZE, max(1, MEMORY // self.computed.bytes))
        if batch_size and batch_size < diversity:
            raise UsageError(f"{diversity} images of one target depend on each other; make --batch-size {diversity}.")
        groups = max(1, most // diversity)
        #: Number of batches, and their size, which is the same for all.
        self.batches = -(-len(targets) // groups)
        self.batch_size = -(-len(targets) // self.batches) * diversity
        self._gradient = gradient_of(self._values)
        self._noise: np.ndarray | None = None

    def run(self, progress: Callable[[int], None] | None = None, *, frames: int = 0) -> Iterator[Maximized]:
        """Yield ``diversity`` images for each target, in order, a batch at a time.

        Args:
            progress: called after each step with the steps done, of ``batches`` times ``steps``.
            frames: how many intermediate images to keep.

        Raises:
            UnavailableError: the model has no gradients.
        """
        wanted = [(target, variant) for target in self.targets for variant in range(self.diversity)]
        for number in range(self.batches):
            batch = wanted[number * self.batch_size : (number + 1) * self.batch_size]
            done = number * self.steps
            update = None if progress is None else lambda step, done=done: progress(done + step)  # type: ignore[misc]
            yield from self._batch(batch, update, frames)

    def _batch(
        self, wanted: list[tuple[Objective, int]], progress: Callable[[int], None] | None, frames: int
    ) -> Iterator[Maximized]:
        count, size, channels = len(wanted), self.size, self._images.channels
        # A framework recompiles a function for each batch size.
        wanted = wanted + wanted[-self.diversity :] * ((self.batch_size - count) // self.diversity)
        positions = self.computed.positions([target for target, _ in wanted])
        ascent = Ascent(
            np.concatenate(
                [
                    self._images.start(1, np.random.default_rng([self.seed, target.index, variant, *target.place]))
                    for target, variant in wanted
                ]
            ),
            self.steps,
        )
        rng = np.random.default_rng(self.seed)
        kept, moments = [], _frame_steps(frames, self.steps)
        for step in range(self.steps):
            # The same for all images, so that none depends on which others there are.
            matrix = transformations.random_affine(size, size, rng)
            noise = transformations.random_noise(size, size, channels, ascent.progress, rng)
            (gradient,), _ = self._gradient(ascent.parameters, positions, matrix, noise)
            ascent.climb(gradient)
            if step in moments:
                kept.append(self._pixels(ascent.parameters[:count]))
            if progress is not None:
                progress(step + 1)
        pixels = self._pixels(ascent.parameters)
        active = np.take_along_axis(self.computed.scores(pixels), positions[:, None], axis=1)[:count, 0]
        on_noise = self._on_noise()[positions]
        for number, (target, variant) in enumerate(wanted[:count]):
            yield Maximized(
                target=target,
                model=self.net.name,
                pixels=_rgb(pixels[number]),
                activation=float(active[number]),
                noise_activation=float(on_noise[number]),
                variant=variant,
                silent=not ascent.moved[number],
                frames=_rgb(np.stack([frame[number] for frame in kept])) if kept else None,
            )

    def _values(self, parameters: Any, positions: Any, matrix: Any, noise: Any) -> tuple[Any, Any]:
        """The activations, less a penalty for similar images of one target."""
        from keras import ops

        pixels = transformations.transform(self._images.pixels(parameters), matrix, noise)
        values, seen = self.computed.values(pixels, positions)
        if self.diversity > 1:
            # Relative to the activation, so that it means the same for every model.
            values = values - _DIVERSITY * ops.stop_gradient(ops.abs(values)) * similarity(seen, self.diversity)
        return values, ()

    def _pixels(self, parameters: np.ndarray) -> np.ndarray:
        from keras import ops

        pixels = ops.convert_to_numpy(self._images.pixels(ops.convert_to_tensor(parameters)))
        rounded: np.ndarray = np.rint(pixels).astype(np.uint8)
        return rounded

    def _on_noise(self) -> np.ndarray:
        """The mean activation of everything on noise: float32 (numbers,)."""
        if self._noise is None:
            shape = (_NOISE_IMAGES, self.size, self.size, self._images.channels)
            noise = np.random.default_rng(self.seed).integers(0, 256, shape, dtype=np.uint8)
            self._noise = self.computed.scores(noise).mean(axis=0)
        return self._noise


def maximize(
    model: str | InspectedModel | keras.Model | None,
    *,
    layer: str | None = None,
    size: int | None = None,
    steps: int | None = None,
    diversity: int = 1,
    seed: int = 0,
    **targets: Any,
) -> np.ndarray:
    """Generate images that maximize filters, neurons or classes.

    Olah, Mordvintsev and Schubert, "Feature Visualization", Distill, 2017 (doi:10.23915/distill.00007).

    >>> maximize("mobilenetv2", classes=["goldfish", "volcano"]).shape
    (2, 224, 224, 3)

    Args:
        model: a name, a file, an :class:`InspectedModel` or a Keras model, which is given pixels 0-255.
        layer: a layer or a stage, for filters and neurons.
        size: side of the images; 128 for filters if omitted, else the model's input size within 128 to 512.
        steps: of ascent; 128 for filters if omitted, else 256.
        diversity: how many different images of each target.
        seed: of all random numbers.
        **targets: one of ``filters``, channels of the layer, e.g. ``[20, 21]``, ``"0-63"`` or ``"all"``; ``neurons``,
            places of channels, e.g. ``["20@7,7"]``, or units of a layer without rows and columns, e.g. ``["20"]``;
            ``classes``, names, WordNet ids or indices.

    Returns:
        uint8 RGB (n, size, size, 3), the images of one target one after the other.

    Raises:
        UsageError: an unknown model, layer, filter, neuron or class.
        UnavailableError: weights are unavailable, or the model has no gradients.
    """
    net = InspectedModel.open(model)
    maximizer = Maximizer(
        net, choose(net, layer=layer, **targets), size=size, steps=steps, diversity=diversity, seed=seed
    )
    return np.stack([found.pixels for found in maximizer.run()])


def _frame_steps(frames: int, steps: int) -> set[int]:
    """After which steps an intermediate image is kept: more often at the start, where most happens, and at the end."""
    places = np.linspace(0, 1, frames) ** 2 if frames > 1 else np.ones(frames)
    return {round(float(place) * (steps - 1)) for place in places}


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """Images with three channels, of one or three."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:-1], 3)))
