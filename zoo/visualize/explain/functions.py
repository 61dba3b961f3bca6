"""Functions that return the maps of one method as an array, made from the table of methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import ImageError
from zoo.images.inputs import Inputs
from zoo.visualize.explain.explain import explain, settings_of
from zoo.visualize.explain.methods import METHODS, MethodRow
from zoo.visualize.network.inspected_model import InspectedModel

if TYPE_CHECKING:
    import keras

_DOC = """{title}: {summary}.

{paper}; see :class:`{where}`.

Args:
    model: a name, ``NAME:TAG``, a ``.keras`` file, an :class:`InspectedModel` or a Keras model; the default model if
        ``None``.
    images: files, folders, or arrays, one or several. An array of the model's own input shape is used as it is;
        other uint8 arrays are resized like files.
    target: the class, by name, WordNet id or index; each image's most probable class if omitted.
    **settings: of the method, as its class takes them.

Returns:
    float32 (n, height, width) at the size of the model's input, 0 or more: evidence for the class.

Raises:
    ImageError: an image cannot be read.
    UsageError: an unknown model, class, layer or setting.
    UnavailableError: weights are unavailable, or the model has no gradients and the method needs them.
"""


def function_of(row: MethodRow) -> Callable[..., np.ndarray]:
    """The public function of a method."""

    def maps(
        model: str | InspectedModel | keras.Model | None,
        images: Inputs,
        *,
        target: str | int | None = None,
        **settings: Any,
    ) -> np.ndarray:
        net = InspectedModel.open(model)
        found = []
        for record in explain(net, images, method=row.name, target=target, faithfulness=False, **settings):
            if record.error is not None:
                raise ImageError(f"{record.path}: {record.error}.")
            found.append(record.explanations[0].map)
        return np.stack(found) if found else np.empty((0, *net.input_shape[:2]), "float32")

    kind = row.load()
    maps.__name__ = maps.__qualname__ = row.function
    where = f"{kind.__module__}.{kind.__name__}"
    maps.__doc__ = _DOC.format(title=kind.title, summary=kind.summary, paper=kind.paper, where=where)
    signature = inspect.signature(maps)
    parameters = [*list(signature.parameters.values())[:-1], *settings_of(kind).values()]
    maps.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return maps


def __getattr__(name: str) -> Callable[..., np.ndarray]:
    for row in METHODS.values():
        if row.function == name:
            return function_of(row)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
