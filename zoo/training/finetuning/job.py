"""Fine-tuning: a pretrained network gets a new head, which is trained first; then more of the network may follow."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.catalog import default_model, registry
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import Cut, ModelSpec
from zoo.data.loading.loader import Loader
from zoo.engines import keras_backend
from zoo.pretrained import digests, keras_file
from zoo.pretrained import weights as pretrained
from zoo.training import precision, predict, rate_finder
from zoo.training.callbacks.base import Callback
from zoo.training.finetuning import plan
from zoo.training.finetuning.cached_features import CachedFeatures
from zoo.training.finetuning.recipe import FineTuningRecipe, from_mapping
from zoo.training.finetuning.training_data import TrainingData
from zoo.training.finetuning.views import Views
from zoo.training.job import EVALUATION_BATCH, Job
from zoo.training.phase import Batches, Phase
from zoo.training.recipe import Recipe
from zoo.training.run import Run
from zoo.training.settings import Settings

if TYPE_CHECKING:
    import keras

    from zoo.training.finetuning import heads
    from zoo.training.learner import Learner

_TWO_PHASES = ("auto", "partial", "full")  #: Modes in which more of the network is trained after the head.
HEAD_SHARE = 0.3  #: The share of the time limit for the head if a second phase follows.
#: The largest difference in probabilities between the two parts of a network and the whole. Feature maps are cached in
#: 16 bits.
TOLERANCE = 5e-3
COMPARED = 4  #: Images on which they are compared.


class FineTuningJob(Job):
    """See :class:`~zoo.training.job.Job`."""

    command = "finetune"

    read_recipe = staticmethod(from_mapping)

    def __init__(
        self, settings: Settings, run: Run, *, resumed: bool = False, callbacks: Sequence[Callback] = ()
    ) -> None:
        """Check that network, recipe, dataset and devices fit, before anything is written."""
        super().__init__(settings, run, resumed=resumed, callbacks=callbacks)
        self.classes = len(self.dataset.classes)
        self.data = TrainingData(self, self.recipe, self.base)
        self._head_batches: dict[str, Batches] = {}
        self.sentences: list[str] = []  #: The plan, in sentences.
        self.phase_names: list[str] = []
        #: The difference between the network and its two parts: in probabilities before a phase, in loss at the end.
        self.apart = 0.0
        self.loss_apart: float | None = None
        self.rates: dict[str, float] = {}  #: Learning rates that were found, by phase.

    def check(self) -> ModelSpec:
        """Check that the network can get a new head, and fetch its weights."""
        assert isinstance(self.settings.recipe, FineTuningRecipe)
        self.recipe = self.settings.recipe
        self.scratch = self.recipe.mode == "scratch"
        self.base = self._base_model()
        return self.base.spec

    def _base_model(self) -> default_model.Choice:
        """The network to start from and its weights, downloaded if need be."""
        settings = self.settings
        if keras_file.is_file(settings.model):
            if self.scratch or settings.weights or settings.variables:
                raise UsageError(
                    f"{settings.model} has weights of its own, so it takes no other weights or variables, and the mode "
                    "'scratch' takes a name."
                )
            return default_model.Choice(keras_file.read_spec(settings.model), None, None, "asked for by file")
        spec = settings.spec()
        if spec.classes == 0:
            raise UsageError(f"{spec.name} is an autoencoder; fine-tuning takes a network that classifies.")
        if self.scratch:
            return default_model.Choice(spec, None, None, "random weights")
        tag = settings.weights or registry.resolve(settings.model)[1]
        found = pretrained.fetch(spec, tag, include_top=self.recipe.head.pool == "own")
        return default_model.Choice(spec, found.tag, found, "asked for by name")

    # Data

    def load_data(self, stack: contextlib.ExitStack) -> None:
        """Run the teacher and the frozen part of the network, without Keras where another engine can do it."""
        self._check_unfreeze_from()
        self.data.targets = self.teacher_targets()
        stack.callback(self.data.close)
        if not self.scratch and any(self.recipe.phases[name].augment.cutmix for name in ("head", "partial")):
            self._plan("cutmix needs the images, so no features are cached, which is slower")
        if self.caches("head"):
            self._head_batches = self.data.features(self.recipe.head.cut, "head")

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that were left out or could not be read, with the reasons."""
        return [*super().failed, *self.data.failed.items()]

    def _check_unfreeze_from(self) -> None:
        """Check that the network has what ``unfreeze_from`` names, before anything takes time."""
        name = self.recipe.unfreeze_from
        if name is not None and name not in (stage.name for stage in self.spec.stages):
            # Layers are known once it is built.
            keras_backend.start(self.device)
            self.second_phase(self.attach_head("float32").model, None)

    def caches(self, name: str) -> bool:
        """Whether the outputs of the frozen part are cached for a phase; cutmix needs the images."""
        return not self.scratch and self.recipe.views.get(name, 0) > 0 and not self.recipe.phases[name].augment.cutmix

    # Phases

    def phase(self, number: int) -> Phase | None:
        """The head, then the phase that follows in this mode; or everything from scratch."""
        if number == 0:
            return self._scratch_phase() if self.scratch else self._head_phase()
        return self._upper_phase() if number == 1 and self.recipe.mode in _TWO_PHASES else None

    def second_phase(self, model: keras.Model, head_top1: float | None) -> tuple[str, str]:
        """The phase after the head, whose accuracy is ``head_top1``, and the first operation that is trained in it."""
        from zoo import models
        from zoo.training.finetuning import heads

        names = heads.operation_names(model)
        if self.recipe.mode == "full":
            return "full", names[0]
        if (name := self.recipe.unfreeze_from) is not None:
            first = plan.resolve(self.spec, names, name)
            return "partial", first or models.find_layer(model, name.removeprefix(plan.AFTER)).name
        depth = plan.depth(len(self.dataset.splits["train"]), head_top1)
        if self.recipe.mode == "auto":
            self._plan(depth.reason)
            if depth.phase == "full":
                return "full", names[0]
        ends = heads.stage_ends(names, self.spec)
        return "partial", plan.first_of_stages(names, ends, depth.stages or plan.STAGES_SIMILAR)

    def _scratch_phase(self) -> Phase:
        self._seed(0)
        policy = precision.resolve(self.recipe.phases["scratch"].precision, self.device.kind)
        whole = self.attach_head(policy).model
        plain = whole if policy == "float32" else self.attach_head("float32").model
        return self._image_phase("scratch", 0, whole, plain)

    def _head_phase(self) -> Phase:
        from zoo.training.finetuning import heads

        recipe = self.recipe.phases["head"]
        self._seed(0)
        model, features = self.attach_head("float32")
        if batches := self._head_batches:
            upper = heads.upper_part(model, features)
            self._compare_parts(model, upper, batches)
        else:
            upper = model
            batches = self.data.images(recipe)
            names = heads.operation_names(model)
            heads.freeze(model, names[names.index(features) + 1])
        self._plan(f"the head is trained for {recipe.epochs} epochs: {upper.count_params():,} parameters")
        return self._complete("head", 0, batches, upper, plain=model, whole=model)

    def _upper_phase(self) -> Phase:
        from zoo import models
        from zoo.training.finetuning import heads
        from zoo.training.learner import copy_weights

        kept = models.create_model(str(self.run.model))
        tops = [row["val_top1"] for row in self.history if row["phase"] == 1 and "val_top1" in row]
        name, first = self.second_phase(kept, max(tops, default=None))
        recipe = self.recipe.phases[name]
        part = f"everything from {first} on" if name == "partial" else "everything"
        self._plan(f"then {part} is trained, for {recipe.epochs} epochs")
        policy = precision.resolve(recipe.precision, self.device.kind)
        self._seed(1)
        whole = kept
        if policy != "float32":
            whole = self.attach_head(policy).model
            copy_weights(kept, whole)
        heads.freeze(whole, first)
        cut = heads.split_point_below(whole, first)
        if name != "partial" or not self.caches("partial") or cut == heads.operation_names(kept)[0]:
            return self._image_phase(name, 1, whole, kept)
        batches = self.data.features(Cut(layer=cut), "partial")
        heads.freeze(kept, first)
        self._compare_parts(kept, heads.upper_part(kept, cut), batches)
        model = heads.upper_part(whole, cut)
        scales = heads.rate_scales(model, whole, self.spec, self.recipe.layer_decay)
        return self._complete(name, 1, batches, model, plain=kept, whole=whole, scales=scales)

    def _image_phase(self, name: str, number: int, whole: keras.Model, plain: keras.Model) -> Phase:
        """A phase without a frozen part."""
        from zoo.training.finetuning import heads

        batches = self.data.images(self.recipe.phases[name])
        scales = heads.rate_scales(whole, whole, self.spec, 1.0 if self.scratch else self.recipe.layer_decay)
        return self._complete(name, number, batches, whole, plain=plain, whole=whole, scales=scales)

    def _complete(self, name: str, number: int, batches: dict[str, Batches], model: keras.Model, **parts: Any) -> Phase:
        """The phase ``number`` with a learner of ``model``; ``parts`` are further arguments of the learner."""
        from zoo.training.learner import Learner

        recipe = self.recipe.phases[name]
        learner = Learner(model, recipe, distill=self.data.targets is not None, **parts)
        if recipe.class_weights == "balanced":
            self.weigh_classes(learner, batches["train"].labels)
        if self.settings.lr_find:
            recipe = self._find_rate(name, learner, batches["train"], recipe)
        self.phase_names = [*(["head"] * number), name]
        return Phase(
            name,
            learner,
            batches,
            recipe,
            after=sum(1 for row in self.history if row["phase"] <= number),
            columns={"phase": number + 1},
            end=HEAD_SHARE if number == 0 and self.recipe.mode in _TWO_PHASES else 1.0,
        )

    def _find_rate(self, name: str, learner: Learner, batches: Batches, recipe: Recipe) -> Recipe:
        """The recipe with the peak learning rate that the finder suggests; it runs once, also for a resumed run."""
        if name not in self.rates:
            with self.clock.measure("lr_find"):
                found = rate_finder.find(learner, batches)
            self.rates[name] = recipe.learning_rate if found is None else found
            why = "the recipe's, because the loss fell at no rate" if found is None else "where the loss fell fastest"
            self._plan(f"peak learning rate of the phase {name}: {self.rates[name]:.2g}, {why}")
        return replace(recipe, learning_rate=self.rates[name])

    # Networks

    def attach_head(self, policy: str) -> heads.HeadedModel:
        """The network with its new head, built under a dtype policy."""
        from zoo.training.finetuning import heads
        from zoo.training.learner import dtype_policy

        weights = None if self.scratch or self.base.weights is None else self.base.weights.path
        with dtype_policy(policy):
            return heads.attach(self.spec, weights, self.classes, self.recipe.head)

    def _seed(self, number: int) -> None:
        import keras

        keras.utils.set_random_seed((self.settings.seed + number) % 2**32)

    def _compare_parts(self, model: keras.Model, upper: keras.Model, batches: dict[str, Batches]) -> None:
        """Check that the network's outputs are those of its upper part on the cached features."""
        found = batches["train"]
        assert isinstance(found, CachedFeatures)
        indices = found.outputs.kept[:COMPARED]
        pixels = np.stack([Views().read(found.split.sources[i], self.spec.resize)[0] for i in indices])
        parts = upper.predict_on_batch(np.asarray(found.outputs.values[indices, 0], np.float32))
        difference = np.abs(np.asarray(parts) - np.asarray(model.predict_on_batch(pixels)))
        self.apart = max(self.apart, float(difference.max()))
        if self.apart > TOLERANCE:
            raise UnavailableError(
                f"The outputs of {self.spec.name} differ by {self.apart:.2g} from those computed with cached features; "
                "'zoo cache prune --features' deletes the cache, and --set views=0 trains without it."
            )

    # Results

    def evaluate(self) -> dict[str, Any]:
        """Evaluate the kept network with the engine that every other command uses."""
        by_split = {}
        network = predict.EngineModel(self.run.model, self.device)
        for part in ("val", "test"):
            if part in self.dataset.splits:
                split = self.dataset.splits[part]
                # Read once, so they need not stay in memory.
                loader = Loader(split, self.spec.resize, classes=self.classes, batch_size=EVALUATION_BATCH, memory=0)
                with contextlib.closing(loader):
                    by_split[part] = self.evaluate_split(network, loader, part)
                self.data.failed |= dict(loader.failed)
        if "loss" in by_split.get("val", {}) and self.best is not None and "val_loss" in self.best:
            # The same images: once in training, on cached features, and once with the file in another engine.
            self.loss_apart = abs(by_split["val"]["loss"] - self.best["val_loss"])
        return by_split

    def extra_metrics(self) -> dict[str, Any]:
        """How it was trained."""
        best = self.best or {}
        return {
            "mode": self.recipe.mode,
            "phases": self.phase_names,
            "best_phase": self.phase_names[int(best.get("phase", 1)) - 1],
            "plan": self.sentences,
            "pieces_apart": self.apart,
            "val_loss_apart": self.loss_apart,
            "learning_rates_found": self.rates,
        }

    def notes(self) -> dict[str, Any]:
        """The plan so far, for the checkpoint."""
        return {"sentences": self.sentences, "apart": self.apart, "rates": self.rates}

    def restore_notes(self, notes: Mapping[str, Any]) -> None:
        """Restore what :meth:`notes` gave."""
        self.sentences, self.apart, self.rates = list(notes["sentences"]), notes["apart"], dict(notes["rates"])

    def metadata(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The metadata of the network's file, with that of the network it comes from."""
        if self.scratch:
            return super().metadata(metrics)
        spec, found = self.base.spec, self.base.weights
        weights = spec.weights.get(self.base.tag) if self.base.tag else spec.weight_set()
        file = found.path if found is not None else spec.file
        return {
            **super().metadata(metrics),
            "backbone": spec.name,
            "initial_weights": self.base.tag or spec.file,
            "weights_sha256": digests.digest(file) if file else None,
            # The licence of the weights covers what is derived from them.
            "licence": weights.licence if weights else None,
            "attribution": weights.attribution if weights else None,
        }

    def _plan(self, sentence: str) -> None:
        """Add a sentence to the plan, unless a resumed run has it already, and show it."""
        if sentence and sentence not in self.sentences:
            self.sentences.append(sentence)
            self.message(sentence)
