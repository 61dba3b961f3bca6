"""What every training has in common: its images, its folder, its phases, how it is stopped, resumed and finished."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec
from zoo.data.sources import dataset as datasets
from zoo.data.sources import manifest
from zoo.engines import devices, framework
from zoo.training import checkpoint, distillation, distribution, page, results
from zoo.training.epochs import Clock, Epochs, Phase
from zoo.training.history import History
from zoo.training.progress import Watcher
from zoo.training.run import Run
from zoo.training.settings import Settings

if TYPE_CHECKING:
    from zoo.data.checks.findings import Finding
    from zoo.training.learner import Learner

#: Images judged together; results do not depend on it.
JUDGED = 256
#: Seconds that lie between two checkpoints at least; epochs that take longer have one each.
SAVE_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a training."""

    run: Path
    #: ``"finished"``, ``"early"`` (no epoch was better for too long), ``"time"`` or ``"stopped"`` (to be resumed).
    status: str
    epochs: int
    #: What ``metrics.json`` holds; empty where the training was stopped.
    metrics: Mapping[str, Any]


class Job:
    """A training from reading its images to its results; what is read, and who learns, is for those below to say."""

    #: The command that does this, for sentences.
    command = "train"

    def __init__(
        self, settings: Settings, run: Run, spec: ModelSpec, *, resumed: bool, watcher: Watcher | None
    ) -> None:
        """Read what is cheap to read, so that what makes no sense is said before anything is written."""
        self.settings, self.run, self.spec, self.resumed = settings, run, spec, resumed
        self.watcher = watcher or Watcher()
        self.dataset = datasets.read(
            settings.dataset,
            val_split=settings.val_split,
            test_split=settings.test_split,
            val_dir=settings.val_dir,
            seed=settings.seed,
        )
        self.split = _digest(manifest.text(self.dataset.rows()).encode("utf-8", "surrogateescape"))
        #: Where the network learns; what is frozen, a teacher, and every judgement are computed on the first of them.
        self.devices = devices.select_several(settings.device)
        self.device = self.devices[0]
        self.clock = Clock(settings.time_limit)
        self.history = History()
        self.best: dict[str, float] | None = None
        #: What a check of the data found.
        self.findings: tuple[Finding, ...] = ()
        self._number = 0
        # When a checkpoint was last written, and the best network where it is not on disk yet.
        self._saved = -SAVE_EVERY
        self._best_state: list[np.ndarray] | None = None

    def go(self) -> Outcome:
        """Do all of it."""
        if self.resumed:
            self._check_same_data()
        else:
            self.run.require_empty()
        self._look_at_data()
        with contextlib.ExitStack() as stack:
            stack.enter_context(distribution.over(self.devices))
            self.open(stack)
            if left := self.failed:
                path, reason = left[0]
                rest = "" if len(left) == 1 else f", {len(left) - 1} more in metrics.json"
                self.watcher.note(f"left out: {path} ({reason}){rest}")
            framework.start(self.device)
            epochs = self._resume() if self.resumed else self._begin()
            stack.callback(self.images.end)
            while True:
                status, self.best = epochs.run(), epochs.best
                if status == "stopped":
                    return Outcome(self.run.folder, status, len(self.history.rows), {})
                self._number += 1
                phase = self.phase(self._number)
                if phase is None:
                    return Outcome(self.run.folder, status, len(self.history.rows), self._finish(status))
                epochs = self._epochs(phase)

    def _begin(self) -> Epochs:
        """The first phase of a new run. Nothing is written before it is known that the training can begin."""
        phase = self.phase(0)
        assert phase is not None
        self.run.create()
        self.run.write_config({"command": self.command, **self.written_settings().as_dict()})
        self.run.write_split(self.dataset)
        results.copy_network(self.spec, self.run)
        self.images = self._images()
        epochs = self._epochs(phase)
        self.begun(phase)
        return epochs

    def _resume(self) -> Epochs:
        """The phase in which a run was stopped, where it was."""
        arrays, notes = checkpoint.load(self.run.checkpoint)
        self._number, self.best = notes["phase"], notes["epochs"]["best"]
        for name, seconds in notes["seconds"].items():
            self.clock.add(name, seconds)
        for row in notes["history"]:
            self.history.append(row)
        self.recall(notes["own"])
        self.images = self._images()
        phase = self.phase(self._number)
        assert phase is not None
        own = phase.learner.size
        phase.learner.restore(arrays[:own])
        epochs = self._epochs(phase)
        epochs.restore(notes["epochs"], arrays[own:])
        return epochs

    def _images(self) -> results.Images:
        return results.Images(self.run, self.dataset.classes, self.spec, self.settings.tensorboard)

    def _epochs(self, phase: Phase) -> Epochs:
        epochs = Epochs(phase, self.clock, self.history, self, self.watcher)
        epochs.best = self.best
        return epochs

    # For those below

    def open(self, stack: contextlib.ExitStack) -> None:
        """Read images. Keras is not imported yet."""
        raise NotImplementedError

    def phase(self, number: int) -> Phase | None:
        """The phase of a number, from 0, and none after the last; in order, or from where a run is resumed."""
        raise NotImplementedError

    def begun(self, phase: Phase) -> None:
        """The first phase begins, in a new run."""

    def judge(self) -> dict[str, Any]:
        """Judge the kept network, as it is on disk: all metrics by split."""
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """Further numbers for ``metrics.json``."""
        return {}

    def notes(self) -> dict[str, Any]:
        """Plain values of its own that a resumed run needs."""
        return {}

    def recall(self, notes: Mapping[str, Any]) -> None:
        """Go on with what :meth:`notes` gave."""

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The files that were left out, with their reasons."""
        return list(self.dataset.skipped)

    # What is kept

    def keep(self, learner: Learner, row: Mapping[str, float]) -> None:
        """See :class:`~zoo.training.epochs.Keeper`. The network is written with the next checkpoint."""
        self._best_state = None
        if self._is_due():
            self._write_model(learner, row)
        else:
            self._best_state = learner.snapshot()

    def judged(self, learner: Learner, best: int) -> None:
        """See :class:`~zoo.training.epochs.Keeper`."""
        self.history.write(self.run.history)
        self.images.epoch(learner.network, self.history.rows, best, draw=self._is_due())

    def save(self, epochs: Epochs, *, now: bool) -> None:
        """See :class:`~zoo.training.epochs.Keeper`."""
        if not now and not self._is_due():
            return
        learner = epochs.learner
        if self._best_state is not None and epochs.best is not None:
            with learner.as_it_was(self._best_state):
                self._write_model(learner, epochs.best)
            self._best_state = None
        everything = {
            "phase": self._number,
            "epochs": epochs.notes(),
            "seconds": self.clock.seconds,
            "history": self.history.rows,
            "own": self.notes(),
        }
        arrays = [*learner.state(), *epochs.arrays()]
        checkpoint.save(self.run.checkpoint, arrays, everything, command=self.command)
        self._saved = time.monotonic()

    def _is_due(self) -> bool:
        """Whether it is time to write. Epochs on features take a moment, and writing takes longer."""
        return time.monotonic() - self._saved >= SAVE_EVERY

    def _write_model(self, learner: Learner, row: Mapping[str, float]) -> None:
        with learner.given() as network:
            self.run.write_model(network, self.metadata({"val": {"top1": row.get("val_top1")}}))

    def metadata(self, judged: Mapping[str, Any]) -> dict[str, Any]:
        """What the network's file knows of itself."""
        return results.metadata(self.settings, self.spec, self.dataset.classes, self.split, judged)

    def _look_at_data(self) -> None:
        """Look for what is wrong with the images, before anything is learnt from them."""
        if not self.settings.check:
            return
        from zoo.data.checks import inspect as inspection
        from zoo.data.checks.findings import KINDS, counted

        started = time.monotonic()
        found = inspection.inspect(self.dataset, progress=lambda done, total: self.watcher.reading("all", done, total))
        self.findings = found.findings
        for kind, group in found.by_kind().items():
            if (about := KINDS[kind]).severity != "note":
                self.watcher.note(f"{about.severity}: {counted(len(group), about.unit)}, {about.title}: {about.advice}")
        self.clock.add("checking", time.monotonic() - started)

    def ask_teacher(self) -> np.ndarray | None:
        """Labels of the images to learn from, and what the teacher says of them; ``None`` without a teacher."""
        if self.settings.teacher is None:
            return None
        started = time.monotonic()
        targets = distillation.targets(
            self.settings.teacher,
            self.dataset.splits["train"],
            self.dataset.classes,
            self.device,
            lambda done, total: self.watcher.reading("for the teacher", done, total),
        )
        self.clock.add("teacher", time.monotonic() - started)
        return targets

    def weigh_classes(self, learner: Learner, labels: np.ndarray) -> None:
        """Weigh classes by the inverse of their share of the images that take part."""
        counts = np.bincount(labels, minlength=len(self.dataset.classes))
        learner.weigh_classes(counts.sum() / (len(counts) * np.maximum(counts, 1)))

    def written_settings(self) -> Settings:
        """The settings that the run goes on with, on another machine too."""
        return self.settings

    def _check_same_data(self) -> None:
        """The images and their split must be those of the beginning."""
        try:
            before = self.run.split.read_bytes()
        except OSError as error:
            raise UsageError(f"{self.run.folder} has no split.csv, so the data cannot be compared.") from error
        if _digest(before) != self.split:
            raise UsageError(
                f"The images in {self.settings.dataset} are not those that {self.run.folder} began with; "
                "start a new run."
            )

    def _finish(self, status: str) -> dict[str, Any]:
        """Judge the kept network, and write the results."""
        # As it went by in training, on augmented images.
        best = self.best or {}
        judged: dict[str, Any] = {"train": {key: best[key] for key in ("loss", "top1") if key in best}}
        started = time.monotonic()
        judged |= self.judge()
        self.images.curves(self.history.rows, int(best.get("epoch", 0)))
        self.clock.add("judging", time.monotonic() - started)
        numbers = {
            **judged,
            "seconds": {key: round(value, 1) for key, value in self.clock.seconds.items()},
            "epochs": len(self.history.rows),
            "best_epoch": int(best.get("epoch", 0)),
            "ended": status,
            "device": self.device.model,
            "devices": [device.name for device in self.devices],
            **self.about(),
            "failed": [{"path": path, "error": reason} for path, reason in self.failed],
            "findings": [finding.as_dict() for finding in self.findings],
        }
        self.run.write_json("metrics.json", numbers)
        page.write(self, numbers)
        self.run.write_metadata(self.metadata({name: _brief(value) for name, value in judged.items()}))
        return numbers


def _digest(table: bytes) -> str:
    """sha256 by which two divisions are told apart."""
    return hashlib.sha256(table).hexdigest()


def _brief(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value[key] for key in ("n", "top1", "top5", "loss") if key in value}
