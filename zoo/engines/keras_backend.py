"""The Keras backend, started for one device, and only for that one."""

from __future__ import annotations

import logging

from zoo.core.errors import UnavailableError
from zoo.core.stderr import quiet_stderr
from zoo.engines import devices
from zoo.engines.devices import Device
from zoo.engines.openvino import runtime

log = logging.getLogger(__name__)


def start(device: Device) -> str:
    """Import Keras for a device, check that the backend sees it, and compute something; its messages are hidden.

    A backend that is imported already stays as it is.
    """
    backend = devices.prepare(device)
    with quiet_stderr():
        if backend == "openvino":
            # Keras would import it with its telemetry.
            runtime.load()
        import keras

        _allow_memory_growth(backend)
        if device.kind == "gpu" and not sees_gpu(backend):
            raise UnavailableError(
                f"Keras on {backend} does not see {device.name}; see 'zoo doctor', or use --device cpu."
            )
        keras.ops.convert_to_numpy(keras.ops.zeros(1))
    return backend


def sees_gpu(backend: str) -> bool:
    """Whether a backend that is imported has a GPU to run on."""
    if backend == "tensorflow":
        import tensorflow

        return bool(tensorflow.config.list_physical_devices("GPU"))
    if backend == "jax":
        import jax

        return bool(jax.default_backend() == "gpu")
    if backend == "torch":
        import torch

        return bool(torch.cuda.is_available())
    return False


def _allow_memory_growth(backend: str) -> None:
    """TensorFlow takes all of a GPU's memory unless it is told otherwise before its first use."""
    if backend != "tensorflow":
        return
    import tensorflow

    for gpu in tensorflow.config.list_physical_devices("GPU"):
        try:
            tensorflow.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            log.debug("TensorFlow was in use before zoo: memory growth stays as it is")
