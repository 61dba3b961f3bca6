"""What the phases of a fine-tuning learn from: images, or what a frozen part of the network made of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from zoo.catalog.default_model import Choice
from zoo.core.spec import Cut
from zoo.data.loading.loader import Loader
from zoo.training.epochs import Batches
from zoo.training.finetuning.cached_features import CachedBatches
from zoo.training.finetuning.recipe import TransferRecipe
from zoo.training.finetuning.trunk import Trunk
from zoo.training.finetuning.views import Views
from zoo.training.job import JUDGED, Job
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np


class Material:
    """Batches of the parts ``train`` and ``val``, phase by phase."""

    def __init__(self, job: Job, recipe: TransferRecipe, origin: Choice) -> None:
        """Nothing is read yet.

        Args:
            job: whose images they are.
            recipe: how it learns.
            origin: the network to begin with.
        """
        self._job, self._recipe, self._origin = job, recipe, origin
        self._loaders: dict[str, Loader] = {}
        #: What stands for each image to learn from, float32 (n, columns), where there is a teacher.
        self.targets: np.ndarray | None = None
        #: Files that could not be read, with the reasons.
        self.failed: dict[str, str] = {}

    def computed(self, cut: Cut, name: str) -> dict[str, Batches]:
        """What the network makes of the images up to a cut, for the phase ``name``.

        Raises:
            UnavailableError: none of the images can be read, or the cache cannot be written.
        """
        started = time.monotonic()
        job, recipe = self._job, self._recipe.phases[name]
        trunk = Trunk(job.spec, self._origin.weights, cut, job.device)
        batches: dict[str, Batches] = {}
        for part in ("train", "val"):
            split = job.dataset.splits.get(part)
            if split is None:
                continue
            training = part == "train"
            views = Views(self._recipe.views[name], recipe.augment, job.settings.seed) if training else Views()
            outputs = trunk.outputs(
                split,
                views,
                lambda done, total, part=part: job.watcher.reading(f"{part} for the {name}", done, total),  # type: ignore[misc]
            )
            found = CachedBatches(
                outputs,
                split,
                classes=len(job.dataset.classes),
                batch_size=recipe.batch_size if training else JUDGED,
                shuffle=training,
                seed=job.settings.seed,
                mixup=recipe.augment.mixup if training else 0.0,
                targets=self.targets if training else None,
            )
            self.failed |= dict(found.failed)
            batches[part] = found
        trunk.close()
        job.clock.add("features", time.monotonic() - started)
        return batches

    def pixels(self, recipe: Recipe) -> dict[str, Batches]:
        """Images themselves, as a phase with this recipe is shown them.

        Raises:
            UnavailableError: none of the images can be read.
        """
        started = time.monotonic()
        if earlier := self._loaders.pop("train", None):
            # Each phase has changes and batches of its own.
            earlier.close()
        job = self._job
        for part in ("train", "val"):
            split = job.dataset.splits.get(part)
            if split is None or part in self._loaders:
                continue
            training = part == "train"
            loader = Loader(
                split,
                job.spec.resize,
                classes=len(job.dataset.classes),
                batch_size=recipe.batch_size if training else JUDGED,
                augment=recipe.augment if training else None,
                shuffle=training,
                seed=job.settings.seed,
                drop_last=training,
                targets=self.targets if training else None,
            )
            loader.prepare(lambda done, total, part=part: job.watcher.reading(part, done, total))  # type: ignore[misc]
            self._loaders[part] = loader
            self.failed |= dict(loader.failed)
        job.clock.add("reading", time.monotonic() - started)
        return dict(self._loaders)

    def close(self) -> None:
        """Give memory and threads back."""
        for loader in self._loaders.values():
            loader.close()
