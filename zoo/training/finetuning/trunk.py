"""The frozen part of a network: its outputs for the images are computed once and cached on disk.

An entry of the cache is a folder in ``$ZOO_CACHE/features``: ``outputs.npy`` (images, views, …), ``failed.json`` (the
images that could not be read) and ``about.json`` (everything that decides the values), whose digest is in its name.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import engines
from zoo.core import artifacts, atomic
from zoo.core.errors import ImageError, UnavailableError
from zoo.core.spec import Cut, ModelSpec
from zoo.data.idx import IdxImages
from zoo.data.split import Split
from zoo.engines.network_key import code_values, network_values
from zoo.inference import pipeline
from zoo.training.finetuning.views import Views

if TYPE_CHECKING:
    from zoo.engines.devices import Device
    from zoo.pretrained.weights import LocalWeights

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TrunkOutputs:
    """The outputs of a trunk for the images of a split, mapped from disk."""

    values: np.ndarray  #: float32 (n, views, channels), or float16 (n, views, rows, columns, channels).
    kept: np.ndarray  #: Indices of the images that could be read.
    failed: dict[int, str]  #: The others by index, with the reason.


class Trunk:
    """A network up to a cut, with its weights, on a device."""

    def __init__(self, spec: ModelSpec, weights: LocalWeights | None, cut: Cut, device: Device) -> None:
        """Nothing is computed yet; ``weights`` is ``None`` for a network in a file."""
        self.spec = replace(spec, cut=cut)
        self.weights, self.device = weights, device
        self._engine: engines.Engine | None = None

    @property
    def engine(self) -> engines.Engine:
        """The engine, started when it is needed."""
        if self._engine is None:
            self._engine = engines.start(self.spec, self.weights, self.device)
        return self._engine

    def close(self) -> None:
        """Release the memory of the engine."""
        self._engine = None

    def find(self, split: Split, views: Views) -> TrunkOutputs | None:
        """The outputs for a split, if they are in the cache."""
        folder = self._folder(split, views)
        try:
            values = np.load(folder / "outputs.npy", mmap_mode="r")
            failed = {int(index): why for index, why in json.loads((folder / "failed.json").read_text()).items()}
        except (OSError, ValueError):
            return None
        return TrunkOutputs(values, np.delete(np.arange(len(split)), sorted(failed)), failed)

    def outputs(self, split: Split, views: Views, progress: Callable[[int, int], None] | None = None) -> TrunkOutputs:
        """The outputs for the views of a split's images, from the cache or computed now."""
        found = self.find(split, views)
        if found is None:
            with artifacts.create(self._folder(split, views), self._about(split, views)) as work:
                failed = self._fill(work / "outputs.npy", split, views, progress)
                (work / "failed.json").write_text(json.dumps(failed))
            found = self.find(split, views)
            assert found is not None
        if not len(found.kept):
            index, why = next(iter(found.failed.items()))
            raise UnavailableError(
                f"None of the {len(split)} images can be read; the first is {split.sources[index].path}: {why}."
            )
        return found

    def _fill(
        self, file: Path, split: Split, views: Views, progress: Callable[[int, int], None] | None
    ) -> dict[int, str]:
        """Compute and write; returns the images that cannot be read, with the reasons."""
        values: np.ndarray | None = None
        failed: dict[int, str] = {}
        for index, output in enumerate(self.rows(split, views)):
            if isinstance(output, ImageError):
                failed[index] = str(output)
            else:
                if values is None:
                    values = _allocate(file, (len(split), *output.shape))
                values[index] = output
                if not np.isfinite(values[index]).all():
                    raise UnavailableError(
                        f"{self.spec.name} gives numbers that are too large to be stored in 16 bits for "
                        f"{split.sources[index].path}; --set views=0 computes them anew in every step."
                    )
            # Writing to a mapped file need not change its time, and an old work folder is taken to be a leftover.
            os.utime(file.parent)
            if progress is not None:
                progress(index + 1, len(split))
        values = _allocate(file, (len(split), 0)) if values is None else values
        values.flush()  # type: ignore[attr-defined]
        return failed

    def rows(self, split: Split, views: Views) -> Iterator[np.ndarray | ImageError]:
        """Compute for each image the outputs of its views, float (views, …), or an error."""
        sources = (split.sources[index] for index in range(len(split)))
        together: list[np.ndarray] = []
        for _, output in pipeline.run(sources, self.engine, self.spec.resize, read=views.read):
            if isinstance(output, ImageError):
                yield output
                continue
            together.append(output)
            if len(together) == views.count:
                yield np.stack(together)
                together = []

    def _folder(self, split: Split, views: Views) -> Path:
        return folder() / f"{self.spec.name}-{artifacts.digest(self._about(split, views))}"

    def _about(self, split: Split, views: Views) -> dict[str, Any]:
        """Everything that could change the outputs."""
        code = ("zoo.engines", "zoo.images", "zoo.data", "zoo.inference", "zoo.training.finetuning")
        return {
            **code_values(self.spec, *code),
            "network": network_values(self.spec, self.weights),
            "device": self.device.kind,
            "resize": self.spec.resize.values(),
            "views": views.as_dict(),
            "pictures": len(split),
            "pictures_sha256": _digest(split),
        }


def folder() -> Path:
    """The folder of all cached outputs."""
    return artifacts.root("features")


def dtype(shape: tuple[int, ...]) -> np.dtype[Any]:
    """The dtype in which outputs of a shape (without the batch) are stored: large ones, feature maps, in 16 bits."""
    return np.dtype("float32" if len(shape) == 1 else "float16")


def nbytes(images: int, views: int, shape: tuple[int, ...]) -> int:
    """Bytes that outputs of a shape (without the batch) take on disk."""
    return images * views * math.prod(shape) * dtype(shape).itemsize


def _allocate(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A new array on disk, (n, views, …)."""
    kind = dtype(shape[2:])
    atomic.need_space(file.parent, math.prod(shape) * kind.itemsize)
    return np.lib.format.open_memmap(file, mode="w+", dtype=kind, shape=shape)


def _digest(split: Split) -> str:
    """sha256 of the path, size and time of each file, without reading any; of IDX images, of the pixels."""
    hashed = hashlib.sha256()
    if isinstance(split.sources, IdxImages):
        hashed.update(split.sources.pixels.tobytes())
        hashed.update(np.ascontiguousarray(split.sources.indices).tobytes())
        return hashed.hexdigest()
    for source in split.sources:
        try:
            status = os.stat(source.path)
            state = f"{status.st_size}\0{status.st_mtime_ns}"
        except OSError:
            state = "missing"
        hashed.update(f"{os.path.abspath(source.path)}\0{state}\n".encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()
