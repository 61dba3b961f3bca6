"""Feature vectors of images: the outputs of any layers of a network, pooled or as they are."""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from zoo._version import __version__
from zoo.catalog import default_model
from zoo.core import artifacts, old_descriptions
from zoo.core.errors import ImageError, UsageError
from zoo.core.spec import Cut
from zoo.engines import ENGINES, network_key
from zoo.images import inputs
from zoo.images.source import Source
from zoo.inference import pipeline
from zoo.inference.loaded_model import LoadedModel
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import weights as pretrained

if TYPE_CHECKING:
    from zoo.engines.agreement import Agreement

log = logging.getLogger(__name__)

Pool = Literal["avg", "max", "flatten", "none"]
DType = Literal["float32", "float16"]

#: The least length that a vector is divided by.
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Features:
    """The feature vectors of some images.

    ``vectors`` is float32 or float16 (n, …), a row for each image that could be read, of ``paths``; ``failed`` has
    the others with the reasons. Further layers and the class probabilities are in ``more``, by name.
    """

    vectors: np.ndarray
    paths: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    more: Mapping[str, np.ndarray]


class Extractor(LoadedModel):
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
            model: a name, ``NAME:TAG``, or a ``.keras`` file; the default network if omitted.
            layer: a layer or a stage by name, or several; if omitted, the end of the network without its classifier.
            pool: pooling of feature maps (rows, columns, channels): mean or maximum over rows and columns, flattened,
                or none.
            normalize: divide each vector by its length (L2).
            probabilities: also give the class probabilities.
            dtype: of the vectors, ``"float32"`` or ``"float16"``.
            device: as for :class:`~zoo.inference.classify.Classifier`, like the following.
            engine: ``"auto"`` or a name.
            batch_size: images in a batch.
            offline: never use the internet.
            progress: called while weights are downloaded.
            threads: threads for decoding, and as many for computing; one per processor if omitted.

        Raises:
            UsageError: an unknown name, device, engine or pooling. An unknown layer is found when the engine starts.
            UnavailableError: weights or device are unavailable.
        """
        for option, value, known in (("pool", pool, get_args(Pool)), ("dtype", dtype, get_args(DType))):
            if value not in known:
                raise UsageError(f"Expected --{option} {', '.join(known)}. Received: {value}")
        super().__init__(device=device, engine=engine, batch_size=batch_size, threads=threads)
        asked = (layer,) if isinstance(layer, str) else tuple(layer or ())
        choice = default_model.up_to(model, asked, probabilities=probabilities, offline=offline, progress=progress)
        stages = {stage.name: stage.layer for stage in choice.spec.stages}
        layers = [stages.get(name, name) for name in asked]
        if len(set(layers)) < len(layers):
            raise UsageError(f"--layer names a layer twice. Received: {', '.join(asked)}")
        cut = Cut(
            layer=layers[0] if layers else None,
            pool=None if pool == "none" else pool,
            beside=tuple(layers[1:]),
            probabilities=probabilities,
        )
        self._load(choice, replace(choice.spec, cut=cut))
        self.normalize, self.dtype = normalize, dtype
        self._calibration = ""
        #: How it runs, which does not change its vectors: arguments for another extractor.
        self.running = {"device": device, "engine": engine, "batch_size": batch_size, "offline": offline}

    @classmethod
    def from_attributes(cls, about: Mapping[str, Any], **settings: Any) -> Extractor:
        """The extractor that made a file of vectors, from the attributes of the file.

        Args:
            about: as :attr:`about` was, when this version of zoo or 0.1 wrote the file.
            **settings: ``device``, ``engine``, ``batch_size``, ``offline`` and ``progress``.

        Raises:
            UsageError: the attributes do not name the network, or the network or its weights have changed.
            UnavailableError: weights or device are unavailable.
        """
        try:
            model = str(about["model"])
            extractor = cls(
                f"{model}:{about['tag']}" if about.get("tag") else model,
                layer=str(about["layer"]) or None,
                pool=about["pool"],
                normalize=bool(about["normalized"]),
                **settings,
            )
        except KeyError as error:
            raise UsageError(f"The vectors do not say how they were made: the attribute {error} is missing.") from error
        if about.get("precision") == "int8" and not extractor.quantize_as(str(about.get("calibration"))):
            log.warning("%s runs in float32, because its int8 form is no longer in the cache", model)
        now = extractor.about_as(about)
        changed = [key for key in ("weights_digest", "network", "resize") if about.get(key) != now[key]]
        if changed:
            raise UsageError(
                f"{model} has changed since the vectors were made: its {changed[0].replace('_', ' ')} differs; "
                "make them again with 'zoo features'."
            )
        return extractor

    @property
    def about(self) -> dict[str, Any]:
        """The attributes of a file of its vectors: everything that decides the numbers, and the version of zoo."""
        return self._about(old=False)

    def about_as(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """:attr:`about` in the form of a file's attributes, to compare it with them or to continue the file.

        zoo 0.1 described preprocessing and resizing in sentences, where this version has JSON.
        """
        return self._about(old=not str(made.get("preprocessing", "{")).startswith("{"))

    def _about(self, *, old: bool) -> dict[str, Any]:
        cut, spec = self.spec.cut, self.spec
        assert cut is not None
        values = network_key.network_values(replace(spec, cut=None), self.choice.weights)
        digest = values.pop("weights_sha256")
        if old:
            values = network_key.old_values(values, spec)
            preprocessing = old_descriptions.preprocessing_sentence(spec.preprocessing)
            resize = old_descriptions.resize_sentence(spec.resize)
        else:
            preprocessing, resize = (json.dumps(part.values()) for part in (spec.preprocessing, spec.resize))
        return {
            "model": os.path.abspath(spec.file) if spec.file else spec.name,
            "tag": "" if spec.file else self.choice.tag or "",
            "layer": cut.layer or "",
            "pool": cut.pool or "none",
            "further_layers": list(cut.beside),
            "probabilities": cut.probabilities,
            "normalized": self.normalize,
            "dtype": self.dtype,
            "preprocessing": preprocessing,
            "resize": resize,
            "weights_digest": digest or "",
            "precision": "int8" if self._calibration else "float32",
            "calibration": self._calibration,
            "network": artifacts.digest(values),
            "zoo_version": __version__,
        }

    def quantize(
        self, images: inputs.Inputs, *, min_cosine: float | None = None, min_agreement: float | None = None
    ) -> Agreement:
        """Run in int8 from now on, calibrated and checked on a sample of the images.

        Args:
            images: those whose vectors are wanted; some are drawn at random, and decoded.
            min_cosine: the least mean cosine similarity to float32 vectors, on images that did not calibrate; 0.99 if
                omitted.
            min_agreement: the least share of those images that keep their class; not checked if omitted.

        Raises:
            GateError: one of these is not reached.
            UsageError: there are too few images, the network has no such layer, or its engine does not run int8.
            UnavailableError: a package is not installed, or the network cannot be quantised.
        """
        from zoo.inference.calibration_set import sample

        int8 = self._int8()
        found = int8.ensure(
            self.spec,
            self.choice.weights,
            sample(inputs.stream(images), self.spec.resize, int8.IMAGES),
            min_cosine=int8.MIN_COSINE if min_cosine is None else min_cosine,
            min_agreement=min_agreement,
        )
        self._folder, self._calibration, self._engine = found.folder, found.calibration, None
        agreement: Agreement = found.agreement
        return agreement

    def quantize_as(self, calibration: str) -> bool:
        """Run in int8 as it was calibrated before (an attribute of a file); whether that form is in the cache."""
        found = self._int8().find(self.spec, self.choice.weights, calibration)
        if found is not None:
            self._folder, self._calibration, self._engine = found.folder, calibration, None
        return found is not None

    def _int8(self) -> Any:
        """The module that quantises for the chosen engine."""
        chosen = self.engine_type
        if chosen.int8 is None:
            able = " or ".join(name for name, row in ENGINES.items() if row.int8)
            raise UsageError(
                f"--precision int8 needs the engine {able}, and {self.spec.name} would run in {chosen.name} on "
                f"{self._device.name}; add --device cpu --engine {able}."
            )
        return importlib.import_module(chosen.int8)

    def stream(self, images: inputs.Inputs) -> Iterator[tuple[Source, dict[str, np.ndarray] | ImageError]]:
        """The vectors of a stream of images, lazily and in order; memory does not grow with its length.

        Args:
            images: paths, folders, URLs, arrays, or sources.

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
            images: files, folders, globs, URLs, or arrays: uint8 RGB (height, width, 3) of any size, or a batch.
            recursive: include subfolders.
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
        """An engine's output for one image by name, normalised and in the requested type."""
        names = output.dtype.names
        values = {name: output[name] for name in names} if names else {"features": output}
        for name, value in values.items():
            if name == "probabilities":
                values[name] = apply_temperature(value, self.temperature)
                continue
            vector = value / max(float(np.linalg.norm(value)), _TINY) if self.normalize else value
            # What does not fit becomes infinite, which is an error below.
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
    """The vectors of images by one call; arguments and errors are those of :class:`Extractor` and its ``extract``.

    >>> found = extract_features("photos/", model="resnet50")
    >>> found.vectors.shape, found.paths[0]
    ((1000, 2048), 'photos/1.jpg')
    """
    return Extractor(model, layer=layer, **settings).extract(images, recursive=recursive)
