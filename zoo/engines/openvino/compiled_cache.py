"""Compiled networks on disk, made once for each network, weights, versions, and code that makes them.

Each is a folder in ``$ZOO_CACHE/compiled``: ``model.xml`` and ``model.bin`` (OpenVINO's IR), ``about.json`` (what it
was made from), and ``blobs/`` (what OpenVINO made of it for one processor and batch size).
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import registry
from zoo.core import artifacts
from zoo.engines.child_process import run_module
from zoo.engines.network_key import code_values, network_values

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.pretrained.weights import LocalWeights

log = logging.getLogger(__name__)


def folder() -> Path:
    """The folder that holds all compiled networks."""
    return artifacts.root("compiled")


def ensure(spec: ModelSpec, weights: LocalWeights | None) -> Path:
    """The folder of a compiled network; compiled now, in a process of its own, if it does not exist."""
    about = describe(spec, weights)
    target = folder() / f"{spec.name}-{artifacts.digest(about)}"
    if not (target / "about.json").is_file():
        log.info("compiling %s for this machine; this happens once", spec.name)
        started = time.perf_counter()
        with artifacts.create(target, about) as work:
            _compile(spec, weights, work)
        log.debug("compiled %s in %.1f s", spec.name, time.perf_counter() - started)
    return target


def describe(spec: ModelSpec, weights: LocalWeights | None, *packages: str) -> dict[str, Any]:
    """Everything that could change a compiled network: its values, zoo's code, and versions of packages."""
    versions = {name: version(name) for name in ("keras", "openvino", *packages)}
    return {**network_values(spec, weights), **code_values(spec, "zoo.engines.openvino"), **versions}


def _compile(spec: ModelSpec, weights: LocalWeights | None, work: Path) -> None:
    """Run :mod:`zoo.engines.openvino.convert` in a process whose Keras has the backend that compiles fastest."""
    run_module(
        "zoo.engines.openvino.convert",
        {
            "model": spec.file or registry.reference(spec),
            "folder": str(work),
            "weights": str(weights.path) if weights else None,
            "cut": asdict(spec.cut) if spec.cut else None,
        },
        failure=f"{spec.name} cannot be compiled for openvino",
        remedy="--engine keras may run it",
        environment={"KERAS_BACKEND": "openvino", "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
