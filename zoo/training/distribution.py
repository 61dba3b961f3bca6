"""Learning on several devices at once: each has a copy of the network, and takes its part of every batch.

The gradients of the parts are added up before anything is done with them, so all copies make the same step, the one
that a single device would make with the whole batch. TensorFlow does this by ``tf.distribute.MirroredStrategy``, JAX by
``keras.distribution.DataParallel``.
"""

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
    """Where a network learns: on one device, unless a class below says otherwise."""

    #: What ``compile`` is told of XLA.
    jit: str | bool = "auto"

    def scope(self) -> AbstractContextManager[Any]:
        """Variables that are made meanwhile are on every device, as what :meth:`copy` makes is."""
        return contextlib.nullcontext()

    def copy(self, model: keras.Model) -> keras.Model:
        """The network that learns: ``model`` itself, or a copy with its weights on every device.

        Raises:
            UsageError: it cannot learn in its precision there.
        """
        return model

    def adapt(self, kind: Any) -> Any:
        """The class of an optimiser, so that it does on several devices what it does on one."""
        return kind

    def assign(self, variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
        """Give variables of :meth:`copy` or of its optimiser their values, on every device."""
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def step(self, model: keras.Model, x: np.ndarray, y: Any, weights: Any) -> dict[str, float]:
        """Learn from one batch.

        Args:
            model: compiled, from :meth:`copy`.
            x: (b, …).
            y: (b, …), or a list of such.
            weights: float (b,) of each image's loss, a list of such, or ``None``.

        Returns:
            What Keras logs.
        """
        logs: dict[str, float] = model.train_on_batch(x, y, sample_weight=weights, return_dict=True)
        return logs


class _Parallel(Placement):
    """Several devices."""

    def __init__(self, count: int) -> None:
        self.count = count

    def copy(self, model: keras.Model) -> keras.Model:
        """See :class:`Placement`."""
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
    """One program over all devices, which shares the batch out and is otherwise that of a single device."""

    def __init__(self, count: int) -> None:
        import keras

        super().__init__(count)
        there = keras.distribution.list_devices()
        if len(there) < count:
            raise _started("JAX", len(there), count)
        self._distribution = keras.distribution.DataParallel(devices=there[:count], auto_shard_dataset=False)

    def scope(self) -> AbstractContextManager[Any]:
        """See :class:`Placement`."""
        return self._distribution.scope()  # type: ignore[no-any-return]

    def step(self, model: keras.Model, x: np.ndarray, y: Any, weights: Any) -> dict[str, float]:
        """See :class:`Placement`."""
        batch = fill(x, y, weights, self.count)
        with self.scope():
            return _of_all(super().step(model, *batch), len(batch[0]) / len(x))


class _TensorFlow(_Parallel):
    """A program on every device, which meet where gradients and the statistics of BatchNorm are added up."""

    # XLA compiles for one device.
    jit = False

    def __init__(self, count: int, kind: str) -> None:
        import tensorflow

        super().__init__(count)
        if kind == "cpu":
            _divide_cpu(count)
        there = [
            device.name.removeprefix("/device:") for device in tensorflow.config.list_logical_devices(kind.upper())
        ]
        if len(there) < count:
            raise _started("TensorFlow", len(there), count)
        self._strategy = tensorflow.distribute.MirroredStrategy(there[:count])

    def scope(self) -> AbstractContextManager[Any]:
        """See :class:`Placement`."""
        return self._strategy.scope()  # type: ignore[no-any-return]

    def copy(self, model: keras.Model) -> keras.Model:
        """See :class:`Placement`."""
        if any(layer.compute_dtype == "float16" for layer in model.layers):
            raise UsageError(
                "On several devices TensorFlow learns in mixed_bfloat16 or float32, and JAX in mixed_float16 too; "
                "give --set precision=mixed_bfloat16."
            )
        return super().copy(model)

    def _clone(self, layer: Any) -> Any:
        import keras

        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            # Its mean and variance are those of the whole batch, as on one device.
            config["synchronized"] = True
        return layer.__class__.from_config(config)

    def adapt(self, kind: Any) -> Any:
        """See :class:`Placement`."""
        return type(kind.__name__, (_summing(kind), _local_updates()), {})

    def assign(self, variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
        """See :class:`Placement`. Each device draws its own random numbers."""
        super().assign(variables, values)
        for variable, value in zip(variables, values, strict=True):
            if variable.name == "seed_generator_state":
                for number, own in enumerate(self._strategy.experimental_local_results(variable.value)):
                    own.assign(np.asarray(value) + np.asarray([number * _APART, 0]))

    def step(self, model: keras.Model, x: np.ndarray, y: Any, weights: Any) -> dict[str, float]:
        """See :class:`Placement`. ``train_on_batch`` would give the whole batch to each device."""
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


#: How far the seeds of two devices are apart.
_APART = 1_000_003

_current: ContextVar[Placement] = ContextVar("placement", default=Placement())  # noqa: B039


def current() -> Placement:
    """Where networks learn now."""
    return _current.get()


@contextlib.contextmanager
def over(chosen: Sequence[Device]) -> Iterator[None]:
    """Networks that begin to learn meanwhile do so on all of the devices together.

    With one device nothing is done, and Keras is not imported; with several it is.

    Args:
        chosen: from :func:`zoo.engines.devices.select_several`.

    Raises:
        UnavailableError: the backend does not learn on several devices, or does not see so many of them.
    """
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
    return _Jax(count) if backend == "jax" else _TensorFlow(count, kind)


def fill(x: np.ndarray, y: Any, weights: Any, count: int) -> tuple[np.ndarray, Any, Any]:
    """A batch that can be shared out evenly, with the same mean loss and the same gradients.

    Where images are missing for that the first ones come again and weigh nothing; their targets are all zero, by
    which metrics know them. The rest weigh more by as much as the batch is longer, since Keras divides by its length.

    Args:
        x: (b, …).
        y: (b, …), or a list of such.
        weights: float (b,) of each image's loss, a list of such, or ``None``.
        count: how many parts are needed.
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
    """What Keras logs of a filled batch, as it is of the images alone: the loss, by its weights, is so already."""
    return {key: value * factor if key.endswith("top1") else value for key, value in logs.items()}


def _divide_cpu(count: int) -> None:
    """Make several devices of the CPU, which TensorFlow allows before its first use."""
    import tensorflow

    one = tensorflow.config.LogicalDeviceConfiguration()
    cpu = tensorflow.config.list_physical_devices("CPU")[0]
    # Where it is in use already, what it has is counted afterwards.
    with contextlib.suppress(RuntimeError):
        tensorflow.config.set_logical_device_configuration(cpu, [one] * count)


def _summing(kind: Any) -> Any:
    """The class of an optimiser that first adds up the gradients of all devices.

    Keras's own adds them up late, so that each device would limit the norm of its own gradients.
    """

    class Summing(kind):  # type: ignore[misc]
        def apply(self, gradients: Any, trainable_variables: Any = None) -> None:
            import tensorflow

            gradients = list(gradients)
            there = [gradient for gradient in gradients if gradient is not None]
            sums = iter(tensorflow.distribute.get_replica_context().all_reduce("sum", there))
            super().apply([None if gradient is None else next(sums) for gradient in gradients], trainable_variables)

    return Summing


def _local_updates() -> Any:
    """A base of optimisers whose every device changes its own variables, all of them in the same way.

    Keras's own changes them from outside all devices, which TensorFlow does not allow in the branch that gradient
    accumulation takes. As a base it comes after any class of an optimiser, and before Keras's own one for TensorFlow.
    """
    from keras.src.backend.tensorflow.optimizer import TFOptimizer
    from keras.src.optimizers.base_optimizer import BaseOptimizer

    class LocalUpdates(TFOptimizer):  # type: ignore[misc]
        _apply_weight_decay = BaseOptimizer._apply_weight_decay
        _backend_update_step = BaseOptimizer._backend_update_step
        _backend_increment_gradient_accumulators = BaseOptimizer._backend_increment_gradient_accumulators

    return LocalUpdates


def _started(framework: str, there: int, wanted: int) -> UnavailableError:
    return UnavailableError(
        f"{framework} has {there} of the {wanted} devices; it learns of them when it starts, so begin in a new "
        "process, or see 'zoo doctor'."
    )
