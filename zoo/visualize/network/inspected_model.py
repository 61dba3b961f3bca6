"""A model opened for inspection: its layers, classes, predictions, activations and gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import engines
from zoo.catalog import default_model, labels
from zoo.catalog.labels import Label
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import ModelSpec, Stage
from zoo.core.stderr import quiet_stderr
from zoo.engines import devices, keras_backend
from zoo.images import decode
from zoo.images.source import Source
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained
from zoo.visualize.network.batching import batches

if TYPE_CHECKING:
    import keras

    from zoo.visualize.network.flat_graph import FlatGraph
    from zoo.visualize.network.gradients import Gradient

#: Exported formats, which have no gradients.
_EXPORTED = (".onnx", ".xml", ".tflite", ".pb", ".engine", ".torchscript")


class InspectedModel:
    """A classifier as a flat graph, with the names of its classes.

    >>> InspectedModel.open("mobilenetv2").default_layer
    'out_relu'
    """

    def __init__(self, model: keras.Model, classes: tuple[Label, ...] = (), stages: tuple[Stage, ...] = ()) -> None:
        """Inspect a Keras model; :meth:`open` takes a name or a file.

        Args:
            model: functional or sequential, with one input (n, height, width, channels) and one output (n, classes);
                it is given pixels as they are.
            classes: in the order of the output; indices stand for names if omitted.
            stages: names for the last layers of stages.

        Raises:
            UsageError: it is a subclassed model, or its input is not images of a fixed size.
        """
        from zoo.visualize.network.flat_graph import flatten

        self.flat: FlatGraph = flatten(model)
        shape = tuple(self.flat.model.input.shape[1:])
        if len(shape) != 3 or None in shape:
            raise UsageError(f"{model.name} takes an input of shape {shape}, not images of a fixed size.")
        self.name = str(model.name)
        #: Height, width, channels.
        self.input_shape: tuple[int, int, int] = shape
        self.classes = classes
        self.stages = stages
        #: Divides the logits; see :mod:`zoo.evaluation.calibration`.
        self.temperature = 1.0
        self.spec: ModelSpec | None = None
        self._weights: pretrained.LocalWeights | None = None
        self._device: devices.Device | None = None
        self._engine: engines.Engine | None = None
        self._made: dict[tuple[str, str], Any] = {}

    @classmethod
    def open(
        cls,
        model: str | InspectedModel | keras.Model | None = None,
        *,
        device: str = "auto",
        offline: bool | None = None,
        progress: pretrained.Progress | None = None,
    ) -> InspectedModel:
        """Open a model with its trained weights.

        Args:
            model: a name, ``NAME:TAG``, a ``.keras`` file or a ``.yaml`` network; the default model if omitted. A Keras
                model in memory is inspected as it is, and one that is open is returned.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            offline: never download; ``$ZOO_OFFLINE`` if omitted.
            progress: called with file name, bytes done and total bytes during a download.

        Raises:
            UsageError: an unknown name or device, an exported or a subclassed model.
            UnavailableError: weights or device are unavailable.
        """
        if isinstance(model, InspectedModel):
            return model
        if model is not None and not isinstance(model, str):
            return cls(model)
        if model and (model.endswith(_EXPORTED) or (Path(model) / "saved_model.pb").is_file()):
            raise UsageError(
                f"{model} is an exported network, which has no gradients any more; give the .keras file that it was "
                "exported from."
            )
        chosen = devices.select(device)
        find = default_model.default if model is None else partial(default_model.named, model)
        found = find(offline=offline, progress=progress)
        keras_backend.start(chosen)
        with quiet_stderr():
            from zoo import models

            network = models.create_model(found.spec, found.weights.path if found.weights else None)
            weights = found.spec.weights.get(found.tag) if found.tag else found.spec.weight_set()
            net = cls(network, labels.classes(weights.labels) if weights else (), found.spec.stages)
        net.name = found.spec.name
        net.spec, net._weights, net._device = found.spec, found.weights, chosen
        if found.spec.file:
            net.temperature = keras_file.temperature(found.spec.file)
        return net

    def read(self, source: Any) -> np.ndarray:
        """The model's input for an image: a path, a :class:`~zoo.images.source.Source`, or uint8 RGB of any size.

        Returns:
            uint8 (height, width, 3). An array of the model's own input shape is returned as it is.

        Raises:
            ImageError: the image cannot be read.
            UsageError: the model was given in memory, so its preprocessing is unknown.
        """
        if isinstance(source, Source) and source.pixels is not None and source.pixels.shape == self.input_shape:
            return source.pixels
        if self.spec is None:
            raise UsageError(f"{self.name} was given as it is; give it arrays of the shape {self.input_shape}.")
        return decode.load(source, self.spec.resize)

    # Classes

    def target(self, query: str | int) -> int:
        """The index of a class, by name, WordNet id or index.

        Raises:
            UsageError: there is no such class, or several of that name.
        """
        if self.classes:
            return labels.among(self.classes, query, self.name).index
        count = int(self.flat.logits.shape[-1])
        if str(query).isdecimal() and int(query) < count:
            return int(query)
        raise UsageError(f"{self.name} has no names of classes but numbers from 0 to {count - 1}. Received: {query}")

    def label(self, index: int) -> str:
        """The name of a class, or its index as text if it has none."""
        return self.classes[index].name if self.classes else str(index)

    # Layers

    def layer(self, name: str) -> str:
        """The full name of a layer, given that, a stage's name, or a nested layer's own name if that is unique.

        Raises:
            UsageError: there is no such layer, or several.
        """
        return self.flat.find(name, {stage.name: stage.layer for stage in self.stages}, self.name)

    def tensor(self, layer: str) -> Any:
        """The symbolic output of a layer."""
        return self.flat.tensors[self.layer(layer)]

    def output_shape(self, layer: str) -> tuple[int | None, ...]:
        """The shape of a layer's output without the batch; empty if it has several outputs."""
        return tuple(getattr(self.tensor(layer), "shape", ()))[1:]

    def is_map(self, layer: str) -> bool:
        """Whether a layer's output is a feature map (n, rows, columns, channels)."""
        return self.flat.is_map(self.layer(layer))

    @property
    def default_layer(self) -> str:
        """The last layer whose output is a feature map, before pooling.

        Raises:
            UsageError: the model has no feature map.
        """
        found = self.flat.last_map
        if found is None:
            raise UsageError(f"{self.name} has no layer whose output has rows and columns, so it has no map to draw.")
        return found

    def require_map(self, layer: str, purpose: str = "") -> str:
        """The full name of a layer whose output is a feature map; ``purpose`` ends the reason in the message.

        Raises:
            UsageError: there is no such layer, or its output has no rows and columns.
        """
        name = self.layer(layer)
        if not self.is_map(name):
            raise UsageError(
                f"{name} of {self.name} gives {self.output_shape(name)}, which has no rows and columns{purpose}; use a "
                f"layer with a feature map, such as {self.default_layer}."
            )
        return name

    # Computation

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Class probabilities of any number of images, temperature included: float32 (n, classes).

        uint8 images run on the compiled model where there is one. Test-time mirroring is left out.
        """
        engine = self._compiled()
        if engine is None or pixels.dtype != np.uint8:
            outputs = self._in_batches(self.flat.model, pixels)
        else:
            size = engine.batch_size
            batches_out = engine.run(pixels[start : start + size] for start in range(0, len(pixels), size))
            outputs = np.concatenate([np.array(output) for output in batches_out])
        return apply_temperature(outputs, self.temperature)

    def activations(self, layer: str, pixels: np.ndarray) -> np.ndarray:
        """The output of a layer: float32 (n, …)."""
        return self._in_batches(self.part(layer), pixels)

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """The output before the last softmax: float32 (n, classes)."""
        return self._in_batches(self._logits_model(), pixels)

    def part(self, layer: str) -> keras.Model:
        """The model from pixels to the output of a layer."""
        import keras

        name = self.layer(layer)
        return self._once("to", name, lambda: keras.Model(self.flat.model.input, self.flat.tensors[name]))

    def gradient_at(self, layer: str) -> Gradient:
        """The gradient of a class's logit by the output of a layer.

        Returns:
            A function of that output, the pixels and the targets int32 (n,), which returns ``[gradient], logits``. The
            pixels are used only if a path bypasses the layer.
        """
        import keras

        from zoo.visualize.network.gradients import gradient_of, select_logit

        name = self.layer(layer)

        def make() -> Gradient:
            tensor, pixels = self.flat.tensors[name], self.flat.model.input
            try:
                above = keras.Model(tensor, self.flat.logits)
                run: Callable[..., Any] = lambda x, _: above(x, training=False)  # noqa: E731 - one of two
            except ValueError:
                around = keras.Model([tensor, pixels], self.flat.logits)
                run = lambda x, image: around([x, image], training=False)  # noqa: E731
            return gradient_of(lambda x, image, targets: select_logit(run(x, image), targets))

        return self._once("above", name, make)  # type: ignore[no-any-return]

    @property
    def gradient(self) -> Gradient:
        """The gradient of a class's logit by the pixels.

        A function of float32 pixels and targets int32 (n,) that returns ``[gradient], logits``.
        """
        from zoo.visualize.network.gradients import gradient_of, select_logit

        network = self._logits_model()
        function = lambda pixels, targets: select_logit(network(pixels, training=False), targets)  # noqa: E731
        return self._once("gradient", "", lambda: gradient_of(function))  # type: ignore[no-any-return]

    def _logits_model(self) -> keras.Model:
        import keras

        return self._once("logits", "", lambda: keras.Model(self.flat.model.input, self.flat.logits))

    def _once(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        if (kind, name) not in self._made:
            self._made[kind, name] = make()
        return self._made[kind, name]

    def _in_batches(self, network: keras.Model, pixels: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [np.asarray(network.predict_on_batch(batch))[:count] for batch, count in batches(pixels.astype("float32"))]
        )

    def _compiled(self) -> engines.Engine | None:
        """The compiled model, if there is one for this device."""
        if self._engine is None and self.spec is not None and self._device is not None:
            plain = replace(self.spec, mirror=False)
            chosen = engines.choose("auto", plain, self._device)
            if not chosen.compiles:
                return None
            try:
                self._engine = engines.start(plain, self._weights, self._device, engine=chosen.name)
            except UnavailableError:
                # Keras runs what does not compile.
                self._device = None
        return self._engine
