"""Run a function of zoo in a process of its own, for frameworks that a process can have only once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.core.errors import UnavailableError, UsageError, ZooError

log = logging.getLogger(__name__)


def run_module(
    module: str,
    arguments: dict[str, Any],
    *,
    failure: str,
    remedy: str,
    environment: dict[str, str] | None = None,
    receive: Callable[[Any], None] | None = None,
) -> None:
    """Run a module that ends with :func:`main`; nothing of it reaches the terminal.

    ``arguments`` of its function are JSON values; ``receive`` gets what it sends by :func:`sender`. An error says
    ``failure``, the reason and ``remedy``.
    """
    # The child finds zoo where this process found it, also in a checkout that is not installed.
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        # In a session of its own, so that Ctrl-C reaches only this process, which then kills it.
        process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(arguments)],
            env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": path, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            for line in process.stdout or ():
                if receive is not None:
                    receive(json.loads(line))
            process.wait()
        finally:
            process.kill()
            process.wait()
        if process.returncode == 0:
            return
        errors.seek(0)
        lines = [line.strip() for line in errors if line.strip()]
    log.debug("%s", "\n".join(lines))
    reason = lines[-1] if lines else f"the process ended with status {process.returncode}"
    if process.returncode == UsageError.exit_status:
        raise UsageError(reason)
    raise UnavailableError(f"{failure}: {reason}; {remedy}.")


def sender() -> Callable[[Any], None]:
    """A function that sends values to ``receive`` of the parent; other output goes to standard error from now on."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(value: Any) -> None:
        channel.write(json.dumps(value) + "\n")
        channel.flush()

    return send


def main(function: Callable[..., None]) -> int:
    """Call a function with the arguments of :func:`run_module`; an error is the last line of standard error."""
    logging.disable(logging.WARNING)
    try:
        function(**json.loads(sys.argv[1]))
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0
