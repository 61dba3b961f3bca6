"""A dry run of fine-tuning: what would be done, and from a few batches how long it takes and what room it needs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.core.spec import Cut
from zoo.core.stderr import quiet_stderr
from zoo.data.split import Split
from zoo.engines import framework
from zoo.training import distribution, precision
from zoo.training.finetuning import plan
from zoo.training.finetuning.job import Finetuning
from zoo.training.finetuning.trunk import Trunk, nbytes
from zoo.training.finetuning.views import Views
from zoo.training.progress import Watcher
from zoo.training.recipe import Recipe
from zoo.training.run import Run
from zoo.training.settings import Settings

if TYPE_CHECKING:
    import keras

    from zoo.training.learner import Learner

#: Images and steps that are timed, after one that is not: the first pays for what comes once.
IMAGES, STEPS = 24, 3
#: Seconds that building, writing and judging take around all phases.
AROUND = 20.0


@dataclass(frozen=True, slots=True)
class Part:
    """A phase that would be."""

    phase: str
    #: The stage or layer from which on the network learns.
    learns_from: str
    parameters: int
    epochs: int
    steps: int
    #: Bytes on disk for what the frozen part makes of the images.
    stored_bytes: int
    #: Seconds for that, and for the epochs.
    feature_seconds: float
    training_seconds: float


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """All of it: sentences, phases, seconds in all, and bytes of memory at the most."""

    sentences: tuple[str, ...]
    parts: tuple[Part, ...]
    seconds: float
    memory_bytes: int


def rehearse(settings: Settings, folder: Path, watcher: Watcher | None = None) -> Rehearsal:
    """Time a few batches of every phase. Nothing is written but compiled networks, into the cache.

    Args:
        settings: as for :func:`zoo.training.finetuning.finetune.start`.
        folder: where the run would go.
        watcher: who looks on.

    Raises:
        UsageError: as for the run itself.
    """
    job = Finetuning(settings, Run(folder, "finetune"), resumed=False, watcher=watcher)
    stage = _Stage(job)
    parts = stage.parts()
    sentences = _sentences(job)
    return Rehearsal(
        sentences, tuple(parts), sum(p.feature_seconds + p.training_seconds for p in parts) + AROUND, _peak()
    )


class _Stage:
    """Where it is rehearsed."""

    def __init__(self, job: Finetuning) -> None:
        self.job, self.recipe = job, job.recipe
        self.train = job.dataset.splits["train"]
        self.all = sum(len(split) for part, split in job.dataset.splits.items() if part != "test")

    def parts(self) -> list[Part]:
        from_cache: tuple[float, tuple[int, ...]] | None = None
        if self.job.caches("head"):
            from_cache = self._trunk(self.recipe.head.cut)
        if len(self.job.devices) == 1:
            framework.start(self.job.device)
        with distribution.over(self.job.devices), quiet_stderr():
            return list(self._parts(from_cache))

    def _parts(self, head_trunk: tuple[float, tuple[int, ...]] | None) -> Iterator[Part]:
        from zoo.training.finetuning import heads
        from zoo.training.learner import Learner

        joined = self.job.join("float32")
        model: keras.Model = joined.model
        names = [operation.name for operation in model.operations]
        if self.job.scratch:
            yield self._pixels("scratch", model, names[0])
            return
        recipe = self.recipe.phases["head"]
        if head_trunk is not None:
            upper = heads.above(model, joined.features)
            learner = Learner(upper, recipe, plain=model, whole=model)
            yield self._cached("head", learner, joined.features, *head_trunk)
        else:
            first = names[names.index(joined.features) + 1]
            heads.freeze(model, first)
            yield self._pixels("head", model, first)
        if self.recipe.mode == "head":
            return
        name, first = self.job.first_to_learn(model, None)
        policy = precision.resolve(self.recipe.phases[name].precision, self.job.device.kind)
        whole = model if policy == "float32" else self.job.join(policy).model
        heads.freeze(whole, first)
        waist = heads.waist_below(whole, first)
        if name == "partial" and self.job.caches("partial") and waist != names[0]:
            part = heads.above(whole, waist)
            learner = Learner(part, self.recipe.phases[name], plain=model, whole=whole)
            yield self._cached(name, learner, first, *self._trunk(Cut(layer=waist)))
        else:
            yield self._pixels(name, whole, first)

    def _trunk(self, cut: Cut) -> tuple[float, tuple[int, ...]]:
        """Seconds an image, and the shape of what is made of it."""
        trunk = Trunk(self.job.spec, self.job.origin.weights, cut, self.job.device)
        few = self.train.take(np.arange(min(IMAGES, len(self.train))))
        once = few.take(np.arange(min(2, len(few))))
        shape = _shape(trunk, once)
        started = time.perf_counter()
        _shape(trunk, few)
        seconds = (time.perf_counter() - started) / len(few)
        trunk.close()
        return seconds, shape

    def _cached(self, name: str, learner: Learner, first: str, seconds: float, shape: tuple[int, ...]) -> Part:
        recipe, views = self.recipe.phases[name], self.recipe.views[name]
        x = np.random.default_rng(0).random((recipe.batch_size, *shape), np.float32)
        count = len(self.train) * views + self.all - len(self.train)
        return self._part(name, learner, first, x, nbytes(count, 1, shape), seconds * count)

    def _pixels(self, name: str, model: keras.Model, first: str) -> Part:
        from zoo.training.learner import Learner

        recipe = self.recipe.phases[name]
        size = (recipe.batch_size, *self.job.spec.input_size, 3)
        x = np.random.default_rng(0).integers(0, 256, size, np.uint8)
        return self._part(name, Learner(model, recipe, plain=model), first, x, 0, 0.0)

    def _part(self, name: str, learner: Learner, first: str, x: np.ndarray, stored: int, features: float) -> Part:
        recipe: Recipe = self.recipe.phases[name]
        y = np.zeros((len(x), self.job.classes), np.float32)
        y[:, 0] = 1
        learner.step(x, y, recipe.learning_rate)
        started = time.perf_counter()
        for _ in range(STEPS):
            learner.step(x, y, recipe.learning_rate)
        step = (time.perf_counter() - started) / STEPS
        steps = max(1, len(self.train) // recipe.batch_size)
        learns = sum(int(np.prod(variable.shape)) for variable in learner.model.trainable_variables)
        return Part(name, first, learns, recipe.epochs, steps, stored, features, step * steps * recipe.epochs)


def _shape(trunk: Trunk, split: Split) -> tuple[int, ...]:
    """Compute a few images; the shape of one output."""
    outputs = [row for row in trunk.rows(split, Views()) if isinstance(row, np.ndarray)]
    return tuple(outputs[0].shape[1:])


def _sentences(job: Finetuning) -> tuple[str, ...]:
    counts = ", ".join(f"{len(split):,} {part}" for part, split in job.dataset.splits.items())
    weights = job.origin.weights
    origin = "random weights" if job.scratch else f"its weights '{weights.tag}'" if weights else "its own weights"
    sentences = [
        f"{len(job.dataset.classes)} classes: {counts}",
        f"{job.spec.name} with {origin}, on {job.device.model}",
    ]
    if job.recipe.mode == "auto":
        sentences.append(plan.rule())
    return tuple(sentences)


def _peak() -> int:
    """Bytes of memory that this process has had at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
