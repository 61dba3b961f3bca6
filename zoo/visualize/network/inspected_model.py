"""The network that is looked at: its layers, its classes, what it says, and its gradients."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import engines
from zoo.catalog import default_model, labels
from zoo.catalog.labels import Label
from zoo.core.errors import UnavailableError, UsageError
from zoo.core.spec import ModelSpec, Stage
from zoo.core.stderr import quiet_stderr
from zoo.engines import devices, framework
from zoo.images import decode
from zoo.inference.temperature import apply_temperature
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained

if TYPE_CHECKING:
    import keras

    from zoo.visualize.network.flat_graph import Flat
    from zoo.visualize.network.gradients import Gradient

#: Images computed together where nothing else is said: gradients keep everything that is between.
BATCH_SIZE = 16

#: Forms of networks that have lost their gradients.
_EXPORTED = (".onnx", ".xml", ".tflite", ".pb", ".engine", ".torchscript")


class Subject:
    """A network as a graph that can be looked into, with the names of its classes.

    >>> subject = Subject.open("mobilenetv2")
    >>> subject.default_layer
    'out_relu'
    """

    def __init__(self, model: keras.Model, classes: tuple[Label, ...] = (), stages: tuple[Stage, ...] = ()) -> None:
        """Take a Keras network as it is; :meth:`open` takes one by name.

        Args:
            model: functional or sequential, of one input (n, height, width, channels) and one output (n, classes);
                pixels are given to it as they are.
            classes: their names, in the order of the output; numbers without.
            stages: other names for some of its layers.

        Raises:
            UsageError: it was written as a class, or takes no images of a fixed size.
        """
        # Imported here because a sentence about a name that does not exist needs no framework.
        from zoo.visualize.network.flat_graph import flatten

        self.flat: Flat = flatten(model)
        shape = tuple(self.flat.model.input.shape[1:])
        if len(shape) != 3 or None in shape:
            raise UsageError(f"{model.name} takes an input of shape {shape}, not images of a fixed size.")
        self.name = str(model.name)
        #: Height, width and channels of what goes in.
        self.input_shape: tuple[int, int, int] = shape
        self.classes = classes
        self.stages = stages
        #: What its logits are divided by before it answers, as it was fitted on other images; see zoo.evaluation.calibration.
        self.temperature = 1.0
        self.spec: ModelSpec | None = None
        self._weights: pretrained.Found | None = None
        self._device: devices.Device | None = None
        self._engine: engines.Engine | None = None
        self._parts: dict[tuple[str, str], Any] = {}

    @classmethod
    def open(
        cls,
        model: str | None = None,
        *,
        device: str = "auto",
        offline: bool | None = None,
        progress: pretrained.Progress | None = None,
    ) -> Subject:
        """Take a network by name, with its trained weights.

        Args:
            model: a name, ``NAME:TAG``, a ``.keras`` file or a ``.yaml`` network; the default network without.
            device: ``"auto"``, ``"cpu"``, ``"gpu"`` or ``"gpu:N"``.
            offline: never use the network; ``$ZOO_OFFLINE`` decides without.
            progress: called with file name, bytes done and bytes in all while weights are fetched.

        Raises:
            UsageError: an unknown name or device, an exported network, or one whose layers cannot be seen.
            UnavailableError: weights or device are not to be had, or Keras does not see the device.
        """
        if model is not None and (model.endswith(_EXPORTED) or (Path(model) / "saved_model.pb").is_file()):
            raise UsageError(
                f"{model} is an exported network, which has no gradients any more; give the .keras file that it was "
                "exported from."
            )
        chosen = devices.select(device)
        if model is None:
            found = default_model.default(offline=offline, progress=progress)
        else:
            found = default_model.named(model, offline=offline, progress=progress)
        framework.start(chosen)
        with quiet_stderr():
            from zoo import models

            network = models.create_model(found.spec, found.weights.path if found.weights else None)
            weights = found.spec.weights.get(found.tag) if found.tag else found.spec.weight_set()
            subject = cls(network, labels.classes(weights.labels) if weights else (), found.spec.stages)
        subject.name = found.spec.name
        subject.spec, subject._weights, subject._device = found.spec, found.weights, chosen
        if found.spec.file:
            subject.temperature = keras_file.temperature(found.spec.file)
        return subject

    def read(self, source: Any) -> np.ndarray:
        """An image as the network takes it, by the one path that all commands use.

        Args:
            source: a path, a :class:`zoo.images.sources.Source`, or uint8 RGB of any size.

        Returns:
            uint8 (height, width, 3).

        Raises:
            ImageError: it cannot be read.
            UsageError: the network has no spec that says how.
        """
        if self.spec is None:
            raise UsageError(f"{self.name} was given as it is; give it arrays of the shape {self.input_shape}.")
        return decode.load(source, self.spec.resize)

    # Classes

    def target(self, query: str | int) -> int:
        """The index of a class by its name, WordNet id or index.

        Raises:
            UsageError: there is none, or there are two of that name; the sentence says which.
        """
        if self.classes:
            return labels.among(self.classes, query, self.name).index
        count = int(self.flat.logits.shape[-1])
        if str(query).isdecimal() and int(query) < count:
            return int(query)
        raise UsageError(f"{self.name} has no names of classes but numbers from 0 to {count - 1}. Received: {query}")

    def label(self, index: int) -> str:
        """The name of a class; its number where it has none."""
        return self.classes[index].name if self.classes else str(index)

    # Layers

    def layer(self, name: str) -> str:
        """The full name of a layer, from that, a stage's name, or a nested layer's own name where that is unique.

        Raises:
            UsageError: there is none; the sentence names the nearest ones.
        """
        stages = {stage.name: stage.layer for stage in self.stages}
        wanted = stages.get(name, name)
        if wanted in self.flat.tensors:
            return wanted
        inner = [full for full in self.flat.tensors if full.rpartition("/")[2] == wanted]
        if len(inner) == 1:
            return inner[0]
        if inner:
            raise UsageError(f"{self.name} has {len(inner)} layers '{name}': {', '.join(inner)}; say which.")
        near = difflib.get_close_matches(name, [*stages, *self.flat.tensors], n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"{self.name} has no layer '{name}'.{hint} 'zoo info MODEL --layers' lists them.")

    def tensor(self, layer: str) -> Any:
        """The symbolic output of a layer."""
        return self.flat.tensors[self.layer(layer)]

    def is_map(self, layer: str) -> bool:
        """Whether a layer gives a map (n, rows, columns, channels) of several rows and columns of the image."""
        return self.flat.is_map(self.layer(layer))

    @property
    def default_layer(self) -> str:
        """The last layer that still knows where things are: the last map, or what its pooling was taken of.

        Raises:
            UsageError: the network has no map.
        """
        found = self.flat.last_map
        if found is None:
            raise UsageError(f"{self.name} has no layer whose output has rows and columns, so it has no map to draw.")
        return found

    # What it computes

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """The probabilities of classes, for any number of images; on the CPU by the compiled network.

        They are corrected by :attr:`temperature`, as those of ``zoo classify`` are. A network that answers by the mean
        over an image and its mirror image does not do so here.

        Returns:
            float32 (n, classes).
        """
        engine = self._start()
        if engine is None or pixels.dtype != np.uint8:
            said = self._in_batches(self.flat.model, pixels)
        else:
            size = engine.batch_size
            outputs = engine.run(pixels[start : start + size] for start in range(0, len(pixels), size))
            said = np.concatenate([np.array(output) for output in outputs])
        return apply_temperature(said, self.temperature)

    def activations(self, layer: str, pixels: np.ndarray) -> np.ndarray:
        """What a layer gives: float32 (n, …)."""
        return self._in_batches(self.part(layer), pixels)

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        """What the network gives before its last softmax: float32 (n, classes)."""
        import keras

        network = self._part("logits", "", lambda: keras.Model(self.flat.model.input, self.flat.logits))
        return self._in_batches(network, pixels)

    def part(self, layer: str) -> keras.Model:
        """The network from pixels to a layer."""
        import keras

        name = self.layer(layer)
        return self._part("to", name, lambda: keras.Model(self.flat.model.input, self.flat.tensors[name]))

    def gradient_at(self, layer: str) -> Gradient:
        """The gradient of a class's logit by the output of a layer.

        Returns:
            A function of that output, pixels, and the class of each image int32 (n,), which gives
            ``[gradient], logits``; the pixels matter only where there are ways round the layer. What is below the layer
            is not computed where there are none.
        """
        from zoo.visualize.network.gradients import chosen, gradient_of

        name = self.layer(layer)

        def make() -> Gradient:
            import keras

            tensor, pixels = self.flat.tensors[name], self.flat.model.input
            try:
                above = keras.Model(tensor, self.flat.logits)
                run: Callable[..., Any] = lambda x, _: above(x, training=False)  # noqa: E731 - one of two
            except ValueError:
                around = keras.Model([tensor, pixels], self.flat.logits)
                run = lambda x, image: around([x, image], training=False)  # noqa: E731

            return gradient_of(lambda x, image, targets: chosen(run(x, image), targets))

        found: Gradient = self._part("above", name, make)
        return found

    @property
    def gradient(self) -> Gradient:
        """The gradient of a class's logit by the pixels.

        A function of float32 pixels and the class of each image int32 (n,), which gives ``[gradient], logits``.
        """
        from zoo.visualize.network.gradients import chosen, gradient_of

        def make() -> Gradient:
            import keras

            network = keras.Model(self.flat.model.input, self.flat.logits)
            return gradient_of(lambda pixels, targets: chosen(network(pixels, training=False), targets))

        found: Gradient = self._part("gradient", "", make)
        return found

    def _part(self, kind: str, name: str, make: Callable[[], Any]) -> Any:
        """Something made of the network, made once."""
        if (kind, name) not in self._parts:
            self._parts[kind, name] = make()
        return self._parts[kind, name]

    def _in_batches(self, network: keras.Model, pixels: np.ndarray) -> np.ndarray:
        parts = [
            np.asarray(network.predict_on_batch(padded))[:count] for padded, count in batches(pixels.astype("float32"))
        ]
        return np.concatenate(parts)

    def _start(self) -> engines.Engine | None:
        """The compiled network, where there is one for this device."""
        if self._engine is None and self.spec is not None and self._device is not None:
            plain = replace(self.spec, mirror=False)
            if engines.choose("auto", plain, self._device) != "openvino":
                return None
            try:
                self._engine = engines.start(plain, self._weights, self._device, engine="openvino")
            except UnavailableError:
                # What does not compile is in memory already, in Keras.
                self._device = None
        return self._engine


def batches(pixels: np.ndarray, size: int = BATCH_SIZE) -> Iterator[tuple[np.ndarray, int]]:
    """Images in batches of one size, the last filled up with its last image, and how many of each batch count.

    A framework compiles a function anew for each number of images.
    """
    size = min(size, len(pixels))
    for start in range(0, len(pixels), size):
        part = pixels[start : start + size]
        count = len(part)
        if count < size:
            part = np.concatenate([part, np.repeat(part[-1:], size - count, axis=0)])
        yield part, count
