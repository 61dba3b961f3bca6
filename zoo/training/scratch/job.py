"""Training from scratch: the whole network is trained on images, in one phase."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from zoo.core.errors import UsageError
from zoo.data.loading.loader import Loader
from zoo.training import precision
from zoo.training.callbacks.base import Callback
from zoo.training.job import Job
from zoo.training.losses import LOSSES
from zoo.training.phase import Phase
from zoo.training.recipe import Recipe
from zoo.training.run import Run
from zoo.training.settings import Settings


class ScratchJob(Job):
    """See :class:`~zoo.training.job.Job`."""

    def __init__(self, settings: Settings, run: Run, *, resumed: bool, callbacks: Sequence[Callback] = ()) -> None:
        """Check that network, recipe, dataset and devices fit, before anything is written."""
        assert isinstance(settings.recipe, Recipe)
        spec = settings.spec()
        self.autoencoder = spec.classes == 0
        self.recipe = settings.recipe
        if self.autoencoder != LOSSES[self.recipe.loss].autoencoder:
            kind = "is an autoencoder and takes the loss mse" if self.autoencoder else "classifies"
            raise UsageError(f"{spec.name} {kind}; the recipe {self.recipe.name} has loss: {self.recipe.loss}.")
        super().__init__(settings, run, spec, resumed=resumed, callbacks=callbacks)
        self.precision = precision.resolve(self.recipe.precision, self.device.kind)
        self.loaders: dict[str, Loader] = {}

    def load_data(self, stack: contextlib.ExitStack) -> None:
        """Read all splits."""
        targets = self.teacher_targets()
        with self.clock.measure("reading"):
            for part in self.dataset.splits:
                self.loaders[part] = self.loader(part, self.recipe, targets)
                stack.callback(self.loaders[part].close)

    def phase(self, number: int) -> Phase | None:
        """The only phase."""
        if number:
            return None
        from zoo.training.learner import Learner

        learner = Learner.from_scratch(
            self.spec,
            self.recipe,
            0 if self.autoencoder else len(self.dataset.classes),
            precision=self.precision,
            seed=self.settings.seed,
            weights=self.settings.weights,
            distill=self.settings.teacher is not None,
        )
        if self.recipe.class_weights == "balanced":
            self.weigh_classes(learner, self.loaders["train"].labels)
        target = self.spec.preprocessing if self.autoencoder else None
        return Phase("training", learner, self.loaders, self.recipe, target=target)

    def evaluate(self) -> dict[str, Any]:
        """Evaluate on the images that were read for the training."""
        from zoo import models

        network = models.create_model(str(self.run.model))
        parts = [part for part in ("val", "test") if part in self.loaders]
        return {part: self.evaluate_split(network, self.loaders[part], part) for part in parts}

    def extra_metrics(self) -> dict[str, Any]:
        """The precision that ``auto`` chose."""
        return {"precision": self.precision}

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that were left out or could not be read, with the reasons."""
        return [*super().failed, *(item for loader in self.loaders.values() for item in loader.failed)]

    def resolved_settings(self) -> Settings:
        """With the precision that ``auto`` chose."""
        return replace(self.settings, recipe=replace(self.recipe, precision=self.precision))
