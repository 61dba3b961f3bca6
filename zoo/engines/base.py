"""The protocol of an engine, how one is started, and its row in the table of engines."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from zoo.core.spec import ModelSpec
    from zoo.engines.devices import Device


class Engine(Protocol):
    """Runs one network on one device."""

    #: Its name in :data:`zoo.engines.registry.ENGINES`.
    name: str
    #: The device it runs on, e.g. ``"cpu"`` or ``"gpu:0"``.
    device: str
    #: Whether it was started for the latency of one image, and would be slow on many.
    single: bool

    @property
    def batch_size(self) -> int:
        """Images in one batch."""
        ...

    def run(self, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the network's output for each batch, in order.

        Args:
            batches: uint8 arrays (n, height, width, 3), raw RGB, ``1 <= n <= batch_size``. The next batch is
                requested while earlier ones are still being computed.

        Yields:
            float32 arrays whose first axis is ``n``; for a network with several outputs (:class:`zoo.core.spec.Cut`),
            structured arrays (n,) with a float32 field for each.
        """
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How an engine runs a network; engines ignore what does not apply to them.

    Attributes:
        batch_size: images in one batch; chosen by the engine if omitted.
        single: only one image will come, so latency matters and not throughput.
        at_least: says whether at least so many images will come, where they may be enough to measure the fastest batch
            size first. Called only if an engine can measure, has not measured before, and no batch size is given.
        folder: a compiled form to run instead of the network's own, e.g. its int8 form.
        threads: compute threads; one per processor if omitted.
    """

    batch_size: int | None = None
    single: bool = False
    at_least: Callable[[int], bool] | None = None
    folder: Path | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class EngineType:
    """A row of the table of engines. Modules are named, not imported, so that help and errors cost nothing.

    Attributes:
        name: the value of ``--engine``.
        help: a few words for ``--help``.
        implementation: ``"module:class"``, called with (spec, weights, device, :class:`Options`). With ``compiles``
            it also has a static method ``compile(spec, weights)``.
        package: what must be installed.
        devices: kinds of devices it runs on.
        compiles: whether the network is compiled in another process once, kept on disk, and runs without Keras.
        latency_mode: whether ``Options.single`` makes a difference.
        int8: the module that quantises networks for it (see :mod:`zoo.engines.openvino.int8`), if any.
    """

    name: str
    help: str
    implementation: str
    package: str
    devices: tuple[str, ...]
    compiles: bool = False
    latency_mode: bool = False
    int8: str | None = None

    @property
    def installed(self) -> bool:
        """Whether its package can be imported."""
        return importlib.util.find_spec(self.package) is not None

    def load(self) -> Any:
        """Import the class that implements it."""
        module, _, name = self.implementation.partition(":")
        return getattr(importlib.import_module(module), name)

    def refusal(self, spec: ModelSpec, device: Device) -> str | None:
        """Why it cannot run a network on a device, as a sentence without its end; ``None`` if it can."""
        if device.kind not in self.devices:
            kinds = " and ".join(kind.upper() for kind in self.devices)
            return f"--engine {self.name} runs on {kinds}, not on {device.name}"
        if self.compiles and not isinstance(spec.builder, str):
            # A function that lives in this process cannot be called in the one that compiles.
            return f"{spec.name} was registered by a function of this process, which {self.name} cannot compile"
        return None


def pack_outputs(outputs: Sequence[np.ndarray], spec: ModelSpec) -> np.ndarray:
    """Copy the outputs of a network for one batch into the array that an engine yields."""
    import numpy as np

    if spec.cut is None or len(spec.cut.fields) == 1:
        return np.array(outputs[0], "float32")
    kinds = [(name, "float32", output.shape[1:]) for name, output in zip(spec.cut.fields, outputs, strict=True)]
    rows = np.empty(len(outputs[0]), kinds)
    for name, output in zip(spec.cut.fields, outputs, strict=True):
        rows[name] = output
    return rows
