"""Data-parallel training: each device trains a copy of the network on its part of a batch; gradients are summed."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.core.errors import UnavailableError, UsageError
from zoo.core.stderr import quiet_stderr
from zoo.engines import devices

if TYPE_CHECKING:
    import keras

    from zoo.engines.devices import Device


class Placement:
    """Where a network is trained: on one device, unless a subclass says otherwise."""

    jit: str | bool = "auto"  #: ``jit_compile`` of Keras.

    def scope(self) -> AbstractContextManager[Any]:
        """Variables that are created in this ``with`` block are on every device."""
        return contextlib.nullcontext()

    def copy(self, model: keras.Model) -> keras.Model:
        """The network to train: ``model``, or a copy on every device; UsageError if its precision does not work."""
        return model

    def adapt(self, kind: Any) -> Any:
        """The class of an optimiser, adapted so that several devices make the step of one."""
        return kind

    def assign(self, variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
        """Set variables of :meth:`copy` or of its optimiser on every device."""
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def step(self, model: keras.Model, x: np.ndarray, y: Any, weights: Any) -> dict[str, float]:
        """Train on one batch; Keras's logs. ``y`` and ``weights``, (b,), are lists if there are several outputs."""
        logs: dict[str, float] = model.train_on_batch(x, y, sample_weight=weights, return_dict=True)
        return logs


class _Parallel(Placement):
    """Several devices."""

    def __init__(self, count: int) -> None:
        self.count = count

    def copy(self, model: keras.Model) -> keras.Model:
        import keras

        with self.scope():
            twin = keras.models.clone_model(model, clone_function=self._clone)
        shapes = [[tuple(variable.shape) for variable in network.variables] for network in (model, twin)]
        if shapes[0] != shapes[1]:
            raise UsageError(f"{model.name} cannot be copied to several devices; take one.")
        self.assign(twin.variables, [np.array(keras.ops.convert_to_numpy(v.value)) for v in model.variables])
        return twin

    def _clone(self, layer: Any) -> Any:
        return layer.__class__.from_config(layer.get_config())


class _Jax(_Parallel):
    """One program over all devices, which shards the batch."""

    def __init__(self, count: int, kind: str) -> None:
        import keras

        super().__init__(count)
        there = keras.distribution.list_devices()
        _require(there, count, "JAX")
        self._distribution = keras.distribution.DataParallel(devices=there[:count], auto_shard_dataset=False)

    def scope(self) -> AbstractContextManager[Any]:
        return self._distribution.scope()  # type: ignore[no-any-return]

    def step(self, model: keras.Model, x: np.ndarray, y: Any, weights: Any) -> dict[str, float]:
        batch = fill(x, y, weights, self.count)
        with self.scope():
            return _of_all(super().step(model, *batch), len(batch[0]) / len(x))


class _TensorFlow(_Parallel):
    """A program on every device; gradients and BatchNorm statistics are summed."""

    # XLA compiles for one device.
    jit = False

    def __init__(self, count: int, kind: str) -> None:
        import tensorflow

        super().__init__(count)
        if kind == "cpu":
            one = tensorflow.config.LogicalDeviceConfiguration()
            cpu = tensorflow.config.list_physical_devices("CPU")[0]
            # If it is in use already, its devices are counted afterwards.
            with contextlib.suppress(RuntimeError):
                tensorflow.config.set_logical_device_configuration(cpu, [one] * count)
        there = [item.name.removeprefix("/device:") for item in tensorflow.config.list_logical_devices(kind.upper())]
        _require(there, count, "TensorFlow")
        self._strategy = tensorflow.distribute.MirroredStrategy(there[:count])

    def scope(self) -> AbstractContextManager[Any]:
        return self._strategy.scope()  # type: ignore[no-any-return]

    def copy(self, model: keras.Model) -> keras.Model:
        if any(layer.compute_dtype == "float16" for layer in model.layers):
            raise UsageError(
                "On several devices TensorFlow trains in mixed_bfloat16 or float32, and JAX in mixed_float16 too; "
                "give --set precision=mixed_bfloat16."
            )
        return super().copy(model)

    def _clone(self, layer: Any) -> Any:
        import keras

        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            # Mean and variance are those of the whole batch, as on one device.
            config["synchronized"] = True
        return layer.__class__.from_config(config)

    def adapt(self, kind: Any) -> Any:
        from keras.src.backend.tensorflow.optimizer import TFOptimizer
        from keras.src.optimizers.base_optimizer import BaseOptimizer

        class Summing(kind):  # type: ignore[misc]
            # Keras sums gradients late, so that each device would clip the norm of its own.
            def apply(self, gradients: Any, trainable_variables: Any = None) -> None:
                import tensorflow

                gradients = list(gradients)
                there = [gradient for gradient in gradients if gradient is not None]
                sums = iter(tensorflow.distribute.get_replica_context().all_reduce("sum", there))
                super().apply([None if gradient is None else next(sums) for gradient in gradients], trainable_variables)

        class LocalUpdates(TFOptimizer):  # type: ignore[misc]
            # Keras updates from outside the devices, which TensorFlow does not allow in gradient accumulation.
            _apply_weight_decay = BaseOptimizer._apply_weight_decay
            _backend_update_step = BaseOptimizer._backend_update_step
            _backend_increment_gradient_accumulators = BaseOptimizer._backend_increment_gradient_accumulators

        return type(kind.__name__, (Summing, LocalUpdates), {})

    def assign(self, variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
        # Each device has random numbers of its own.
        super().assign(variables, values)
        for variable, value in zip(variables, values, strict=True):
            if variable.name == "seed_generator_state":
                for number, own in enumerate(self._strategy.experimental_local_results(variable.value)):
                    own.assign(np.asarray(value) + np.asarray([number * _APART, 0]))

    def step(self, model: keras.Model, x: np.ndarray, y: Any, weights: Any) -> dict[str, float]:
        # ``train_on_batch`` would give the whole batch to each device.
        import keras
        import tensorflow

        batch = fill(x, y, weights, self.count)
        size = len(batch[0]) // self.count

        def share(array: np.ndarray | None) -> Any:
            if array is None:
                return None
            parts = [tensorflow.constant(part) for part in np.split(array, len(array) // size)]
            return self._strategy.experimental_distribute_values_from_function(
                lambda context: parts[context.replica_id_in_sync_group]
            )

        with self.scope():
            model._symbolic_build(data_batch=batch)
            model.make_train_function()
            model.reset_metrics()
            logs = model.train_function(iter([keras.tree.map_structure(share, batch)]))
        return _of_all({key: float(value) for key, value in logs.items()}, len(batch[0]) / len(x))


#: By backend of Keras.
_PLACEMENTS: dict[str, type[_Jax] | type[_TensorFlow]] = {"jax": _Jax, "tensorflow": _TensorFlow}

_APART = 1_000_003  #: The distance of the seeds of two devices.

_current: ContextVar[Placement] = ContextVar("placement", default=Placement())  # noqa: B039


def current() -> Placement:
    """Where networks are trained now."""
    return _current.get()


@contextlib.contextmanager
def over(chosen: Sequence[Device]) -> Iterator[None]:
    """Train the networks of a ``with`` block on all devices together; with one, Keras is not imported."""
    if len(chosen) == 1:
        yield
        return
    backend = devices.prepare(*chosen)
    with quiet_stderr():
        placement = _parallel(backend, len(chosen), chosen[0].kind)
    before = _current.set(placement)
    try:
        yield
    finally:
        _current.reset(before)


@functools.cache
def _parallel(backend: str, count: int, kind: str) -> Placement:
    """One for all trainings of a process: two strategies of TensorFlow would mix up each other's sums."""
    return _PLACEMENTS[backend](count, kind)


def fill(x: np.ndarray, y: Any, weights: Any, count: int) -> tuple[np.ndarray, Any, Any]:
    """Fill a batch so that it has ``count`` equal parts, with the same mean loss and the same gradients.

    Images are repeated with weight 0 and targets of zeros; the others weigh more, since Keras divides by the length.
    """
    missing = -len(x) % count
    if not missing:
        return x, y, weights
    again = np.arange(len(x) + missing) % len(x)
    factor = np.where(np.arange(len(again)) < len(x), len(again) / len(x), 0.0).astype("float32")

    def targets(array: np.ndarray) -> np.ndarray:
        return np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])

    def weighed(array: np.ndarray | None) -> np.ndarray:
        return factor if array is None else array[again] * factor

    if isinstance(y, list):
        return x[again], [targets(array) for array in y], [weighed(array) for array in weights or [None] * len(y)]
    return x[again], targets(y), weighed(weights)


def _of_all(logs: dict[str, float], factor: float) -> dict[str, float]:
    """Keras's logs of a filled batch for the images alone; the loss is, by its weights, already."""
    return {key: value * factor if key.endswith("top1") else value for key, value in logs.items()}


def _require(there: Sequence[str], count: int, framework: str) -> None:
    if len(there) < count:
        raise UnavailableError(
            f"{framework} has {len(there)} of the {count} devices; it counts them when it starts, so begin in a new "
            "process, or see 'zoo doctor'."
        )
