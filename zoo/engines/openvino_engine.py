"""The engine for CPUs: a compiled network, run by OpenVINO without any framework."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.engines import compiled
from zoo.errors import UnavailableError

if TYPE_CHECKING:
    from zoo.pretrained import Found
    from zoo.spec import ModelSpec

log = logging.getLogger(__name__)

#: Pictures in a batch when many come. A light network is quickest one by one, its data in the processor's cache;
#: a heavy one reads its weights from memory, which a few pictures can share (ResNet50: a tenth more a second).
BATCH_SIZE_LIGHT, BATCH_SIZE_HEAVY = 1, 4
#: Billions of multiply-accumulates from which a network is heavy.
HEAVY = 1.0


class OpenVinoEngine:
    """Runs a network on the CPU; see :class:`zoo.engines.base.Engine`."""

    name = "openvino"
    device = "cpu"

    def __init__(
        self, spec: ModelSpec, weights: Found | None, *, batch_size: int | None = None, single: bool = False
    ) -> None:
        """Load the compiled form, which is made first where it is not there.

        Args:
            spec: the network.
            weights: its weights; ``None`` for a network in a file.
            batch_size: pictures in a batch.
            single: only one picture will come.
        """
        self._spec = spec
        self._folder = compiled.ensure(spec, weights)
        usual = BATCH_SIZE_LIGHT if spec.gmacs and spec.gmacs < HEAVY else BATCH_SIZE_HEAVY
        self.batch_size = 1 if single else batch_size or usual
        self.single = single
        self._hint = "LATENCY" if single else "THROUGHPUT"
        self._network = self._load(self.batch_size)
        self._parallel = int(self._network.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the output of each batch in order; several batches are computed at a time.

        Requests are waited for in turn and have no callbacks: a callback runs in one of OpenVINO's threads and
        needs the interpreter, which the end of a queue may be holding.
        """
        # One more than run at a time, so that the processor has work while a result is being used.
        free = [self._network.create_infer_request() for _ in range(self._parallel + 1)]
        running: deque[tuple[Any, int]] = deque()

        def oldest() -> np.ndarray:
            request, count = running.popleft()
            request.wait()
            output: np.ndarray = request.get_output_tensor().data[:count].copy()
            free.append(request)
            return output

        try:
            for batch in batches:
                request = free.pop()
                request.start_async([self._full(batch)])
                running.append((request, len(batch)))
                if not free:
                    yield oldest()
            while running:
                yield oldest()
        finally:
            for request, _ in running:
                request.wait()

    def _full(self, batch: np.ndarray) -> np.ndarray:
        """The batch, filled up with black to the compiled size. The last batch of a run may be short."""
        missing = self.batch_size - len(batch)
        if not missing:
            return batch
        return np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)])

    def _load(self, batch_size: int) -> Any:
        """The network for one batch size: as this processor left it last time, else from its general form.

        What is kept is read through a memory map, which takes a hundred megabytes less for ResNet50 than
        OpenVINO's own cache folder does.
        """
        import openvino

        core = openvino.Core()
        processor = hashlib.sha256(core.get_property("CPU", "FULL_DEVICE_NAME").encode()).hexdigest()[:8]
        kept = self._folder / "blobs" / f"{self._hint.lower()}-{batch_size}-{processor}.blob"
        settings = {
            "PERFORMANCE_HINT": self._hint,
            # Newer processors would round to bfloat16 by themselves, and the two engines would disagree.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if kept.is_file():
            try:
                return core.import_model(openvino.Tensor(np.memmap(kept, "uint8", "r")), "CPU", settings)
            except (RuntimeError, ValueError, OSError) as error:
                log.debug("%s is of no use: %s", kept, error)
        height, width = self._spec.input_size
        try:
            graph = core.read_model(self._folder / "model.xml")
            graph.reshape([batch_size, height, width, 3])
            network = core.compile_model(graph, "CPU", settings)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise UnavailableError(
                f"OpenVINO cannot load {self._folder}: {reason}; 'zoo cache prune --compiled' has it made again."
            ) from error
        _keep(network, kept)
        return network


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
