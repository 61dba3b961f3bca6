"""Engines run a network on batches of images.

``openvino`` runs on the CPU from a form that was compiled once and needs no framework; ``keras`` runs on
any Keras backend and on GPUs. Both give the same probabilities to 1e-4.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from zoo.core.errors import UnavailableError, UsageError
from zoo.engines.base import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from zoo.core.spec import ModelSpec
    from zoo.engines.devices import Device
    from zoo.pretrained.weights import Found

__all__ = ["ENGINES", "Engine", "choose", "start"]

ENGINES = ("auto", "keras", "openvino")

log = logging.getLogger(__name__)


def choose(request: str, spec: ModelSpec, device: Device) -> str:
    """The engine that ``request`` means for this network on this device: ``"openvino"`` or ``"keras"``.

    Raises:
        UsageError: no such engine, or one that cannot run where it was asked to.
    """
    if request not in ENGINES:
        raise UsageError(f"--engine takes {', '.join(ENGINES)}. Received: {request}")
    # A function that lives in this process cannot be compiled in another one.
    importable = isinstance(spec.builder, str)
    if request == "auto":
        there = importlib.util.find_spec("openvino") is not None
        return "openvino" if device.kind == "cpu" and importable and there else "keras"
    if request == "openvino":
        if device.kind != "cpu":
            raise UsageError(f"--engine openvino runs on the CPU, not on {device.name}; use --engine keras.")
        if not importable:
            raise UsageError(
                f"{spec.name} was registered by a function of this process, which openvino cannot compile; "
                "use --engine keras."
            )
    return request


def start(
    spec: ModelSpec,
    weights: Found | None,
    device: Device,
    *,
    engine: str = "auto",
    batch_size: int | None = None,
    single: bool = False,
    many: Callable[[], bool] | None = None,
    folder: Path | None = None,
    threads: int | None = None,
) -> Engine:
    """An engine ready to run.

    Args:
        spec: the network.
        weights: its weights as :func:`zoo.pretrained.weights.fetch` gives them; ``None`` for a network in a file.
        device: where to run, from :func:`zoo.engines.devices.select`.
        engine: ``"auto"``, ``"keras"`` or ``"openvino"``. What does not compile runs in Keras with ``"auto"``, and a
            warning in the log says so.
        batch_size: images in one batch; the engine's own choice without.
        single: only one image will come, so latency counts and not throughput.
        many: says whether so many will come (:func:`zoo.engines.batching.enough`) that it pays to find out which batch
            size is fastest here: a few seconds, once for each compiled network and processor. It is asked only where
            openvino runs, nothing was measured yet, and no size is stated.
        folder: another compiled form of the network, which openvino runs; the one of its float32 weights without.
        threads: that compute, in openvino; one for each processor without.

    Raises:
        UsageError: the engine does not run there.
        UnavailableError: the engine or its backend is not installed, or the network does not compile.
    """
    engine = engine if folder is None else "openvino"
    chosen = choose(engine, spec, device)
    running: Engine | None = None
    if chosen == "openvino":
        if importlib.util.find_spec("openvino") is None:
            raise UnavailableError("The engine openvino is not installed; 'pip install openvino' brings it.")
        from zoo.engines import openvino_engine

        try:
            running = openvino_engine.OpenVinoEngine(
                spec, weights, batch_size=batch_size, single=single, many=many, folder=folder, threads=threads
            )
        except UnavailableError as error:
            if engine != "auto":
                raise
            log.warning("%s Keras runs it now, which is slower to start.", error)
    if running is None:
        from zoo.engines import keras_engine

        running = keras_engine.KerasEngine(spec, weights, device, batch_size=batch_size)
    if spec.mirror and (spec.cut is None or spec.cut.probabilities):
        from zoo.engines.mirrored import Mirrored

        return Mirrored(running)
    return running
