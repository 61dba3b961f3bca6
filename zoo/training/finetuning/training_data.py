"""The batches of the phases of a fine-tuning: images, or cached outputs of the frozen part of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.catalog.default_model import Choice
from zoo.core.spec import Cut
from zoo.data.loading.loader import Loader
from zoo.training.finetuning.cached_features import CachedFeatures
from zoo.training.finetuning.recipe import FineTuningRecipe
from zoo.training.finetuning.trunk import Trunk
from zoo.training.finetuning.views import Views
from zoo.training.job import EVALUATION_BATCH, Job
from zoo.training.phase import Batches
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np


class TrainingData:
    """Batches of the splits ``train`` and ``val``."""

    def __init__(self, job: Job, recipe: FineTuningRecipe, base: Choice) -> None:
        """Nothing is read yet; ``base`` is the network to start from."""
        self._job, self._recipe, self._base = job, recipe, base
        self._loaders: dict[str, Loader] = {}
        #: With a teacher: labels and its probabilities for the training images, float32 (n, 2 classes).
        self.targets: np.ndarray | None = None
        self.failed: dict[str, str] = {}  #: Reasons by path of the files that could not be read.

    def features(self, cut: Cut, name: str) -> dict[str, Batches]:
        """The network's outputs at a cut, from the cache or computed now, for the phase ``name``."""
        job, recipe = self._job, self._recipe.phases[name]
        trunk = Trunk(job.spec, self._base.weights, cut, job.device)
        batches: dict[str, Batches] = {}
        with job.clock.measure("features"):
            for part in self._parts():
                training = part == "train"
                views = Views(self._recipe.views[name], recipe.augment, job.settings.seed) if training else Views()
                split = job.dataset.splits[part]
                outputs = trunk.outputs(
                    split,
                    views,
                    lambda done, total, part=part: job.data_read(f"{part} for the {name}", done, total),  # type: ignore[misc]
                )
                found = CachedFeatures(
                    outputs,
                    split,
                    classes=len(job.dataset.classes),
                    batch_size=recipe.batch_size if training else EVALUATION_BATCH,
                    shuffle=training,
                    seed=job.settings.seed,
                    mixup=recipe.augment.mixup if training else 0.0,
                    targets=self.targets if training else None,
                )
                self.failed |= dict(found.failed)
                batches[part] = found
            trunk.close()
        return batches

    def images(self, recipe: Recipe) -> dict[str, Batches]:
        """Images, augmented as a phase's recipe says."""
        if earlier := self._loaders.pop("train", None):
            # Each phase has its own augmentation and batch size.
            earlier.close()
        with self._job.clock.measure("reading"):
            for part in self._parts():
                if part not in self._loaders:
                    self._loaders[part] = self._job.loader(part, recipe, self.targets)
                    self.failed |= dict(self._loaders[part].failed)
        return dict(self._loaders)

    def close(self) -> None:
        """Release memory and threads."""
        for loader in self._loaders.values():
            loader.close()

    def _parts(self) -> list[str]:
        return [part for part in ("train", "val") if part in self._job.dataset.splits]
