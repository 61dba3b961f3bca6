"""What every training has in common: its data, its run folder, its phases, how it is resumed and how it ends."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from zoo._version import __version__
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec
from zoo.data.dataset import read_for_training
from zoo.data.loading.loader import Loader
from zoo.data.sources import table
from zoo.engines import devices, keras_backend
from zoo.evaluation.metrics import summary
from zoo.pretrained import keras_file
from zoo.training import checkpoint, distillation, distribution, predict
from zoo.training.callbacks.base import Callback
from zoo.training.callbacks.built_in import BUILT_IN
from zoo.training.clock import Clock
from zoo.training.epochs import Epochs
from zoo.training.phase import Phase
from zoo.training.predict import SplitPredictions
from zoo.training.recipe import Recipe
from zoo.training.run import CONFIG, Run, writing
from zoo.training.settings import Settings, resumed

if TYPE_CHECKING:
    from zoo.data.checks.findings import Finding
    from zoo.training.learner import Learner

EVALUATION_BATCH = 256  #: Images in a batch of evaluation; results do not depend on it.


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a training."""

    run: Path
    #: ``"finished"``, ``"early"`` (out of patience), ``"time"`` (out of time) or ``"stopped"`` (to be resumed).
    status: str
    epochs: int
    metrics: Mapping[str, Any]  #: The content of ``metrics.json``; empty if the training was stopped.


class Job:
    """A training from reading its data to its results; a subclass says what is trained in which phases."""

    command = "train"  #: The command that runs it.

    read_recipe: Callable[..., Any]  #: Makes a recipe of the command from plain values.

    def __init__(
        self, settings: Settings, run: Run, *, resumed: bool = False, callbacks: Sequence[Callback] = ()
    ) -> None:
        """Check that network, recipe, dataset and devices fit, before anything is written."""
        self.settings, self.run, self.resumed = settings, run, resumed
        self.spec = self.check()
        self.callbacks = [*(kind() for kind in BUILT_IN if kind.wanted(settings)), *callbacks]
        self.dataset = read_for_training(
            settings.dataset,
            val_split=settings.val_split,
            test_split=settings.test_split,
            val_dir=settings.val_dir,
            seed=settings.seed,
        )
        self.split_sha256 = hashlib.sha256(table.to_csv(self.dataset.rows())).hexdigest()
        #: Where the network is trained; frozen parts, a teacher and evaluation run on the first of them.
        self.devices = devices.select_several(settings.device)
        self.device = self.devices[0]
        self.clock = Clock(settings.time_limit)
        self.history: list[dict[str, float]] = []
        self.findings: tuple[Finding, ...] = ()
        self.predictions: SplitPredictions | None = None
        self.best: dict[str, float] | None = None  #: The row of the best epoch so far.
        self._number = 0

    @classmethod
    def start(cls, settings: Settings, folder: Path, *, callbacks: Sequence[Callback] = ()) -> Outcome:
        """Train with complete settings, into a new run folder."""
        return cls(settings, Run(folder, cls.command), callbacks=callbacks).train()

    @classmethod
    def resume(
        cls,
        folder: Path,
        *,
        time_limit: float | None = None,
        device: str | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> Outcome:
        """Resume a training that was stopped, exactly where it was; the time limit is for all of it."""
        run = Run(folder, cls.command)
        settings = resumed(run, cls.read_recipe, time_limit=time_limit, device=device)
        return cls(settings, run, resumed=True, callbacks=callbacks).train()

    def train(self) -> Outcome:
        """Run the training."""
        if self.resumed:
            self._check_same_data()
        else:
            self.run.require_empty()
        self._check_data()
        with contextlib.ExitStack() as stack:
            stack.enter_context(distribution.over(self.devices))
            self.load_data(stack)
            if left := self.failed:
                path, reason = left[0]
                rest = "" if len(left) == 1 else f", {len(left) - 1} more in metrics.json"
                self.message(f"left out: {path} ({reason}){rest}")
            keras_backend.start(self.device)
            for callback in self.callbacks:
                stack.callback(callback.close)
            self._epochs = self._resume() if self.resumed else self._begin()
            while True:
                status, self.best = self._epochs.run(), self._epochs.best
                if status == "stopped":
                    return Outcome(self.run.folder, status, len(self.history), {})
                self._number += 1
                phase = self.phase(self._number)
                if phase is None:
                    return Outcome(self.run.folder, status, len(self.history), self._finish(status))
                self._epochs = self._begin_phase(phase)

    def _begin(self) -> Epochs:
        """The first phase of a new run. Nothing is written before it is clear that training can begin."""
        phase = self.phase(0)
        assert phase is not None
        self.run.create()
        config = {"command": self.command, **self.resolved_settings().as_dict()}
        self.run.write_text(CONFIG, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
        with writing(self.run.split):
            self.dataset.write(self.run.split)
        self.run.copy_network(self.spec)
        for callback in self.callbacks:
            callback.on_train_begin(self)
        return self._begin_phase(phase)

    def _begin_phase(self, phase: Phase) -> Epochs:
        for callback in self.callbacks:
            callback.on_phase_begin(phase)
        return Epochs(phase, self.clock, self.history, self.callbacks, self.best)

    def _resume(self) -> Epochs:
        """The phase that was stopped, where it was stopped."""
        arrays, notes = checkpoint.load(self.run.checkpoint)
        self._number, self.best = notes["phase"], notes["epochs"]["best"]
        self.clock.seconds |= notes["seconds"]
        self.history += notes["history"]
        self.restore_notes(notes["own"])
        for callback in self.callbacks:
            callback.on_train_begin(self)
        phase = self.phase(self._number)
        assert phase is not None
        size = phase.learner.size
        phase.learner.restore(arrays[:size])
        epochs = Epochs(phase, self.clock, self.history, self.callbacks)
        epochs.restore(notes["epochs"], arrays[size:])
        return epochs

    def state(self) -> tuple[list[np.ndarray], dict[str, Any]]:
        """The content of a checkpoint: arrays of the learner, of the best epochs, and plain values."""
        notes = {
            "phase": self._number,
            "epochs": self._epochs.notes(),
            "seconds": self.clock.seconds,
            "history": self.history,
            "own": self.notes(),
        }
        return [*self._epochs.learner.state(), *self._epochs.arrays()], notes

    # For subclasses

    def check(self) -> ModelSpec:
        """Check that network and recipe fit; the network. The first that is called."""
        raise NotImplementedError

    def load_data(self, stack: contextlib.ExitStack) -> None:
        """Read images; what must be closed goes onto the stack. Keras is not imported yet."""
        raise NotImplementedError

    def phase(self, number: int) -> Phase | None:
        """The phase of a number, from 0; ``None`` after the last. Called in order, or from where a run is resumed."""
        raise NotImplementedError

    def evaluate(self) -> dict[str, Any]:
        """Metrics of the kept network, from its file, by split."""
        raise NotImplementedError

    def extra_metrics(self) -> dict[str, Any]:
        """Further values for ``metrics.json``."""
        return {}

    def notes(self) -> dict[str, Any]:
        """Plain values of its own for the checkpoint."""
        return {}

    def restore_notes(self, notes: Mapping[str, Any]) -> None:
        """Restore what :meth:`notes` gave."""

    def resolved_settings(self) -> Settings:
        """The settings for ``config.yaml``, with which the run can be resumed on any machine."""
        return self.settings

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that were left out, with the reasons."""
        return list(self.dataset.skipped)

    def metadata(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        """The metadata of the network's file, with metrics by split; see :mod:`zoo.pretrained.keras_file`."""
        return {
            "zoo_version": __version__,
            "network": self.spec.name,
            "variables": dict(self.settings.variables),
            "classes": list(self.dataset.classes) if self.spec.classes else [],
            "input_size": list(self.spec.input_size),
            "resize": {key: getattr(self.spec.resize, key) for key in ("policy", "fraction", "interpolation")},
            "preprocessing": self.spec.preprocessing.describe(),
            "trained_on": Path(self.settings.dataset).resolve().name,
            "initial_weights": self.settings.weights,
            # Weights trained from random numbers belong to whoever trained them, who may state a licence.
            "licence": None,
            "recipe": self.settings.recipe.name,
            "seed": self.settings.seed,
            "split_sha256": self.split_sha256,
            "metrics": dict(metrics),
        }

    def message(self, text: str) -> None:
        """Tell the callbacks."""
        for callback in self.callbacks:
            callback.on_message(text)

    def data_read(self, split: str, done: int, total: int) -> None:
        """Tell the callbacks how many images have been read."""
        for callback in self.callbacks:
            callback.on_data_read(split, done, total)

    def loader(self, part: str, recipe: Recipe, targets: np.ndarray | None = None) -> Loader:
        """A loader of a split, its images read: augmented and shuffled for ``train``, else as they are."""
        training = part == "train"
        loader = Loader(
            self.dataset.splits[part],
            self.spec.resize,
            classes=len(self.dataset.classes),
            batch_size=recipe.batch_size if training else EVALUATION_BATCH,
            augment=recipe.augment if training else None,
            shuffle=training,
            seed=self.settings.seed,
            drop_last=training,
            targets=targets if training else None,
        )
        try:
            loader.prepare(lambda done, total: self.data_read(part, done, total))
        except BaseException:
            loader.close()
            raise
        return loader

    def evaluate_split(self, network: Any, loader: Loader, part: str) -> dict[str, Any]:
        """All metrics of a network on a split; the callbacks see its predictions."""
        if self.spec.classes == 0:
            error = predict.squared_error(network, loader.epoch(0), self.spec.preprocessing)
            return {"n": len(loader.kept), "loss": error}
        predictions = self.predictions = predict.predict(network, loader, part)
        found = summary(predictions.scores, predictions.labels, list(self.dataset.classes))
        for callback in self.callbacks:
            callback.on_evaluate_end(predictions, found)
        return found

    def teacher_targets(self) -> np.ndarray | None:
        """Labels of the training images and the teacher's probabilities; ``None`` if there is no teacher."""
        if self.settings.teacher is None:
            return None
        with self.clock.measure("teacher"):
            return distillation.targets(
                self.settings.teacher,
                self.dataset.splits["train"],
                self.dataset.classes,
                self.device,
                lambda done, total: self.data_read("for the teacher", done, total),
            )

    def weigh_classes(self, learner: Learner, labels: np.ndarray) -> None:
        """Weigh each class by the inverse of its share of the training images."""
        counts = np.bincount(labels, minlength=len(self.dataset.classes))
        learner.weigh_classes(counts.sum() / (len(counts) * np.maximum(counts, 1)))

    # Checks and results

    def _check_data(self) -> None:
        """Look for problems of the dataset, such as duplicates across splits, if the settings ask for it."""
        if not self.settings.check:
            return
        from zoo.data.checks.check import check_dataset
        from zoo.data.checks.findings import KINDS, counted

        with self.clock.measure("checking"):
            found = check_dataset(self.dataset, progress=lambda done, total: self.data_read("all", done, total))
        self.findings = found.findings
        for kind, group in found.by_kind().items():
            if (about := KINDS[kind]).severity != "note":
                self.message(f"{about.severity}: {counted(len(group), about.unit)}, {about.title}: {about.advice}")

    def _check_same_data(self) -> None:
        """Check that images and split are those of the beginning of the run."""
        try:
            before = self.run.split.read_bytes()
        except OSError as error:
            raise UsageError(f"{self.run.folder} has no split.csv, so the data cannot be compared.") from error
        if hashlib.sha256(before).hexdigest() != self.split_sha256:
            began = f"those that {self.run.folder} began with"
            raise UsageError(f"The images in {self.settings.dataset} are not {began}; start a new run.")

    def _finish(self, status: str) -> dict[str, Any]:
        """Evaluate the kept network, and write the results."""
        # Of the epoch while it was trained, on augmented images.
        best = self.best or {}
        by_split: dict[str, Any] = {"train": {key: best[key] for key in ("loss", "top1") if key in best}}
        with self.clock.measure("judging"):
            by_split |= self.evaluate()
        numbers = {
            **by_split,
            "seconds": {key: round(value, 1) for key, value in self.clock.seconds.items()},
            "epochs": len(self.history),
            "best_epoch": int(best.get("epoch", 0)),
            "ended": status,
            "device": self.device.model,
            "devices": [device.name for device in self.devices],
            **self.extra_metrics(),
            "failed": [{"path": path, "error": reason} for path, reason in self.failed],
            "findings": [finding.as_dict() for finding in self.findings],
        }
        self.run.write_text("metrics.json", json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")
        for callback in self.callbacks:
            callback.on_train_end(numbers)
        kept = ("n", "top1", "top5", "loss")
        brief = {part: {key: value[key] for key in kept if key in value} for part, value in by_split.items()}
        with writing(self.run.model):
            keras_file.write_metadata(self.run.model, self.metadata(brief))
        return numbers
