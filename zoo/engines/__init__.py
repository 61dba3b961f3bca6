"""Engines run a network on batches of images.

- ``base``: the protocol of an engine, and its row in the table
- ``registry``: the table, choosing and starting an engine
- ``keras_engine``, ``keras_backend``: any Keras backend, on CPUs and GPUs
- ``openvino/``: networks compiled once for CPUs, and their int8 form
- ``devices``: CPUs and GPUs, and which one is used
- ``tta``: test-time augmentation
- ``network_key``: the values that identify a network in cache keys
"""

from zoo.engines.base import Engine, EngineType
from zoo.engines.registry import CHOICES, ENGINES, choose, compile_ahead, start

__all__ = ["CHOICES", "ENGINES", "Engine", "EngineType", "choose", "compile_ahead", "start"]
