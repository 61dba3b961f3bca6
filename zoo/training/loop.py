"""The loop of a training: read, learn, judge, save, epoch by epoch.

Everything that is random is drawn from the seed and the number of the epoch and the step, so that a training that was
stopped anywhere ends, once resumed, with the weights of one that was not.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import devices, metrics
from zoo.data import dataset as datasets
from zoo.data import manifest
from zoo.data.loader import Loader
from zoo.errors import UnavailableError, UsageError
from zoo.quiet import quiet_stderr
from zoo.training import checkpoint, judging, precision, results
from zoo.training.history import History
from zoo.training.run import Run
from zoo.training.settings import Settings
from zoo.training.watcher import Progress, Watcher

if TYPE_CHECKING:
    from zoo.training.learner import Learner

#: Pictures judged together; results do not depend on it.
JUDGED = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a training."""

    run: Path
    #: ``"finished"``, ``"early"`` (no epoch was better for too long), ``"time"`` or ``"stopped"`` (to be resumed).
    status: str
    epochs: int
    #: What ``metrics.json`` holds; empty where the training was stopped.
    metrics: Mapping[str, Any]


class Training:
    """One training, from reading its pictures to its results."""

    def __init__(self, settings: Settings, run: Run, *, resumed: bool, watcher: Watcher | None) -> None:
        """Read what is cheap to read, so that what makes no sense is said before anything is written."""
        self.settings, self.run, self.resumed = settings, run, resumed
        self.recipe = settings.recipe
        self.watcher = watcher or Watcher()
        self.spec = settings.spec()
        self.draws = self.spec.classes == 0
        if self.draws != (self.recipe.loss == "mse"):
            kind = "draws its input again and takes the loss mse" if self.draws else "classifies"
            raise UsageError(f"{self.spec.name} {kind}; the recipe {self.recipe.name} has loss: {self.recipe.loss}.")
        self.dataset = datasets.read(
            settings.dataset, val_split=settings.val_split, test_split=settings.test_split, seed=settings.seed
        )
        self.split = _digest(manifest.text(self.dataset.rows()).encode("utf-8", "surrogateescape"))
        self.device = devices.select(settings.device)
        self.precision = precision.resolve(self.recipe.precision, self.device.kind)
        self.seconds = {"reading": 0.0, "training": 0.0, "judging": 0.0}
        self.history = History()
        self.epoch, self.step, self.waited = 0, 0, 0
        # Pictures of this epoch, and their loss and top-1 summed.
        self.seen, self.sums = 0, dict[str, float]()
        self.best: dict[str, float] | None = None

    def go(self) -> Outcome:
        """Do all of it."""
        if self.resumed:
            self._check_same_data()
        else:
            self.run.require_empty()
        with self._loaders():
            self._start_keras()
            # Nothing is written before it is known that the training can begin.
            if self.resumed:
                self._restore()
            else:
                self.run.create()
                # With the precision that was taken, so that the run goes on with it on another machine too.
                recipe = replace(self.recipe, precision=self.precision)
                self.run.write_config(replace(self.settings, recipe=recipe).as_dict())
                self.run.write_split(self.dataset)
                results.copy_network(self.spec, self.run)
            self.pictures = results.Pictures(self.run, self.dataset.classes, self.spec, self.settings.tensorboard)
            if not self.resumed:
                self.pictures.begin(self.learner.network, self.loaders["train"])
            status = self._epochs()
            self._save()
            if status == "stopped":
                return Outcome(self.run.folder, status, self.epoch, {})
            return Outcome(self.run.folder, status, self.epoch, self._finish(status))

    # Before

    def _check_same_data(self) -> None:
        """The pictures and their split must be those of the beginning."""
        try:
            before = self.run.split.read_bytes()
        except OSError as error:
            raise UsageError(f"{self.run.folder} has no split.csv, so the data cannot be compared.") from error
        if _digest(before) != self.split:
            raise UsageError(
                f"The pictures in {self.settings.dataset} are not those that {self.run.folder} began with; "
                "start a new run."
            )

    def _loaders(self) -> contextlib.ExitStack:
        """A loader for each split, the pictures read; closes them at the end."""
        started = time.monotonic()
        self.loaders: dict[str, Loader] = {}
        with contextlib.ExitStack() as opening:
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
                )
                opening.callback(loader.close)
                loader.prepare(lambda done, total, name=name: self.watcher.reading(name, done, total))  # type: ignore[misc]
                self.loaders[name] = loader
            stack = opening.pop_all()
        self.seconds["reading"] += time.monotonic() - started
        if left := (*self.dataset.skipped, *self.failed):
            path, reason = left[0]
            rest = "" if len(left) == 1 else f", {len(left) - 1} more in metrics.json"
            self.watcher.note(f"left out: {path} ({reason}){rest}")
        return stack

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that could not be read, with their reasons."""
        return [item for loader in self.loaders.values() for item in loader.failed]

    def _start_keras(self) -> None:
        """Import Keras with the backend of the device, and build."""
        devices.prepare(self.device)
        with quiet_stderr():
            from zoo.training.learner import Learner

            self.learner: Learner = Learner(
                self.spec,
                self.recipe,
                0 if self.draws else len(self.dataset.classes),
                precision=self.precision,
                seed=self.settings.seed,
                weights=self.settings.weights,
            )
        if self.recipe.class_weights == "balanced":
            counts = np.bincount(self.loaders["train"].labels, minlength=len(self.dataset.classes))
            self.learner.weigh_classes(counts.sum() / (len(counts) * np.maximum(counts, 1)))

    def _restore(self) -> None:
        arrays, notes = checkpoint.load(self.run.checkpoint)
        self.learner.restore(arrays)
        self.epoch, self.step, self.waited = notes["epoch"], notes["step"], notes["waited"]
        self.seen, self.sums = notes["seen"], notes["sums"]
        self.best = notes["best"]
        self.seconds |= notes["seconds"]
        for row in notes["history"]:
            self.history.append(row)

    # Epochs

    def _epochs(self) -> str:
        """Train until something ends it; the word for what did."""
        while self.epoch < self.recipe.epochs:
            # A run that is gone on with may have ended already. An epoch that was begun is judged in any case.
            if self.step == 0 and self.recipe.patience and self.waited >= self.recipe.patience:
                return "early"
            if self.step == 0 and self._time_is_over():
                return "time"
            if not self._one_epoch():
                return "stopped"
            better = self._judge()
            self.epoch, self.step = self.epoch + 1, 0
            self.seen, self.sums = 0, {}
            self._save()
            self.watcher.epoch(self.history.rows[-1], self.recipe.epochs, better)
        return "finished"

    def _one_epoch(self) -> bool:
        """The rest of an epoch, or as much of it as there is time for; whether it ended so, and was not stopped."""
        from zoo.training.learner import DivergedError

        loader, steps = self.loaders["train"], self.loaders["train"].steps
        if not steps:
            raise UsageError(f"None of the training pictures in {self.settings.dataset} can be read.")
        limit = self.settings.time_limit
        began, before = time.monotonic(), self.seen
        spent = self.seconds["training"]
        for x, y in loader.epoch(self.epoch, start=self.step):
            done = (self.epoch * steps + self.step + 0.5) / (self.recipe.epochs * steps)
            if limit is not None:
                done = max(done, self._elapsed() / limit)
            rate = self.recipe.learning_rate * self.recipe.schedule(done)
            try:
                values = self.learner.step(x, y, rate)
            except DivergedError as error:
                raise UnavailableError(
                    f"The loss became NaN at epoch {self.epoch + 1}, step {self.step + 1} (learning rate {rate:.3g}); "
                    f"what was saved before stays in {self.run.folder}: try a lower --learning-rate, or "
                    "--set clip_norm=1."
                ) from error
            self.step, self.seen = self.step + 1, self.seen + len(x)
            self.sums = {key: self.sums.get(key, 0.0) + value * len(x) for key, value in values.items()}
            running = time.monotonic() - began
            self.seconds["training"] = spent + running
            self.rate, self.speed = rate, (self.seen - before) / running
            self.watcher.step(self._progress())
            if self.watcher.stop():
                return False
            if self._time_is_over():
                break
        return True

    def _judge(self) -> bool:
        """Judge the epoch on the validation pictures, keep it if it is the best, and write its row."""
        row = {
            "epoch": self.epoch + 1,
            "seconds": round(self.seconds["training"], 2),
            "learning_rate": self.rate,
            **self._means(),
            "images_per_second": round(self.speed, 1),
        }
        started = time.monotonic()
        if "val" in self.loaders:
            row |= {f"val_{key}": value for key, value in self._measure("val").items()}
        better = self.best is None or "val" not in self.loaders or self._is_better(row, self.best)
        self.waited = 0 if better else self.waited + 1
        self.history.append(row)
        if better:
            self.best = dict(row)
            self.run.write_model(self.learner.give(), self._metadata({"val": {"top1": row.get("val_top1")}}))
        self.history.write(self.run.history)
        self.pictures.epoch(self.learner.network, self.history.rows, int((self.best or row)["epoch"]))
        self.seconds["judging"] += time.monotonic() - started
        return better

    def _is_better(self, row: Mapping[str, float], best: Mapping[str, float]) -> bool:
        if self.recipe.monitor == "loss" or self.draws:
            return row["val_loss"] < best["val_loss"]
        # Among epochs that are equally right, the one that is surer.
        return (row["val_top1"], -row["val_loss"]) > (best["val_top1"], -best["val_loss"])

    def _measure(self, split: str) -> dict[str, float]:
        batches = self.loaders[split].epoch(0)
        with self.learner.judged() as network:
            if self.draws:
                return {"loss": judging.squared_error(network, batches, self.spec.preprocessing)}
            scores, labels = judging.scores(network, batches)
        return {"loss": metrics.cross_entropy(scores, labels), "top1": metrics.top_k(scores, labels, 1)}

    def _save(self) -> None:
        notes = {
            "epoch": self.epoch,
            "step": self.step,
            "waited": self.waited,
            "seen": self.seen,
            "sums": self.sums,
            "best": self.best,
            "seconds": self.seconds,
            "history": self.history.rows,
        }
        checkpoint.save(self.run.checkpoint, self.learner.state(), notes)

    def _time_is_over(self) -> bool:
        limit = self.settings.time_limit
        return limit is not None and self._elapsed() >= limit

    def _elapsed(self) -> float:
        return self.seconds["training"] + self.seconds["judging"]

    def _means(self) -> dict[str, float]:
        return {key: value / self.seen for key, value in self.sums.items()}

    def _progress(self) -> Progress:
        return Progress(
            self.epoch + 1,
            self.recipe.epochs,
            self.step,
            self.loaders["train"].steps,
            self.rate,
            self._means(),
            self.speed,
            self._remaining(),
        )

    def _remaining(self) -> float:
        """Seconds until the end, going by the speed so far."""
        done = self.epoch + self.step / self.loaders["train"].steps
        rest = self._elapsed() / done * (self.recipe.epochs - done)
        limit = self.settings.time_limit
        return rest if limit is None else min(rest, limit - self._elapsed())

    # After

    def _finish(self, status: str) -> dict[str, Any]:
        """Judge the kept network, as it is on disk, and write the results."""
        # As it went by in training, on augmented pictures.
        best = self.best or {}
        judged: dict[str, Any] = {"train": {key: best[key] for key in ("loss", "top1") if key in best}}
        started = time.monotonic()
        network = results.load(self.run)
        for name in ("val", "test"):
            if name in self.loaders:
                judged[name] = self.pictures.judge(network, self.loaders[name], name)
        self.seconds["judging"] += time.monotonic() - started
        numbers = {
            **judged,
            "seconds": {key: round(value, 1) for key, value in self.seconds.items()},
            "epochs": self.epoch,
            "best_epoch": int(best.get("epoch", 0)),
            "ended": status,
            "device": self.device.model,
            "precision": self.precision,
            "failed": [{"path": path, "error": reason} for path, reason in (*self.dataset.skipped, *self.failed)],
        }
        self.run.write_json("metrics.json", numbers)
        self.run.write_model(network, self._metadata({name: _brief(value) for name, value in judged.items()}))
        self.pictures.end()
        return numbers

    def _metadata(self, judged: Mapping[str, Any]) -> dict[str, Any]:
        return results.metadata(self.settings, self.spec, self.dataset.classes, self.split, judged)


def _digest(table: bytes) -> str:
    """sha256 by which two divisions are told apart."""
    return hashlib.sha256(table).hexdigest()


def _brief(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value[key] for key in ("n", "top1", "top5", "loss") if key in value}
