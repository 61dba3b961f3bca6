"""Vectors of images: what a network makes of them before, or at, any of its layers."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from zoo import engines
from zoo._version import __version__
from zoo.catalog import default_model, labels
from zoo.core.errors import ImageError, UsageError
from zoo.core.spec import Cut
from zoo.engines import batching, compiled, devices
from zoo.images import inputs
from zoo.images.sources import Source
from zoo.inference import pipeline
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained

if TYPE_CHECKING:
    from zoo.engines.agreement import Agreement
    from zoo.engines.quantized import Quantized

log = logging.getLogger(__name__)

Pool = Literal["avg", "max", "flatten", "none"]
DType = Literal["float32", "float16"]

#: The least length that a vector is divided by.
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Features:
    """The vectors of some images.

    ``vectors`` is float32 or float16 (n, …), a row for each image that could be read, of ``paths``; ``failed`` has
    the others with the reasons. Further layers and the class probabilities are in ``more``, by name.
    """

    vectors: np.ndarray
    paths: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    more: Mapping[str, np.ndarray]


class Extractor:
    """A network up to one or several of its layers, and an engine to run it, loaded once.

    >>> Extractor("resnet50").extract("photos/").vectors.shape
    (1000, 2048)
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        layer: str | Sequence[str] | None = None,
        pool: Pool = "avg",
        normalize: bool = False,
        probabilities: bool = False,
        dtype: DType = "float32",
        device: str = "auto",
        engine: str = "auto",
        batch_size: int | None = None,
        offline: bool | None = None,
        progress: pretrained.Progress | None = None,
        threads: int | None = None,
    ) -> None:
        """Choose the network and where it runs. The engine starts with the first image.

        Args:
            model: a name, ``NAME:TAG``, or a ``.keras`` file; the default network without.
            layer: a layer or a stage by name, or several; the end of the network without its classifier without.
            pool: what becomes of a map (rows, columns, channels): its mean or maximum over rows and columns, all of
                it in one line, or nothing.
            normalize: whether each vector is divided by its length (L2).
            probabilities: whether the class probabilities are given too.
            dtype: of what is given, ``"float32"`` or ``"float16"``.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            engine: ``"auto"``, ``"keras"`` or ``"openvino"``.
            batch_size: images computed together; the engine's own choice without.
            offline: never use the network; ``$ZOO_OFFLINE`` decides without.
            progress: called with file name, bytes done and bytes in all while weights are fetched.
            threads: of this process that decode, and as many that compute where openvino does; one for each processor
                without.

        Raises:
            UsageError: an unknown name, device, engine or way of pooling. That a layer does not exist is found when
                the engine starts.
            UnavailableError: weights or device are not to be had.
        """
        if pool not in get_args(Pool):
            raise UsageError(f"--pool takes {', '.join(get_args(Pool))}. Received: {pool}")
        if dtype not in get_args(DType):
            raise UsageError(f"--dtype takes {', '.join(get_args(DType))}. Received: {dtype}")
        if batch_size is not None and batch_size < 1:
            raise UsageError(f"The batch size is at least 1. Received: {batch_size}")
        asked = (layer,) if isinstance(layer, str) else tuple(layer or ())
        self._device = devices.select(device)
        self.choice = default_model.up_to(model, asked, probabilities=probabilities, offline=offline, progress=progress)
        whole = self.choice.spec
        stages = {stage.name: stage.layer for stage in whole.stages}
        layers = [stages.get(name, name) for name in asked]
        if len(set(layers)) < len(layers):
            raise UsageError(f"--layer names a layer twice. Received: {', '.join(asked)}")
        cut = Cut(
            layer=layers[0] if layers else None,
            pool=None if pool == "none" else pool,
            beside=tuple(layers[1:]),
            probabilities=probabilities,
        )
        self.spec = replace(whole, cut=cut)
        engines.choose(engine, self.spec, self._device)
        self.normalize, self.dtype = normalize, dtype
        tag = self.choice.tag
        weights = whole.weights.get(tag) if tag else whole.weight_set()
        self.labels = tuple(label.name for label in labels.classes(weights.labels)) if weights else ()
        self._quantized: Quantized | None = None
        self._temperature = keras_file.temperature(whole.file) if whole.file else 1.0
        self._engine_request, self._batch_size, self._threads = engine, batch_size, threads
        #: How it runs, which does not change what it gives: arguments for another extractor.
        self.running = {"device": device, "engine": engine, "batch_size": batch_size, "offline": offline}
        #: Says whether at least so many images will come; asked where finding the fastest batch size might pay.
        self.many: Callable[[int], bool] | None = None
        self._engine: engines.Engine | None = None

    @classmethod
    def like(cls, about: Mapping[str, Any], **settings: Any) -> Extractor:
        """The extractor that made a file of vectors, from the attributes of the file.

        Args:
            about: what :attr:`about` was.
            **settings: ``device``, ``engine``, ``batch_size``, ``offline`` and ``progress``.

        Raises:
            UsageError: the attributes do not say which network it was, or the network or its weights are not the same
                any more.
            UnavailableError: weights or device are not to be had.
        """
        try:
            model = str(about["model"])
            made = cls(
                f"{model}:{about['tag']}" if about.get("tag") else model,
                layer=str(about["layer"]) or None,
                pool=about["pool"],
                normalize=bool(about["normalized"]),
                **settings,
            )
        except KeyError as error:
            raise UsageError(f"The vectors do not say how they were made: the attribute {error} is missing.") from error
        if about.get("precision") == "int8" and not made.quantize_as(str(about.get("calibration"))):
            log.warning("%s is computed in float32, as its int8 form is not in the cache any more", model)
        changed = [key for key in ("weights_digest", "network", "resize") if about.get(key) != made.about[key]]
        if changed:
            raise UsageError(
                f"{model} is not what the vectors were made with: its {changed[0].replace('_', ' ')} is another now; "
                "make them again with 'zoo features'."
            )
        return made

    @property
    def about(self) -> dict[str, Any]:
        """What made the vectors, as plain values: everything that decides the numbers, and the version of zoo."""
        cut = self.spec.cut
        assert cut is not None
        identity = compiled.identity(replace(self.spec, cut=None), self.choice.weights)
        digest = identity.pop("weights_sha256")
        return {
            "model": os.path.abspath(self.spec.file) if self.spec.file else self.spec.name,
            "tag": "" if self.spec.file else self.choice.tag or "",
            "layer": cut.layer or "",
            "pool": cut.pool or "none",
            "further_layers": list(cut.beside),
            "probabilities": cut.probabilities,
            "normalized": self.normalize,
            "dtype": self.dtype,
            "preprocessing": self.spec.preprocessing.describe(),
            "resize": self.spec.resize.describe(),
            "weights_digest": digest or "",
            "precision": "int8" if self._quantized else "float32",
            "calibration": self._quantized.calibration if self._quantized else "",
            "network": hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:20],
            "zoo_version": __version__,
        }

    @property
    def engine(self) -> engines.Engine:
        """The engine that runs; started where it has not been yet.

        Raises:
            UsageError: the network has no such layer.
        """
        if self._engine is None:
            self._engine = engines.start(
                self.spec,
                self.choice.weights,
                self._device,
                engine=self._engine_request,
                batch_size=self._batch_size,
                many=batching.asking(self.many, self.spec.gmacs),
                folder=self._quantized.folder if self._quantized else None,
                threads=self._threads,
            )
        return self._engine

    def quantize(
        self, images: inputs.Inputs, *, min_cosine: float | None = None, min_agreement: float | None = None
    ) -> Agreement:
        """Compute in int8 from now on, calibrated and checked on some of the images (:mod:`zoo.engines.quantized`).

        Args:
            images: those that vectors are wanted of; some are drawn by chance, and decoded.
            min_cosine: the least mean cosine similarity to the vectors of float32, on images that did not calibrate;
                0.99 without.
            min_agreement: the least share of those images that are put into the same class; not asked for without.

        Raises:
            GateError: a bar is not met.
            UsageError: there are too few images, or the network has no such layer; or it runs in Keras.
            UnavailableError: NNCF is not installed, or the network cannot be quantised.
        """
        from zoo.engines import quantized
        from zoo.inference.sampling import sample

        self._require_openvino()
        drawn = sample(inputs.stream(images), self.spec.resize, quantized.IMAGES)
        self._quantized = quantized.ensure(
            self.spec,
            self.choice.weights,
            drawn,
            bar=quantized.BAR if min_cosine is None else min_cosine,
            top1_bar=min_agreement,
        )
        self._engine = None
        return self._quantized.agreement

    def quantize_as(self, calibration: str) -> bool:
        """Compute in int8 as it was calibrated before, where that form is still in the cache.

        Args:
            calibration: what :attr:`about` said.

        Returns:
            whether it is.
        """
        from zoo.engines import quantized

        self._require_openvino()
        self._quantized = quantized.find(self.spec, self.choice.weights, calibration)
        self._engine = None
        return self._quantized is not None

    def _require_openvino(self) -> None:
        if engines.choose(self._engine_request, self.spec, self._device) != "openvino":
            raise UsageError(
                f"--precision int8 runs with openvino on the CPU, and {self.spec.name} would run in Keras on "
                f"{self._device.name}; add --device cpu --engine openvino."
            )

    def stream(self, images: inputs.Inputs) -> Iterator[tuple[Source, dict[str, np.ndarray] | ImageError]]:
        """The vectors of a stream of images, lazily and in order; memory does not grow with its length.

        Args:
            images: paths, folders, addresses, arrays, or sources.

        Yields:
            The source, and its vectors by name, or the reason why there are none. ``"features"`` are those of the first
            layer, ``"features_LAYER"`` those of each further one, ``"probabilities"`` float32 (classes,).
        """
        outputs = pipeline.run(inputs.stream(images), self.engine, self.spec.resize, threads=self._threads)
        for source, output in outputs:
            yield source, output if isinstance(output, ImageError) else self._finished(output)

    def extract(self, images: inputs.Inputs, *, recursive: bool = False) -> Features:
        """The vectors of images, in memory.

        Args:
            images: files, folders, globs, addresses, or arrays: uint8 RGB (height, width, 3) of any size, or a batch.
            recursive: look into folders within folders.
        """
        paths: list[str] = []
        failed: list[tuple[str, str]] = []
        columns: dict[str, list[np.ndarray]] = {}
        for source, output in self.stream(inputs.stream(images, recursive=recursive)):
            if isinstance(output, ImageError):
                failed.append((source.path, str(output)))
                continue
            paths.append(source.path)
            for name, value in output.items():
                columns.setdefault(name, []).append(value)
        arrays = {name: np.stack(values) for name, values in columns.items()}
        vectors = arrays.pop("features", np.empty((0, 0), self.dtype))
        return Features(vectors, tuple(paths), tuple(failed), arrays)

    def _finished(self, output: np.ndarray) -> dict[str, np.ndarray]:
        """The engine's answer for one image by name, normalised and in the type that was asked for."""
        names = output.dtype.names
        values = {name: output[name] for name in names} if names else {"features": output}
        for name, value in values.items():
            if name == "probabilities":
                values[name] = apply_temperature(value, self._temperature)
                continue
            vector = value / max(float(np.linalg.norm(value)), _TINY) if self.normalize else value
            # What does not fit becomes infinite, which is said below.
            with np.errstate(over="ignore"):
                values[name] = vector.astype(self.dtype, copy=False)
            if self.dtype == "float16" and not np.isfinite(values[name]).all():
                raise UsageError(
                    f"{self.spec.name} gives numbers that float16 cannot hold; use --dtype float32, or --normalize."
                )
        return values


def extract_features(
    images: inputs.Inputs,
    model: str | None = None,
    *,
    layer: str | Sequence[str] | None = None,
    recursive: bool = False,
    **settings: Any,
) -> Features:
    """The vectors of images by one call; :class:`Extractor` is for many, and for streams.

    >>> found = extract_features("photos/", model="resnet50")
    >>> found.vectors.shape, found.paths[0]
    ((1000, 2048), 'photos/1.jpg')

    Args:
        images: as for :meth:`Extractor.extract`.
        model: as for :class:`Extractor`.
        layer: as for :class:`Extractor`.
        recursive: look into folders within folders.
        **settings: what else :class:`Extractor` takes.

    Raises:
        UsageError: as for :class:`Extractor`, or the network has no such layer.
        UnavailableError: as for :class:`Extractor`.
    """
    return Extractor(model, layer=layer, **settings).extract(images, recursive=recursive)
