"""The epochs of one phase: train, evaluate, keep the best, report to the callbacks.

All randomness comes from the seed and the numbers of epoch and step, so that a resumed training ends the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.evaluation import metrics
from zoo.training import clock as clocks
from zoo.training import predict
from zoo.training.callbacks.base import Callback, EpochEnd, StepProgress
from zoo.training.clock import Clock
from zoo.training.phase import Phase

SAVE_EVERY = 10.0  #: Least seconds between two checkpoints. Epochs on cached features take less time than writing one.
#: The attributes of :class:`Epochs` that a checkpoint has.
_POSITION = ("epoch", "step", "waited", "seen", "sums", "best")


class Epochs:
    """A phase in progress."""

    def __init__(
        self,
        phase: Phase,
        clock: Clock,
        history: list[dict[str, float]],
        callbacks: Sequence[Callback],
        best: dict[str, float] | None = None,
    ) -> None:
        """Start at the first epoch, :meth:`restore` elsewhere; ``best`` is the row of the best epoch so far."""
        self.phase, self.clock, self.history, self.callbacks = phase, clock, history, callbacks
        self.recipe, self.learner = phase.recipe, phase.learner
        self.epoch, self.step, self.waited = 0, 0, 0  #: Epochs and steps done, and epochs since the best one.
        self.seen, self.sums = 0, dict[str, float]()  #: Images of this epoch, and the sums of their loss and top-1.
        self.best = best
        #: The best epochs of this phase, best first, with their weights; only if these are averaged at the end.
        self.tops: list[tuple[dict[str, float], list[np.ndarray]]] = []
        self.rate = self.speed = 0.0
        self._begun = clock.elapsed
        # At the end of an earlier phase everything has just been written.
        self._saved = clocks.now() if phase.after else -SAVE_EVERY

    def restore(self, notes: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> None:
        """Continue where :meth:`notes` and :meth:`arrays` were taken."""
        for name in _POSITION:
            setattr(self, name, notes[name])
        self._begun = notes["begun"]
        size = len(arrays) // max(1, len(notes["tops"]))
        self.tops = [(row, list(arrays[n * size : (n + 1) * size])) for n, row in enumerate(notes["tops"])]

    def notes(self) -> dict[str, Any]:
        """The position, as plain values for the checkpoint."""
        position = {name: getattr(self, name) for name in _POSITION}
        return {**position, "begun": self._begun, "tops": [row for row, _ in self.tops]}

    def arrays(self) -> list[np.ndarray]:
        """The weights of the best epochs, for the checkpoint."""
        return [array for _, weights in self.tops for array in weights]

    def run(self) -> str:
        """Train to the end of the phase; why it ended: ``finished``, ``early``, ``time`` or ``stopped``."""
        status = self._run()
        if status != "stopped" and len(self.tops) > 1:
            self._average_best()
        for callback in self.callbacks:
            callback.on_phase_end()
        return status

    def _run(self) -> str:
        while self.epoch < self.recipe.epochs:
            # A resumed run may have ended already. An epoch that was begun is always finished and evaluated.
            if self.step == 0 and self.recipe.patience and self.waited >= self.recipe.patience:
                return "early"
            if self.step == 0 and self._time_is_over():
                return "time"
            if not self._train():
                return "stopped"
            with self.clock.measure("judging"):
                is_best = self._evaluate()
            self.epoch, self.step, self.seen, self.sums = self.epoch + 1, 0, 0, {}
            with self.clock.measure("judging"):
                self._report(is_best)
        return "finished"

    def _train(self) -> bool:
        """Train to the end of the epoch or of the time; ``False`` if a callback stopped it."""
        from zoo.training.learner import DivergedError

        batches = self.phase.batches["train"]
        if not batches.steps:
            raise UsageError("None of the training images can be read.")
        began, before = clocks.now(), self.seen
        counted = 0.0
        for x, y in batches.epoch(self.epoch, start=self.step):
            rate = self.recipe.learning_rate * self.recipe.schedule(self._share_done(batches.steps))
            try:
                values = self.learner.step(x, y, rate)
            except DivergedError as error:
                raise UnavailableError(
                    f"The loss became NaN at epoch {self.phase.after + self.epoch + 1}, step {self.step + 1} "
                    f"(learning rate {rate:.3g}); what was saved before stays in the run's folder: try a lower "
                    "--learning-rate, or --set clip_norm=1."
                ) from error
            self.step, self.seen = self.step + 1, self.seen + len(x)
            self.sums = {key: self.sums.get(key, 0.0) + value * len(x) for key, value in values.items()}
            running = clocks.now() - began
            self.clock.add(self.phase.name, running - counted)
            counted = running
            self.rate, self.speed = rate, (self.seen - before) / running
            progress = self._progress(batches.steps)
            for callback in self.callbacks:
                callback.on_train_batch_end(progress)
            if any(callback.should_stop() for callback in self.callbacks):
                return False
            if self._time_is_over():
                break
        return True

    def _evaluate(self) -> bool:
        """Evaluate on the validation images and add the row to the history; whether it is the best epoch."""
        row = {
            "epoch": self.phase.after + self.epoch + 1,
            **self.phase.columns,
            "seconds": round(self.clock.elapsed, 2),
            "learning_rate": self.rate,
            **self._means(),
            "images_per_second": round(self.speed, 1),
        }
        validates = "val" in self.phase.batches
        if validates:
            row |= self._validate()
        is_best = self.best is None or not validates or self._is_better(row, self.best)
        self.waited = 0 if is_best else self.waited + 1
        self.history.append(row)
        if is_best:
            self.best = dict(row)
        if validates and self.recipe.average_best > 1:
            place = next((n for n, (other, _) in enumerate(self.tops) if self._is_better(row, other)), len(self.tops))
            if place < self.recipe.average_best:
                self.tops.insert(place, (dict(row), self.learner.snapshot()))
                del self.tops[self.recipe.average_best :]
        return is_best

    def _report(self, is_best: bool) -> None:
        """Tell the callbacks of an epoch."""
        row = self.history[-1]
        best = int((self.best or row)["epoch"])
        due = clocks.now() - self._saved >= SAVE_EVERY
        epoch = EpochEnd(row, self.phase.after + self.recipe.epochs, is_best, best, self.learner, due)
        for callback in self.callbacks:
            if is_best:
                callback.on_new_best(epoch)
        for callback in self.callbacks:
            callback.on_epoch_end(epoch)
        if due:
            self._saved = clocks.now()

    def _average_best(self) -> None:
        """Keep the mean of the best epochs' weights if it is better on the validation images than each of them."""
        together = zip(*(weights for _, weights in self.tops), strict=True)
        means = [np.mean(values, axis=0).astype(values[0].dtype) for values in together]
        with self.learner.temporary_weights(means):
            row = {**self.tops[0][0], **self._validate()}
            is_best = self.best is None or self._is_better(row, self.best)
            if is_best:
                self.best = row
                epoch = EpochEnd(row, self.phase.after + self.epoch, True, int(row["epoch"]), self.learner, due=True)
                for callback in self.callbacks:
                    callback.on_new_best(epoch)
        mean = f"the mean weights of the {len(self.tops)} best epochs have val loss {row['val_loss']:.4f}"
        kept = "better, so they are kept" if is_best else "no better, so they are not kept"
        for callback in self.callbacks:
            callback.on_message(f"{mean}: {kept}")
        self.tops = []

    def _is_better(self, row: Mapping[str, float], best: Mapping[str, float]) -> bool:
        if self.recipe.monitor == "loss" or self.phase.target is not None:
            return row["val_loss"] < best["val_loss"]
        # Among epochs of equal accuracy, the one with the lower loss.
        return (row["val_top1"], -row["val_loss"]) > (best["val_top1"], -best["val_loss"])

    def _validate(self) -> dict[str, float]:
        batches = self.phase.batches["val"].epoch(0)
        with self.learner.evaluation_weights() as network:
            if self.phase.target is not None:
                return {"val_loss": predict.squared_error(network, batches, self.phase.target)}
            found = metrics.Predictions(*predict.scores(network, batches))
        top1 = float((found.predicted == found.labels).mean())
        return {"val_loss": metrics.cross_entropy(found), "val_top1": top1}

    def _means(self) -> dict[str, float]:
        return {key: value / self.seen for key, value in self.sums.items()}

    # Time

    def _share_done(self, steps: int) -> float:
        """The share of the phase that is done, by steps or by time, whichever is more."""
        done = (self.epoch * steps + self.step + 0.5) / (self.recipe.epochs * steps)
        end = self._end()
        if end is None:
            return done
        return max(done, (self.clock.elapsed - self._begun) / max(end - self._begun, 1e-9))

    def _end(self) -> float | None:
        """Seconds on the clock at which the phase ends at the latest."""
        return None if self.clock.limit is None else self.clock.limit * self.phase.end

    def _time_is_over(self) -> bool:
        end = self._end()
        return end is not None and self.clock.elapsed >= end

    def _progress(self, steps: int) -> StepProgress:
        done = self.epoch + self.step / steps
        rest = (self.clock.elapsed - self._begun) / done * (self.recipe.epochs - done)
        end = self._end()
        return StepProgress(
            self.phase.after + self.epoch + 1,
            self.phase.after + self.recipe.epochs,
            self.step,
            steps,
            self.rate,
            self._means(),
            self.speed,
            rest if end is None else min(rest, end - self.clock.elapsed),
        )
