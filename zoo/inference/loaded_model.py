"""A network with its labels, its temperature, and the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zoo import engines
from zoo.catalog import labels
from zoo.catalog.default_model import Choice
from zoo.core.errors import UsageError
from zoo.core.spec import ModelSpec
from zoo.engines import devices
from zoo.pretrained import keras_file


class LoadedModel:
    """A network whose engine starts with the first image."""

    choice: Choice
    spec: ModelSpec

    def __init__(self, *, device: str, engine: str, batch_size: int | None, threads: int | None = None) -> None:
        """Select the device; :meth:`_load` follows."""
        if batch_size is not None and batch_size < 1:
            raise UsageError(f"The batch size is at least 1. Received: {batch_size}")
        self._device = devices.select(device)
        self._engine_request, self._batch_size, self._threads = engine, batch_size, threads
        self.at_least: Callable[[int], bool] | None = None
        self._engine: engines.Engine | None = None
        # A compiled form to run instead of the network's own.
        self._folder: Path | None = None

    def _load(self, choice: Choice, spec: ModelSpec) -> None:
        """Take over a network; an unknown engine, or one that cannot run it, is a UsageError."""
        engines.choose(self._engine_request, spec, self._device)
        self.choice, self.spec = choice, spec
        # Weights that were imported by hand may have a tag that the registry does not know.
        weights = spec.weights.get(choice.tag) if choice.tag else spec.weight_set()
        self.classes = labels.classes(weights.labels) if weights else ()
        self.labels = tuple(label.name for label in self.classes)
        self.temperature = keras_file.temperature(spec.file) if spec.file else 1.0

    @property
    def engine(self) -> engines.Engine:
        """The engine that runs; started now if it has not been yet."""
        return self._engine or self._start()

    @property
    def engine_type(self) -> engines.EngineType:
        """The row of the engine that is chosen, in the table of engines."""
        return engines.choose(self._engine_request, self.spec, self._device)

    def _start(self, *, single: bool = False) -> engines.Engine:
        """The engine, started anew if it was started for a single image and more come."""
        if self._engine is None or (self._engine.single and not single):
            self._engine = engines.start(
                self.spec,
                self.choice.weights,
                self._device,
                engine=self.engine_type.name if self._folder else self._engine_request,
                batch_size=self._batch_size,
                single=single,
                at_least=self.at_least,
                folder=self._folder,
                threads=self._threads,
            )
        return self._engine
