"""From images to a file of feature vectors: written as they are computed, with nothing lost by an interruption."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from zoo.core.errors import ImageError, UsageError
from zoo.images import inputs
from zoo.images.source import Source
from zoo.inference.features import Extractor
from zoo.vectors import Column, Journal, Mode, Written, open_vectors
from zoo.vectors.part_folder import PartFolder

#: Called for each image that is done, with the reason why there is no vector, if there is none.
Watcher = Callable[[Source, ImageError | None], None]


class Runner(Protocol):
    """Computes and writes the vectors of images elsewhere, e.g. :class:`zoo.distributed.ray_runner.RayRunner`."""

    def write(
        self,
        images: inputs.Inputs,
        target: str | os.PathLike[str],
        extractor: Extractor,
        *,
        mode: Mode = "new",
        watcher: Watcher | None = None,
    ) -> Written:
        """What :func:`write` does."""
        ...


def write(
    images: inputs.Inputs,
    target: str | os.PathLike[str],
    extractor: Extractor,
    *,
    mode: Mode = "new",
    watcher: Watcher | None = None,
    about: Mapping[str, Any] | None = None,
) -> Written:
    """Write the vectors of images to a file, in order. Memory does not grow with their number."""
    with Journal.open(Path(target), about or attributes(extractor, target, mode), mode=mode) as journal:
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
    runner: Runner | None = None,
    **settings: Any,
) -> Written:
    """What ``zoo features`` does: :func:`write` with an :class:`~zoo.inference.features.Extractor` of these settings.

    >>> write_features("photos/", "f.h5", "resnet50", layer="stage3").count
    1000

    With a runner, such as :class:`~zoo.distributed.ray_runner.RayRunner`, it is done elsewhere.
    """
    extractor = Extractor(model, **settings)
    return (runner.write if runner else write)(images, target, extractor, mode=mode)


def attributes(extractor: Extractor, target: str | os.PathLike[str], mode: Mode) -> dict[str, Any]:
    """The attributes of what an extractor writes to a file, in the form that the file has if ``mode`` continues it."""
    made: Mapping[str, Any] = {}
    # What is wrong with the file is found when it is opened to be written.
    with contextlib.suppress(UsageError):
        made = previous_attributes(target, mode)
    return extractor.about_as(made)


def previous_attributes(target: str | os.PathLike[str], mode: Mode | None) -> Mapping[str, Any]:
    """The attributes of a finished or begun file that ``mode`` continues; empty if there is none."""
    if mode not in ("resume", "update"):
        return {}
    path = Path(target)
    folder = PartFolder(path if path.name not in ("", "..") else path.resolve())
    if folder.begun:
        return dict(folder.read().about)
    if not os.path.lexists(target):
        return {}
    with open_vectors(target) as vectors:
        return dict(vectors.file_about)


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
    """The vectors of pending images; if there are none, the network is not even loaded."""
    first = next(pending, None)
    if first is not None:
        yield from extractor.stream(itertools.chain([first], pending))
