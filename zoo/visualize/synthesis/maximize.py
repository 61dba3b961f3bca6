"""Images of what a filter, a neuron or a class responds to most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.visualize.synthesis import transformations
from zoo.visualize.synthesis.ascent import Ascent
from zoo.visualize.synthesis.diversity import likeness
from zoo.visualize.synthesis.targets import Target, choose

if TYPE_CHECKING:
    import keras

    from zoo.visualize.network.subject import Subject
    from zoo.visualize.synthesis.parameterisation import Parameterisation

#: The side of an image of a filter, and how far that of others may be from the network's own.
FILTER_SIZE, SIZES = 128, (128, 512)
#: Steps for a filter, and for what must find more than a texture.
FILTER_STEPS, STEPS = 128, 256
#: Images computed together at most, and the bytes that they may take.
BATCH_SIZE, MEMORY = 64, 2 << 30
#: How much of its activation an image gives for being unlike the others of its target.
_UNLIKE = 0.25
#: Images of noise that a target's usual activation is measured on.
_NOISE_IMAGES = 8


@dataclass(frozen=True, eq=False)
class Maximised:
    """An image that was made for a target."""

    target: Target
    model: str
    #: uint8 RGB (size, size, 3).
    pixels: np.ndarray
    #: How active the target is on it, without any transformation: a mean over the map, a value, or a logit.
    activation: float
    #: The same on images whose pixels are drawn at random, 0 to 255; their mean.
    noise_activation: float
    #: 0 for the first image of a target, where there are several.
    variant: int = 0
    #: Whether nothing in an image raises the target: there was no slope at any step.
    silent: bool = False
    #: The image as it grew: uint8 (frames, size, size, 3).
    frames: np.ndarray | None = None

    @property
    def ratio(self) -> float | None:
        """How many times more active the target is than on noise; ``None`` where that is not above 0."""
        return self.activation / self.noise_activation if self.noise_activation > 0 else None

    def without_frames(self) -> Maximised:
        """The same, as it is at the end alone."""
        return replace(self, frames=None)


class Maximizer:
    """Makes images of targets of one kind and layer, in batches."""

    def __init__(
        self,
        subject: Subject,
        targets: Sequence[Target],
        *,
        size: int | None = None,
        steps: int | None = None,
        diversity: int = 1,
        plain: bool = False,
        seed: int = 0,
        batch_size: int | None = None,
    ) -> None:
        """Prepare the network.

        Args:
            subject: the network.
            targets: at least one; all of one kind and layer.
            size: the side of the images; without, 128 for filters, else what the network takes, within 128 to 512.
            steps: of ascent; without, 128 for filters and 256 for others.
            diversity: how many different images to make of each target.
            plain: change pixels by themselves, without transformations; for comparison.
            seed: of all random numbers. The image of a target does not depend on the other targets.
            batch_size: images computed together; without, up to 64, as they go into 2 GiB.

        Raises:
            UsageError: the network does not take images, or a batch has no room for the images of one target.
        """
        from zoo.visualize.network.gradients import gradient_of
        from zoo.visualize.synthesis.fourier import Fourier
        from zoo.visualize.synthesis.objective import Objective
        from zoo.visualize.synthesis.pixel_space import PixelSpace

        height, width, channels = subject.input_shape
        if channels not in (1, 3):
            raise UsageError(f"{subject.name} takes {channels} channels, which no image has.")
        kind = targets[0].kind
        self.size = size or (FILTER_SIZE if kind == "filter" else int(np.clip(max(height, width), *SIZES)))
        self.steps = steps or (FILTER_STEPS if kind == "filter" else STEPS)
        self.diversity, self.plain, self.seed = diversity, plain, seed
        self.subject, self.targets = subject, targets
        self.objective = Objective(subject, targets[0], self.size)
        parameterisation = PixelSpace if plain else Fourier
        self._images: Parameterisation = parameterisation(self.size, self.size, channels)
        most = batch_size or min(BATCH_SIZE, max(1, MEMORY // self.objective.bytes))
        if batch_size and batch_size < diversity:
            raise UsageError(f"{diversity} images of one target depend on each other; make --batch-size {diversity}.")
        groups = max(1, most // diversity)
        #: How many batches there are, and how many images in each; all have the same size.
        self.batches = -(-len(targets) // groups)
        self.batch_size = -(-len(targets) // self.batches) * diversity
        self._gradient = gradient_of(self._values)
        self._noise: np.ndarray | None = None

    def run(self, progress: Callable[[int], None] | None = None, *, frames: int = 0) -> Iterator[Maximised]:
        """Make the images, a batch at a time.

        Args:
            progress: called after each step with the steps done, of ``batches`` times ``steps``.
            frames: how many images to keep of each as it grows.

        Yields:
            An image for each target, or ``diversity`` of them, in order.

        Raises:
            UnavailableError: the network has no gradients.
        """
        wanted = [(target, variant) for target in self.targets for variant in range(self.diversity)]
        for number in range(self.batches):
            batch = wanted[number * self.batch_size : (number + 1) * self.batch_size]
            done = number * self.steps
            update = None if progress is None else lambda step, done=done: progress(done + step)  # type: ignore[misc]
            yield from self._batch(batch, update, frames)

    def _batch(
        self, wanted: list[tuple[Target, int]], progress: Callable[[int], None] | None, frames: int
    ) -> Iterator[Maximised]:
        count = len(wanted)
        # A framework compiles a function anew for each number of images.
        wanted = wanted + wanted[-self.diversity :] * ((self.batch_size - count) // self.diversity)
        index = self.objective.index([target for target, _ in wanted])
        starts = [self._images.start(1, self._random(target, variant)) for target, variant in wanted]
        ascent = Ascent(np.concatenate(starts), self.steps)
        rng = np.random.default_rng(self.seed)
        kept, moments = [], _moments(frames, self.steps)
        for step in range(self.steps):
            (gradient,), _ = self._gradient(ascent.parameters, index, *self._shown(ascent.progress, rng))
            ascent.climb(gradient)
            if step in moments:
                kept.append(self._pixels(ascent.parameters[:count]))
            if progress is not None:
                progress(step + 1)
        pixels = self._pixels(ascent.parameters)
        active = np.take_along_axis(self.objective.scores(pixels), index[:, None], axis=1)[:count, 0]
        noise = self._on_noise()[index]
        for number, (target, variant) in enumerate(wanted[:count]):
            yield Maximised(
                target=target,
                model=self.subject.name,
                pixels=_rgb(pixels[number]),
                activation=float(active[number]),
                noise_activation=float(noise[number]),
                variant=variant,
                silent=not ascent.moved[number],
                frames=_rgb(np.stack([frame[number] for frame in kept])) if kept else None,
            )

    def _shown(self, progress: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """What is done to the images in a step; the same to all, so that none depends on which others there are."""
        if self.plain:
            return ()
        size = self.size
        return (
            transformations.draw(size, size, rng),
            transformations.noise(size, size, self._images.channels, progress, rng),
        )

    def _values(self, parameters: Any, index: Any, *shown: Any) -> tuple[Any, Any]:
        """What is climbed: activations, less where images of one target are alike."""
        from keras import ops

        pixels = self._images.pixels(parameters)
        values, seen = self.objective.values(transformations.transformed(pixels, *shown) if shown else pixels, index)
        if self.diversity > 1:
            # As a share of what there is, so that it means the same for every network.
            values = values - _UNLIKE * ops.stop_gradient(ops.abs(values)) * likeness(seen, self.diversity)
        return values, ()

    def _pixels(self, parameters: np.ndarray) -> np.ndarray:
        from keras import ops

        pixels = ops.convert_to_numpy(self._images.pixels(ops.convert_to_tensor(parameters)))
        rounded: np.ndarray = np.rint(pixels).astype(np.uint8)
        return rounded

    def _random(self, target: Target, variant: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, target.index, variant, *(target.place or ())])

    def _on_noise(self) -> np.ndarray:
        """How active everything is on noise: float32 (numbers,)."""
        if self._noise is None:
            shape = (_NOISE_IMAGES, self.size, self.size, self._images.channels)
            noise = np.random.default_rng(self.seed).integers(0, 256, shape, dtype=np.uint8)
            self._noise = self.objective.scores(noise).mean(axis=0)
        return self._noise


def maximize(
    model: str | Subject | keras.Model | None,
    *,
    layer: str | None = None,
    filters: str | Sequence[int] | None = None,
    neurons: Sequence[str] | None = None,
    classes: Sequence[str | int] | None = None,
    size: int | None = None,
    steps: int | None = None,
    diversity: int = 1,
    plain: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Make images of what filters, neurons or classes respond to most.

    Olah, Mordvintsev and Schubert, "Feature Visualization", Distill, 2017 (doi:10.23915/distill.00007).

    >>> maximize("mobilenetv2", classes=["goldfish", "volcano"]).shape
    (2, 224, 224, 3)

    Args:
        model: a name, a file, a :class:`Subject`, or a Keras network, which is given pixels 0-255.
        layer: a layer or a stage, for filters and neurons.
        filters: channels of the layer's map, e.g. ``[20, 21]``, ``"0-63"``, or ``"all"``.
        neurons: places of channels, e.g. ``["20@7,7"]``, or units of a layer without a map, e.g. ``["20"]``.
        classes: names, WordNet ids or indices. One of these three is given.
        size: the side of the images; without, 128 for filters, else what the network takes, within 128 to 512.
        steps: of ascent; without, 128 for filters and 256 for others.
        diversity: how many different images to make of each.
        plain: change pixels by themselves, without transformations; for comparison.
        seed: the same image for the same number.

    Returns:
        uint8 RGB (n, size, size, 3), those of one target one after the other.

    Raises:
        UsageError: an unknown network, layer or class, a layer without filters, an index out of range.
        UnavailableError: weights are not to be had, or the network has no gradients.
    """
    from zoo.visualize.explain.explain import opened

    subject = opened(model)
    chosen = choose(subject, layer=layer, filters=filters, neurons=neurons, classes=classes)
    maximizer = Maximizer(subject, chosen, size=size, steps=steps, diversity=diversity, plain=plain, seed=seed)
    return np.stack([found.pixels for found in maximizer.run()])


def _moments(frames: int, steps: int) -> set[int]:
    """After which steps a frame is kept: often at the start, where most happens, and at the end."""
    places = np.linspace(0, 1, frames) ** 2 if frames > 1 else np.ones(frames)
    return {round(float(place) * (steps - 1)) for place in places}


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """Images with three channels, of one that has one."""
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:-1], 3)))
