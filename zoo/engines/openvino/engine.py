"""The engine for CPUs: a compiled network, run by OpenVINO without any framework."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core import atomic
from zoo.core.errors import UnavailableError
from zoo.engines.base import Options, pack_outputs
from zoo.engines.openvino import batch_tuning, compiled_cache, runtime

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.engines.devices import Device
    from zoo.pretrained.weights import LocalWeights

log = logging.getLogger(__name__)

#: Batch sizes where nothing was measured. A light network is mostly fastest one by one, its data in the processor's
#: cache; a heavy one reads its weights from memory, which a few images can share.
BATCH_SIZE_LIGHT, BATCH_SIZE_HEAVY = 1, 4
#: Billions of multiply-accumulates from which a network is heavy.
HEAVY = 1.0


class OpenVinoEngine:
    """Runs a network on the CPU; see :class:`zoo.engines.base.Engine`."""

    name = "openvino"
    device = "cpu"
    compile = staticmethod(compiled_cache.ensure)

    def __init__(self, spec: ModelSpec, weights: LocalWeights | None, device: Device | None, options: Options) -> None:
        """Load the compiled form, which is made first if it does not exist. The device is always the CPU."""
        openvino = runtime.load()

        self._spec = spec
        self._folder = options.folder or compiled_cache.ensure(spec, weights)
        self._core = openvino.Core()
        self.single = options.single
        threads = options.threads
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if self.single else "THROUGHPUT",
            # Newer processors would round to bfloat16 by themselves, and the engines would disagree.
            "INFERENCE_PRECISION_HINT": "f32",
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        #: What the blob and the batch size depend on besides the network.
        self._machine = hashlib.sha256(processor.encode()).hexdigest()[:8] + (f"-{threads}" if threads else "")
        batch_size = 1 if self.single else options.batch_size or self._usual_batch_size(options)
        self._use(self._load(batch_size), batch_size)

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the output of each batch in order; several batches are computed at a time.

        Requests are waited for in turn and have no callbacks: a callback runs in one of OpenVINO's threads and
        needs the interpreter, which the end of a queue may be holding.
        """
        openvino = runtime.load()

        # One more than run at a time, so that the processor has work while a result is being used.
        free = [self._network.create_infer_request() for _ in range(self._parallel + 1)]
        running: deque[tuple[Any, np.ndarray, int]] = deque()

        def oldest() -> np.ndarray:
            request, _, count = running.popleft()
            request.wait()
            output = pack_outputs([tensor.data[:count] for tensor in request.output_tensors], self._spec)
            free.append(request)
            return output

        try:
            for batch in batches:
                request = free.pop()
                # The last batch of a run may be short: it is filled up to the compiled size.
                padding = [(0, self.batch_size - len(batch)), (0, 0), (0, 0), (0, 0)]
                whole = batch if len(batch) == self.batch_size else np.pad(batch, padding)
                # The request reads the array where it is.
                request.set_input_tensor(openvino.Tensor(whole, shared_memory=True))
                request.start_async()
                running.append((request, whole, len(batch)))
                if not free:
                    yield oldest()
            while running:
                yield oldest()
        finally:
            for request, _, _ in running:
                request.wait()

    def _usual_batch_size(self, options: Options) -> int:
        """The batch size that was measured, now if that is worthwhile, else one by the size of the network."""
        file = self._folder / "blobs" / f"batch-size-{self._machine}.json"
        found = batch_tuning.known(file)
        needed = batch_tuning.images_needed(self._spec.gmacs)
        if found is None and options.at_least is not None and options.at_least(needed):
            found = batch_tuning.find(file, self._with_batch_size, self._spec.input_size)
        light = self._spec.gmacs and self._spec.gmacs < HEAVY
        return found or (BATCH_SIZE_LIGHT if light else BATCH_SIZE_HEAVY)

    def _use(self, network: Any, batch_size: int) -> None:
        self._network, self.batch_size = network, batch_size
        self._parallel = int(network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def _with_batch_size(self, batch_size: int) -> OpenVinoEngine:
        """This engine with another batch size, of which no blob is kept."""
        self._use(self._compile(batch_size), batch_size)
        return self

    def _load(self, batch_size: int) -> Any:
        """The network for one batch size: from its blob for this processor, else from the IR.

        A blob is read through a memory map, which takes a hundred megabytes less for ResNet50 than OpenVINO's own cache
        folder does.
        """
        hint = self._settings["PERFORMANCE_HINT"].lower()
        file = self._folder / "blobs" / f"{hint}-{batch_size}-{self._machine}.blob"
        if file.is_file():
            try:
                blob = runtime.load().Tensor(np.memmap(file, "uint8", "r"))
                return self._core.import_model(blob, "CPU", self._settings)
            except (RuntimeError, ValueError, OSError) as error:
                log.debug("%s cannot be used: %s", file, error)
        network = self._compile(batch_size)
        _write_blob(network, file)
        return network

    def _compile(self, batch_size: int) -> Any:
        """The network for one batch size, from the IR."""
        height, width = self._spec.input_size
        try:
            graph = self._core.read_model(self._folder / "model.xml")
            graph.reshape([batch_size, height, width, 3])
            return self._core.compile_model(graph, "CPU", self._settings)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UnavailableError(
                f"OpenVINO cannot load {self._folder}: {reason}; 'zoo cache prune --compiled' has it made again."
            ) from error


def _write_blob(network: Any, target: Path) -> None:
    """Keep a network as compiled for this processor; a cache that cannot be written costs only time."""
    try:
        target.parent.mkdir(exist_ok=True)
        atomic.write(target, network.export_model().getbuffer())
    except OSError as error:
        log.debug("%s cannot be written: %s", target, error)
