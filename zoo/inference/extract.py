"""From images to a file of vectors: as they come, with nothing lost when it is interrupted."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import ImageError
from zoo.images import inputs
from zoo.images.sources import Source
from zoo.inference.features import Extractor
from zoo.vectors import Column, Journal, Mode, Written, open_vectors
from zoo.vectors.part_folder import Folder

if TYPE_CHECKING:
    from zoo.distributed.ray_runner import RayRunner

#: Called for each image that is done, with the reason why there is no vector, if there is none.
Watcher = Callable[[Source, ImageError | None], None]


def write(
    images: inputs.Inputs,
    target: str | os.PathLike[str],
    extractor: Extractor,
    *,
    mode: Mode = "new",
    watcher: Watcher | None = None,
) -> Written:
    """Write the vectors of images to a file, in order. Memory does not grow with their number.

    Args:
        images: paths, folders, addresses, arrays, or sources.
        target: the file; its suffix says what it is (:mod:`zoo.vectors`).
        extractor: makes the vectors.
        mode: ``"new"``; ``"resume"`` goes on with what was interrupted; ``"update"`` adds what is new to a file that is
            there; ``"overwrite"`` replaces it.
        watcher: told of each image that is done.

    Raises:
        UsageError: the file exists, another network made it, or its suffix is unknown; or there is no such layer.
        UnavailableError: it cannot be written, or the network cannot be run.
    """
    with Journal.open(Path(target), extractor.about, mode=mode) as journal:
        if not journal.complete:
            for source, output in _computed(journal.pending(inputs.stream(images)), extractor):
                if isinstance(output, ImageError):
                    journal.fail(source, str(output))
                else:
                    if not journal.declared:
                        journal.declare(columns(output, extractor))
                    journal.add(source, list(output.values()))
                if watcher is not None:
                    watcher(source, output if isinstance(output, ImageError) else None)
        return journal.finish()


def write_features(
    images: inputs.Inputs,
    target: str | os.PathLike[str],
    model: str | None = None,
    *,
    mode: Mode = "new",
    runner: RayRunner | None = None,
    **settings: Any,
) -> Written:
    """What ``zoo features`` does: :func:`write` with an :class:`~zoo.inference.features.Extractor` of these settings.

    >>> write_features("photos/", "f.h5", "resnet50", layer="stage3").count
    1000

    With a :class:`~zoo.distributed.ray_runner.RayRunner`, a cluster does it, and the target is a folder.
    """
    extractor = Extractor(model, **settings)
    if runner is not None:
        return runner.write(images, target, extractor, mode=mode)
    return write(images, target, extractor, mode=mode)


def made_with(target: str | os.PathLike[str]) -> dict[str, Any]:
    """What made a file that is finished or begun; nothing is known where there is none.

    Raises:
        UsageError: it is damaged, or something else.
    """
    folder = Folder(Path(target))
    if folder.begun:
        return dict(folder.read().about)
    if not os.path.lexists(target):
        return {}
    with open_vectors(target) as vectors:
        return dict(vectors.about)


def columns(output: dict[str, np.ndarray], extractor: Extractor) -> list[Column]:
    """What is stored of each image."""
    cut = extractor.spec.cut
    assert cut is not None
    layers = iter((cut.layer or "", *cut.beside))
    return [
        Column(
            name,
            value.shape,
            str(value.dtype),
            {"classes": list(extractor.labels)} if name == "probabilities" else {"layer": next(layers)},
        )
        for name, value in output.items()
    ]


def _computed(
    pending: Iterator[Source], extractor: Extractor
) -> Iterator[tuple[Source, dict[str, np.ndarray] | ImageError]]:
    """The vectors of what is pending; where that is nothing, the network is not even loaded."""
    first = next(pending, None)
    if first is not None:
        yield from extractor.stream(itertools.chain([first], pending))
