"""Networks in int8: quantised after training, calibrated and checked on a user's own images.

Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only inference", 2018, by
NNCF's post-training quantisation, with bias correction (Nagel et al., "Data-free quantization through weight
equalization and bias correction", 2019). The result is a compiled network as in :mod:`.compiled_cache`, with
``agreement.json`` beside it: how closely it agrees with its float32 form.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import json
import logging
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core import artifacts
from zoo.core.errors import GateError, UnavailableError, UsageError
from zoo.core.spec import Cut
from zoo.engines.agreement import Agreement, compare
from zoo.engines.base import Options
from zoo.engines.child_process import run_module
from zoo.engines.network_key import is_of_network
from zoo.engines.openvino import compiled_cache, runtime
from zoo.engines.openvino.engine import OpenVinoEngine
from zoo.engines.openvino.nncf_quantize import WHOLE

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec
    from zoo.pretrained.weights import LocalWeights

#: Images for calibration, and others for the check.
CALIBRATION, CHECK = 128, 64
IMAGES = CALIBRATION + CHECK
#: Different images that are needed at least. A third of all is for the check.
LEAST = 30

#: The mean cosine similarity that is required by default.
MIN_COSINE = 0.99

#: Ways to quantise, the fastest first: their names in messages, and settings of
#: :func:`~zoo.engines.openvino.nncf_quantize.quantize`. Depthwise convolutions suffer most from int8: without them
#: MobileNetV2 rises from 0.991 to 0.995, and is twice instead of three times as fast as in float32. Sums and the first
#: convolution cost residual networks 0.002. If everything is in int8, correcting the biases layer by layer (not
#: "fast") raises MobileNetV2 from 0.979 to 0.991.
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
    """A network in int8: its folder for :func:`zoo.engines.start`, and ``calibration`` for :func:`find`."""

    folder: Path
    calibration: str
    agreement: Agreement


def ensure(
    spec: ModelSpec,
    weights: LocalWeights | None,
    images: Iterable[np.ndarray],
    *,
    min_cosine: float = MIN_COSINE,
    min_agreement: float | None = None,
) -> Quantized:
    """The int8 form of a network for a sample of uint8 images; made now, in a process of its own, if there is none.

    It is the fastest of :data:`WAYS` whose agreement on images that did not calibrate it is sufficient.
    """
    if importlib.util.find_spec("nncf") is None:
        raise UnavailableError(
            "--precision int8 needs nncf, which is not installed; 'pip install keras-zoo[int8]' installs it."
        )
    calibrating, checking = _split(spec, images)
    digest = hashlib.sha256(b"".join(_digest(image) for image in (*calibrating, *checking))).hexdigest()[:20]
    tried: list[tuple[Agreement, str]] = []
    for way, (words, _) in WAYS.items():
        found = _make(spec, weights, f"{digest}-{way}", calibrating, checking)
        agreement = found.agreement
        log.info("%s %s: %s", spec.name, words, agreement.describe())
        if min_agreement is not None and agreement.top1 is None:
            raise UsageError(f"--min-agreement needs class probabilities, which {spec.name} does not give here.")
        if agreement.cosine >= min_cosine and (min_agreement is None or (agreement.top1 or 0.0) >= min_agreement):
            return found
        tried.append((agreement, words))
    nearest, words = max(tried, key=lambda pair: pair[0].cosine)
    required = f"a mean cosine similarity of {min_cosine:g}"
    if min_agreement is not None:
        required += f" and the same class for {min_agreement:.1%}"
    raise GateError(
        f"{spec.name} {words} does not reach {required}: {nearest.describe()}; use --precision float32, or lower "
        "--min-cosine or --min-agreement."
    )


def find(spec: ModelSpec, weights: LocalWeights | None, calibration: str) -> Quantized | None:
    """The newest int8 form with this ``calibration`` for this processor in the cache, made by any version of zoo."""
    files = compiled_cache.folder().glob(f"{glob.escape(spec.name)}-*/agreement.json")
    for file in sorted(files, key=lambda file: file.stat().st_mtime, reverse=True):
        try:
            about = json.loads((file.parent / "about.json").read_text(encoding="utf-8"))
            found = _read(file.parent, calibration)
        except (OSError, ValueError, TypeError):
            continue
        here = about.get("calibration") == calibration and about.get("processor") == _processor()
        if here and is_of_network(about, spec, weights):
            return found
    return None


def _read(folder: Path, calibration: str) -> Quantized:
    agreement = json.loads((folder / "agreement.json").read_text(encoding="utf-8"))
    return Quantized(folder, calibration, Agreement(**agreement))


def _processor() -> str:
    """Processors without instructions for int8 saturate where others do not: each has its own form and check."""
    return str(runtime.load().Core().get_property("CPU", "FULL_DEVICE_NAME"))


def _make(
    spec: ModelSpec,
    weights: LocalWeights | None,
    calibration: str,
    calibrating: list[np.ndarray],
    checking: list[np.ndarray],
) -> Quantized:
    """The int8 form for these images, whatever its agreement; from the cache, or made now and kept."""
    settings = WAYS[calibration.rpartition("-")[2]][1]
    about = {
        **compiled_cache.describe(spec, weights, "nncf"),
        "precision": "int8",
        "calibration": calibration,
        "settings": settings,
        "processor": _processor(),
    }
    target = compiled_cache.folder() / f"{spec.name}-{artifacts.digest(about)}"
    if not (target / "about.json").is_file():
        log.info("quantising %s with %d of the images; this happens once for them", spec.name, len(calibrating))
        with artifacts.create(target, about) as work:
            agreement = _quantize(spec, weights, calibrating, checking, settings, work)
            (work / "agreement.json").write_text(json.dumps(asdict(agreement), indent=1))
    return _read(target, calibration)


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


def _split(spec: ModelSpec, images: Iterable[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Different images for calibration and for the check, in the order of their digests."""
    different = {_digest(image): image for image in images}
    if len(different) < LEAST:
        raise UsageError(
            f"--precision int8 calibrates {spec.name} on some images and checks it on others: expected at least "
            f"{LEAST} different readable images. Received: {len(different)}; use --precision float32."
        )
    ordered = [different[digest] for digest in sorted(different)][:IMAGES]
    checking = len(ordered) * CHECK // IMAGES
    return ordered[checking:], ordered[:checking]


def _quantize(
    spec: ModelSpec,
    weights: LocalWeights | None,
    calibrating: list[np.ndarray],
    checking: list[np.ndarray],
    settings: dict[str, Any],
    work: Path,
) -> Agreement:
    """Fill a folder with the int8 form, and compare it with float32."""
    whole, reference = _with_probabilities(spec, weights)
    images = work / "images.npy"
    np.save(images, np.stack(calibrating))
    wanted = spec.cut.fields if spec.cut else ("probabilities",)
    fields = whole.cut.fields if whole.cut else wanted
    run_module(
        "zoo.engines.openvino.nncf_quantize",
        {
            "source": str(reference),
            "images": str(images),
            "target": str(work),
            "settings": settings,
            "keep": [fields.index(name) for name in wanted],
        },
        failure=f"{spec.name} cannot be quantised",
        remedy="use --precision float32",
    )
    outputs = [
        _run(OpenVinoEngine(whole, weights, None, Options(folder=folder)), checking)
        for folder in (reference, work / WHOLE)
    ]
    images.unlink()
    shutil.rmtree(work / WHOLE)
    return compare(*outputs, calibrated=len(calibrating))


def _with_probabilities(spec: ModelSpec, weights: LocalWeights | None) -> tuple[ModelSpec, Path]:
    """The network with features and, where it classifies, probabilities, for the comparison; its float32 form."""
    if weights is None or weights.has_top:
        try:
            whole = replace(spec, cut=replace(spec.cut or Cut(top=True), probabilities=True))
            return whole, compiled_cache.ensure(whole, weights)
        except UsageError as error:
            log.debug("%s", error)
    return spec, compiled_cache.ensure(spec, weights)


def _run(engine: OpenVinoEngine, images: list[np.ndarray]) -> np.ndarray:
    size = engine.batch_size
    batches = (np.stack(images[start : start + size]) for start in range(0, len(images), size))
    return np.concatenate(list(engine.run(batches)))
