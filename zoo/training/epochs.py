"""The epochs of one phase of a training: learn, judge, keep what is best, save.

Everything that is random is drawn from the seed and the number of the epoch and the step, so that a training that was
stopped anywhere ends, once resumed, with the weights of one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import Preprocessing
from zoo.evaluation import metrics
from zoo.training import predict
from zoo.training.history import History
from zoo.training.progress import Progress, Watcher
from zoo.training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from zoo.training.learner import Learner


class Batches(Protocol):
    """What gives batches, epoch by epoch; see :class:`zoo.data.loading.loader.Loader`."""

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        ...

    @property
    def labels(self) -> np.ndarray:
        """Classes of the images that take part: int64 (n,)."""
        ...

    def epoch(self, number: int, *, start: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Batches of one epoch, from step ``start`` on: what the network takes, and float32 (b, classes)."""
        ...


class Keeper(Protocol):
    """Where things are kept that outlive a training."""

    def keep(self, learner: Learner, row: Mapping[str, float]) -> None:
        """Write the network, which is the best so far."""
        ...

    def judged(self, learner: Learner, best: int) -> None:
        """An epoch has its row; ``best`` is the number of the best one."""
        ...

    def save(self, epochs: Epochs, *, now: bool) -> None:
        """Write all that is needed to go on from here; it may wait a little where it need not be ``now``."""
        ...


@dataclass
class Clock:
    """Seconds by what they went into, and what they may come to in all."""

    limit: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        """Count time."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @property
    def elapsed(self) -> float:
        """All of it."""
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Phase:
    """One phase: who learns, from what, and how."""

    #: What its seconds are counted as.
    name: str
    learner: Learner
    #: By split; ``train`` at least.
    batches: Mapping[str, Batches]
    recipe: Recipe
    #: For a network that draws its input again, how that is prepared.
    draws: Preprocessing | None = None
    #: Epochs that were done in earlier phases, and columns of the history that say which phase it is.
    after: int = 0
    columns: Mapping[str, float] = field(default_factory=dict)
    #: The part of the time that there is by which it ends.
    end: float = 1.0


class Epochs:
    """A phase on its way."""

    def __init__(self, phase: Phase, clock: Clock, history: History, keeper: Keeper, watcher: Watcher) -> None:
        """At the beginning; :meth:`restore` puts it elsewhere."""
        self.phase, self.clock, self.history, self.keeper, self.watcher = phase, clock, history, keeper, watcher
        self.recipe, self.learner = phase.recipe, phase.learner
        self.epoch, self.step, self.waited = 0, 0, 0
        # Images of this epoch, and their loss and top-1 summed.
        self.seen, self.sums = 0, dict[str, float]()
        #: The row of the best epoch, of earlier phases too.
        self.best: dict[str, float] | None = None
        #: The rows of the best epochs of this phase, best first, and the weights after each, where they are averaged.
        self.tops: list[tuple[dict[str, float], list[np.ndarray]]] = []
        self.rate = self.speed = 0.0
        self._begun = clock.elapsed

    def restore(self, notes: Mapping[str, Any], arrays: Sequence[np.ndarray]) -> None:
        """Go to where :meth:`notes` and :meth:`arrays` were taken."""
        self.epoch, self.step, self.waited = notes["epoch"], notes["step"], notes["waited"]
        self.seen, self.sums, self.best = notes["seen"], notes["sums"], notes["best"]
        self._begun = notes["begun"]
        size = len(arrays) // max(1, len(notes["tops"]))
        self.tops = [(row, list(arrays[n * size : (n + 1) * size])) for n, row in enumerate(notes["tops"])]

    def notes(self) -> dict[str, Any]:
        """Where it is, as plain values."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "waited": self.waited,
            "seen": self.seen,
            "sums": self.sums,
            "best": self.best,
            "begun": self._begun,
            "tops": [row for row, _ in self.tops],
        }

    def arrays(self) -> list[np.ndarray]:
        """The weights that it holds on to."""
        return [array for _, weights in self.tops for array in weights]

    def run(self) -> str:
        """Train until something ends it: ``finished``, ``early``, ``time`` or ``stopped``."""
        status = self._run()
        if status != "stopped" and len(self.tops) > 1:
            self._average()
        self.keeper.save(self, now=True)
        return status

    def _run(self) -> str:
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
            self.keeper.save(self, now=False)
            self.watcher.epoch(self.history.rows[-1], self.phase.after + self.recipe.epochs, better)
        return "finished"

    def _one_epoch(self) -> bool:
        """The rest of an epoch, or as much of it as there is time for; whether it ended so, and was not stopped."""
        from zoo.training.learner import DivergedError

        batches = self.phase.batches["train"]
        steps = batches.steps
        if not steps:
            raise UsageError("None of the training images can be read.")
        began, before = time.monotonic(), self.seen
        counted = 0.0
        for x, y in batches.epoch(self.epoch, start=self.step):
            rate = self.recipe.learning_rate * self.recipe.schedule(self._done(steps))
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
            running = time.monotonic() - began
            self.clock.add(self.phase.name, running - counted)
            counted = running
            self.rate, self.speed = rate, (self.seen - before) / running
            self.watcher.step(self._progress(steps))
            if self.watcher.stop():
                return False
            if self._time_is_over():
                break
        return True

    def _judge(self) -> bool:
        """Judge the epoch on the validation images, keep it if it is the best, and write its row."""
        row = {
            "epoch": self.phase.after + self.epoch + 1,
            **self.phase.columns,
            "seconds": round(self.clock.elapsed, 2),
            "learning_rate": self.rate,
            **self._means(),
            "images_per_second": round(self.speed, 1),
        }
        started = time.monotonic()
        if "val" in self.phase.batches:
            row |= {f"val_{key}": value for key, value in self._measure("val").items()}
        better = self.best is None or "val" not in self.phase.batches or self._is_better(row, self.best)
        self.waited = 0 if better else self.waited + 1
        self.history.append(row)
        if better:
            self.best = dict(row)
            self.keeper.keep(self.learner, row)
        self._remember(row)
        self.keeper.judged(self.learner, int((self.best or row)["epoch"]))
        self.clock.add("judging", time.monotonic() - started)
        return better

    def _remember(self, row: dict[str, float]) -> None:
        """Hold on to the weights of the best epochs, where they are averaged at the end."""
        if self.recipe.average_best == 1 or "val" not in self.phase.batches:
            return
        place = next((n for n, (other, _) in enumerate(self.tops) if self._is_better(row, other)), len(self.tops))
        if place < self.recipe.average_best:
            self.tops.insert(place, (dict(row), self.learner.snapshot()))
            del self.tops[self.recipe.average_best :]

    def _average(self) -> None:
        """Keep the mean of the best epochs' weights, where it validates better than any of them."""
        means = [
            np.mean(values, axis=0).astype(values[0].dtype) for values in zip(*(w for _, w in self.tops), strict=True)
        ]
        with self.learner.as_it_was(means):
            row = {**self.tops[0][0], **{f"val_{key}": value for key, value in self._measure("val").items()}}
            better = self.best is None or self._is_better(row, self.best)
            if better:
                self.best = row
                self.keeper.keep(self.learner, row)
        self.watcher.note(
            f"the mean of the {len(self.tops)} best epochs has val loss {row['val_loss']:.4f}"
            + (": better, so it is kept" if better else ": no better, so it is not kept")
        )
        self.tops = []

    def _is_better(self, row: Mapping[str, float], best: Mapping[str, float]) -> bool:
        if self.recipe.monitor == "loss" or self.phase.draws is not None:
            return row["val_loss"] < best["val_loss"]
        # Among epochs that are equally right, the one that is surer.
        return (row["val_top1"], -row["val_loss"]) > (best["val_top1"], -best["val_loss"])

    def _measure(self, split: str) -> dict[str, float]:
        batches = self.phase.batches[split].epoch(0)
        with self.learner.judged() as network:
            if self.phase.draws is not None:
                return {"loss": predict.squared_error(network, batches, self.phase.draws)}
            scores, labels = predict.scores(network, batches)
        return {"loss": metrics.cross_entropy(scores, labels), "top1": metrics.top_k(scores, labels, 1)}

    def _means(self) -> dict[str, float]:
        return {key: value / self.seen for key, value in self.sums.items()}

    # Time

    def _done(self, steps: int) -> float:
        """The part of the phase that is behind it, by steps or by time, whichever is more."""
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

    def _progress(self, steps: int) -> Progress:
        """Where it is, and the seconds until the end, going by the speed so far."""
        done = self.epoch + self.step / steps
        rest = (self.clock.elapsed - self._begun) / done * (self.recipe.epochs - done)
        end = self._end()
        return Progress(
            self.phase.after + self.epoch + 1,
            self.phase.after + self.recipe.epochs,
            self.step,
            steps,
            self.rate,
            self._means(),
            self.speed,
            rest if end is None else min(rest, end - self.clock.elapsed),
        )
