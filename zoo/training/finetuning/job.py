"""Fine-tuning: a trained network gets a new head, which learns first; then, perhaps, more of the network learns.

Whatever is frozen in a phase is computed once for each image (:mod:`zoo.training.finetuning.trunk`), and the phase learns from
that. The result is one network with everything joined.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UnavailableError
from zoo.core.spec import Cut
from zoo.data.loading.loader import Loader
from zoo.engines import framework
from zoo.training import precision, predict, rate_finder, results
from zoo.training.epochs import Batches, Phase
from zoo.training.finetuning import base_model, plan
from zoo.training.finetuning.cached_features import CachedBatches
from zoo.training.finetuning.recipe import TransferRecipe
from zoo.training.finetuning.training_data import Material
from zoo.training.finetuning.views import Views
from zoo.training.job import JUDGED, Job
from zoo.training.progress import Watcher
from zoo.training.recipe import Recipe
from zoo.training.run import Run
from zoo.training.settings import Settings

if TYPE_CHECKING:
    import keras

    from zoo.training.finetuning import heads
    from zoo.training.learner import Learner

#: Modes in which more of the network learns after the head.
_WITH_MORE = ("auto", "partial", "full")
#: The part of a limited time that the head may take where more of the network learns after it.
HEAD_SHARE = 0.3
#: How far the two pieces of a network may be from the whole, in probabilities. A map between them is kept in 16 bits.
APART = 5e-3
#: Images on which that is looked at.
COMPARED = 4


class Finetuning(Job):
    """See :class:`~zoo.training.job.Job`."""

    command = "finetune"

    def __init__(self, settings: Settings, run: Run, *, resumed: bool, watcher: Watcher | None) -> None:
        """Read what is cheap to read, and see to the weights.

        Raises:
            UsageError: an unknown name, or one of a network that cannot get a new head.
            WeightsError: there are no weights for it here.
        """
        assert isinstance(settings.recipe, TransferRecipe)
        self.recipe = settings.recipe
        self.scratch = self.recipe.mode == "scratch"
        self.origin = base_model.of(settings, self.recipe.head, scratch=self.scratch)
        super().__init__(settings, run, self.origin.spec, resumed=resumed, watcher=watcher)
        self.classes = len(self.dataset.classes)
        self.material = Material(self, self.recipe, self.origin)
        self._head_batches: dict[str, Batches] = {}
        self.sentences: list[str] = []
        self.phase_names: list[str] = []
        #: How far the network and its pieces were apart: in probabilities before the phases, in loss at the end.
        self.apart = 0.0
        self.loss_apart: float | None = None
        #: Learning rates that were looked for, by phase.
        self.rates: dict[str, float] = {}

    # Images

    def open(self, stack: contextlib.ExitStack) -> None:
        """Ask the teacher, and compute what the head learns from. All of that is done without Keras, where it can."""
        self._check_name()
        self.material.targets = self.ask_teacher()
        stack.callback(self.material.close)
        if not self.scratch and any(self.recipe.phases[name].augment.cutmix for name in ("head", "partial")):
            self._say("cutmix needs the images themselves, so nothing is computed ahead, which is slower")
        if self.caches("head"):
            self._head_batches = self.material.computed(self.recipe.head.cut, "head")

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that were left out or could not be read, with their reasons."""
        return [*super().failed, *self.material.failed.items()]

    def _check_name(self) -> None:
        """See that the network has what ``unfreeze_from`` names, before anything takes time.

        Raises:
            UsageError: it has not; the sentence names the nearest.
        """
        named = self.recipe.unfreeze_from
        if named is None or named in (stage.name for stage in self.spec.stages):
            return
        # Layers are known once it is built.
        framework.start(self.device)
        self.first_to_learn(self.join("float32").model, None)

    @property
    def _taught(self) -> bool:
        return self.material.targets is not None

    def caches(self, name: str) -> bool:
        """Whether the frozen part of a phase is computed once."""
        # A rectangle of one image cannot be put into what was made of another.
        return not self.scratch and self.recipe.views.get(name, 0) > 0 and not self.recipe.phases[name].augment.cutmix

    # Phases

    def phase(self, number: int) -> Phase | None:
        """The head, then what the mode asks for."""
        if number == 0:
            return self._scratch_phase() if self.scratch else self._head_phase()
        more = number == 1 and self.recipe.mode in _WITH_MORE
        return self._upper_phase() if more else None

    def first_to_learn(self, model: keras.Model, head_top1: float | None) -> tuple[str, str]:
        """What learns after the head: the phase, and the first operation that does.

        Args:
            model: the joined network.
            head_top1: accuracy of the head on the validation images; ``None`` where there are none.

        Raises:
            UsageError: the network has no stage and no layer of the name that was given.
        """
        from zoo import models
        from zoo.training.finetuning import heads

        names = [operation.name for operation in model.operations]
        if self.recipe.mode == "full":
            return "full", names[0]
        if (named := self.recipe.unfreeze_from) is not None:
            return "partial", plan.resolve(self.spec, names, named) or models.find_layer(
                model, named.removeprefix(plan.AFTER)
            ).name
        depth = plan.depth(len(self.dataset.splits["train"]), head_top1)
        if self.recipe.mode == "auto":
            self._say(depth.reason)
            if depth.phase == "full":
                return "full", names[0]
        return "partial", plan.first_above(names, heads.stage_ends(names, self.spec), depth.stages or plan.STAGES_ALIKE)

    def _scratch_phase(self) -> Phase:
        self._seed(0)
        recipe = self.recipe.phases["scratch"]
        policy = precision.resolve(recipe.precision, self.device.kind)
        whole = self.join(policy).model
        return self._pixel_phase("scratch", 0, whole, whole if policy == "float32" else self.join("float32").model)

    def _head_phase(self) -> Phase:
        from zoo.training.finetuning import heads
        from zoo.training.learner import Learner

        recipe = self.recipe.phases["head"]
        self._seed(0)
        joined = self.join("float32")
        model = joined.model
        batches = self._head_batches
        if not batches:
            batches = self.material.pixels(recipe)
            heads.freeze(model, heads.after(model, joined.features))
            learner = Learner(model, recipe, plain=model, taught=self._taught)
        else:
            upper = heads.above(model, joined.features)
            self._compare(model, upper, batches)
            learner = Learner(upper, recipe, plain=model, whole=model, taught=self._taught)
        self._say(f"the head learns for {recipe.epochs} epochs: {learner.model.count_params():,} parameters")
        return self._ready("head", learner, batches, recipe, 0)

    def _upper_phase(self) -> Phase:
        from zoo.training.finetuning import heads
        from zoo.training.learner import Learner

        kept = results.load(self.run)
        names = [operation.name for operation in kept.operations]
        tops = [row["val_top1"] for row in self.history.rows if row["phase"] == 1 and "val_top1" in row]
        name, start = self.first_to_learn(kept, max(tops, default=None))
        recipe = self.recipe.phases[name]
        part = f"from {start} on " if name == "partial" else ""
        self._say(f"then everything {part}learns, for {recipe.epochs} epochs")
        policy = precision.resolve(recipe.precision, self.device.kind)
        self._seed(1)
        whole = kept if policy == "float32" else self._like(kept, policy)
        heads.freeze(whole, start)
        waist = heads.waist_below(whole, start)
        cached = name == "partial" and self.caches("partial") and waist != names[0]
        if not cached:
            return self._pixel_phase(name, 1, whole, kept)
        batches = self.material.computed(Cut(layer=waist), "partial")
        heads.freeze(kept, start)
        self._compare(kept, heads.above(kept, waist), batches)
        model = heads.above(whole, waist)
        scales = heads.rate_scales(model, whole, self.spec, self.recipe.layer_decay)
        learner = Learner(model, recipe, plain=kept, whole=whole, scales=scales, taught=self._taught)
        return self._ready(name, learner, batches, recipe, 1)

    def _pixel_phase(self, name: str, number: int, whole: keras.Model, plain: keras.Model) -> Phase:
        """A phase without a frozen part."""
        from zoo.training.finetuning import heads
        from zoo.training.learner import Learner

        recipe = self.recipe.phases[name]
        batches = self.material.pixels(recipe)
        decay = 1.0 if self.scratch else self.recipe.layer_decay
        scales = heads.rate_scales(whole, whole, self.spec, decay)
        learner = Learner(whole, recipe, plain=plain, whole=whole, scales=scales, taught=self._taught)
        return self._ready(name, learner, batches, recipe, number)

    def _ready(self, name: str, learner: Learner, batches: dict[str, Batches], recipe: Recipe, number: int) -> Phase:
        if recipe.class_weights == "balanced":
            self.weigh_classes(learner, batches["train"].labels)
        more = number == 0 and self.recipe.mode in _WITH_MORE
        after = sum(1 for row in self.history.rows if row["phase"] <= number)
        if self.settings.lr_find:
            recipe = self._with_found_rate(name, learner, batches["train"], recipe)
        columns = {"phase": number + 1}
        self.phase_names = [*(["head"] * number), name]
        return Phase(name, learner, batches, recipe, after=after, columns=columns, end=HEAD_SHARE if more else 1.0)

    def _with_found_rate(self, name: str, learner: Learner, batches: Batches, recipe: Recipe) -> Recipe:
        """The recipe with a learning rate that was looked for, once."""
        if name not in self.rates:
            started = time.monotonic()
            found = rate_finder.find(learner, batches).rate
            self.clock.add("lr_find", time.monotonic() - started)
            self.rates[name] = recipe.learning_rate if found is None else found
            why = "the loss fell at none that were tried" if found is None else "at which the loss fell fastest"
            self._say(f"the {name} learns at a rate of up to {self.rates[name]:.2g}: {why}")
        return replace(recipe, learning_rate=self.rates[name])

    # Networks

    def join(self, policy: str) -> heads.Joined:
        """The network with its new head, built under a dtype policy."""
        from zoo.training.finetuning import heads
        from zoo.training.learner import policy as dtype_policy

        weights = None if self.scratch or self.origin.weights is None else self.origin.weights.path
        with dtype_policy(policy):
            return heads.join(self.spec, weights, self.classes, self.recipe.head)

    def _like(self, kept: keras.Model, policy: str) -> keras.Model:
        """The same network, in mixed precision."""
        model = self.join(policy).model
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(kept.get_layer(layer.name).get_weights())
        return model

    def _seed(self, number: int) -> None:
        import keras

        keras.utils.set_random_seed((self.settings.seed + number) % 2**32)

    def _compare(self, model: keras.Model, upper: keras.Model, batches: dict[str, Batches]) -> None:
        """See that the network says of images what its two pieces say of them, one after the other.

        Raises:
            UnavailableError: it does not.
        """
        found = batches["train"]
        assert isinstance(found, CachedBatches)
        indices = found.outputs.kept[:COMPARED]
        pixels = np.stack([Views().read(found.split.sources[i], self.spec.resize)[0] for i in indices])
        pieces = upper.predict_on_batch(np.asarray(found.outputs.values[indices, 0], np.float32))
        self.apart = max(
            self.apart, float(np.abs(np.asarray(pieces) - np.asarray(model.predict_on_batch(pixels))).max())
        )
        if self.apart > APART:
            raise UnavailableError(
                f"{self.spec.name} and its two pieces differ by {self.apart:.2g} in what they say of an image; "
                "'zoo cache prune --features' forgets what was computed before, and --set views=0 does without it."
            )

    # After

    def judge(self) -> dict[str, Any]:
        """Judge the kept network, as every other command runs it."""
        judged = {}
        network = predict.Runner(self.run.model, self.device)
        for part in ("val", "test"):
            if part in self.dataset.splits:
                # Read once, so they need not be kept.
                loader = Loader(
                    self.dataset.splits[part], self.spec.resize, classes=self.classes, batch_size=JUDGED, memory=0
                )
                with contextlib.closing(loader):
                    judged[part] = self.images.judge(network, loader, part)
                self.material.failed |= dict(loader.failed)
        if "loss" in judged.get("val", {}) and self.best is not None and "val_loss" in self.best:
            # The same images, once by what the phase made of them and once by the file, in another engine.
            self.loss_apart = abs(judged["val"]["loss"] - self.best["val_loss"])
        return judged

    def about(self) -> dict[str, Any]:
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
        """What was said so far."""
        return {"sentences": self.sentences, "apart": self.apart, "rates": self.rates}

    def recall(self, notes: Mapping[str, Any]) -> None:
        """Go on with what :meth:`notes` gave."""
        self.sentences, self.apart, self.rates = list(notes["sentences"]), notes["apart"], dict(notes["rates"])

    def metadata(self, judged: Any) -> dict[str, Any]:
        """What the network's file knows of itself, and where it comes from."""
        return {**super().metadata(judged), **results.origin(self.origin, scratch=self.scratch)}

    def _say(self, sentence: str) -> None:
        if sentence and sentence not in self.sentences:
            self.sentences.append(sentence)
            self.watcher.note(sentence)
