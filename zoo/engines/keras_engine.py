"""The engine for GPUs and for networks that only Keras can run, on any Keras backend."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UnavailableError
from zoo.core.stderr import quiet_stderr
from zoo.engines import keras_backend
from zoo.engines.base import Options, pack_outputs

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.engines.devices import Device
    from zoo.pretrained.weights import LocalWeights

log = logging.getLogger(__name__)

#: Images in a batch by default: enough for a GPU, few enough for a CPU's memory.
BATCH_SIZE = {"gpu": 64, "cpu": 16}

#: How frameworks report that memory ran out.
_OUT_OF_MEMORY = ("out of memory", "resource_exhausted", "resource exhausted", "oom when allocating")


class KerasEngine:
    """Runs a network through Keras; see :class:`zoo.engines.base.Engine`."""

    name = "keras"
    #: It has no mode for the latency of one image.
    single = False

    def __init__(self, spec: ModelSpec, weights: LocalWeights | None, device: Device, options: Options) -> None:
        """Import Keras for the device, build the network and load its weights."""
        self.backend = keras_backend.start(device)
        with quiet_stderr():
            import keras

            from zoo import models

            self._keras = keras
            self._spec = spec
            with self._placed(device):
                self._network = models.create_model(spec, weights=weights.path if weights else None)
        self.device = device.name
        self._device = device
        self.batch_size = options.batch_size or BATCH_SIZE[device.kind]

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the output of each batch in order. A batch that does not fit into memory is halved, with a warning."""
        for batch in batches:
            with self._placed(self._device):
                yield self._predict(batch)

    def _predict(self, batch: np.ndarray) -> np.ndarray:
        """The output for a batch, in as many parts as memory requires."""
        parts: list[np.ndarray] = []
        done = 0
        while done < len(batch):
            part = batch[done : done + self.batch_size]
            try:
                outputs = self._network.predict_on_batch(part)
                parts.append(pack_outputs(outputs if isinstance(outputs, list) else [outputs], self._spec))
                done += len(part)
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
                if len(part) == 1:
                    raise UnavailableError(
                        f"{self.device} has too little memory for one image; use a smaller network or --device cpu."
                    ) from error
                self.batch_size = len(part) // 2
                log.warning("out of memory on %s: the batch size is now %d", self.device, self.batch_size)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _placed(self, device: Device) -> AbstractContextManager[Any]:
        """Place operations on the CPU; on a GPU nothing is needed, as the process sees only that one."""
        return self._keras.device("cpu:0") if device.kind == "cpu" and self.backend != "jax" else nullcontext()


def _is_out_of_memory(error: BaseException) -> bool:
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY)
