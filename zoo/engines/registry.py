"""The table of engines, and what is derived from it: which one runs a network on a device, and starting it.

To add an engine, write a module with a class like :class:`zoo.engines.base.Engine` and add a row here.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from zoo.core.errors import UnavailableError, UsageError
from zoo.engines.base import Engine, EngineType, Options

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.engines.devices import Device
    from zoo.pretrained.weights import LocalWeights

log = logging.getLogger(__name__)

#: Engines by name; ``auto`` takes the first that is installed and runs the network on the device.
ENGINES: dict[str, EngineType] = {
    row.name: row
    for row in (
        EngineType(
            name="openvino",
            help="compiled once, for CPUs",
            implementation="zoo.engines.openvino.engine:OpenVinoEngine",
            package="openvino",
            devices=("cpu",),
            compiles=True,
            latency_mode=True,
            int8="zoo.engines.openvino.int8",
        ),
        EngineType(
            name="keras",
            help="any Keras backend, on CPUs and GPUs",
            implementation="zoo.engines.keras_engine:KerasEngine",
            package="keras",
            devices=("cpu", "gpu"),
        ),
    )
}

#: Values of ``--engine``.
CHOICES = ("auto", *sorted(ENGINES))


def usable(spec: ModelSpec, device: Device) -> list[EngineType]:
    """The installed engines that can run a network on a device, the preferred one first."""
    return [row for row in ENGINES.values() if row.installed and row.refusal(spec, device) is None]


def device_rows(request: str) -> list[dict[str, Any]]:
    """Rows of ``zoo devices``: each device (:func:`zoo.engines.devices.survey`) with the installed engines for it."""
    from zoo.engines import devices

    return [
        {
            **asdict(device),
            "engines": [row.name for row in ENGINES.values() if device.kind in row.devices and row.installed],
        }
        for device in devices.survey(request)
    ]


def choose(request: str, spec: ModelSpec, device: Device) -> EngineType:
    """The engine that ``request`` (``"auto"`` or a name) means for a network on a device."""
    if request not in CHOICES:
        raise UsageError(f"Expected --engine {', '.join(CHOICES)}. Received: {request}")
    fitting = usable(spec, device)
    if request == "auto":
        if not fitting:
            raise UnavailableError(f"No engine for {device.name} is installed; 'pip install keras' installs one.")
        return fitting[0]
    refusal = ENGINES[request].refusal(spec, device)
    if refusal:
        raise UsageError(f"{refusal}; use --engine {fitting[0].name if fitting else 'auto'}.")
    return ENGINES[request]


def start(
    spec: ModelSpec,
    weights: LocalWeights | None,
    device: Device,
    *,
    engine: str = "auto",
    **options: Any,
) -> Engine:
    """Start an engine."""
    chosen = choose(engine, spec, device)
    settings = Options(**options)
    if settings.folder and not chosen.compiles:
        raise UsageError(f"--engine {chosen.name} runs no compiled network; use --engine auto.")
    candidates = [chosen] if engine != "auto" or settings.folder else usable(spec, device)
    running: Engine
    for row, following in zip(candidates, [*candidates[1:], None], strict=True):
        if not row.installed:
            raise UnavailableError(f"The engine {row.name} is not installed; 'pip install {row.package}' installs it.")
        try:
            running = row.load()(spec, weights, device, settings)
            break
        except UnavailableError as error:
            if following is None:
                raise
            log.warning("%s The engine %s runs it instead.", error, following.name)
    if spec.mirror and (spec.cut is None or spec.cut.probabilities):
        from zoo.engines import tta

        running = tta.Augmented(running, tta.flipped, 2)
    return running


def compile_ahead(spec: ModelSpec, weights: LocalWeights | None, device: Device, *, engine: str = "auto") -> None:
    """Compile a network now, where the engine that will run it keeps compiled networks on disk.

    A network that does not compile is a warning in the log if ``engine`` is ``"auto"``.
    """
    chosen = choose(engine, spec, device)
    if not chosen.compiles:
        return
    try:
        chosen.load().compile(spec, weights)
    except UnavailableError as error:
        if engine != "auto":
            raise
        log.warning("%s Another engine runs it instead.", error)
