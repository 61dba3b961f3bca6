"""Training from scratch: all of a network learns from images, in one phase."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import Any

from zoo.core.errors import UsageError
from zoo.data.loading.loader import Loader
from zoo.training import precision, results
from zoo.training.epochs import Phase
from zoo.training.job import JUDGED, Job
from zoo.training.progress import Watcher
from zoo.training.recipe import Recipe
from zoo.training.run import Run
from zoo.training.settings import Settings


class Training(Job):
    """See :class:`~zoo.training.job.Job`."""

    def __init__(self, settings: Settings, run: Run, *, resumed: bool, watcher: Watcher | None) -> None:
        """Read what is cheap to read, so that what makes no sense is said before anything is written."""
        assert isinstance(settings.recipe, Recipe)
        spec = settings.spec()
        self.draws = spec.classes == 0
        self.recipe = settings.recipe
        if self.draws != (self.recipe.loss == "mse"):
            kind = "draws its input again and takes the loss mse" if self.draws else "classifies"
            raise UsageError(f"{spec.name} {kind}; the recipe {self.recipe.name} has loss: {self.recipe.loss}.")
        super().__init__(settings, run, spec, resumed=resumed, watcher=watcher)
        self.precision = precision.resolve(self.recipe.precision, self.device.kind)
        self.loaders: dict[str, Loader] = {}

    def open(self, stack: contextlib.ExitStack) -> None:
        """A loader for each split, the images read."""
        targets = self.ask_teacher()
        started = time.monotonic()
        for name, split in self.dataset.splits.items():
            training = name == "train"
            loader = Loader(
                split,
                self.spec.resize,
                classes=len(self.dataset.classes),
                batch_size=self.recipe.batch_size if training else JUDGED,
                augment=self.recipe.augment if training else None,
                shuffle=training,
                seed=self.settings.seed,
                drop_last=training,
                targets=targets if training else None,
            )
            stack.callback(loader.close)
            loader.prepare(lambda done, total, name=name: self.watcher.reading(name, done, total))  # type: ignore[misc]
            self.loaders[name] = loader
        self.clock.add("reading", time.monotonic() - started)

    def phase(self, number: int) -> Phase | None:
        """The only one there is."""
        if number:
            return None
        from zoo.training.learner import Learner

        learner = Learner.from_scratch(
            self.spec,
            self.recipe,
            0 if self.draws else len(self.dataset.classes),
            precision=self.precision,
            seed=self.settings.seed,
            weights=self.settings.weights,
            taught=self.settings.teacher is not None,
        )
        if self.recipe.class_weights == "balanced":
            self.weigh_classes(learner, self.loaders["train"].labels)
        draws = self.spec.preprocessing if self.draws else None
        return Phase("training", learner, self.loaders, self.recipe, draws=draws)

    def begun(self, phase: Phase) -> None:
        """Show TensorBoard what goes in."""
        self.images.begin(phase.learner.network, self.loaders["train"])

    def judge(self) -> dict[str, Any]:
        """Judge the kept network on the images that are there."""
        network = results.load(self.run)
        names = [name for name in ("val", "test") if name in self.loaders]
        return {name: self.images.judge(network, self.loaders[name], name) for name in names}

    def about(self) -> dict[str, Any]:
        """The precision that was taken."""
        return {"precision": self.precision}

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that were left out or could not be read, with their reasons."""
        return [*super().failed, *(item for loader in self.loaders.values() for item in loader.failed)]

    def written_settings(self) -> Settings:
        """With the precision that was taken."""
        return replace(self.settings, recipe=replace(self.recipe, precision=self.precision))
