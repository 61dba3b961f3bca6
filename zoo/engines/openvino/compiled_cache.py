"""Compiled networks: an OpenVINO form on disk, made once for each network, weights, shape and version.

A compiled network is a folder in ``$ZOO_CACHE/compiled``: ``model.xml`` and ``model.bin``, ``about.json``
(what it was made from), and ``blobs/`` (what OpenVINO made of it for one processor and batch size).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.catalog import registry
from zoo.core import artifacts
from zoo.core.errors import UnavailableError, UsageError
from zoo.pretrained import digests, keras_file

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.pretrained.weights import Found

#: Raised whenever the way a network is compiled changes, so that older forms are not used.
FORMAT = 4

log = logging.getLogger(__name__)


def folder() -> Path:
    """The folder that holds all compiled networks."""
    return artifacts.root("compiled")


def ensure(spec: ModelSpec, weights: Found | None) -> Path:
    """The folder of the compiled form of a network; compiled now, in a process of its own, if it is not there.

    Args:
        spec: the network; its builder is importable or it is a file.
        weights: trained weights, ``None`` for a network in a file.

    Raises:
        UsageError: the network has no layer where its spec cuts it.
        UnavailableError: the network cannot be compiled, or the cache cannot be written.
    """
    about = _about(spec, weights)
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:20]
    target = folder() / f"{spec.name}-{key}"
    if (target / "about.json").is_file():
        return target

    log.info("compiling %s for this machine; this happens once", spec.name)
    started = time.perf_counter()
    try:
        with artifacts.making(target) as work:
            _compile(spec, weights, work)
            (work / "about.json").write_text(json.dumps(about, indent=1))
    except OSError as error:
        raise UnavailableError(
            f"{target} cannot be written ({error.strerror or error}); make room, or set ZOO_CACHE to another folder."
        ) from error
    log.debug("compiled %s in %.1f s", spec.name, time.perf_counter() - started)
    return target


def identity(spec: ModelSpec, weights: Found | None) -> dict[str, Any]:
    """Everything of a network that decides what it answers."""
    digest = digests.digest(weights.path) if weights else keras_file.fingerprint(spec.file) if spec.file else None
    return {
        "model": spec.name,
        "builder": str(spec.builder),
        "arguments": dict(spec.arguments),
        "preprocessing": spec.preprocessing.describe(),
        "input_size": list(spec.input_size),
        "classes": spec.classes,
        "weights_sha256": digest,
        "cut": asdict(spec.cut) if spec.cut else None,
    }


def _about(spec: ModelSpec, weights: Found | None) -> dict[str, Any]:
    """Everything that could change the compiled form."""
    versions = {name: version(name) for name in ("keras", "openvino")}
    return {**identity(spec, weights), "format": FORMAT, **versions}


def _compile(spec: ModelSpec, weights: Found | None, work: Path) -> None:
    """Run :mod:`zoo.engines.compile` in a process whose Keras has the backend that compiles fastest."""
    command = [sys.executable, "-m", "zoo.engines.compile", spec.file or registry.reference(spec), str(work)]
    if weights:
        command += ["--weights", str(weights.path)]
    if spec.cut:
        command += ["--cut", json.dumps(asdict(spec.cut))]
    environment = {**os.environ, "KERAS_BACKEND": "openvino", "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    # The child finds zoo where this process found it, also in a checkout that is not installed.
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    )
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode == 0:
        return
    log.debug("%s", done.stderr)
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    reason = lines[-1] if lines else f"the process ended with status {done.returncode}"
    if done.returncode == UsageError.exit_status:
        raise UsageError(reason)
    raise UnavailableError(f"{spec.name} cannot be compiled for openvino: {reason}; --engine keras may run it.")
