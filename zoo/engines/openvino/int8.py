"""Networks in int8: quantised after training, calibrated and checked on a person's own images.

Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", 2018, by
NNCF's post-training quantisation, with the biases corrected (Nagel et al., "Data-free quantization through weight
equalization and bias correction", 2019). The result is a compiled network like those of :mod:`zoo.engines.compiled`,
in the same folder, with ``agreement.json`` beside it: how near it stays to its float32 form.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core import artifacts
from zoo.core.errors import GateError, UnavailableError, UsageError
from zoo.core.spec import Cut
from zoo.engines import compiled, openvino_runtime
from zoo.engines.agreement import Agreement, compare
from zoo.engines.openvino_engine import OpenVinoEngine
from zoo.engines.quantize import WHOLE

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.pretrained.weights import Found

#: Raised whenever networks are quantised in another way.
FORMAT = 1

#: Images that are enough: to calibrate, and beside them to check.
CALIBRATION, CHECK = 128, 64
IMAGES = CALIBRATION + CHECK
#: Fewer different images say too little. A third of what there is checks.
LEAST = 30

#: The mean cosine similarity that is asked for without another bar.
BAR = 0.99

#: Ways to quantise, the fastest first: how each is said, and settings of :func:`zoo.engines.quantize.quantize`.
#: Depthwise convolutions suffer most from int8 and gain least: without them MobileNetV2 comes from 0.991 to 0.995, and
#: from three times the speed of float32 to twice. Sums and the first convolution cost residual networks 0.002. Where
#: everything is in int8, correcting the biases layer by layer (not "fast") brings MobileNetV2 from 0.979 to 0.991.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("in int8", {"preset": "performance", "fast_bias_correction": False, "float32": []}),
    "part": (
        "in int8 (its sums, its first and its depthwise convolutions in float32)",
        {"preset": "performance", "fast_bias_correction": True, "float32": ["first", "depthwise", "sums"]},
    ),
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Quantized:
    """A network in int8. ``folder`` goes to :func:`zoo.engines.start`; ``calibration`` to :func:`find`."""

    folder: Path
    calibration: str
    agreement: Agreement


def ensure(
    spec: ModelSpec,
    weights: Found | None,
    images: Iterable[np.ndarray],
    *,
    bar: float = BAR,
    top1_bar: float | None = None,
) -> Quantized:
    """The int8 form of a network; made now, in a process of its own, if it is not there for these images.

    Args:
        spec: the network, perhaps cut; its builder is importable or it is a file.
        weights: trained weights, ``None`` for a network in a file.
        images: some of those that it will be used on, drawn by chance, such as :func:`zoo.inference.sampling.sample` gives:
            uint8 (height, width, 3) each, or one array (n, height, width, 3). Their order does not matter, equal ones
            count once, and those beyond :data:`IMAGES` are not used. Those that check never calibrate.
        bar: the least mean cosine similarity of its features to those of float32. The fastest of :data:`WAYS` that
            reaches it is taken.
        top1_bar: the least share of images that both put into the same class.

    Raises:
        GateError: it does not reach a bar in any way.
        UsageError: there are too few images, the network has no such layer, or no classes for ``top1_bar``.
        UnavailableError: NNCF is not installed, the network cannot be quantised, or the cache cannot be written.
    """
    if importlib.util.find_spec("nncf") is None:
        raise UnavailableError(
            "--precision int8 needs nncf, which is not installed; pip install 'keras-zoo[int8]' brings it."
        )
    calibrating, checking = _divide(spec, images)
    digest = hashlib.sha256(b"".join(_digest(image) for image in (*calibrating, *checking))).hexdigest()[:20]
    tried: list[tuple[Agreement, str]] = []
    for way, (words, _) in WAYS.items():
        calibration = f"{digest}-{way}"
        found = find(spec, weights, calibration) or _add(spec, weights, calibration, calibrating, checking)
        agreement = found.agreement
        log.info("%s %s: %s", spec.name, words, agreement.describe())
        if top1_bar is not None and agreement.top1 is None:
            raise UsageError(f"{spec.name} has no classes here, so its int8 form cannot be asked to agree about them.")
        if agreement.cosine >= bar and (top1_bar is None or (agreement.top1 or 0.0) >= top1_bar):
            return found
        tried.append((agreement, words))
    nearest, words = max(tried, key=lambda pair: pair[0].cosine)
    asked = f"a mean cosine similarity of {bar:g}"
    if top1_bar is not None:
        asked += f" and the same class for {top1_bar:.1%}"
    raise GateError(
        f"{spec.name} {words} does not reach {asked}: {nearest.describe()}; use --precision float32, or state a lower "
        "bar."
    )


def find(spec: ModelSpec, weights: Found | None, calibration: str) -> Quantized | None:
    """The int8 form that :func:`ensure` once gave, by its ``calibration``, where it is in the cache."""
    if calibration.rpartition("-")[2] not in WAYS:
        return None
    target, _ = _target(spec, weights, calibration)
    try:
        agreement = Agreement(**json.loads((target / "agreement.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return Quantized(target, calibration, agreement)


def _target(spec: ModelSpec, weights: Found | None, calibration: str) -> tuple[Path, dict[str, Any]]:
    """Where an int8 form is kept, and everything that could change it."""
    openvino = openvino_runtime.load()

    about = {
        **compiled.identity(spec, weights),
        "precision": "int8",
        "calibration": calibration,
        "settings": WAYS[calibration.rpartition("-")[2]][1],
        # Processors without instructions for int8 saturate where others do not: each checks for itself.
        "processor": openvino.Core().get_property("CPU", "FULL_DEVICE_NAME"),
        "format": [compiled.FORMAT, FORMAT],
        **{name: version(name) for name in ("keras", "openvino", "nncf")},
    }
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:20]
    return compiled.folder() / f"{spec.name}-{key}", about


def _add(
    spec: ModelSpec,
    weights: Found | None,
    calibration: str,
    calibrating: list[np.ndarray],
    checking: list[np.ndarray],
) -> Quantized:
    """Make an int8 form, whatever it is worth, and keep it."""
    target, about = _target(spec, weights, calibration)
    log.info("quantising %s with %d of the images; this happens once for them", spec.name, len(calibrating))
    try:
        with artifacts.making(target) as work:
            agreement = _make(spec, weights, calibrating, checking, about["settings"], work)
            (work / "agreement.json").write_text(json.dumps(asdict(agreement), indent=1))
            (work / "about.json").write_text(json.dumps(about, indent=1))
    except OSError as error:
        raise UnavailableError(
            f"{target} cannot be written ({error.strerror or error}); make room, or set ZOO_CACHE elsewhere."
        ) from error
    return Quantized(target, calibration, agreement)


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


def _divide(spec: ModelSpec, images: Iterable[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Images to calibrate and images to check, none of which are equal.

    They are put in the order of their digests, which is as good as chance and the same every time.
    """
    different = {_digest(image): image for image in images}
    if len(different) < LEAST:
        raise UsageError(
            f"--precision int8 calibrates {spec.name} on images and checks it on others, for which it takes at least "
            f"{LEAST} different ones that can be read, and here are {len(different)}; use --precision float32."
        )
    ordered = [different[digest] for digest in sorted(different)][:IMAGES]
    checking = len(ordered) * CHECK // IMAGES
    return ordered[checking:], ordered[:checking]


def _make(
    spec: ModelSpec,
    weights: Found | None,
    calibrating: list[np.ndarray],
    checking: list[np.ndarray],
    settings: dict[str, Any],
    work: Path,
) -> Agreement:
    """Fill a folder with the int8 form, and say how near it is."""
    whole, reference = _whole(spec, weights)
    images = work / "pictures.npy"
    np.save(images, np.stack(calibrating))
    wanted = spec.cut.fields if spec.cut else ("probabilities",)
    fields = whole.cut.fields if whole.cut else wanted
    keep = [fields.index(name) for name in wanted]
    _quantize(spec, reference, images, work, settings, keep)
    agreement = compare(
        _run(OpenVinoEngine(whole, weights, folder=reference), checking),
        _run(OpenVinoEngine(whole, weights, folder=work / WHOLE), checking),
        calibrated=len(calibrating),
    )
    images.unlink()
    shutil.rmtree(work / WHOLE)
    return agreement


def _whole(spec: ModelSpec, weights: Found | None) -> tuple[ModelSpec, Path]:
    """The network with features and, where it classifies, probabilities, by which it is judged; its float32 form."""
    cut = spec.cut or Cut(top=True)
    if weights is None or weights.has_top:
        try:
            whole = replace(spec, cut=replace(cut, probabilities=True))
            return whole, compiled.ensure(whole, weights)
        except UsageError as error:
            log.debug("%s", error)
    return spec, compiled.ensure(spec, weights)


def _run(engine: OpenVinoEngine, images: list[np.ndarray]) -> np.ndarray:
    size = engine.batch_size
    batches = (np.stack(images[start : start + size]) for start in range(0, len(images), size))
    return np.concatenate(list(engine.run(batches)))


def _quantize(
    spec: ModelSpec, reference: Path, images: Path, work: Path, settings: dict[str, Any], keep: list[int]
) -> None:
    """Run :mod:`zoo.engines.quantize`, of which nothing reaches the terminal."""
    command = [sys.executable, "-m", "zoo.engines.quantize", str(reference), str(images), str(work)]
    command += [json.dumps(settings), "--keep", *map(str, keep)]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    # The child finds zoo where this process found it, also in a checkout that is not installed.
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")])
    )
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        log.debug("%s", done.stderr)
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"the process ended with status {done.returncode}"
        raise UnavailableError(f"{spec.name} cannot be quantised: {reason}; use --precision float32.")
