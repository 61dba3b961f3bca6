"""``zoo finetune --dry-run``: the plan, and from a few timed batches its time, disk space and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.core.spec import Cut
from zoo.core.stderr import quiet_stderr
from zoo.data.split import Split
from zoo.engines import keras_backend
from zoo.training import distribution, precision
from zoo.training.callbacks.base import Callback
from zoo.training.finetuning import plan
from zoo.training.finetuning.job import FineTuningJob
from zoo.training.finetuning.trunk import Trunk, nbytes
from zoo.training.finetuning.views import Views
from zoo.training.run import Run
from zoo.training.settings import Settings

if TYPE_CHECKING:
    import keras

    from zoo.training.learner import Learner

IMAGES, STEPS = 24, 3  #: Images and steps that are timed; a first one is not, because it pays for what happens once.
OVERHEAD = 20.0  #: Seconds for building, writing and evaluating around all phases.


class DryRun(NamedTuple):
    """The plan in sentences, a row for each phase, seconds in all, and the peak memory in bytes."""

    sentences: list[str]
    phases: list[dict[str, Any]]
    seconds: float
    memory_bytes: int


def dry_run(settings: Settings, folder: Path, callbacks: Sequence[Callback] = ()) -> DryRun:
    """Time a few batches of every phase. Nothing is written, except compiled networks to the cache."""
    job = FineTuningJob(settings, Run(folder, "finetune"), callbacks=callbacks)
    phases = _Estimator(job).phases()
    seconds = sum(phase["feature_seconds"] + phase["training_seconds"] for phase in phases) + OVERHEAD
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return DryRun(_sentences(job), phases, seconds, peak if sys.platform == "darwin" else peak * 1024)


class _Estimator:
    """Builds the phases of a job and times them."""

    def __init__(self, job: FineTuningJob) -> None:
        self.job, self.recipe = job, job.recipe
        self.train = job.dataset.splits["train"]
        self.others = len(job.dataset.splits.get("val", ()))

    def phases(self) -> list[dict[str, Any]]:
        trunk = self._time_trunk(self.recipe.head.cut) if self.job.caches("head") else None
        if len(self.job.devices) == 1:
            keras_backend.start(self.job.device)
        with distribution.over(self.job.devices), quiet_stderr():
            return list(self._phases(trunk))

    def _phases(self, head_trunk: tuple[float, tuple[int, ...]] | None) -> Iterator[dict[str, Any]]:
        from zoo.training.finetuning import heads
        from zoo.training.learner import Learner

        model, features = self.job.attach_head("float32")
        names = heads.operation_names(model)
        if self.job.scratch:
            yield self._on_images("scratch", model, names[0])
            return
        if head_trunk is not None:
            upper = heads.upper_part(model, features)
            learner = Learner(upper, self.recipe.phases["head"], plain=model, whole=model)
            yield self._on_features("head", learner, features, *head_trunk)
        else:
            first = names[names.index(features) + 1]
            heads.freeze(model, first)
            yield self._on_images("head", model, first)
        if self.recipe.mode == "head":
            return
        name, first = self.job.second_phase(model, None)
        policy = precision.resolve(self.recipe.phases[name].precision, self.job.device.kind)
        whole = model if policy == "float32" else self.job.attach_head(policy).model
        heads.freeze(whole, first)
        cut = heads.split_point_below(whole, first)
        if name == "partial" and self.job.caches("partial") and cut != names[0]:
            upper = heads.upper_part(whole, cut)
            learner = Learner(upper, self.recipe.phases[name], plain=model, whole=whole)
            yield self._on_features(name, learner, first, *self._time_trunk(Cut(layer=cut)))
        else:
            yield self._on_images(name, whole, first)

    def _time_trunk(self, cut: Cut) -> tuple[float, tuple[int, ...]]:
        """Seconds an image, and the shape of the output."""
        trunk = Trunk(self.job.spec, self.job.base.weights, cut, self.job.device)
        few = self.train.take(np.arange(min(IMAGES, len(self.train))))
        shape = _output_shape(trunk, few.take(np.arange(min(2, len(few)))))
        started = time.perf_counter()
        _output_shape(trunk, few)
        seconds = (time.perf_counter() - started) / len(few)
        trunk.close()
        return seconds, shape

    def _on_features(
        self, name: str, learner: Learner, first: str, seconds: float, shape: tuple[int, ...]
    ) -> dict[str, Any]:
        x = np.random.default_rng(0).random((self.recipe.phases[name].batch_size, *shape), np.float32)
        count = len(self.train) * self.recipe.views[name] + self.others
        return self._estimate(name, learner, first, x, nbytes(count, 1, shape), seconds * count)

    def _on_images(self, name: str, model: keras.Model, first: str) -> dict[str, Any]:
        from zoo.training.learner import Learner

        recipe = self.recipe.phases[name]
        size = (recipe.batch_size, *self.job.spec.input_size, 3)
        x = np.random.default_rng(0).integers(0, 256, size, np.uint8)
        return self._estimate(name, Learner(model, recipe, plain=model), first, x, 0, 0.0)

    def _estimate(
        self, name: str, learner: Learner, first: str, x: np.ndarray, stored: int, feature_seconds: float
    ) -> dict[str, Any]:
        recipe = self.recipe.phases[name]
        y = np.zeros((len(x), self.job.classes), np.float32)
        y[:, 0] = 1
        learner.step(x, y, recipe.learning_rate)
        started = time.perf_counter()
        for _ in range(STEPS):
            learner.step(x, y, recipe.learning_rate)
        step = (time.perf_counter() - started) / STEPS
        steps = max(1, len(self.train) // recipe.batch_size)
        return {
            "phase": name,
            "learns_from": first,
            "parameters": sum(int(np.prod(variable.shape)) for variable in learner.model.trainable_variables),
            "epochs": recipe.epochs,
            "steps": steps,
            "stored_mb": round(stored / 1e6, 1),
            "feature_seconds": round(feature_seconds, 1),
            "training_seconds": round(step * steps * recipe.epochs, 1),
        }


def _output_shape(trunk: Trunk, split: Split) -> tuple[int, ...]:
    """The shape of one output of a few images, which are all computed."""
    outputs = [row for row in trunk.rows(split, Views()) if isinstance(row, np.ndarray)]
    return tuple(outputs[0].shape[1:])


def _sentences(job: FineTuningJob) -> list[str]:
    counts = ", ".join(f"{len(split):,} {part}" for part, split in job.dataset.splits.items())
    found = job.base.weights
    weights = "random weights" if job.scratch else f"its weights '{found.tag}'" if found else "its own weights"
    return [
        f"{len(job.dataset.classes)} classes: {counts}",
        f"{job.spec.name} with {weights}, on {job.device.model}",
        *([plan.rule()] if job.recipe.mode == "auto" else ()),
    ]
