"""Importing OpenVINO without the telemetry that it sends when it is imported."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

#: Sends the telemetry; OpenVINO and NNCF work without it.
TELEMETRY = "openvino_telemetry"


def load() -> ModuleType:
    """Import OpenVINO, if it is not imported yet, so that nothing is sent, then or later."""
    if "openvino" not in sys.modules:
        before = sys.modules.get(TELEMETRY)
        sys.modules[TELEMETRY] = None  # type: ignore[assignment]
        try:
            importlib.import_module("openvino")
        finally:
            del sys.modules[TELEMETRY]
            if before is not None:
                sys.modules[TELEMETRY] = before
    return sys.modules["openvino"]
