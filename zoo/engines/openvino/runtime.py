"""OpenVINO as zoo imports it: without the message to its makers that an import sends over the network."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

#: Sends the messages; OpenVINO and NNCF do without where it is not installed.
TELEMETRY = "openvino_telemetry"


def load() -> ModuleType:
    """Import OpenVINO. Nothing is sent, then or later; a process that has imported it already keeps what it has.

    Raises:
        ImportError: it is not installed.
    """
    if "openvino" not in sys.modules:
        with _absent(TELEMETRY):
            return importlib.import_module("openvino")
    return sys.modules["openvino"]


@contextlib.contextmanager
def _absent(name: str) -> Iterator[None]:
    """A module cannot be imported meanwhile."""
    there = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if there is not None:
            sys.modules[name] = there
