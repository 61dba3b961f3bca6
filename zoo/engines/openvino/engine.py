"""The engine for CPUs: a compiled network, run by OpenVINO without any framework."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UnavailableError
from zoo.engines import batching, compiled, openvino_runtime
from zoo.engines.base import together

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.pretrained.weights import Found

log = logging.getLogger(__name__)

#: Images in a batch where nothing was measured. A light network is mostly quickest one by one, its data in the
#: processor's cache; a heavy one reads its weights from memory, which a few images can share.
BATCH_SIZE_LIGHT, BATCH_SIZE_HEAVY = 1, 4
#: Billions of multiply-accumulates from which a network is heavy.
HEAVY = 1.0


class OpenVinoEngine:
    """Runs a network on the CPU; see :class:`zoo.engines.base.Engine`."""

    name = "openvino"
    device = "cpu"

    def __init__(
        self,
        spec: ModelSpec,
        weights: Found | None,
        *,
        batch_size: int | None = None,
        single: bool = False,
        many: Callable[[], bool] | None = None,
        folder: Path | None = None,
        threads: int | None = None,
    ) -> None:
        """Load the compiled form, which is made first where it is not there.

        Args:
            spec: the network.
            weights: its weights; ``None`` for a network in a file.
            batch_size: images in a batch; without, what was found to be fastest here, or else what mostly is.
            single: only one image will come.
            many: says whether so many images will come that it pays to find the batch size, which takes a few
                seconds, once; asked only where it was not found before.
            folder: another compiled form of the network, with the same outputs.
            threads: that compute; one for each processor without.
        """
        openvino = openvino_runtime.load()

        self._spec = spec
        self._folder = folder or compiled.ensure(spec, weights)
        self._core = openvino.Core()
        self.single = single
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if single else "THROUGHPUT",
            # Newer processors would round to bfloat16 by themselves, and the two engines would disagree.
            "INFERENCE_PRECISION_HINT": "f32",
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        processor = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        #: What decides the kept form and the batch size beside the network.
        self._place = hashlib.sha256(processor.encode()).hexdigest()[:8] + (f"-{threads}" if threads else "")
        if single:
            batch_size = 1
        elif batch_size is None:
            file = self._folder / "blobs" / f"batch-size-{self._place}.json"
            found = batching.known(file)
            if found is None and many is not None and many():
                found = batching.find(file, self._compiled_for, spec.input_size)
            batch_size = found or (BATCH_SIZE_LIGHT if spec.gmacs and spec.gmacs < HEAVY else BATCH_SIZE_HEAVY)
        self._use(self._load(batch_size), batch_size)

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the output of each batch in order; several batches are computed at a time.

        Requests are waited for in turn and have no callbacks: a callback runs in one of OpenVINO's threads and
        needs the interpreter, which the end of a queue may be holding.
        """
        openvino = openvino_runtime.load()

        # One more than run at a time, so that the processor has work while a result is being used.
        free = [self._network.create_infer_request() for _ in range(self._parallel + 1)]
        running: deque[tuple[Any, np.ndarray, int]] = deque()

        def oldest() -> np.ndarray:
            request, _, count = running.popleft()
            request.wait()
            output = together([tensor.data[:count] for tensor in request.output_tensors], self._spec)
            free.append(request)
            return output

        try:
            for batch in batches:
                request = free.pop()
                whole = self._full(batch)
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

    def _full(self, batch: np.ndarray) -> np.ndarray:
        """The batch, filled up with black to the compiled size. The last batch of a run may be short."""
        missing = self.batch_size - len(batch)
        if not missing:
            return batch
        return np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)])

    def _use(self, network: Any, batch_size: int) -> None:
        self._network, self.batch_size = network, batch_size
        self._parallel = int(network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def _compiled_for(self, batch_size: int) -> OpenVinoEngine:
        """This engine with another batch size, of which nothing is kept."""
        self._use(self._compile(batch_size), batch_size)
        return self

    def _load(self, batch_size: int) -> Any:
        """The network for one batch size: as this processor left it last time, else from its general form.

        What is kept is read through a memory map, which takes a hundred megabytes less for ResNet50 than
        OpenVINO's own cache folder does.
        """
        openvino = openvino_runtime.load()

        hint = self._settings["PERFORMANCE_HINT"].lower()
        kept = self._folder / "blobs" / f"{hint}-{batch_size}-{self._place}.blob"
        if kept.is_file():
            try:
                blob = openvino.Tensor(np.memmap(kept, "uint8", "r"))
                return self._core.import_model(blob, "CPU", self._settings)
            except (RuntimeError, ValueError, OSError) as error:
                log.debug("%s is of no use: %s", kept, error)
        network = self._compile(batch_size)
        _keep(network, kept)
        return network

    def _compile(self, batch_size: int) -> Any:
        """The network for one batch size, from its general form."""
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


def _keep(network: Any, target: Path) -> None:
    """Write what was made of a network for this processor; a cache that cannot be written costs only time."""
    try:
        target.parent.mkdir(exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(network.export_model().getbuffer())
            Path(temporary).replace(target)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        log.debug("%s cannot be written: %s", target, error)
