"""Training from scratch: the whole network is trained on images, in one phase."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec
from zoo.data.loading.loader import Loader
from zoo.training import precision
from zoo.training.job import Job
from zoo.training.losses import LOSSES
from zoo.training.phase import Phase
from zoo.training.recipe import Recipe, from_mapping
from zoo.training.settings import Settings


class ScratchJob(Job):
    """See :class:`~zoo.training.job.Job`."""

    read_recipe = staticmethod(from_mapping)

    def check(self) -> ModelSpec:
        """Check that the loss fits the network."""
        assert isinstance(self.settings.recipe, Recipe)
        self.recipe, spec = self.settings.recipe, self.settings.spec()
        self.autoencoder = spec.classes == 0
        if self.autoencoder != LOSSES[self.recipe.loss].autoencoder:
            kind = "is an autoencoder and takes the loss mse" if self.autoencoder else "classifies"
            raise UsageError(f"{spec.name} {kind}; the recipe {self.recipe.name} has loss: {self.recipe.loss}.")
        return spec

    def load_data(self, stack: contextlib.ExitStack) -> None:
        """Read all splits."""
        self.precision = precision.resolve(self.recipe.precision, self.device.kind)
        self.loaders: dict[str, Loader] = {}
        targets = self.teacher_targets()
        with self.clock.measure("reading"):
            for part in self.dataset.splits:
                self.loaders[part] = self.loader(part, self.recipe, targets)
                stack.callback(self.loaders[part].close)

    def phase(self, number: int) -> Phase | None:
        """The only phase."""
        if number:
            return None
        import keras

        from zoo import models
        from zoo.training.learner import Learner, dtype_policy

        classes = None if self.autoencoder else len(self.dataset.classes)
        target = self.spec.preprocessing if self.autoencoder else None
        # Of the weights, and of dropout.
        keras.utils.set_random_seed(self.settings.seed)
        with dtype_policy(self.precision):
            model = models.create_model(self.spec, self.settings.weights, num_classes=classes, training=True)
        with dtype_policy("float32"):
            plain = models.create_model(self.spec, None, num_classes=classes)
        distill = self.settings.teacher is not None
        learner = Learner(model, self.recipe, plain=plain, target=target, distill=distill)
        if self.recipe.class_weights == "balanced":
            self.weigh_classes(learner, self.loaders["train"].labels)
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
